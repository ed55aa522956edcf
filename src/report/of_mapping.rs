//! What is told of one mapping, in parts that each answer one question.

use std::collections::BTreeMap;

use crate::domain::{
    Author, Blocked, Cell, CellAccount, CellOutcome, ChangeKind, Closed, Drift, HeldCell, Left,
    MovedCell, Period, PeriodType, Registration, RowAccount, ServerCounts, Text, Trip, Uid,
};
use crate::exit::{Exit, Problem};

/// Rejected cells that are listed one by one.
const LISTED: usize = 10_000;

/// What became of one mapping.
#[derive(Debug, Default)]
pub(crate) struct MappingReport {
    pub(crate) name: String,
    pub(crate) plan: PlanFacts,
    pub(crate) rows: RowAccount,
    pub(crate) cells: CellsReport,
    pub(crate) hold: HoldReport,
    pub(crate) server: ServerReport,
    /// None: the mapping never says that anything is complete.
    pub(crate) complete: Option<CompleteReport>,
    pub(crate) objects: Objects,
    /// What people should know of it and that is no problem.
    pub(crate) notes: Vec<String>,
    pub(crate) problems: Vec<Problem>,
}

/// What a plan that is saved must know of the mapping.
#[derive(Debug, Default)]
pub(crate) struct PlanFacts {
    pub(crate) data_set: Option<Uid>,
    pub(crate) period_type: Option<PeriodType>,
    /// How many seconds a plan may wait before it is held.
    pub(crate) max_age: u64,
}

/// The cells by what became of them, and those that somebody may want to look at one by one.
#[derive(Debug, Default)]
pub(crate) struct CellsReport {
    pub(crate) account: CellAccount,
    pub(crate) left: BTreeMap<Left, u64>,
    pub(crate) closed: BTreeMap<(Period, Closed), u64>,
    pub(crate) blocked_by: BTreeMap<Blocked, u64>,
    /// Cell by cell, as far as they are listed.
    pub(crate) blocked: Vec<(Cell, Blocked)>,
    /// All that changed or was to change; of a report in text only what it shows.
    pub(crate) changes: Vec<ChangeReport>,
    /// Cells that are no longer as a saved plan found them.
    pub(crate) moved: Vec<MovedCell>,
    /// Values of ours that no mapping answers for, as far as they are listed.
    pub(crate) stranded: Vec<(Cell, Text)>,
    pub(crate) stranded_cells: u64,
}

/// What waits for a person.
#[derive(Debug, Default)]
pub(crate) struct HoldReport {
    /// Guards that tripped, and the name of the plan they held.
    pub(crate) guards: Vec<Trip>,
    pub(crate) digest: Option<String>,
    /// A person let a held plan pass.
    pub(crate) released: bool,
    /// Somebody else's values that differ.
    pub(crate) foreign: Vec<HeldCell>,
}

/// What DHIS2 says of the mapping beside its answers to imports.
#[derive(Debug, Default)]
pub(crate) struct ServerReport {
    /// Its own dry run of the changes, where it was asked.
    pub(crate) dry_run: Option<ServerDryRun>,
    /// Changes that DHIS2 2.43 would refuse.
    pub(crate) newer: BTreeMap<Blocked, u64>,
    /// What it changed since the pin.
    pub(crate) drift: Vec<Drift>,
}

/// What people call the objects of a report.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) names: BTreeMap<Uid, String>,
    pub(crate) codes: BTreeMap<Uid, String>,
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

/// What DHIS2's own dry run says of the changes beside what we predict, over all parts of the run.
#[derive(Debug, Default)]
pub(crate) struct ServerDryRun {
    /// The changes that we would send, and see confirmed.
    pub(crate) predicted: BTreeMap<ChangeKind, u64>,
    pub(crate) counted: ServerCounts,
    /// Changes that passed DHIS2's checks.
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    /// Changes that it said nothing about.
    pub(crate) unknown: u64,
    /// Rejected cells with DHIS2's error code, as far as they are listed.
    pub(crate) rejects: Vec<(Cell, String)>,
    /// What this version's dry run cannot tell.
    pub(crate) cannot_know: &'static str,
}

/// What became of the completeness of the units and periods of one mapping.
#[derive(Debug, Default)]
pub(crate) struct CompleteReport {
    /// Those that this run made and read back; in a dry run those that a run would make.
    pub(crate) registered: Vec<Registration>,
    /// There before, whoever made them.
    pub(crate) already: u64,
    /// Their time has not come.
    pub(crate) early: u64,
    /// Something of theirs is not in DHIS2, or may not be.
    pub(crate) lacking: u64,
    /// A person withdrew them; they are not made again.
    pub(crate) withdrawn: u64,
    /// Asked for, and not shown by DHIS2.
    pub(crate) unconfirmed: u64,
    /// They say nothing of the values, which have their own.
    pub(crate) problems: Vec<Problem>,
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
        let cells = self.cells.account.total();
        let any = |outcomes: &[CellOutcome]| outcomes.iter().any(|outcome| cells.of(*outcome) > 0);
        let partial =
            rows.unmapped + rows.invalid > 0 || any(&[CellOutcome::Blocked, CellOutcome::Rejected]);
        let by_account = [
            (
                !self.rows.balances() || !self.cells.account.balances(),
                Exit::Internal,
            ),
            (any(&[CellOutcome::Held]), Exit::Held),
            // Cells that were not sent for a reason have it among the problems.
            (
                any(&[CellOutcome::Unconfirmed, CellOutcome::Moved]),
                Exit::Temporary,
            ),
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

    /// Whether nothing was accepted of what was due: all of it was closed, blocked, rejected or held. A period that is not
    /// open yet is not due.
    pub(crate) fn is_nothing_accepted(&self) -> bool {
        let cells = self.cells.account.total();
        let count =
            |outcomes: &[CellOutcome]| outcomes.iter().map(|outcome| cells.of(*outcome)).sum();
        let accepted: u64 = count(&CellOutcome::ACCEPTED);
        let refused: u64 = count(&[
            CellOutcome::Blocked,
            CellOutcome::Rejected,
            CellOutcome::Held,
        ]);
        let closed = self.cells.closed.iter();
        let closed = closed.filter(|((_, why), _)| *why != Closed::Future);
        let closed: u64 = closed.map(|(_, cells)| cells).sum();
        accepted == 0 && refused + closed > 0
    }

    /// All that went wrong: what kept values from DHIS2, then what kept registrations.
    pub(crate) fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        let of_complete = self.complete.iter().flat_map(|complete| &complete.problems);
        self.problems.iter().chain(of_complete)
    }
}

impl ServerDryRun {
    /// It would store every change that we would send.
    pub(crate) fn agrees(&self) -> bool {
        self.rejected == 0 && self.unknown == 0
    }

    pub(crate) fn reject(&mut self, cell: Cell, code: &str) {
        self.rejected += 1;
        if self.rejects.len() < LISTED {
            self.rejects.push((cell, code.to_owned()));
        }
    }
}
