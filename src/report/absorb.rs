//! Puts the parts of a long run together, keeping no more of each than will be told.

use super::of_mapping::{ChangeReport, CompleteReport, MappingReport};
use crate::domain::{CellAccount, CellOutcome, Changed, Drift, Number, RowAccount};

/// Changes that a report in text shows of a mapping.
pub(super) const SHOWN: usize = 10;

/// Rejected and unconfirmed changes that are kept for a report in text.
const KEPT: usize = 1_000;

/// How much of the changes a report keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeptChanges {
    Everything,
    /// The largest, and those that were not confirmed.
    Highlights,
}

impl MappingReport {
    /// Takes in the rows of a part of the run.
    pub(crate) fn absorb_rows(&mut self, part: RowAccount) {
        let rows = &mut self.rows;
        for (period, counts) in part.periods {
            rows.periods.entry(period).or_default().add(&counts);
        }
        rows.keys.extend(part.keys);
        rows.rows_of_other_keys += part.rows_of_other_keys;
        for (query, count) in part.queries {
            *rows.queries.entry(query).or_default() += count;
        }
        for (element, sums) in part.sums {
            let whole = rows.sums.entry(element).or_default();
            whole.overflowed |= sums.overflowed;
            whole.add(|whole| &mut whole.rows, sums.rows);
            whole.add(|whole| &mut whole.desired, sums.desired);
            whole.add(|whole| &mut whole.excluded, sums.excluded);
            whole.add(|whole| &mut whole.unmapped, sums.unmapped);
        }
    }

    /// Takes in the cells of a part of the run.
    pub(crate) fn absorb_cells(&mut self, part: &CellAccount) {
        for (period, counts) in &part.periods {
            self.cells
                .account
                .periods
                .entry(*period)
                .or_default()
                .add(counts);
        }
    }

    /// Takes in what DHIS2 changed since the pin, each change once. A unit that no row reports to is one of every part.
    pub(crate) fn absorb_drift(&mut self, part: Vec<Drift>) {
        let is_first = self.cells.account.periods.is_empty();
        let is_new = |drift: &Drift| drift.change == Changed::NewOrgUnit;
        self.server
            .drift
            .retain(|known| !is_new(known) || part.contains(known));
        for drift in part {
            if (is_first || !is_new(&drift)) && !self.server.drift.contains(&drift) {
                self.server.drift.push(drift);
            }
        }
    }

    /// Takes in the changes of a part of the run.
    pub(crate) fn absorb_changes(
        &mut self,
        part: impl Iterator<Item = ChangeReport>,
        keep: KeptChanges,
    ) {
        if keep == KeptChanges::Everything {
            self.cells.changes.extend(part);
            return;
        }
        for change in part {
            self.cells.changes.push(change);
            // Sorted out now and then, so that few are held at a time.
            if self.cells.changes.len() >= 4 * KEPT {
                self.keep_highlights();
            }
        }
        self.keep_highlights();
    }

    /// Takes in the completeness of a part of the run.
    pub(crate) fn absorb_complete(&mut self, part: CompleteReport) {
        let whole = self.complete.get_or_insert_default();
        whole.registered.extend(part.registered);
        whole.already += part.already;
        whole.early += part.early;
        whole.lacking += part.lacking;
        whole.withdrawn += part.withdrawn;
        whole.unconfirmed += part.unconfirmed;
        whole.problems.extend(part.problems);
    }

    fn keep_highlights(&mut self) {
        let changes = std::mem::take(&mut self.cells.changes);
        let (mut fine, mut failed): (Vec<ChangeReport>, Vec<ChangeReport>) =
            changes.into_iter().partition(|change| !change.failed());
        fine.sort_by_cached_key(|change| std::cmp::Reverse(change.size()));
        let (foreign, ours): (Vec<_>, Vec<_>) =
            fine.into_iter().partition(|change| change.author.is_some());
        failed.truncate(KEPT);
        self.cells.changes = ours.into_iter().take(SHOWN).collect();
        self.cells.changes.extend(foreign.into_iter().take(KEPT));
        self.cells.changes.append(&mut failed);
    }
}

impl ChangeReport {
    pub(super) fn failed(&self) -> bool {
        matches!(
            self.outcome,
            CellOutcome::Rejected
                | CellOutcome::Unconfirmed
                | CellOutcome::NotSent
                | CellOutcome::Moved
        )
    }

    /// How much a number changes; a text does not say.
    pub(super) fn size(&self) -> Number {
        let number = |text: &str| Number::parse(text).unwrap_or(Number::ZERO);
        let old = self
            .old
            .as_ref()
            .map_or(Number::ZERO, |old| number(old.as_str()));
        let new = match self.outcome {
            CellOutcome::Deleted => Number::ZERO,
            _ => number(self.new.as_str()),
        };
        old.distance(new)
    }
}
