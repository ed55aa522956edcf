//! All that an oracle must know: DHIS2's rows as they are stored, and what is said by source, files, metadata and people.

use std::collections::{BTreeMap, BTreeSet};

use rig::dhis2::Dialect;
use serde_json::Value;

use super::steps::{Cell, ELEMENTS, KNOWN_UNITS, Line, RowKey, Rule, UNITS};

/// A row of DHIS2's table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) value: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) marked: bool,
    pub(super) by: String,
    pub(super) deleted: bool,
}

impl Stored {
    pub(super) fn live(&self) -> Option<&str> {
        self.value.as_deref().filter(|_| !self.deleted)
    }
}

/// What an oracle must know beside what DHIS2 holds.
pub(super) struct Facts {
    pub(super) rows: BTreeMap<RowKey, Option<String>>,
    /// By town and period.
    pub(super) rules: BTreeMap<(usize, usize), Rule>,
    /// By data element, as everything below that is not by unit.
    pub(super) lines: [Line; ELEMENTS.len()],
    pub(super) significant: [bool; ELEMENTS.len()],
    pub(super) assigned: [bool; KNOWN_UNITS],
    pub(super) closed: [bool; KNOWN_UNITS],
    pub(super) expired: bool,
    pub(super) dialect: Dialect,
    pub(super) absent: &'static str,
    pub(super) foreign: &'static str,
    /// Values that a person deleted and nobody stored again.
    pub(super) deleted_by_people: BTreeSet<Cell>,
}

/// The place of a UID or a period in its list.
pub(super) fn place(list: &[&str], text: &Value) -> usize {
    let text = text.as_str().expect("a text");
    let found = list.iter().position(|each| *each == text);
    found.unwrap_or_else(|| panic!("{text} is none of the history's"))
}

pub(super) fn cell_of(row: &Value) -> Cell {
    let first_days = ["Monthly 2026-09-01", "Monthly 2026-10-01"];
    (
        place(&ELEMENTS, &row["de"]),
        place(&UNITS, &row["ou"]),
        place(&first_days, &row["pe"]),
    )
}

pub(super) fn stored_row(row: &Value) -> Stored {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    Stored {
        value: text("value"),
        comment: text("comment"),
        marked: row["followup"] == true,
        by: text("storedby").expect("a name"),
        deleted: row["deleted"] == true,
    }
}
