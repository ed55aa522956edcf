//! Where the cells of a saved plan stand now: done, as the plan found them, or moved. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::live::LiveCell;
use super::saved::{SavedChange, SavedMapping};
use super::{Plan, Target, same};
use crate::domain::{CellOutcome, Change, Key, LiveRow, MovedCell, Period, Space, Text, Uid};

/// Takes the live rows of a saved mapping's cells, then says where each stands.
pub(crate) struct Recheck<'p> {
    saved: &'p SavedMapping,
    target: &'p Target,
    space: Space,
    /// The live cells by the place of their change.
    live: BTreeMap<usize, LiveCell>,
}

/// Every cell of a saved mapping stands in one of these.
pub(crate) struct Rechecked {
    /// What is already at its new value is `Unchanged` in the plan's account; what is still to be sent are its changes.
    pub(crate) plan: Plan,
    pub(crate) moved: Vec<MovedCell>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellStanding {
    Done,
    ToSend,
    Moved,
}

impl<'p> Recheck<'p> {
    pub(crate) fn new(saved: &'p SavedMapping, target: &'p Target) -> Recheck<'p> {
        let mut space = Space::new(saved.period_type);
        for change in &saved.changes {
            space.intern(&change.cell());
        }
        space.sort();
        Recheck {
            saved,
            target,
            space,
            live: BTreeMap::new(),
        }
    }

    /// The periods of the plan's cells, in blocks of at most so many, each with the units that have a cell in it.
    pub(crate) fn blocks(&self, periods: usize) -> Vec<(Vec<Period>, Vec<Uid>)> {
        let mut units: BTreeMap<Period, BTreeSet<Uid>> = BTreeMap::new();
        for cell in self.saved.changes.iter().map(SavedChange::cell) {
            units.entry(cell.period).or_default().insert(cell.org_unit);
        }
        let units: Vec<(Period, BTreeSet<Uid>)> = units.into_iter().collect();
        let block = |block: &[(Period, BTreeSet<Uid>)]| {
            let units: BTreeSet<Uid> = block.iter().flat_map(|(_, units)| units).copied().collect();
            let periods = block.iter().map(|(period, _)| *period);
            (periods.collect(), units.into_iter().collect())
        };
        units.chunks(periods.max(1)).map(block).collect()
    }

    /// A live row; those of other cells do not count.
    pub(crate) fn live(&mut self, row: &LiveRow<'_>) {
        let changes = &self.saved.changes;
        let place = changes.binary_search_by_key(&row.cell, SavedChange::cell);
        if let (Ok(place), Some(key)) = (place, self.space.key(&row.cell)) {
            let live = LiveCell::new(key, row, self.target);
            self.live.insert(place, live);
        }
    }

    /// All live rows have been shown.
    pub(crate) fn finish(mut self) -> Rechecked {
        let mut plan = Plan::of(self.space, self.saved.data_set);
        let mut moved = Vec::new();
        for (place, saved) in self.saved.changes.iter().enumerate() {
            let cell = saved.cell();
            let live = self.live.remove(&place);
            let Some(key) = plan.space.key(&cell) else {
                continue;
            };
            plan.cells(cell.period).cells += 1;
            match standing(saved, live.as_ref(), self.target) {
                CellStanding::Done => plan.cells(cell.period).count(CellOutcome::Unchanged),
                CellStanding::ToSend => plan.changes.push(change(saved, key, live)),
                CellStanding::Moved => {
                    plan.cells(cell.period).count(CellOutcome::Held);
                    let found = live.as_ref().and_then(LiveCell::value);
                    moved.push(MovedCell {
                        cell,
                        expected: saved.old.as_deref().map(Text::from),
                        found: found.map(Text::from),
                        author: live.as_ref().and_then(LiveCell::author).cloned(),
                    });
                }
            }
        }
        Rechecked { plan, moved }
    }
}

/// Compares as the planner does: numbers by value, zeros that are not kept like nothing.
fn standing(saved: &SavedChange, live: Option<&LiveCell>, target: &Target) -> CellStanding {
    let element = target.element(saved.cell().triple.data_element);
    let now = live.and_then(LiveCell::value);
    let equal = |wanted: &str, live: &str| same::same(element, wanted, live, target);
    let nothing = |value: &str| same::is_nothing(element, value);
    let done = match (saved.new.as_deref(), now) {
        (Some(new), Some(now)) => equal(new, now),
        (Some(value), None) | (None, Some(value)) => nothing(value),
        (None, None) => true,
    };
    if done {
        return CellStanding::Done;
    }
    // What somebody else stored or deleted since is their word against ours, also where it is the same value: a comment
    // says that they looked.
    let theirs = live.is_some_and(|live| live.author().is_some()) && !saved.foreign;
    let as_found = match (saved.old.as_deref(), now) {
        (Some(old), Some(now)) => equal(old, now) && !theirs,
        (None, None) => !theirs,
        _ => false,
    };
    if as_found {
        CellStanding::ToSend
    } else {
        CellStanding::Moved
    }
}

/// The change as it is to be sent, with comment and mark that the cell has now.
fn change(saved: &SavedChange, key: Key, live: Option<LiveCell>) -> Change {
    let old = live.as_ref().and_then(LiveCell::value).map(Text::from);
    // A delete carries the live value, which it has where it is still to be done.
    let value = saved.new.as_deref().map(Text::from).or_else(|| old.clone());
    Change {
        key,
        kind: saved.kind,
        value: value.unwrap_or_else(|| Text::from("")),
        old,
        follow_up: live.as_ref().is_some_and(|live| live.follow_up),
        people: live.and_then(|live| live.people),
    }
}
