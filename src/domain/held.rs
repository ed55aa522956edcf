//! Why a mapping is held: nothing of it is sent until a person has looked.

use super::{Author, Cell, Period, Text};

/// A guard that tripped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trip {
    /// Its key in `[guards]`, or its name where it has none.
    pub(crate) guard: &'static str,
    /// Where it is measured per period.
    pub(crate) period: Option<Period>,
    /// What was found, what is allowed, and what to look at.
    pub(crate) words: String,
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
