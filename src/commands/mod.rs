//! The subcommands: each composes the stages into one sentence.

mod apply;
mod complete;
mod deliver;
mod extract;
mod map;
mod mode;
mod periods;
mod pin;
mod push;
mod relaxed;
mod remember;
mod results;
mod rights;
mod run;
mod saved_plan;
mod server_opinion;
mod target;

use crate::cli::Command;
use crate::exit::Exit;
use crate::site;

/// Does what the command line says.
pub(crate) fn execute(command: &Command) -> anyhow::Result<Exit> {
    site::forbid_core_files();
    match command {
        Command::Run(args) => run::run(args),
        Command::Extract(args) => extract::extract(args),
        Command::Map(args) => map::map(args),
        Command::Push(args) => push::push(args),
        Command::Apply(args) => apply::apply(args),
        Command::Pin(args) => pin::pin(args),
    }
}
