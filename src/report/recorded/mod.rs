//! What people and scripts read of the runs that were recorded.

mod csv;
mod json;
mod text;

use std::path::Path;

use super::output::{document, pretty};
use crate::cli::HistoryFormat;
use crate::history::{Run, WholeRun};

/// Shows runs, the latest last.
pub(crate) fn runs(runs: &[Run], format: HistoryFormat, file: Option<&Path>) -> anyhow::Result<()> {
    document(file, |out| match format {
        HistoryFormat::Text => Ok(out.write_all(text::runs(runs).as_bytes())?),
        HistoryFormat::Json => pretty(out, &json::runs(runs)),
        HistoryFormat::Csv => csv::runs(out, runs),
    })
}

/// Shows one run whole; `csv` has its changes.
pub(crate) fn one_run(
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
