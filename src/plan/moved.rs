//! Where the cells of a saved plan stand now: done, as the plan found them, or moved. Pure.

use std::collections::{BTreeSet, HashMap};

use super::saved::{SavedChange, SavedMapping};
use super::{Plan, Target, same};
use crate::domain::{Cell, CellOutcome, Change, ChangeKind, LiveRow, Period, Space, Text, Uid};

/// Takes the live rows of a saved mapping's cells, then says where each stands.
pub(crate) struct Recheck<'p> {
    saved: &'p SavedMapping,
    target: &'p Target,
    /// Places in `saved.changes`.
    places: HashMap<Cell, usize>,
    /// By place.
    live: HashMap<usize, LiveState>,
}

/// What DHIS2 holds of a cell now.
struct LiveState {
    /// None: deleted, or a comment alone.
    value: Option<Text>,
    comment: Option<Box<Text>>,
    follow_up: bool,
    /// Last stored by somebody else.
    foreign: bool,
}

/// A cell that has another value than the plan found and than it wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) cell: Cell,
    pub(crate) expected: Option<Text>,
    pub(crate) found: Option<Text>,
    pub(crate) foreign: bool,
}

/// Every cell of a saved mapping stands in one of these.
pub(crate) struct Rechecked {
    /// Already at their new value: `Unchanged` in the plan's account; the changes still to be sent are its changes.
    pub(crate) plan: Plan,
    pub(crate) moved: Vec<Moved>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Done,
    ToSend,
    Moved,
}

impl<'p> Recheck<'p> {
    pub(crate) fn new(saved: &'p SavedMapping, target: &'p Target) -> Recheck<'p> {
        let cells = saved.changes.iter().map(SavedChange::cell);
        Recheck {
            saved,
            target,
            places: cells.zip(0..).collect(),
            live: HashMap::new(),
        }
    }

    /// The periods of the plan's cells, in blocks of at most so many, each with the units that have a cell in it.
    pub(crate) fn blocks(&self, periods: usize) -> Vec<(Vec<Period>, Vec<Uid>)> {
        let all: BTreeSet<Period> = self.places.keys().map(|cell| cell.period).collect();
        let all: Vec<Period> = all.into_iter().collect();
        let block = |periods: &[Period]| {
            let cells = self.places.keys();
            let units: BTreeSet<Uid> = cells
                .filter(|cell| periods.contains(&cell.period))
                .map(|cell| cell.org_unit)
                .collect();
            (periods.to_vec(), units.into_iter().collect())
        };
        all.chunks(periods.max(1)).map(block).collect()
    }

    /// A live row; those of other cells do not count.
    pub(crate) fn live(&mut self, row: &LiveRow<'_>) {
        let Some(place) = self.places.get(&row.cell) else {
            return;
        };
        let value = if row.deleted { None } else { row.value };
        let state = LiveState {
            value: value.map(Text::from),
            comment: row.comment.map(|comment| Box::new(Text::from(comment))),
            follow_up: row.follow_up,
            foreign: !row.stored_by.is_some_and(|user| self.target.is_ours(user)),
        };
        self.live.insert(*place, state);
    }

    /// All live rows have been shown.
    pub(crate) fn finish(mut self) -> Rechecked {
        let mut space = Space::new(self.saved.period_type);
        for change in &self.saved.changes {
            space.intern(&change.cell());
        }
        space.sort();
        let mut plan = Plan::of(space);
        let mut moved = Vec::new();
        for (place, saved) in self.saved.changes.iter().enumerate() {
            let cell = saved.cell();
            let state = self.live.remove(&place);
            plan.cells(cell.period).cells += 1;
            match standing(saved, state.as_ref(), self.target) {
                Standing::Done => plan.cells(cell.period).count(CellOutcome::Unchanged),
                Standing::ToSend => plan
                    .changes
                    .extend(change(saved, &cell, state, &plan.space)),
                Standing::Moved => {
                    plan.cells(cell.period).count(CellOutcome::Held);
                    moved.push(Moved {
                        cell,
                        expected: saved.old.as_deref().map(Text::from),
                        foreign: state.as_ref().is_some_and(|state| state.foreign),
                        found: state.and_then(|state| state.value),
                    });
                }
            }
        }
        plan.changes.sort_unstable_by_key(|change| change.key);
        Rechecked { plan, moved }
    }
}

/// Compares as the planner does: numbers by value, zeros that are not kept like nothing.
fn standing(saved: &SavedChange, state: Option<&LiveState>, target: &Target) -> Standing {
    let element = target.element(saved.cell().triple.data_element);
    let now = state.and_then(|state| state.value.as_ref());
    let now = now.map(Text::as_str);
    let equal = |wanted: &str, live: &str| same::same(element, wanted, live, target);
    let nothing = |value: &str| same::is_nothing(element, value);
    let done = match (saved.new.as_deref(), now) {
        (Some(new), Some(now)) => equal(new, now),
        (Some(value), None) | (None, Some(value)) => nothing(value),
        (None, None) => true,
    };
    if done {
        return Standing::Done;
    }
    let withdraws = matches!(saved.kind, ChangeKind::Zero | ChangeKind::Delete);
    // What somebody else stored is never withdrawn, also where it is the same value.
    if withdraws && state.is_some_and(|state| state.foreign) {
        return Standing::Moved;
    }
    let as_found = match (saved.old.as_deref(), now) {
        (Some(old), Some(now)) => equal(old, now),
        (None, None) => true,
        _ => false,
    };
    if as_found {
        Standing::ToSend
    } else {
        Standing::Moved
    }
}

/// The change as it is to be sent, with comment and mark that the cell has now.
fn change(
    saved: &SavedChange,
    cell: &Cell,
    state: Option<LiveState>,
    space: &Space,
) -> Option<Change> {
    let key = space.key(cell)?;
    let old = state.as_ref().and_then(|state| state.value.clone());
    Some(Change {
        key,
        kind: saved.kind,
        // A delete carries the live value.
        value: match &saved.new {
            Some(new) => Text::from(new.as_str()),
            None => old.clone()?,
        },
        foreign: old.is_some() && state.as_ref().is_some_and(|state| state.foreign),
        follow_up: state.as_ref().is_some_and(|state| state.follow_up),
        comment: state.and_then(|state| state.comment),
        old,
    })
}
