//! What a plan lets be registered as complete, once its changes have ended.

use super::Target;
use super::whole_plan::Plan;
use crate::domain::{ChangeKind, Form, Registration, Sent};

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
