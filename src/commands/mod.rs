//! The subcommands: each composes the stages into one sentence.

mod acknowledge;
mod apply;
mod explain;
mod extract;
mod history;
mod map;
mod pin;
mod push;
mod release;
mod run;
mod status;

use crate::cli::Command;
use crate::exit::Exit;
use crate::session::never_begun;
use crate::site;

/// Does what the command line says.
pub(crate) fn execute(command: &Command) -> anyhow::Result<Exit> {
    site::forbid_core_files();
    let ended = match command {
        Command::Run(args) => run::run(args),
        Command::Extract(args) => extract::extract(args),
        Command::Map(args) => map::map(args),
        Command::Push(args) => push::push(args),
        Command::Apply(args) => apply::apply(args),
        Command::Pin(args) => pin::pin(args),
        Command::History(args) => history::history(args),
        Command::Status(args) => status::status(args),
        Command::Acknowledge(args) => acknowledge::acknowledge(args),
        Command::Release(args) => release::release(args),
        Command::Explain(args) => explain::explain(args),
    };
    if let (Err(error), Some(sending)) = (&ended, command.sending()) {
        never_begun(&sending, error);
    }
    ended
}
