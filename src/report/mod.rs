//! What people and scripts read of a run. The only module that writes to standard output and standard error.

mod absorb;
mod complete;
mod explain;
pub(crate) mod history;
mod json;
mod lines;
mod metrics;
mod output;
mod page;
mod progress;
mod server_dry_run;
mod text;

use std::collections::BTreeMap;

use jiff::Timestamp;

pub(crate) use absorb::Keep;
pub(crate) use complete::CompleteReport;
pub(crate) use explain::{CellExplained, Explanation, LiveExplained, explain};
pub(crate) use history::{Age, MappingStatus, Status};
pub(crate) use lines::{log_run, logging};
pub(crate) use metrics::{MappingMetrics, Metrics};
pub(crate) use output::{
    document, ensure_writable, error, input, is_read_at_terminal, notes, show, warning,
};
pub(crate) use page::Page;
pub(crate) use progress::{Before, Progress};
pub(crate) use server_dry_run::ServerDryRun;

use crate::domain::{
    Author, Blocked, Cell, CellAccount, CellOutcome, ChangeKind, Closed, Drift, HeldCell, Left,
    MovedCell, Period, PeriodType, RowAccount, Text, Trip, Uid,
};
use crate::exit::{Exit, Problem};

/// Everything that is told of one run.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) command: &'static str,
    pub(crate) dry_run: bool,
    /// It is a backfill in parts.
    pub(crate) in_parts: bool,
    pub(crate) as_of: Timestamp,
    pub(crate) started: Timestamp,
    pub(crate) ended: Timestamp,
    /// PostgreSQL's version, once it has answered.
    pub(crate) source: Option<String>,
    /// Once it has answered.
    pub(crate) dhis2: Option<Dhis2Facts>,
    /// Requests to DHIS2, and those of them that imported values.
    pub(crate) requests: u32,
    pub(crate) notes: Vec<String>,
    /// What the site file allows that is refused otherwise, each once.
    pub(crate) relaxed: Vec<Relaxed>,
    /// What is not about one mapping.
    pub(crate) problems: Vec<Problem>,
    pub(crate) mappings: Vec<MappingReport>,
}

/// A setting that gives up some safety, and what it gives up in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relaxed {
    pub(crate) setting: &'static str,
    pub(crate) text: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Dhis2Facts {
    pub(crate) url: String,
    pub(crate) version: String,
    /// Of the clock it judges closed periods by.
    pub(crate) time_zone: String,
    pub(crate) system_id: Option<String>,
    pub(crate) user: String,
    /// When its analytics tables were last built.
    pub(crate) analytics: Option<Timestamp>,
}

/// What became of one mapping.
#[derive(Debug, Default)]
pub(crate) struct MappingReport {
    pub(crate) name: String,
    pub(crate) data_set: Option<Uid>,
    pub(crate) period_type: Option<PeriodType>,
    /// In seconds, after which a plan of it is held.
    pub(crate) max_age: u64,
    pub(crate) rows: RowAccount,
    pub(crate) cells: CellAccount,
    pub(crate) left: BTreeMap<Left, u64>,
    pub(crate) closed: BTreeMap<(Period, Closed), u64>,
    pub(crate) blocked_by: BTreeMap<Blocked, u64>,
    /// Cell by cell, as far as they are listed.
    pub(crate) blocked: Vec<(Cell, Blocked)>,
    pub(crate) held: Vec<HeldCell>,
    /// Guards that tripped, and the name of the plan they held.
    pub(crate) guards: Vec<Trip>,
    pub(crate) digest: Option<String>,
    /// A person let a held plan pass.
    pub(crate) released: bool,
    /// Values of ours that no mapping answers for, as far as they are listed.
    pub(crate) stranded: Vec<(Cell, Text)>,
    pub(crate) stranded_cells: u64,
    /// Changes that DHIS2 2.43 would refuse.
    pub(crate) newer: BTreeMap<Blocked, u64>,
    /// All that changed or was to change; of a report in text only what it shows.
    pub(crate) changes: Vec<ChangeReport>,
    /// None: the mapping never says that anything is complete.
    pub(crate) complete: Option<CompleteReport>,
    /// Of a saved plan: cells that are no longer as it found them.
    pub(crate) moved: Vec<MovedCell>,
    /// What DHIS2 says of the changes, where it was asked.
    pub(crate) server_dry_run: Option<ServerDryRun>,
    /// What DHIS2 changed since the pin.
    pub(crate) drift: Vec<Drift>,
    /// What people call the objects of this report.
    pub(crate) names: BTreeMap<Uid, String>,
    pub(crate) codes: BTreeMap<Uid, String>,
    /// What people should know of it and that is no problem.
    pub(crate) notes: Vec<String>,
    pub(crate) problems: Vec<Problem>,
}

/// One change and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct ChangeReport {
    pub(crate) cell: Cell,
    pub(crate) kind: ChangeKind,
    pub(crate) old: Option<Text>,
    pub(crate) new: Text,
    /// Who stored or deleted the old value last, where that is somebody else.
    pub(crate) author: Option<Author>,
    pub(crate) outcome: CellOutcome,
    /// DHIS2's error code, of a rejected change.
    pub(crate) code: Option<String>,
}

/// Who reads: keys that no mapping knows are shown only to a person at a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reader {
    Terminal,
    Anybody,
}

impl Report {
    /// Notes what a setting gives up. A run connects more than once.
    pub(crate) fn relax(&mut self, setting: &'static str, text: String) {
        let relaxed = Relaxed { setting, text };
        if !self.relaxed.contains(&relaxed) {
            self.relaxed.push(relaxed);
        }
    }

    /// What people call the objects of its mappings.
    pub(crate) fn names(&self) -> BTreeMap<Uid, String> {
        let names = self.mappings.iter().map(|mapping| mapping.names.clone());
        names.flatten().collect()
    }

    /// The gravest of everything.
    pub(crate) fn exit(&self) -> Exit {
        let problems = self.problems.iter().map(|problem| problem.exit);
        let mappings = self.mappings.iter().map(MappingReport::exit);
        problems.chain(mappings).fold(Exit::Ok, Exit::graver)
    }
}

impl MappingReport {
    pub(crate) fn new(name: &str) -> MappingReport {
        MappingReport {
            name: name.to_owned(),
            ..MappingReport::default()
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        let rows = self.rows.total();
        let cells = self.cells.total();
        let any = |outcomes: &[CellOutcome]| outcomes.iter().any(|outcome| cells.of(*outcome) > 0);
        let partial =
            rows.unmapped + rows.invalid > 0 || any(&[CellOutcome::Blocked, CellOutcome::Rejected]);
        let by_account = [
            (
                !self.rows.balances() || !self.cells.balances(),
                Exit::Internal,
            ),
            (any(&[CellOutcome::Held]), Exit::Held),
            // Cells that were not sent for a reason have it among the problems.
            (any(&[CellOutcome::Unconfirmed]), Exit::Temporary),
            (
                self.problems.is_empty() && any(&[CellOutcome::NotSent]),
                Exit::Temporary,
            ),
            (partial, Exit::Partial),
        ];
        let by_account = by_account
            .into_iter()
            .filter(|(holds, _)| *holds)
            .map(|(_, exit)| exit);
        let problems = self.all_problems().map(|problem| problem.exit);
        by_account.chain(problems).fold(Exit::Ok, Exit::graver)
    }
}
