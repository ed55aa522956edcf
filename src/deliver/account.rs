//! Gives every cell of a mapping its outcome, and the report everything the plan says.

use super::one_mapping::OneMapping;
use crate::domain::{CellOutcome, Change, MovedCell, Sent};
use crate::plan::Plan;
use crate::report::ChangeReport;

impl OneMapping<'_, '_> {
    pub(super) fn account(&mut self, plan: Plan, sent: Vec<Sent>) {
        let outcome = |index: usize, change: &Change| {
            let sent = sent.get(index).unwrap_or(&Sent::NotSent);
            sent.outcome(change.kind)
        };
        let report = &mut *self.report;
        report.absorb_cells(&plan.account_with(outcome));
        let told = |change: &Change, outcome: CellOutcome, code: Option<String>| {
            Some(ChangeReport {
                cell: plan.space.cell(change.key)?,
                kind: change.kind,
                old: change.old.clone(),
                new: change.value.clone(),
                author: change.author().cloned(),
                outcome,
                code,
            })
        };
        let held = plan.held_changes.iter();
        let held = held.filter_map(|change| told(change, CellOutcome::Held, None));
        let changes = plan.changes.iter().enumerate();
        let changes = changes.filter_map(|(index, change)| {
            let code = match sent.get(index) {
                Some(Sent::Rejected { code }) => Some(code.to_string()),
                _ => None,
            };
            told(change, outcome(index, change), code)
        });
        let changes = held.chain(changes);
        report.absorb_changes(changes, self.orders.keep());
        let moved = sent.iter().filter_map(|sent| match sent {
            Sent::Moved(moved) => Some(MovedCell::clone(moved)),
            _ => None,
        });
        report.cells.moved.extend(moved);
        for (why, cells) in plan.left {
            *report.cells.left.entry(why).or_default() += cells;
        }
        for (why, cells) in plan.blocked_by {
            *report.cells.blocked_by.entry(why).or_default() += cells;
        }
        report.cells.closed.extend(plan.closed);
        report.cells.blocked.extend(plan.blocked);
        report.hold.foreign.extend(plan.held);
        report.cells.stranded.extend(plan.stranded);
        report.cells.stranded_cells += plan.stranded_cells;
        for (why, cells) in plan.newer {
            *report.server.newer.entry(why).or_default() += cells;
        }
    }
}
