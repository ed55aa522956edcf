//! The changes of a plan, counted as the guards measure them.

use std::collections::BTreeMap;

use crate::domain::{Change, ChangeKind, Number, Period, Text, Uid};
use crate::plan::{Plan, Target};

/// Counts by period, and by what a guard may concern in it.
#[derive(Default)]
pub(super) struct ChangeCounts {
    pub(super) withdrawn: BTreeMap<Period, u64>,
    pub(super) withdrawn_by_unit: BTreeMap<(Period, Uid), u64>,
    pub(super) withdrawn_by_element: BTreeMap<(Period, Uid), u64>,
    pub(super) changed: BTreeMap<Period, u64>,
    pub(super) totals: BTreeMap<(Period, Uid), Difference>,
}

/// What changes do to the total of a data element.
#[derive(Clone, Copy, Default)]
pub(super) struct Difference {
    pub(super) before: Number,
    pub(super) after: Number,
    /// Cells whose value falls.
    pub(super) falling: u64,
    /// Cells whose value rises.
    pub(super) rising: u64,
}

impl ChangeCounts {
    pub(super) fn of<'c>(
        plan: &Plan,
        changes: impl Iterator<Item = &'c Change>,
        target: &Target,
    ) -> ChangeCounts {
        let mut moved = ChangeCounts::default();
        for change in changes {
            let Some(cell) = plan.space.cell(change.key) else {
                continue;
            };
            let (period, element) = (cell.period, cell.triple.data_element);
            match change.kind {
                ChangeKind::Zero | ChangeKind::Delete => {
                    *moved.withdrawn.entry(period).or_default() += 1;
                    let unit = (period, cell.org_unit);
                    *moved.withdrawn_by_unit.entry(unit).or_default() += 1;
                    let element = (period, element);
                    *moved.withdrawn_by_element.entry(element).or_default() += 1;
                }
                ChangeKind::Update if change.author().is_none() => {
                    *moved.changed.entry(period).or_default() += 1;
                }
                ChangeKind::Update | ChangeKind::Create => {}
            }
            if target.is_summed(element) {
                let after = match change.kind {
                    ChangeKind::Delete => None,
                    _ => Some(&change.value),
                };
                let difference = moved.totals.entry((period, element)).or_default();
                difference.add(change.old.as_ref(), after);
            }
        }
        moved
    }
}

impl Difference {
    /// A total once the changes are done.
    pub(super) fn applied_to(self, total: Number) -> Number {
        let rest = total.checked_add(self.before.negative());
        let after = rest.and_then(|rest| rest.checked_add(self.after));
        after.unwrap_or(total)
    }

    /// A sum that does not fit is no total that a guard could measure.
    fn add(&mut self, old: Option<&Text>, new: Option<&Text>) {
        let number = |text: Option<&Text>| {
            text.and_then(|text| Number::parse(text.as_str()).ok())
                .unwrap_or(Number::ZERO)
        };
        let (old, new) = (number(old), number(new));
        self.falling += u64::from(new < old);
        self.rising += u64::from(new > old);
        self.before = self.before.checked_add(old).unwrap_or(self.before);
        self.after = self.after.checked_add(new).unwrap_or(self.after);
    }
}
