//! Combos with their options, and times at which DHIS2 takes no value.

use serde_json::json;

use super::changes::{
    X_CMT, X_EXP, X_MAIN, and, approved, category_option, data_element, data_set, input_period,
    lock_exceptions, shared,
};
use super::objects::nothing;
use super::situations::Dhis2::{Rejects, Takes};
use super::situations::Foreseen::{Blocked, Closed, Sent};
use super::situations::{
    APPROVED, CELL, Cell, DONOR, ELSEWHERE, EXPIRING, FEMALE, LOCAL, MALE, MINISTRY, OPEN,
    Situation, WINDOWED,
};
use crate::small_site::UNITS;

/// Combos and the options behind them.
pub(super) const OF_COMBOS: [Situation; 7] = [
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
pub(super) const OF_TIME: [Situation; 7] = [
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
