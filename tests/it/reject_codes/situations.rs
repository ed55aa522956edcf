//! Everything for which DHIS2 refuses a value of ours: what changes there, what it then answers, and what the program
//! makes of it when it knows beforehand.

use serde_json::{Value, json};

use super::changes::{
    X_APR, X_CMT, X_CSET, X_EXP, X_FUND, X_MAIN, X_SHARE, and, approved, category_option,
    data_element, data_set, input_period, lock_exceptions, shared, unit, unit_gone,
    without_element, without_unit,
};
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

use Dhis2::{Always, Rejects, Takes};
use Foreseen::{Blocked, Closed, Refused, Sent};

const CELL: Cell = Cell {
    data_set: X_MAIN,
    element: NUMBER,
    unit: UNITS[0],
    period: "202503",
    combo: DEFAULT,
    attribute_combo: DEFAULT,
    value: "5",
    comment: None,
};
const ELSEWHERE: Cell = Cell {
    unit: UNITS[1],
    ..CELL
};
/// In a data set of its own.
const EXPIRING: Cell = Cell {
    data_set: X_EXP,
    element: "YADstg5hq3J",
    ..CELL
};
const FEMALE: Cell = Cell {
    element: "cghkWbkZbHM",
    combo: "Hub0sOOcXx7",
    ..CELL
};
const MALE: Cell = Cell {
    combo: "vIDfYzpaGAJ",
    ..FEMALE
};
const MINISTRY: Cell = Cell {
    data_set: X_FUND,
    element: "bNi9hspV4jw",
    period: "202403",
    attribute_combo: "vRXzaVCWYsn",
    ..CELL
};
/// An option of 2024 alone.
const DONOR: Cell = Cell {
    attribute_combo: "aIddqH9DsXg",
    ..MINISTRY
};
const OPEN: Cell = Cell {
    data_set: X_SHARE,
    element: "pvPt7Z4SVPz",
    attribute_combo: "ZLFTUdIOy9o",
    ..CELL
};
/// An option of this unit alone.
const LOCAL: Cell = Cell {
    attribute_combo: "n4RZUw5wADx",
    ..OPEN
};
const APPROVED: Cell = Cell {
    data_set: X_APR,
    element: "KdYGRJf1dS1",
    ..CELL
};
/// Its data set has none of the others.
const WINDOWED: Cell = Cell {
    data_set: X_CMT,
    element: "Ee7vYMHIZ7k",
    ..CELL
};

const INTEGER: &str = "NaIvsjCYa37";
/// An element of two data sets.
const BOTH_SETS: &str = "XA7lftBYB3f";

fn nothing() -> Value {
    json!({})
}

/// The data set as a whole, and what the account may do.
const OF_THE_DATA_SET: [Situation; 4] = [
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
const OF_UNITS: [Situation; 4] = [
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
const OF_ELEMENTS: [Situation; 5] = [
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
const OF_COMMENTS: [Situation; 3] = [
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

/// Combos and the options behind them.
const OF_COMBOS: [Situation; 7] = [
    Situation {
        what: "data of a category option may be read only",
        before: nothing,
        change: || category_option("ccskSSLghN7", shared("rwr-----")),
        bad: MALE,
        good: FEMALE,
        dhis2: [Rejects("E7613"), Rejects("E8012")],
        foreseen: [Blocked("option-not-writable"); 2],
    },
    Situation {
        what: "data of an attribute option may be read only",
        before: nothing,
        change: || category_option("Ky59zAFEE72", shared("rwr-----")),
        bad: LOCAL,
        good: OPEN,
        dhis2: [Rejects("E7615"), Rejects("E8012")],
        foreseen: [Blocked("option-not-writable"); 2],
    },
    Situation {
        what: "the data element has another category combo",
        before: nothing,
        change: || {
            data_element(
                MALE.element,
                json!({ "categoryCombo": { "id": "bjDvmb4bfuf" } }),
            )
        },
        bad: MALE,
        good: CELL,
        dhis2: [Rejects("E7634"), Rejects("E8024")],
        foreseen: [Blocked("combo-not-of-data-element"); 2],
    },
    Situation {
        what: "the attribute option combo is of another category combo",
        before: nothing,
        change: || json!({ "categoryOptionCombos": [{ "id": LOCAL.attribute_combo, "categoryCombo": { "id": "MR9d2GXxIgW" } }] }),
        bad: LOCAL,
        good: OPEN,
        dhis2: [Rejects("E7635"), Rejects("E8023")],
        foreseen: [Blocked("combo-not-of-data-set"); 2],
    },
    Situation {
        what: "the attribute option ends before the period",
        before: nothing,
        change: || {
            category_option(
                "eVO3jtZ9N9d",
                json!({ "endDate": "2024-02-29T00:00:00.000" }),
            )
        },
        bad: DONOR,
        good: MINISTRY,
        dhis2: [Rejects("E7638"), Rejects("E8032")],
        foreseen: [Blocked("attribute-option-outside-dates"); 2],
    },
    Situation {
        what: "the attribute option ends within the period",
        before: nothing,
        change: || {
            category_option(
                "eVO3jtZ9N9d",
                json!({ "endDate": "2024-03-15T00:00:00.000" }),
            )
        },
        bad: DONOR,
        good: MINISTRY,
        dhis2: [Takes, Rejects("E8032")],
        foreseen: [Sent, Blocked("attribute-option-outside-dates")],
    },
    Situation {
        what: "the attribute option is of other units",
        before: nothing,
        change: || {
            category_option(
                "a5fPBjLqg1H",
                json!({ "organisationUnits": [{ "id": UNITS[1] }] }),
            )
        },
        bad: OPEN,
        good: Cell {
            unit: UNITS[1],
            ..OPEN
        },
        dhis2: [Rejects("E7639"), Rejects("E8025")],
        foreseen: [Blocked("attribute-option-not-of-unit"); 2],
    },
];

/// What the calendar and people close.
const OF_TIME: [Situation; 7] = [
    Situation {
        what: "expiry days are over, and the neighbour has a lock exception",
        before: nothing,
        change: || {
            and(
                data_set(X_MAIN, json!({ "expiryDays": 10 })),
                json!({ "lockExceptions": lock_exceptions(X_MAIN, "202503", &[UNITS[1]]) }),
            )
        },
        bad: CELL,
        good: ELSEWHERE,
        dhis2: [Rejects("E7640"), Rejects("E8030")],
        foreseen: [Closed("expired"); 2],
    },
    Situation {
        what: "a lock exception is taken back",
        before: || json!({ "lockExceptions": lock_exceptions(X_EXP, "202503", &UNITS) }),
        change: || json!({ "removed": { "lockExceptions": lock_exceptions(X_EXP, "202503", &[UNITS[0]]) } }),
        bad: EXPIRING,
        good: Cell {
            unit: UNITS[1],
            ..EXPIRING
        },
        dhis2: [Rejects("E7640"), Rejects("E8030")],
        foreseen: [Closed("expired"); 2],
    },
    Situation {
        what: "the current period is not open any more",
        before: || data_set(X_MAIN, json!({ "openFuturePeriods": 1 })),
        change: || data_set(X_MAIN, json!({ "openFuturePeriods": 0 })),
        bad: Cell {
            period: "202611",
            ..CELL
        },
        good: Cell {
            period: "202610",
            ..CELL
        },
        dhis2: [Rejects("E7641"), Rejects("E8030")],
        foreseen: [Closed("future"); 2],
    },
    Situation {
        what: "data of the unit is approved",
        before: nothing,
        change: || approved("202503", UNITS[0]),
        bad: APPROVED,
        good: Cell {
            unit: UNITS[1],
            ..APPROVED
        },
        dhis2: [Rejects("E7642"), Rejects("E8033")],
        foreseen: [Closed("approved"); 2],
    },
    Situation {
        what: "data is approved at the unit above",
        before: nothing,
        change: || approved("202503", "VVrMwhxWKKp"),
        bad: APPROVED,
        good: Cell {
            unit: "Byp0j7hFVVU",
            ..APPROVED
        },
        dhis2: [Rejects("E7642"), Takes],
        foreseen: [Closed("approved"); 2],
    },
    Situation {
        what: "the data input period is over, which 2.43.1 has the wrong way round",
        before: nothing,
        change: || input_period(X_CMT, "202503", "2025-04-30"),
        bad: WINDOWED,
        good: CELL,
        dhis2: [Rejects("E7643"), Takes],
        foreseen: [Closed("input-window"); 2],
    },
    Situation {
        what: "the data input period is open, which 2.43.1 has the wrong way round",
        before: nothing,
        change: || input_period(X_CMT, "202503", "2027-04-30"),
        bad: WINDOWED,
        good: CELL,
        dhis2: [Takes, Rejects("E8030")],
        foreseen: [Sent, Blocked("input-periods-inverted")],
    },
];

pub(super) fn all() -> impl Iterator<Item = Situation> {
    OF_THE_DATA_SET
        .into_iter()
        .chain(OF_UNITS)
        .chain(OF_ELEMENTS)
        .chain(OF_COMMENTS)
        .chain(OF_COMBOS)
        .chain(OF_TIME)
}
