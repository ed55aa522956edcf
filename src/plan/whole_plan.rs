//! A plan: the changes that turn live into desired, and why every other cell stays.

use std::collections::{BTreeMap, BTreeSet};

use super::Target;
use super::completeness::Completeness;
use super::tally::Tally;
use crate::domain::{
    Blocked, Cell, CellAccount, CellCounts, CellOutcome, Change, Closed, Desired, Form, HeldCell,
    Left, Period, PeriodTotals, Space, Text, Trip, Uid,
};

/// Blocked and held cells that are listed one by one.
const LISTED: usize = 10_000;

/// What is to be done, and all that is told of it. The fields are many because each answers a question of the report.
pub(crate) struct Plan {
    /// What the keys of the changes stand for.
    pub(crate) space: Space,
    /// Ordered by key, which is by period, unit and triple.
    pub(crate) changes: Vec<Change>,
    /// Every cell but those that are to be changed.
    pub(crate) account: CellAccount,
    pub(crate) left: BTreeMap<Left, u64>,
    pub(crate) closed: BTreeMap<(Period, Closed), u64>,
    /// Ordered; the first `LISTED`.
    pub(crate) blocked: Vec<(Cell, Blocked)>,
    /// Blocked cells by reason, all of them.
    pub(crate) blocked_by: BTreeMap<Blocked, u64>,
    /// Somebody else's values that differ, under `foreign = "hold"`.
    pub(crate) held: Vec<HeldCell>,
    pub(crate) held_cells: u64,
    held_forms: BTreeMap<Form, u64>,
    /// Changes that a guard holds. Their cells are in the account as held.
    pub(crate) held_changes: Vec<Change>,
    /// Periods of which a guard holds everything: what was confirmed there before still counts.
    pub(super) held_periods: BTreeSet<Period>,
    /// PeriodTotals of periods that are not of this plan, as far as a total in it is held against them.
    pub(crate) earlier: PeriodTotals,
    /// Values of ours that no mapping answers for; the first `LISTED`. They are no cells of this plan.
    pub(crate) stranded: Vec<(Cell, Text)>,
    pub(crate) stranded_cells: u64,
    /// What the guards measure changes against.
    pub(super) tally: Tally,
    /// Changes that DHIS2 2.43 would refuse and this older server takes.
    pub(crate) newer: BTreeMap<Blocked, u64>,
    pub(super) completeness: Completeness,
}

impl Plan {
    pub(super) fn new(desired: &Desired, target: &Target) -> Plan {
        let mut account = CellAccount::default();
        for period in &desired.periods {
            account.periods.insert(*period, CellCounts::default());
        }
        for cell in &desired.cells {
            if let Some(cell) = desired.space.cell(cell.key) {
                account.periods.entry(cell.period).or_default().cells += 1;
            }
        }
        Plan {
            account,
            completeness: Completeness::new(desired, target),
            tally: Tally {
                is_whole: true,
                ..Tally::default()
            },
            ..Plan::of(Space::new(desired.period_type), desired.data_set)
        }
    }

    /// A plan that has no cell yet.
    pub(super) fn of(space: Space, data_set: Uid) -> Plan {
        Plan {
            space,
            changes: Vec::new(),
            account: CellAccount::default(),
            left: BTreeMap::new(),
            closed: BTreeMap::new(),
            blocked: Vec::new(),
            blocked_by: BTreeMap::new(),
            held: Vec::new(),
            held_cells: 0,
            held_forms: BTreeMap::new(),
            held_changes: Vec::new(),
            held_periods: BTreeSet::new(),
            earlier: PeriodTotals::default(),
            stranded: Vec::new(),
            stranded_cells: 0,
            tally: Tally::default(),
            newer: BTreeMap::new(),
            completeness: Completeness::never(data_set),
        }
    }

    /// Live cells of ours in each period of the plan; None where they were not all looked at.
    pub(crate) fn ours(&self) -> Option<BTreeMap<Period, u64>> {
        let ours = self.tally.ours();
        let count = |period: &Period| ours.get(period).copied().unwrap_or_default();
        let periods = self.account.periods.keys();
        let periods = periods.filter(|period| !self.held_periods.contains(period));
        self.tally
            .is_whole
            .then(|| periods.map(|period| (*period, count(period))).collect())
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held_cells > 0
    }

    /// The account once each change has the given outcome.
    pub(crate) fn account_with(
        &self,
        outcome: impl Fn(usize, &Change) -> CellOutcome,
    ) -> CellAccount {
        let mut account = self.account.clone();
        for (index, change) in self.changes.iter().enumerate() {
            if let Some(cell) = self.space.cell(change.key) {
                let counts = account.periods.entry(cell.period).or_default();
                counts.count(outcome(index, change));
            }
        }
        account
    }

    pub(super) fn cells(&mut self, period: Period) -> &mut CellCounts {
        self.account.periods.entry(period).or_default()
    }

    pub(super) fn left(&mut self, period: Period, why: Left) {
        self.cells(period).count(CellOutcome::Left);
        *self.left.entry(why).or_default() += 1;
    }

    pub(super) fn close(&mut self, period: Period, why: Closed) {
        self.cells(period).count(CellOutcome::Closed);
        *self.closed.entry((period, why)).or_default() += 1;
    }

    pub(super) fn block(&mut self, cell: Cell, why: Blocked) {
        self.cells(cell.period).count(CellOutcome::Blocked);
        *self.blocked_by.entry(why).or_default() += 1;
        if self.blocked.len() < LISTED {
            self.blocked.push((cell, why));
        }
    }

    pub(super) fn strand(&mut self, cell: Cell, value: &str) {
        self.stranded_cells += 1;
        if self.stranded.len() < LISTED {
            self.stranded.push((cell, Text::from(value)));
        }
    }

    pub(super) fn hold(&mut self, held: HeldCell) {
        self.cells(held.cell.period).count(CellOutcome::Held);
        self.held_cells += 1;
        *self.held_forms.entry(held.cell.form()).or_default() += 1;
        if self.held.len() < LISTED {
            self.held.push(held);
        }
    }

    /// Where the plan would change something, or a person would have to decide.
    pub(crate) fn forms(&self) -> BTreeSet<Form> {
        let changed = self.changes.iter();
        let changed = changed.filter_map(|change| self.space.cell(change.key));
        changed
            .map(|cell| cell.form())
            .chain(self.held_forms.keys().copied())
            .collect()
    }

    /// Holds the changes that tripped guards concern; the others go on.
    pub(crate) fn hold_back(&mut self, trips: &[Trip]) {
        let changes = std::mem::take(&mut self.changes);
        for change in changes {
            let cell = self.space.cell(change.key);
            match cell.filter(|cell| trips.iter().any(|trip| trip.holds(cell))) {
                Some(cell) => {
                    self.cells(cell.period).count(CellOutcome::Held);
                    self.completeness.lacks(cell.period, Some(cell.org_unit));
                    self.held_changes.push(change);
                }
                None => self.changes.push(change),
            }
        }
        let periods: Vec<Period> = self.account.periods.keys().copied().collect();
        for period in periods {
            if trips.iter().any(|trip| trip.holds_all_of(period)) {
                self.held_periods.insert(period);
                self.completeness.lacks(period, None);
            }
        }
    }

    /// Closes what is approved.
    pub(crate) fn close_approved(&mut self, approved: &BTreeSet<Form>) {
        if approved.is_empty() {
            return;
        }
        let changes = std::mem::take(&mut self.changes);
        for change in changes {
            let cell = self.space.cell(change.key);
            match cell.filter(|cell| approved.contains(&cell.form())) {
                Some(cell) => {
                    self.close(cell.period, Closed::Approved);
                    self.completeness.lacks(cell.period, Some(cell.org_unit));
                }
                None => self.changes.push(change),
            }
        }
        for form in approved {
            let cells = self.held_forms.remove(form).unwrap_or_default();
            self.held_cells -= cells;
            let counts = self.cells(form.period);
            counts.recount(CellOutcome::Held, CellOutcome::Closed, cells);
            if cells > 0 {
                let closed = (form.period, Closed::Approved);
                *self.closed.entry(closed).or_default() += cells;
            }
        }
        self.held
            .retain(|held| !approved.contains(&held.cell.form()));
    }

    /// Complete: ordered, whatever the order of blocks was.
    pub(super) fn closed_up(mut self) -> Plan {
        // Units and triples that only DHIS2 knew were numbered as they came; now keys order as cells do.
        let renumbered = self.space.sort();
        for change in &mut self.changes {
            change.key = renumbered.key(change.key);
        }
        self.changes.sort_unstable_by_key(|change| change.key);
        self.blocked.sort_unstable();
        self.stranded.sort_by_key(|(cell, _)| *cell);
        self.held.sort_by_key(|held| held.cell);
        self
    }
}
