//! The command line. Doc comments are the help.

mod groups;
mod looking_back;
mod work;

use clap::{Parser, Subcommand};

pub(crate) use groups::{
    BackfillArgs, DryRun, DryRunArgs, Format, LogFormat, OutputArgs, PeriodArgs, ReportArgs,
    SendArgs, SiteArgs,
};
pub(crate) use looking_back::{
    AcknowledgeArgs, DecisionArgs, ExplainArgs, HistoryArgs, HistoryFormat, ReleaseArgs, Since,
    StatusArgs,
};
pub(crate) use work::{ApplyArgs, ExtractArgs, MapArgs, PinArgs, PushArgs, RunArgs};

use crate::exit::Exit;

/// Aggregate data values from a PostgreSQL registry into DHIS2
///
/// Runs the SQL of each mapping, maps its rows to data values, compares them with what DHIS2 holds now, sends only
/// the differences and reads them back. Every row and every cell ends in exactly one counted outcome.
#[derive(Debug, Parser)]
#[command(name = "pg2dhis2", version, after_help = exit_codes(), disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Do the whole pass: extract, map, compare, send the differences, read them back
    #[command(after_help = exit_codes())]
    Run(RunArgs),
    /// Write the rows of one mapping's queries as JSON Lines; needs no DHIS2
    #[command(after_help = exit_codes())]
    Extract(ExtractArgs),
    /// Turn rows from `extract` into a dataValueSets document; opens no socket
    #[command(after_help = exit_codes())]
    Map(MapArgs),
    /// Compare a document from `map` with DHIS2, send the differences, read them back
    #[command(after_help = exit_codes())]
    Push(PushArgs),
    /// Send the changes of a saved plan, if DHIS2 is still as the plan found it
    #[command(after_help = exit_codes())]
    Apply(ApplyArgs),
    /// Write dhis2.pin.json: what the objects of DHIS2 are like that the mappings name
    #[command(after_help = exit_codes())]
    Pin(PinArgs),
    /// Show what runs did: the latest ones, or one whole with all its changes
    #[command(after_help = exit_codes())]
    History(HistoryArgs),
    /// Say how each mapping stands: last success, open problems, gaps; for monitoring agents
    #[command(after_help = exit_codes())]
    Status(StatusArgs),
    /// Say that somebody knows of a problem: until then it is counted, but told no more
    #[command(after_help = exit_codes())]
    Acknowledge(AcknowledgeArgs),
    /// Let pass until a day what a guard holds, or a source that was restored
    #[command(after_help = exit_codes())]
    Release(ReleaseArgs),
    /// Say where a number in DHIS2 comes from: rows, rules, who stored it, every change we made
    #[command(after_help = exit_codes())]
    Explain(ExplainArgs),
}

impl Command {
    /// What is to change DHIS2, if the command is to.
    pub(crate) fn sending(&self) -> Option<SendingCommand<'_>> {
        let (command, dry_run, mappings): (_, _, &[String]) = match self {
            Command::Run(args) => ("run", &args.send.dry_run, &args.mappings.mappings),
            Command::Push(args) => ("push", &args.send.dry_run, &[]),
            Command::Apply(args) => ("apply", &args.dry_run, &[]),
            _ => return None,
        };
        dry_run.by.is_none().then_some(SendingCommand {
            command,
            site: self.site(),
            mappings,
        })
    }

    /// What every command has.
    pub(crate) fn site(&self) -> &SiteArgs {
        match self {
            Command::Run(args) => &args.site,
            Command::Extract(args) => &args.site,
            Command::Map(args) => &args.site,
            Command::Push(args) => &args.site,
            Command::Apply(args) => &args.site,
            Command::Pin(args) => &args.site,
            Command::History(args) => &args.site,
            Command::Status(args) => &args.site,
            Command::Acknowledge(args) => &args.site,
            Command::Release(args) => &args.site,
            Command::Explain(args) => &args.site,
        }
    }
}

/// A command that is to change DHIS2, and the mappings that it was given by name or path.
pub(crate) struct SendingCommand<'c> {
    pub(crate) command: &'static str,
    pub(crate) site: &'c SiteArgs,
    pub(crate) mappings: &'c [String],
}

/// The end of every help.
fn exit_codes() -> String {
    let mut text = "Exit codes:\n".to_owned();
    for exit in Exit::ALL {
        text += &format!(
            "  {:>2}  {:<12} {}\n",
            exit.code(),
            exit.name(),
            exit.meaning()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        super::Cli::command().debug_assert();
    }
}
