//! What the rows say cannot be stored, has no place, or is far less than before.

use super::super::Holds::{All, NothingSent, TheRest};
use super::super::{Fault, Met};
use super::site::{met, site, wired};
use crate::bounded;
use crate::guards_st_lucia::{change, loaded};
use crate::small_site::{NUMBER, SmallSite, UNITS};
use crate::st_lucia::{BOTH, T0};
use crate::wire::Wire;

/// Elements of the value types INTEGER and INTEGER_POSITIVE, and another of numbers.
const INTEGER: &str = "NaIvsjCYa37";
const POSITIVE: &str = "M3wMVRRlXQs";
const PERCENTAGE: &str = "dY8AOO0ml7c";

pub(super) const FAULTS: [Fault; 10] = [
    Fault {
        number: "F23",
        what: "no numbers, and numbers too large or too small for their type",
        met: no_numbers,
        code: 3,
        says: "4  the value does not fit the data element's value type",
        asked: 1,
        holds: TheRest,
    },
    Fault {
        number: "F24",
        what: "a fraction for an integer",
        met: || beside(&[[INTEGER, UNITS[0], "2.5"]]),
        code: 3,
        says: "1  the value does not fit the data element's value type",
        asked: 1,
        holds: TheRest,
    },
    Fault {
        number: "F25",
        what: "no value, which says nothing",
        met: || besides("NULL", "'iztChCalPg5'"),
        code: 0,
        says: "",
        asked: 1,
        holds: All,
    },
    Fault {
        number: "F25",
        what: "no key of a place",
        met: || besides("7", "NULL"),
        code: 3,
        says: "1 row  organisation unit NULL",
        asked: 1,
        holds: TheRest,
    },
    Fault {
        number: "F27",
        what: "the key of a place that nobody knows",
        met: || besides("7", "'Nowhere'"),
        code: 3,
        says: "1 row  organisation unit key #",
        asked: 1,
        holds: TheRest,
    },
    Fault {
        number: "F27",
        what: "most keys are not known",
        met: held_by_unmapped,
        code: 4,
        says: "max-unmapped allows 2%",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F28",
        what: "no row where there were thousands",
        met: || st_lucia("DELETE FROM imm.immunization_event"),
        code: 4,
        says: "returned no row, and DHIS2 holds",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F29",
        what: "six of ten rows are gone",
        met: || st_lucia("DELETE FROM imm.immunization_event WHERE event_id % 10 < 6"),
        code: 4,
        says: "look for what is gone from the source",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F37",
        what: "cells of 64 MiB",
        met: || {
            let units = format!("unnest(ARRAY['{}', '{}'])", UNITS[0], UNITS[1]);
            huge("n", "repeat('7', 64 << 20)", &units)
        },
        code: 3,
        says: "3 rows: 1 mapped, 2 invalid",
        asked: 1,
        holds: TheRest,
    },
    Fault {
        number: "F37",
        what: "a hundred thousand rows that belong nowhere",
        met: || huge("'place ' || n", "'7'", "generate_series(1, 100000)"),
        code: 3,
        says: "100001 rows: 1 mapped, 100000 unmapped",
        asked: 1,
        holds: TheRest,
    },
];

/// Rows beside the one that can be stored.
fn beside(rows: &[[&str; 3]]) -> Met {
    let site = site();
    for [element, unit, value] in rows {
        let row = format!("INSERT INTO t VALUES ('{element}', '{unit}', '202503', '{value}')");
        site.database.execute(&row);
    }
    wired(&site)
}

/// NaN and infinity are numbers to PostgreSQL; DHIS2 has neither, nor one of 401 digits.
fn no_numbers() -> Met {
    beside(&[
        [NUMBER, UNITS[1], "NaN"],
        [PERCENTAGE, UNITS[0], "Infinity"],
        [PERCENTAGE, UNITS[1], "1e400"],
        [POSITIVE, UNITS[0], "-1"],
    ])
}

/// One more row with a value and the key of a unit; no share of such rows holds the mapping.
fn besides(value: &str, unit: &str) -> Met {
    let site = site();
    unguarded(&site);
    let row = format!("INSERT INTO t VALUES ('{INTEGER}', {unit}, '202503', {value})");
    site.database.execute(&row);
    wired(&site)
}

fn unguarded(site: &SmallSite) {
    let guard = "guards.max-unmapped = \"100%\"\nabsent = ";
    site.replace("mappings/small.toml", "absent = ", guard);
}

fn held_by_unmapped() -> Met {
    let site = site();
    site.database.execute(&format!(
        "INSERT INTO t SELECT '{NUMBER}', 'place ' || n, '202503', '1' FROM generate_series(1, 50) AS n"
    ));
    wired(&site)
}

/// The sample registry after a change, of which March 2025 is in DHIS2.
fn st_lucia(sql: &str) -> Met {
    let site = loaded(BOTH[1]);
    change(&site, sql);
    let server = format!("127.0.0.1:{}", site.database.tcp_port());
    let wire = Wire::to(&server, 0);
    site.replace("pg2dhis2.toml", &server, &wire.address);
    let before = site.dhis2.values();
    let args = ["run", "-m", "epi-monthly", "-p", "202503", "--as-of", T0];
    let run = site.program(&args);
    Met {
        run,
        asked: wire.connections(),
        posts: site.posts(),
        wanted: before.clone(),
        before,
        after: site.dhis2.values(),
    }
}

/// Rows of a unit and a value for each `n`, read with little memory, beside the one that can be stored.
fn huge(unit: &str, value: &str, each: &str) -> Met {
    let site = site();
    unguarded(&site);
    site.write(
        "mappings/query.sql",
        &format!(
            "SELECT element, unit, period, value FROM t
             UNION ALL SELECT '{INTEGER}', {unit}, '202503', {value} FROM {each} AS n"
        ),
    );
    let wire = Wire::into(&site, 0);
    met(&site, || (bounded::run(&site), wire.connections()))
}
