//! Compares what should be in DHIS2 with what is: desired × live × metadata × policy → an outcome for every cell. Pure.

mod candidates;
mod checks;
mod completeness;
mod drift;
mod foreseen;
mod guards;
mod judge;
mod live;
#[cfg(test)]
mod model_tests;
mod places;
#[cfg(test)]
mod property_tests;
mod reach;
mod recheck;
mod release_digest;
mod same;
mod saved;
mod stranded;
mod tally;
#[cfg(test)]
mod tests;
mod timeliness;
mod whole_plan;

use std::collections::BTreeSet;
use std::ops::Range;

pub(crate) use candidates::Candidates;
pub(crate) use drift::{blocks, drift};
pub(crate) use foreseen::foreseen;
pub(crate) use guards::{RunSoFar, SourceCounts, trips};
pub(crate) use reach::{Reach, Target};
pub(crate) use recheck::{Recheck, Rechecked};
pub(crate) use saved::{SavedChange, SavedMapping, SavedPlan, SavedServer, VERSION, digest};
pub(crate) use stranded::{MappingScope, Search};
pub(crate) use whole_plan::Plan;

use judge::{Case, Judgement};
use live::LiveCell;
use places::Places;

use crate::domain::{
    Absent, Cell, CellOutcome, Change, Desired, DesiredCell, HeldCell, Key, LiveRow, Period, Space,
    Text, Uid,
};

/// Takes the live values block by block and compares each block as soon as it is whole.
pub(crate) struct Planner<'t> {
    target: &'t Target,
    desired: Desired,
    reach: Reach,
    places: Places,
    search: Search,
    /// The live rows of the block that is being read.
    live: Vec<LiveCell>,
    plan: Plan,
}

impl<'t> Planner<'t> {
    /// `search`: where to look for stranded values beside.
    pub(crate) fn new(mut desired: Desired, target: &'t Target, search: Search) -> Planner<'t> {
        let reach = Reach::of(&desired, target);
        let places = Places::forbidden(&desired, &reach);
        let mut plan = Plan::new(&desired, target);
        // Cells that cannot be read are not compared; they have their reason without that.
        plan.space = std::mem::replace(&mut desired.space, Space::new(desired.period_type));
        let mut planner = Planner {
            target,
            desired,
            reach,
            places,
            search,
            live: Vec::new(),
            plan,
        };
        planner.judge_unreadable();
        planner
    }

    /// The units whose live values the plan needs, ordered.
    pub(crate) fn units(&self) -> Vec<Uid> {
        self.reach.units().collect()
    }

    /// The units of the mapping's scope, as DHIS2 has them.
    pub(crate) fn scope_units(&self) -> &BTreeSet<Uid> {
        self.reach.scope()
    }

    /// Whether DHIS2 can hold values for these periods in the data set at all.
    pub(crate) fn period_type_fits(&self) -> bool {
        self.reach.period_type_fits()
    }

    /// A unit that must be read and that the account may not see.
    pub(crate) fn unseen(&self) -> Option<Uid> {
        self.reach.unseen(self.target)
    }

    /// What is being compared.
    pub(crate) fn desired(&self) -> &Desired {
        &self.desired
    }

    /// The periods whose live values the plan needs, ordered.
    pub(crate) fn periods(&self) -> &[Period] {
        &self.desired.periods
    }

    /// A live row of the block that is being read.
    pub(crate) fn live(&mut self, row: &LiveRow<'_>) {
        let cell = row.cell;
        let asked_for = self.reach.reads(cell.org_unit)
            && self.desired.periods.binary_search(&cell.period).is_ok();
        let in_scope = self.desired.scope.has(&cell.triple) && self.reach.in_scope(cell.org_unit);
        let known = self.plan.space.key(&cell);
        let wanted = known.is_some_and(|key| {
            self.find(key).is_some() || self.desired.incomplete.contains_key(&key)
        });
        if asked_for && (in_scope || wanted) {
            let key = self.plan.space.intern(&cell);
            let mut live = LiveCell::new(key, row, self.target);
            live.in_scope = in_scope;
            self.live.push(live);
            return;
        }
        if let Some(value) = self.search.stranded(row, self.target) {
            self.plan.strand(row.cell, value);
        }
    }

    /// The block of these periods and units has been read: every cell in it gets its outcome.
    pub(crate) fn compare(&mut self, periods: &[Period], units: &[Uid]) {
        let mut live = std::mem::take(&mut self.live);
        live.sort_unstable_by_key(|cell| cell.key);
        live.dedup_by_key(|cell| cell.key);
        for period in periods {
            for unit in units {
                self.compare_unit(*period, *unit, &live);
            }
        }
    }

    /// Every block has been compared.
    pub(crate) fn finish(self) -> Plan {
        self.plan.closed_up()
    }

    fn compare_unit(&mut self, period: Period, unit: Uid, live: &[LiveCell]) {
        let Some(unit) = self.plan.space.unit(unit) else {
            return;
        };
        let of_unit = (period.ordinal(), unit);
        let live = span(live, of_unit, |cell| cell.key);
        let range = span_range(&self.desired.cells, of_unit, |cell: &DesiredCell| cell.key);
        // Taken out for the time of the loop, so that outcomes can be noted.
        let cells = std::mem::take(&mut self.desired.cells);
        let mut desired = cells.get(range).unwrap_or_default().iter().peekable();
        let mut live = live.iter().peekable();
        loop {
            let (key, wanted, found) = match (desired.peek(), live.peek()) {
                (Some(wanted), Some(found)) if wanted.key == found.key => {
                    (wanted.key, desired.next(), live.next())
                }
                (Some(wanted), Some(found)) if wanted.key > found.key => {
                    (found.key, None, live.next())
                }
                (Some(wanted), _) => (wanted.key, desired.next(), None),
                (None, Some(found)) => (found.key, None, live.next()),
                (None, None) => break,
            };
            self.judge(key, wanted.map(|cell| &cell.value), found);
        }
        self.desired.cells = cells;
    }

    fn judge(&mut self, key: Key, desired: Option<&Text>, live: Option<&LiveCell>) {
        let Some(cell) = self.plan.space.cell(key) else {
            return;
        };
        let value = live.and_then(LiveCell::value);
        let author = live.and_then(LiveCell::author);
        match (desired, value) {
            (None, None) => return,
            // A value outside the scope is nobody's cell, even where an empty row points at it.
            (None, Some(_)) if !live.is_some_and(|live| live.in_scope) => return,
            (None, Some(_)) => self.plan.cells(cell.period).cells += 1,
            (Some(_), _) => {}
        }
        let case = Case {
            cell,
            desired: desired.map(Text::as_str),
            live: value,
            theirs: author.is_some(),
            comment: live.and_then(LiveCell::comment),
            incomplete: self.desired.incomplete.get(&key).copied(),
            places: &self.places,
            scope: &self.desired.scope,
        };
        self.plan.tally.note(&case, self.target);
        let absent = self.absent(&cell);
        let foreign = self.desired.policies.foreign;
        let judgement = judge::judge(&case, absent, foreign, self.target, &self.reach);
        let completeness = &mut self.plan.completeness;
        completeness.judged(&case, &judgement);
        match judgement {
            Judgement::Unchanged => self.plan.cells(cell.period).count(CellOutcome::Unchanged),
            Judgement::Left(why) => self.plan.left(cell.period, why),
            Judgement::Closed(why) => self.plan.close(cell.period, why),
            Judgement::Blocked(why) => self.plan.block(cell, why),
            Judgement::Hold => self.plan.hold(HeldCell {
                cell,
                live: value.map(Text::from),
                desired: desired.cloned().unwrap_or_else(|| Text::from("")),
                author: author.cloned(),
            }),
            Judgement::Change(kind, new) => {
                if let Some(why) = checks::newer_fault(&cell, case.comment, self.target) {
                    *self.plan.newer.entry(why).or_default() += 1;
                }
                self.plan.changes.push(Change {
                    key,
                    kind,
                    value: Text::from(new),
                    old: value.map(Text::from),
                    follow_up: live.is_some_and(|live| live.follow_up),
                    people: live.and_then(|live| live.people.clone()),
                });
            }
        }
    }

    /// What becomes of the cell where the source has nothing.
    fn absent(&self, cell: &Cell) -> Absent {
        let (policies, element) = (&self.desired.policies, cell.triple.data_element);
        match self.desired.scope.is_retired(cell) {
            true => policies.absent_of_retired(element),
            false => policies.absent(element),
        }
    }

    /// Gives the desired cells of units that cannot be read their outcome.
    fn judge_unreadable(&mut self) {
        let cells = std::mem::take(&mut self.desired.cells);
        for cell in &cells {
            let unit = self.plan.space.cell(cell.key).map(|whole| whole.org_unit);
            if unit.is_some_and(|unit| !self.reach.reads(unit)) {
                self.judge(cell.key, Some(&cell.value), None);
            }
        }
        self.desired.cells = cells;
    }

    fn find(&self, key: Key) -> Option<&DesiredCell> {
        let cells = &self.desired.cells;
        let place = cells.binary_search_by_key(&key, |cell| cell.key).ok()?;
        cells.get(place)
    }
}

/// The part of a list, ordered by key, that is of one period and unit.
fn span<T>(list: &[T], of: (i32, u32), key: impl Fn(&T) -> Key) -> &[T] {
    list.get(span_range(list, of, key)).unwrap_or_default()
}

fn span_range<T>(list: &[T], of: (i32, u32), key: impl Fn(&T) -> Key) -> Range<usize> {
    let at = |item: &T| {
        let key = key(item);
        (key.period, key.unit)
    };
    let start = list.partition_point(|item| at(item) < of);
    let end = list.partition_point(|item| at(item) <= of);
    start..end
}
