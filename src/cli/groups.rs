//! Options that mean the same in every command that has them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};

use crate::domain::PeriodRange;

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
    /// Begin with the oldest of many periods [default: with the newest]
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
pub(super) fn age(text: &str) -> Result<SignedDuration, String> {
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

pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| {
        "write a date and time with its offset, such as 2026-01-01T04:00:00Z or 2026-01-01T00:00:00-04:00".to_owned()
    })
}
