//! What waits for a person: a guard that tripped, somebody else's value that differs, a cell that moved.

use super::{Author, Cell, Period, Releasable, Text, Uid};

/// A guard that tripped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trip {
    /// Its key in `[guards]`, or its name where it has none.
    pub(crate) guard: &'static str,
    /// Where it is measured per period.
    pub(crate) period: Option<Period>,
    /// What it concerns in that period, or in all of them.
    pub(crate) concerns: Concerns,
    /// What was found, what is allowed, and what to look at.
    pub(crate) words: String,
}

impl Trip {
    /// The name by which a person may let pass what the guard holds.
    pub(crate) fn problem(&self) -> Releasable {
        Releasable::Guard {
            guard: self.guard.to_owned(),
            object: match self.concerns {
                Concerns::Everything => None,
                Concerns::DataElement(uid) | Concerns::OrgUnit(uid) => Some(uid),
            },
            period: self.period,
        }
    }
}

/// The changes of a mapping that a guard is about, and holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concerns {
    Everything,
    DataElement(Uid),
    OrgUnit(Uid),
}

impl Trip {
    /// Whether the guard holds a change of this cell.
    pub(crate) fn holds(&self, cell: &Cell) -> bool {
        let concerned = match self.concerns {
            Concerns::Everything => true,
            Concerns::DataElement(uid) => cell.triple.data_element == uid,
            Concerns::OrgUnit(uid) => cell.org_unit == uid,
        };
        concerned && self.period.is_none_or(|period| period == cell.period)
    }

    /// Whether it holds everything of a period.
    pub(crate) fn holds_all_of(&self, period: Period) -> bool {
        let in_period = self.period.is_none_or(|own| own == period);
        in_period && self.concerns == Concerns::Everything
    }
}

/// A cell in which somebody else's value differs from ours, under `foreign = "hold"`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HeldCell {
    pub(crate) cell: Cell,
    /// None: they deleted it.
    pub(crate) live: Option<Text>,
    pub(crate) desired: Text,
    pub(crate) author: Option<Author>,
}

/// A cell in which somebody was since it was read: nothing is sent over it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MovedCell {
    pub(crate) cell: Cell,
    /// The live value as it was read for the plan.
    pub(crate) expected: Option<Text>,
    /// The live value now.
    pub(crate) found: Option<Text>,
    /// Who stored or deleted it last, where that is somebody else.
    pub(crate) author: Option<Author>,
}
