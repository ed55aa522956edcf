//! For which units and periods a mapping may say that the data set is complete: something of theirs is in DHIS2 as the
//! source has it, and nothing of theirs is missing there.

use std::collections::BTreeSet;

use super::judge::{Case, Judgement};
use super::{Plan, Target};
use crate::domain::{ChangeKind, Complete, Desired, Form, Left, Period, Registration, Sent, Uid};

/// What speaks for and against the completeness of a unit in a period, as far as the plan knows it.
pub(super) struct Completeness {
    policy: Complete,
    data_set: Uid,
    /// Forms with a cell that DHIS2 holds as the source has it.
    stated: BTreeSet<Form>,
    /// Something of the unit is not in DHIS2.
    lacking: BTreeSet<(Period, Uid)>,
    /// A row that could not be placed may belong to any unit.
    doubtful: BTreeSet<Period>,
}

/// What may be registered as complete, and what may not yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// Ordered.
    pub(crate) due: Vec<Registration>,
    /// Their time has not come.
    pub(crate) early: u64,
    /// Something of theirs is not in DHIS2, or may not be.
    pub(crate) lacking: u64,
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

impl Plan {
    /// What may be registered as complete once the changes ended as told, by DHIS2's own clock. None where the mapping
    /// never says that anything is complete; none of them where the mapping is held.
    pub(crate) fn candidates(&self, sent: &[Sent], target: &Target) -> Option<Candidates> {
        let completeness = &self.completeness;
        if completeness.policy.is_never() {
            return None;
        }
        let mut stated = completeness.stated.clone();
        let mut lacking = completeness.lacking.clone();
        for (index, change) in self.changes.iter().enumerate() {
            let Some(cell) = self.space.cell(change.key) else {
                continue;
            };
            match (sent.get(index), change.kind) {
                (Some(Sent::Confirmed), ChangeKind::Create | ChangeKind::Update) => {
                    stated.insert(cell.form());
                }
                // The source has nothing of the cell, which is no statement of the unit.
                (Some(Sent::Confirmed), ChangeKind::Zero | ChangeKind::Delete) => {}
                _ => _ = lacking.insert((cell.period, cell.org_unit)),
            }
        }
        let mut candidates = Candidates {
            due: Vec::new(),
            early: 0,
            lacking: 0,
        };
        // DHIS2 takes no registration for a combo that is not the data set's.
        let combos = &target.data_set.attribute_option_combos;
        for form in stated {
            let Form {
                period,
                org_unit,
                attribute_option_combo,
            } = form;
            if !completeness.policy.is_due(period, target.server.now) {
                candidates.early += 1;
            } else if completeness.doubtful.contains(&period)
                || lacking.contains(&(period, org_unit))
                || !combos.contains_key(&attribute_option_combo)
            {
                candidates.lacking += 1;
            } else {
                candidates.due.push(Registration {
                    data_set: completeness.data_set,
                    period,
                    org_unit,
                    attribute_option_combo,
                });
            }
        }
        Some(candidates)
    }
}
