//! The command line of what tells about runs that were: `history`, `status`, `explain`.

use clap::{Args, ValueEnum};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};

use super::groups::{MappingArgs, OutputArgs, PeriodArgs, ReportArgs, SiteArgs, age, moment};
use crate::domain::Period;

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// The number of a run: show it whole
    #[arg(value_name = "RUN", conflicts_with_all = ["mappings", "since", "failed", "last", "verify"])]
    pub(crate) run: Option<i64>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    /// Runs of a mapping, by its name; repeatable
    #[arg(short, long = "mapping", value_name = "M")]
    pub(crate) mappings: Vec<String>,
    /// Runs that began then or later: a date, or a moment (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Runs that did not end with 0
    #[arg(long)]
    pub(crate) failed: bool,
    /// At most so many, the latest
    #[arg(long, value_name = "N", default_value_t = 30)]
    pub(crate) last: usize,
    /// Go over the whole history; 16 if anything was edited, removed or moved
    #[arg(long)]
    pub(crate) verify: bool,
    /// The form: text or csv (of runs), or json
    #[arg(long, value_name = "F", default_value = "text")]
    pub(crate) format: HistoryFormat,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum HistoryFormat {
    Text,
    Json,
    Csv,
}

/// A day in the site's time zone, or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    Day(Date),
    Moment(Timestamp),
}

#[derive(Debug, Args)]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) mappings: MappingArgs,
    #[command(flatten)]
    pub(crate) periods: PeriodArgs,
    /// A mapping without a success for so long is stale: 5 [default: 3h]
    #[arg(long, value_name = "TIME", value_parser = age)]
    pub(crate) max_age: Option<SignedDuration>,
    /// Send a message that says that it is a test to every [[alert]], and tell which arrived
    #[arg(long, conflicts_with_all = ["mappings", "periods", "as_of", "max_age"])]
    pub(crate) test_alerts: bool,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

#[derive(Debug, Args)]
pub(crate) struct AcknowledgeArgs {
    /// The problem, as `status` tells it: the mapping and what is wrong, or the fingerprint of a key
    #[arg(value_name = "WHAT", required = true, num_args = 1..)]
    pub(crate) what: Vec<String>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) decision: DecisionArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ReleaseArgs {
    /// What is held, by the name that the run told: `held-by-guard GUARD UID PERIOD`, or `database-behind`
    #[arg(value_name = "PROBLEM", required = true, num_args = 1..)]
    pub(crate) problem: Vec<String>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) decision: DecisionArgs,
}

/// How long a person's decision counts, and why it was taken.
#[derive(Debug, Args)]
pub(crate) struct DecisionArgs {
    /// The last day on which it counts, in the site's time zone
    #[arg(long, value_name = "DATE")]
    pub(crate) until: Date,
    /// Why, or who does something about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// A data element, by name, code or UID
    #[arg(value_name = "DATA-ELEMENT")]
    pub(crate) data_element: String,
    /// An organisation unit, by name, code or UID
    #[arg(value_name = "ORG-UNIT")]
    pub(crate) org_unit: String,
    /// A DHIS2 period, such as 202503 or 2024
    #[arg(value_name = "PERIOD")]
    pub(crate) period: Period,
    /// A category option combo, by name, code or UID [default: all of the data element's]
    #[arg(value_name = "COC")]
    pub(crate) category_option_combo: Option<String>,
    #[command(flatten)]
    pub(crate) site: SiteArgs,
    #[command(flatten)]
    pub(crate) mappings: MappingArgs,
    /// The moment that is bound as :'as_of' (RFC 3339) [default: now]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub(crate) as_of: Option<Timestamp>,
    #[command(flatten)]
    pub(crate) report: ReportArgs,
}

fn since(text: &str) -> Result<Since, String> {
    // A moment begins with a date, so that the longer form is tried first.
    let moment = text.parse().map(Since::Moment).ok();
    moment
        .or_else(|| text.parse().map(Since::Day).ok())
        .ok_or_else(|| {
            "write a date such as 2026-01-31, or a moment such as 2026-01-31T04:00:00Z".to_owned()
        })
}
