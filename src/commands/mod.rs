//! The subcommands: each composes the stages into one sentence.

mod acknowledge;
mod alerts;
mod apply;
mod approvals;
mod complete;
mod conclude;
mod deliver;
mod explain;
mod extract;
mod history;
mod map;
mod mode;
mod monitoring;
mod pass;
mod periods;
mod pin;
mod push;
mod record;
mod relaxed;
mod remember;
mod results;
mod rights;
mod run;
mod saved_plan;
mod server_opinion;
mod source;
mod start;
mod status;
mod target;
mod turn;

use alerts::Order;

use crate::cli::{Command, SiteArgs};
use crate::exit::Exit;
use crate::site::{self, Site};
use crate::watchdog::{Watch, Work};

/// Does what the command line says.
pub(crate) fn execute(command: &Command) -> anyhow::Result<Exit> {
    site::forbid_core_files();
    let ended = match command {
        Command::Run(args) => {
            let order = Order::new("run", &args.site, args.send.mode());
            order.named(&args.mappings.mappings).after(run::run(args))
        }
        Command::Extract(args) => extract::extract(args),
        Command::Map(args) => map::map(args),
        Command::Push(args) => {
            Order::new("push", &args.site, args.send.mode()).after(push::push(args))
        }
        Command::Apply(args) => {
            Order::new("apply", &args.site, args.dry_run.mode()).after(apply::apply(args))
        }
        Command::Pin(args) => pin::pin(args),
        Command::History(args) => history::history(args),
        Command::Status(args) => status::status(args),
        Command::Acknowledge(args) => acknowledge::acknowledge(args),
        Command::Explain(args) => explain::explain(args),
    };
    if let Err(error) = &ended
        && command.sends()
    {
        monitoring::failed(command.site(), Exit::of(error));
    }
    ended
}

/// The site, and the time that the command has from now on.
fn begin(args: &SiteArgs, work: Work) -> anyhow::Result<(Site, Watch)> {
    let mut site = Site::load(args.config.as_deref())?;
    let watch = Watch::begin(site.deadline, work)?;
    site.ends_at = watch.deadline.map(|deadline| deadline.ends_at);
    Ok((site, watch))
}
