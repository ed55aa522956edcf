//! Where a number of DHIS2 comes from, for the person who is asked.

mod explanation;
mod json;
mod text;

pub(crate) use explanation::{CellExplained, Explanation, LiveExplained};

use super::of_run::ReportReader;
use super::output::{document, is_written_to_terminal, pretty};
use crate::cli::{Format, ReportArgs};

/// Shows it; keys that no mapping knows are shown to a person at a terminal only.
pub(crate) fn explain(explanation: &Explanation, args: &ReportArgs) -> anyhow::Result<()> {
    let file = args.output.output.as_deref();
    let reader = match file.is_none() && is_written_to_terminal() {
        true => ReportReader::Terminal,
        false => ReportReader::Anybody,
    };
    document(file, |out| match args.format {
        Format::Text => Ok(out.write_all(text::whole(explanation, reader).as_bytes())?),
        Format::Json => pretty(out, &json::whole(explanation)),
    })
}
