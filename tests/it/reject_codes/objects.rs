//! Data sets, organisation units, data elements, values and comments that DHIS2 refuses.

use serde_json::{Value, json};

use super::changes::{
    X_CMT, X_CSET, X_MAIN, data_element, data_set, shared, unit, unit_gone, without_element,
    without_unit,
};
use super::situations::Dhis2::{Always, Rejects, Takes};
use super::situations::Foreseen::{Blocked, Refused, Sent};
use super::situations::{CELL, Cell, ELSEWHERE, Situation, WINDOWED};
use crate::small_site::{NUMBER, UNITS};

const INTEGER: &str = "NaIvsjCYa37";
/// An element of two data sets.
const BOTH_SETS: &str = "XA7lftBYB3f";

/// DHIS2 is as the recordings had it.
pub(super) fn nothing() -> Value {
    json!({})
}

/// The data set as a whole, and what the account may do.
pub(super) const OF_THE_DATA_SET: [Situation; 4] = [
    Situation {
        what: "the data set is not shared any more, its data still is",
        before: nothing,
        change: || data_set(X_CMT, shared("--rw----")),
        bad: WINDOWED,
        good: CELL,
        dhis2: [Rejects("E7600"), Takes],
        foreseen: [Refused("data set MiSnQv015xF"); 2],
    },
    Situation {
        what: "the data set is deleted",
        before: nothing,
        change: || json!({ "removed": { "dataSets": [{ "id": X_CMT }] } }),
        bad: WINDOWED,
        good: CELL,
        dhis2: [Rejects("E7600"), Rejects("E8020")],
        foreseen: [Refused("DHIS2 has no data set MiSnQv015xF"); 2],
    },
    Situation {
        what: "data of the data set may be read only",
        before: nothing,
        change: || data_set(X_CMT, shared("rwr-----")),
        bad: WINDOWED,
        good: CELL,
        dhis2: [Rejects("E7601"), Rejects("E8010")],
        foreseen: [Refused("may not write data to data set X set X_CMT"); 2],
    },
    Situation {
        what: "the data set has another period type",
        before: nothing,
        change: || data_set(X_CMT, json!({ "periodType": "Weekly" })),
        bad: WINDOWED,
        good: CELL,
        dhis2: [Rejects("E7632"), Rejects("E8021")],
        foreseen: [Refused("data set X set X_CMT (MiSnQv015xF) is Weekly"); 2],
    },
];

/// Organisation units.
pub(super) const OF_UNITS: [Situation; 4] = [
    Situation {
        what: "the unit is deleted",
        before: nothing,
        change: || unit_gone(X_MAIN, UNITS[0]),
        bad: CELL,
        good: ELSEWHERE,
        dhis2: [Rejects("E7612"), Rejects("E8022")],
        foreseen: [Blocked("unknown-org-unit"); 2],
    },
    Situation {
        what: "the unit moves out of the hierarchy of the account",
        before: nothing,
        change: || unit(UNITS[0], json!({ "parent": null })),
        bad: CELL,
        good: ELSEWHERE,
        dhis2: [Rejects("E7617"), Rejects("E8011")],
        foreseen: [Blocked("org-unit-outside-hierarchy"); 2],
    },
    Situation {
        what: "the unit is taken off the data set",
        before: nothing,
        change: || without_unit(X_MAIN, UNITS[0]),
        bad: CELL,
        good: ELSEWHERE,
        dhis2: [Rejects("E7636"), Rejects("E8022")],
        foreseen: [Blocked("org-unit-not-in-data-set"); 2],
    },
    Situation {
        what: "the unit is closed from a day before the period on",
        before: nothing,
        change: || unit(UNITS[0], json!({ "closedDate": "2025-02-28T00:00:00.000" })),
        bad: CELL,
        good: ELSEWHERE,
        dhis2: [Takes, Rejects("E8031")],
        foreseen: [Sent, Blocked("org-unit-closed")],
    },
];

/// Data elements and their values.
pub(super) const OF_ELEMENTS: [Situation; 5] = [
    Situation {
        what: "the data element is not shared any more",
        before: nothing,
        change: || data_element(INTEGER, shared("--------")),
        bad: Cell {
            element: INTEGER,
            ..CELL
        },
        good: CELL,
        dhis2: [Rejects("E7610"), Takes],
        foreseen: [Blocked("data-element-hidden"), Sent],
    },
    Situation {
        what: "the data element is taken off its only data set",
        before: nothing,
        change: || without_element(X_MAIN, INTEGER),
        bad: Cell {
            element: INTEGER,
            ..CELL
        },
        good: CELL,
        dhis2: [Rejects("E7632"), Rejects("E8020")],
        foreseen: [Blocked("data-element-not-in-data-set"); 2],
    },
    Situation {
        what: "the data element is taken off one of its data sets",
        before: nothing,
        change: || without_element(X_MAIN, BOTH_SETS),
        bad: Cell {
            element: BOTH_SETS,
            ..CELL
        },
        good: CELL,
        dhis2: [Rejects("E7633"), Rejects("E8020")],
        foreseen: [Blocked("data-element-not-in-data-set"); 2],
    },
    Situation {
        what: "the data element is of whole numbers",
        before: nothing,
        change: || data_element(NUMBER, json!({ "valueType": "INTEGER" })),
        bad: Cell {
            value: "2.5",
            ..CELL
        },
        good: ELSEWHERE,
        dhis2: [Rejects("E7619"), Rejects("E8122")],
        foreseen: [Blocked("value-type"); 2],
    },
    Situation {
        what: "the option has another code",
        before: nothing,
        change: || json!({ "options": [{ "id": "gGQ9tDrpo8S", "code": "Z" }] }),
        bad: Cell {
            element: "aIArV96ftSo",
            value: "B",
            ..CELL
        },
        good: CELL,
        dhis2: [Rejects("E7621"), Rejects("E8123")],
        foreseen: [Blocked("not-an-option"); 2],
    },
];

/// Comments on live values of ours, which go back with the new one.
pub(super) const OF_COMMENTS: [Situation; 3] = [
    Situation {
        what: "the comment is too long for either version",
        before: nothing,
        change: || nothing(),
        bad: Cell {
            comment: Some(("x", 50_001)),
            ..CELL
        },
        good: ELSEWHERE,
        dhis2: [Always("E7620"), Always("E8125")],
        foreseen: [Blocked("comment-too-long"); 2],
    },
    Situation {
        what: "DHIS2 is upgraded, and the comment is too long as Java counts",
        before: nothing,
        change: || json!({ "dialect": "2.43" }),
        bad: Cell {
            comment: Some(("😀", 2_501)),
            ..CELL
        },
        good: Cell {
            comment: Some(("😀", 2_500)),
            ..ELSEWHERE
        },
        dhis2: [Rejects("E8125"), Always("E8125")],
        foreseen: [Blocked("comment-too-long"); 2],
    },
    Situation {
        what: "the comment is no option any more",
        before: nothing,
        change: || json!({ "options": [{ "id": "gGQ9tDrpo8S", "code": "Z" }] }),
        bad: Cell {
            data_set: X_CSET,
            element: "ISYwvpSbon9",
            comment: Some(("B", 1)),
            ..CELL
        },
        good: Cell {
            data_set: X_CSET,
            element: "ISYwvpSbon9",
            comment: Some(("A", 1)),
            ..ELSEWHERE
        },
        dhis2: [Takes, Rejects("E8124")],
        foreseen: [Sent, Blocked("comment-not-an-option")],
    },
];
