//! For which units and periods a mapping may say that the data set is complete: something of theirs is in DHIS2 as the
//! source has it, and nothing of theirs is missing there.

use std::collections::BTreeSet;

use super::Target;
use super::judge::{Case, Judgement};
use crate::domain::{Complete, Desired, Form, Left, Period, Uid};

/// What speaks for and against the completeness of a unit in a period, as far as the plan knows it.
pub(super) struct Completeness {
    pub(super) policy: Complete,
    pub(super) data_set: Uid,
    /// Forms with a cell that DHIS2 holds as the source has it.
    pub(super) stated: BTreeSet<Form>,
    /// Something of the unit is not in DHIS2.
    pub(super) lacking: BTreeSet<(Period, Uid)>,
    /// A row that could not be placed may belong to any unit.
    pub(super) doubtful: BTreeSet<Period>,
}

impl Completeness {
    /// Begins with the rows that reached no cell. A unit that DHIS2 does not have says as little of them as none.
    pub(super) fn new(desired: &Desired, target: &Target) -> Completeness {
        let mut completeness = Completeness {
            policy: desired.policies.complete,
            ..Completeness::never(desired.data_set)
        };
        if completeness.policy.is_never() {
            return completeness;
        }
        let known = |unit: &Uid| {
            target.data_set.org_units.contains_key(unit) || target.other_units.contains_key(unit)
        };
        for unplaced in &desired.unplaced {
            completeness.lacks(unplaced.place.period, unplaced.place.org_unit.filter(known));
        }
        if !desired.space.units().iter().all(known) {
            let cells = desired.cells.iter();
            for cell in cells.filter_map(|cell| desired.space.cell(cell.key)) {
                if !known(&cell.org_unit) {
                    completeness.lacks(cell.period, None);
                }
            }
        }
        completeness
    }

    /// Nothing is to be registered.
    pub(super) fn never(data_set: Uid) -> Completeness {
        Completeness {
            policy: Complete::Never,
            data_set,
            stated: BTreeSet::new(),
            lacking: BTreeSet::new(),
            doubtful: BTreeSet::new(),
        }
    }

    /// A cell has its judgement.
    pub(super) fn judged(&mut self, case: &Case<'_>, judgement: &Judgement<'_>) {
        let cell = &case.cell;
        if self.policy.is_never() {
            return;
        }
        match judgement {
            Judgement::Unchanged if case.desired.is_some() => _ = self.stated.insert(cell.form()),
            Judgement::Unchanged => {}
            Judgement::Left(Left::EmptyRow | Left::Unplaced) => {
                self.lacks(cell.period, Some(cell.org_unit));
            }
            // The mapping says that they are as they should be.
            Judgement::Left(Left::Absent | Left::Foreign | Left::ForeignKept) => {}
            Judgement::Closed(_) | Judgement::Blocked(_) | Judgement::Hold => {
                self.lacks(cell.period, Some(cell.org_unit));
            }
            // What became of it is known only later.
            Judgement::Change(..) => {}
        }
    }

    pub(super) fn lacks(&mut self, period: Period, unit: Option<Uid>) {
        match unit {
            Some(unit) => _ = self.lacking.insert((period, unit)),
            None => _ = self.doubtful.insert(period),
        }
    }
}
