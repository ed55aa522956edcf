//! The command line of what reads, maps and sends: `run`, its steps, `apply`, `pin`.

use std::path::PathBuf;

use clap::Args;

use super::groups::{
    BackfillArgs, DryRunArgs, MappingArgs, OutputArgs, PeriodArgs, ReportArgs, SendArgs, SiteArgs,
};

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
