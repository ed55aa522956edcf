//! What people and scripts read of a run. The only module that writes to standard output and standard error.

mod absorb;
mod explain;
mod exposition;
mod json;
mod log_lines;
mod of_mapping;
mod of_run;
mod output;
mod phrases;
mod progress;
mod recorded;
mod status;
mod status_page;
mod text;

pub(crate) use absorb::KeptChanges;
pub(crate) use explain::{CellExplained, Explanation, LiveExplained, explain};
pub(crate) use exposition::{MappingMetrics, Metrics};
pub(crate) use log_lines::{log_run, logging};
pub(crate) use of_mapping::{ChangeReport, CompleteReport, MappingReport, ServerDryRun};
pub(crate) use of_run::{Dhis2Facts, Report};
pub(crate) use output::{
    document, ensure_writable, error, input, is_read_at_terminal, notes, sentence, show, warning,
};
pub(crate) use progress::{Before, Progress};
pub(crate) use recorded::{one_run, runs};
pub(crate) use status::{Age, MappingStatus, SiteStatus, status, tests};
pub(crate) use status_page::StatusPage;
