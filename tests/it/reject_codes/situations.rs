//! Everything for which DHIS2 refuses a value of ours: what changes there, what it then answers, and what the program
//! makes of it when it knows beforehand.

use serde_json::Value;

use super::changes::{X_APR, X_CMT, X_EXP, X_FUND, X_MAIN, X_SHARE};
use super::objects::{OF_COMMENTS, OF_ELEMENTS, OF_THE_DATA_SET, OF_UNITS};
use super::options_and_times::{OF_COMBOS, OF_TIME};
use crate::small_site::{NUMBER, UNITS};

pub(super) const DEFAULT: &str = "HllvX50cXC0";

/// A value of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) data_set: &'static str,
    pub(super) element: &'static str,
    pub(super) unit: &'static str,
    pub(super) period: &'static str,
    pub(super) combo: &'static str,
    pub(super) attribute_combo: &'static str,
    pub(super) value: &'static str,
    /// So many of this text are the comment on the live value, of which there is one then.
    pub(super) comment: Option<(&'static str, usize)>,
}

/// What DHIS2 says to a value after the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dhis2 {
    Rejects(&'static str),
    Takes,
    /// It would reject it with this code, but what it goes by does not change while we work.
    Always(&'static str),
}

/// What the program says to it when DHIS2 is so from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Foreseen {
    Blocked(&'static str),
    Closed(&'static str),
    /// The whole mapping, in words such as these.
    Refused(&'static str),
    Sent,
}

pub(super) struct Situation {
    pub(super) what: &'static str,
    /// From the start, as it should be.
    pub(super) before: fn() -> Value,
    pub(super) change: fn() -> Value,
    pub(super) bad: Cell,
    /// Beside it, and never refused.
    pub(super) good: Cell,
    /// DHIS2 2.42 and 2.43.
    pub(super) dhis2: [Dhis2; 2],
    pub(super) foreseen: [Foreseen; 2],
}

pub(super) const CELL: Cell = Cell {
    data_set: X_MAIN,
    element: NUMBER,
    unit: UNITS[0],
    period: "202503",
    combo: DEFAULT,
    attribute_combo: DEFAULT,
    value: "5",
    comment: None,
};
pub(super) const ELSEWHERE: Cell = Cell {
    unit: UNITS[1],
    ..CELL
};
/// In a data set of its own.
pub(super) const EXPIRING: Cell = Cell {
    data_set: X_EXP,
    element: "YADstg5hq3J",
    ..CELL
};
pub(super) const FEMALE: Cell = Cell {
    element: "cghkWbkZbHM",
    combo: "Hub0sOOcXx7",
    ..CELL
};
pub(super) const MALE: Cell = Cell {
    combo: "vIDfYzpaGAJ",
    ..FEMALE
};
pub(super) const MINISTRY: Cell = Cell {
    data_set: X_FUND,
    element: "bNi9hspV4jw",
    period: "202403",
    attribute_combo: "vRXzaVCWYsn",
    ..CELL
};
/// An option of 2024 alone.
pub(super) const DONOR: Cell = Cell {
    attribute_combo: "aIddqH9DsXg",
    ..MINISTRY
};
pub(super) const OPEN: Cell = Cell {
    data_set: X_SHARE,
    element: "pvPt7Z4SVPz",
    attribute_combo: "ZLFTUdIOy9o",
    ..CELL
};
/// An option of this unit alone.
pub(super) const LOCAL: Cell = Cell {
    attribute_combo: "n4RZUw5wADx",
    ..OPEN
};
pub(super) const APPROVED: Cell = Cell {
    data_set: X_APR,
    element: "KdYGRJf1dS1",
    ..CELL
};
/// Its data set has none of the others.
pub(super) const WINDOWED: Cell = Cell {
    data_set: X_CMT,
    element: "Ee7vYMHIZ7k",
    ..CELL
};

pub(super) fn all() -> impl Iterator<Item = Situation> {
    OF_THE_DATA_SET
        .into_iter()
        .chain(OF_UNITS)
        .chain(OF_ELEMENTS)
        .chain(OF_COMMENTS)
        .chain(OF_COMBOS)
        .chain(OF_TIME)
}
