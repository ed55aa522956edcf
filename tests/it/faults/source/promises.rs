//! The role, a query or its result are not what the mapping promises: nothing is sent, and no name is told.

use super::super::Holds::{NothingSent, TheRest};
use super::super::{Fault, Met};
use super::site::{queried, site, values, wired};
use crate::small_site::{NUMBER, UNITS};

pub(super) const FAULTS: [Fault; 16] = [
    Fault {
        number: "F16",
        what: "a column has another name",
        met: || changed("ALTER TABLE t RENAME value TO amount"),
        code: 13,
        says: "query.sql, line 1, column 31: column \"value\" does not exist (42703)",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F17",
        what: "a table is gone",
        met: || changed("DROP TABLE t"),
        code: 13,
        says: "query.sql, line 1, column 42: relation \"t\" does not exist (42P01)",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F18",
        what: "the role may no longer read a table",
        met: || changed("REVOKE SELECT ON t FROM rig_reader"),
        code: 13,
        says: "query.sql: permission denied for table t (42501)",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F19",
        what: "a column that the query compares has another type",
        met: || changed("ALTER TABLE t ALTER period TYPE int USING period::int"),
        code: 13,
        says: "operator does not exist: integer >= text (42883)",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F19",
        what: "a column of numbers has become one of text, with words in it",
        met: text_for_numbers,
        code: 3,
        says: "1  the value does not fit the data element's value type",
        asked: 1,
        holds: TheRest,
    },
    Fault {
        number: "F20",
        what: "a text that is cast and is no number",
        met: || on_persons("name::int"),
        code: 13,
        says: "the query failed (22P02); the server's text is withheld, as it may contain patient data: to read it, run PGTZ=",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F21",
        what: "a division by zero",
        met: || on_persons("1 / n"),
        code: 13,
        says: "the query failed (22012); the server's text is withheld, as it may contain patient data: to read it, run PGTZ=",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F22",
        what: "a function that raises an exception with a name in it",
        met: || on_persons("raises(name)"),
        code: 13,
        says: "the query failed (P0001); the server's text is withheld, as it may contain patient data: to read it, run PGTZ=",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F26",
        what: "two rows with the same keys",
        met: || changed("INSERT INTO t SELECT * FROM t"),
        code: 13,
        says: "two rows of 202503 have the same keys",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F30",
        what: "row-level security that would hide rows",
        met: || changed("ALTER TABLE t ENABLE ROW LEVEL SECURITY"),
        code: 13,
        says: "row-level security would hide rows from this role (42501); let it read a view that belongs to the table's owner",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F31",
        what: "a superuser",
        met: || {
            let site = site();
            let (url, superuser) = (site.database.url(), site.database.superuser_url());
            site.replace("pg2dhis2.toml", &url, &superuser);
            wired(&site)
        },
        code: 13,
        says: "the role may do more than read: SUPERUSER; let it connect as a role that may not",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F32",
        what: "a query that ends the transaction",
        met: || queried(&site(), "commit"),
        code: 13,
        says: "only one plain query can be read (SELECT, VALUES, TABLE, or WITH",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F32",
        what: "a query that deletes",
        met: || {
            queried(
                &site(),
                "DELETE FROM t RETURNING element, unit, period, value",
            )
        },
        code: 13,
        says: "only one plain query can be read (SELECT, VALUES, TABLE, or WITH",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F32",
        what: "a file with two queries",
        met: || {
            queried(
                &site(),
                "SELECT element, unit, period, value FROM t; DELETE FROM t",
            )
        },
        code: 10,
        says: "query.sql:1:45: a second statement begins here; a file holds one SELECT",
        asked: 0,
        holds: NothingSent,
    },
    Fault {
        number: "F33",
        what: "a name beside the numbers",
        met: || on_persons("1, name"),
        code: 15,
        says: "column 5 (text) is not declared",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F33",
        what: "a name instead of the number",
        met: || on_persons("name"),
        code: 3,
        says: "1  the value does not fit the data element's value type",
        asked: 1,
        holds: TheRest,
    },
];

/// A run after a change of the registry.
fn changed(sql: &str) -> Met {
    let site = site();
    site.database.execute(sql);
    wired(&site)
}

/// A run with a query on a table of people; whatever it tells, nobody is named.
fn on_persons(value: &str) -> Met {
    let site = site();
    site.database.execute(
        "CREATE TABLE person (name text, n int); INSERT INTO person VALUES ('Philomena Sentinel', 0);
         CREATE FUNCTION raises(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no dose for %', $1; END $$",
    );
    let sql = format!(
        "SELECT '{NUMBER}' AS element, '{}' AS unit, '202503' AS period, {} FROM person",
        UNITS[1],
        match value.split_once(", ") {
            Some((value, name)) => format!("{value} AS value, {name}"),
            None => format!("{value} AS value"),
        }
    );
    let met = queried(&site, &sql);
    assert!(!met.run.stderr.contains("Sentinel"), "{}", met.run.stderr);
    Met {
        // The row that the query no longer gives is left alone.
        wanted: values(&[[NUMBER, UNITS[0], "5"]]),
        ..met
    }
}

fn text_for_numbers() -> Met {
    let site = site();
    site.database.execute(&format!(
        "ALTER TABLE t ALTER value TYPE int USING value::int; ALTER TABLE t ALTER value TYPE text;
         INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', 'seven')",
        UNITS[1]
    ));
    wired(&site)
}
