//! The command line. Doc comments are the help.

mod past;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{SignedDuration, Timestamp};
pub(crate) use past::{
    AcknowledgeArgs, ExplainArgs, HistoryArgs, HistoryFormat, Since, StatusArgs,
};

use crate::domain::PeriodRange;
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
    /// Say where a number in DHIS2 comes from: rows, rules, who stored it, every change we made
    #[command(after_help = exit_codes())]
    Explain(ExplainArgs),
}

impl Command {
    /// What is to change DHIS2, if the command is to.
    pub(crate) fn sending(&self) -> Option<Sending<'_>> {
        let (command, dry_run, mappings): (_, _, &[String]) = match self {
            Command::Run(args) => ("run", &args.send.dry_run, &args.mappings.mappings),
            Command::Push(args) => ("push", &args.send.dry_run, &[]),
            Command::Apply(args) => ("apply", &args.dry_run, &[]),
            _ => return None,
        };
        dry_run.by.is_none().then_some(Sending {
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
            Command::Explain(args) => &args.site,
        }
    }
}

/// A command that is to change DHIS2, and the mappings that it was given by name or path.
pub(crate) struct Sending<'c> {
    pub(crate) command: &'static str,
    pub(crate) site: &'c SiteArgs,
    pub(crate) mappings: &'c [String],
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) mappings: MappingArgs,
    #[command(flatten)]
    pub(crate) periods: PeriodArgs,
    #[command(flatten)]
    pub(crate) backfill: BackfillArgs,
    #[command(flatten)]
    pub(crate) send: SendArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ExtractArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// The mapping, by name (the stem of its file) or path
    #[arg(short, long, value_name = "M")]
    pub(crate) mapping: String,
    #[command(flatten)]
    pub(crate) periods: PeriodArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct MapArgs {
    /// Rows written by `extract` [default: standard input]
    #[arg(value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Another mapping than the one the input names, by name or path
    #[arg(short, long, value_name = "M")]
    pub(crate) mapping: Option<String>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PushArgs {
    /// A document written by `map` [default: standard input]
    #[arg(value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) send: SendArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A plan written by `run` or `push` with --dry-run --save-plan
    #[arg(value_name = "FILE")]
    pub(crate) plan: PathBuf,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) dry_run: DryRunArgs,
    /// Apply a plan that is too old all the same, named by its digest; repeatable
    #[arg(long, value_name = "DIGEST")]
    pub(crate) release: Vec<String>,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct PinArgs {
    /// Write nothing; say what DHIS2 changed since the pin, and exit 14 if any of it is harmful
    #[arg(long)]
    pub(crate) check: bool,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SiteArgs {
    /// The site file [default: ./pg2dhis2.toml, then /etc/pg2dhis2/pg2dhis2.toml]
    #[arg(short, long, value_name = "FILE", env = "PG2DHIS2_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// Tell more on standard error; twice: each request
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Tell nothing but errors
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// The form of lines on standard error: text, or json, one object a line
    #[arg(long, value_name = "F", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct MappingArgs {
    /// A mapping, by name (the stem of its file) or path; repeatable [default: every mapping of the site]
    #[arg(short, long = "mapping", value_name = "M")]
    pub(crate) mappings: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct PeriodArgs {
    /// A DHIS2 period or a range of one type (202503, 202401..202412, 2024); repeatable [default: the current period
    /// and the look-back]
    ///
    /// Each applies to the mappings of its own period type; where a mapping has none of its type, to its periods that
    /// begin inside any.
    #[arg(short, long = "period", value_name = "P[..P]")]
    pub(crate) periods: Vec<PeriodRange>,
    /// The moment that decides which period is current, and is bound as :'as_of' (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_of: Option<Timestamp>,
}

/// How many periods are worked through.
#[derive(Debug, Args)]
pub(crate) struct BackfillArgs {
    /// Of many periods, begin with the oldest [default: with the newest]
    #[arg(long, requires = "periods")]
    pub(crate) oldest_first: bool,
    /// Wait so long between the parts of a backfill: 30s, 5m
    #[arg(long, value_name = "TIME", requires = "periods", value_parser = age)]
    pub(crate) pause: Option<SignedDuration>,
    /// Leave DHIS2 alone after each part of a backfill for as long as the part took
    #[arg(long, requires = "periods")]
    pub(crate) gentle: bool,
}

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    #[command(flatten)]
    pub(crate) dry_run: DryRunArgs,
    /// Save what a dry run would change, for `apply`; it holds values, so that its owner alone may read it
    #[arg(long, value_name = "FILE", requires = "by")]
    pub(crate) save_plan: Option<PathBuf>,
    /// Let exactly the plan pass that a guard held and named by this digest; repeatable
    #[arg(long, value_name = "DIGEST")]
    pub(crate) release: Vec<String>,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DryRunArgs {
    /// Read both sides and show what would change; write to neither. With `=server` DHIS2 is asked too: the changes go
    /// through its own dry run, which stores nothing
    #[arg(
        short = 'n',
        long = "dry-run",
        value_name = "BY",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "local"
    )]
    pub(crate) by: Option<DryRun>,
}

/// Who says what would become of the changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DryRun {
    /// This program alone
    Local,
    /// DHIS2 as well
    Server,
}

#[derive(Debug, Args)]
pub(crate) struct ReportArgs {
    /// The form of the report: text on standard error, or json on standard output
    #[arg(long, value_name = "F", default_value = "text")]
    pub(crate) format: Format,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Write to a file instead of standard output, whole or not at all, readable by its owner only
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
}

/// `90m`, `3h`, `2d`.
fn age(text: &str) -> Result<SignedDuration, String> {
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u32>().ok());
    match days {
        Some(days) => Ok(SignedDuration::from_hours(24 * i64::from(days))),
        None => text
            .parse()
            .map_err(|_| "write a time such as 90m, 3h or 2d".to_owned()),
    }
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        "write a date and time with its offset, such as 2026-01-01T04:00:00Z or 2026-01-01T00:00:00-04:00".to_owned()
    })
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
