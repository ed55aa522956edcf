//! What people and scripts read of the runs that were recorded.

mod csv;
mod json;
mod status;
mod text;

use std::path::Path;

use anyhow::Context;
pub(crate) use status::{Age, MappingStatus, Status};
pub(super) use text::minute;

use super::document;
use crate::cli::{Format, HistoryFormat, ReportArgs};
use crate::history::{Run, WholeRun};

/// Changes that a run in text shows.
const SHOWN: usize = 40;

/// Shows runs, the latest last.
pub(crate) fn runs(runs: &[Run], format: HistoryFormat, file: Option<&Path>) -> anyhow::Result<()> {
    document(file, |out| match format {
        HistoryFormat::Text => Ok(out.write_all(text::runs(runs).as_bytes())?),
        HistoryFormat::Json => pretty(out, &json::runs(runs)),
        HistoryFormat::Csv => csv::runs(out, runs),
    })
}

/// Shows one run whole; `csv` has its changes.
pub(crate) fn run(
    whole: &WholeRun,
    format: HistoryFormat,
    file: Option<&Path>,
) -> anyhow::Result<()> {
    document(file, |out| match format {
        HistoryFormat::Text => Ok(out.write_all(text::whole(whole).as_bytes())?),
        HistoryFormat::Json => pretty(out, &json::whole(whole)),
        HistoryFormat::Csv => csv::changes(out, whole),
    })
}

/// Shows how the mappings stand.
pub(crate) fn status(status: &Status, args: &ReportArgs) -> anyhow::Result<()> {
    document(args.output.output.as_deref(), |out| match args.format {
        Format::Text => Ok(out.write_all(status.text().as_bytes())?),
        Format::Json => pretty(out, &status.json()),
    })
}

/// Shows which channels a test arrived by.
pub(crate) fn tests(
    tests: &[(String, Result<(), String>)],
    args: &ReportArgs,
) -> anyhow::Result<()> {
    document(args.output.output.as_deref(), |out| match args.format {
        Format::Text => Ok(out.write_all(status::tests_text(tests).as_bytes())?),
        Format::Json => pretty(out, &status::tests_json(tests)),
    })
}

/// Says something about the history as a whole.
pub(crate) fn sentence(sentence: &str, file: Option<&Path>) -> anyhow::Result<()> {
    document(file, |out| Ok(writeln!(out, "{sentence}")?))
}

pub(super) fn pretty(
    out: &mut dyn std::io::Write,
    value: &serde_json::Value,
) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)
        .map_err(std::io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .context("writing the history")
}
