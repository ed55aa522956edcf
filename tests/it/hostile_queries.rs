//! Query files that would change the source, or tell what stands in it: refused, the source as before, and no name told.

use rig::dhis2::Dialect;
use rig::postgres::cluster;

use crate::small_site::{NOW, SmallSite};

/// The columns of a good result but the value.
const KEYS: &str = "'M1eFRJpEkoO' AS element, 'VsF9dWr6arv' AS unit, '202503' AS period";

/// The name stands beside the numbers and must not leave the database.
const SCHEMA: &str = "
CREATE TABLE person (name text, n int);
INSERT INTO person VALUES ('Philomena Sentinel', 0);
CREATE SEQUENCE numbers;
GRANT USAGE ON SEQUENCE numbers TO PUBLIC;
CREATE FUNCTION raises(text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no dose for %', $1; END $$;
CREATE FUNCTION raises_as_if_parsed(text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION USING ERRCODE = '42P01', MESSAGE = 'no dose for ' || $1; END $$;
CREATE FUNCTION notes(text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN RAISE NOTICE 'dose for %', $1; RAISE WARNING 'dose for %', $1; RETURN 1; END $$;
CREATE FUNCTION deletes() RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN DELETE FROM person; RETURN 1; END $$;
";

fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute(SCHEMA);
    site
}

/// What a query could have changed.
fn contents(site: &SmallSite) -> Vec<Vec<Option<String>>> {
    site.database.query(
        "SELECT (SELECT string_agg(name, ',') FROM person), (SELECT count(*) FROM t), (SELECT is_called FROM numbers),
                (SELECT count(*) FROM pg_largeobject_metadata), (SELECT count(*) FROM pg_class WHERE relkind = 'r'),
                (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))",
    )
}

/// What PostgreSQL refuses in a read-only transaction, behind the columns of a good result.
const IN_THE_VALUE: [(&str, &str); 4] = [
    ("deletes() AS value", "25006"),
    ("nextval('numbers') AS value", "25006"),
    (
        "set_config('transaction_read_only', 'off', true) AS value",
        "25001",
    ),
    ("1 AS value FROM t FOR UPDATE", "25006"),
];

/// What is no query, or more than one.
const NO_QUERIES: [&str; 12] = [
    "SELECT KEYS, 1 AS value INTO copied",
    "DELETE FROM person RETURNING KEYS, 1 AS value",
    "WITH gone AS (DELETE FROM person RETURNING 1) SELECT KEYS, 1 AS value FROM gone",
    "INSERT INTO person VALUES ('x') RETURNING KEYS, 1 AS value",
    "COPY person TO STDOUT",
    "DO $$ BEGIN DELETE FROM person; END $$",
    "EXPLAIN ANALYZE DELETE FROM person",
    "SET transaction_read_only = off",
    "commit",
    "begin",
    "TRUNCATE person",
    "LISTEN x",
];

#[test]
fn a_query_that_would_change_something_is_refused_and_changes_nothing() {
    let site = site();
    let before = contents(&site);
    let refused = |sql: &str, words: &str| {
        site.write("mappings/query.sql", sql);
        site.refused(site.run(), 13, words);
        assert_eq!(contents(&site), before, "{sql}");
    };
    for (value, code) in IN_THE_VALUE {
        refused(&format!("SELECT {KEYS}, {value}"), code);
    }
    for sql in NO_QUERIES {
        refused(&sql.replace("KEYS", KEYS), "only one plain query");
    }
    // Out of the parenthesis that the program puts a query in.
    refused(
        &format!("SELECT {KEYS}, 1 AS value) AS q, person AS p --"),
        "syntax error",
    );
}

#[test]
fn what_a_read_only_transaction_does_not_stop_is_taken_back() {
    let site = site();
    let before = contents(&site);
    for function in ["lo_create(0)", "pg_try_advisory_xact_lock(1)"] {
        site.write(
            "mappings/query.sql",
            &format!("SELECT {KEYS}, length({function}::text) AS value"),
        );
        site.run();
        assert_eq!(contents(&site), before, "{function}");
    }
}

#[test]
fn what_functions_say_of_rows_is_withheld() {
    let site = site();
    for (value, code) in [
        ("raises(name)", "P0001"),
        ("raises_as_if_parsed(name)", "42P01"),
        ("name::int", "22P02"),
        ("name::date", "22007"),
        ("(name::json)->>'x'", "22P02"),
        ("1 / n", "22012"),
        ("(name || ' ')::uuid", "22P02"),
        ("repeat(name, 100000000)", "54000"),
    ] {
        let sql = format!("SELECT {KEYS}, {value} AS value FROM person");
        site.write("mappings/query.sql", &sql);
        let loud = site.program(&["run", "-vv", "-p", "202503", "--format", "json"]);
        let loud = loud.code(13);
        for words in [&loud.stdout, &loud.stderr] {
            assert!(!words.contains("Sentinel"), "{value}: {words}");
        }
        assert!(loud.stderr.contains("withheld"), "{value}: {}", loud.stderr);
        let run = site.run();
        assert!(run.stderr.contains(code), "{value}: {}", run.stderr);
        site.refused(
            run,
            13,
            "to read it, run PGTZ=Etc/UTC PGCLIENTENCODING=UTF8 psql -X",
        );
    }
    // Notices and warnings are nobody's business either.
    site.write(
        "mappings/query.sql",
        &format!("SELECT {KEYS}, notes(name) AS value FROM person"),
    );
    let run = site.program(&["run", "-vv", "-p", "202503", "--as-of", NOW]);
    assert!(!run.code(0).stderr.contains("Sentinel"));
}

#[test]
fn rows_of_different_keys_in_one_cell_are_refused_unless_a_way_to_combine_is_written() {
    let site = site();
    let unit = "column = \"unit\"";
    site.replace(
        "mappings/small.toml",
        unit,
        &format!("{unit}\nmap = {{ a = \"VsF9dWr6arv\", b = \"VsF9dWr6arv\" }}"),
    );
    site.database
        .execute("UPDATE t SET unit = 'a'; INSERT INTO t SELECT element, 'b', period, '7' FROM t");
    site.refused(site.run(), 13, "write `combine` if that is meant");
    site.replace(
        "mappings/small.toml",
        "absent = \"leave\"",
        "absent = \"leave\"\ncombine = \"sum\"",
    );
    site.run().code(0).silent();
    assert_eq!(
        site.dhis2.values().into_values().collect::<Vec<_>>(),
        ["12"]
    );
}

#[test]
fn roles_without_password_or_rights_are_refused_in_their_own_words() {
    let site = site();
    cluster().create_role_with_password("hostile_queries_pw", "right");
    site.replace(
        "pg2dhis2.toml",
        &site.database.url(),
        &site.database.url_as("hostile_queries_pw"),
    );
    site.refused(site.run(), 12, "asks for a password; write password-file");
    site.replace(
        "pg2dhis2.toml",
        &site.database.url_as("hostile_queries_pw"),
        &site.database.url_as("nobody_here"),
    );
    site.refused(site.run(), 12, "nobody_here");
}

#[test]
fn one_slow_query_does_not_stop_another_mapping() {
    let site = site();
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "statement-timeout = \"200ms\"\n[dhis2]",
    );
    let text = std::fs::read_to_string(site.path("mappings/small.toml")).unwrap();
    // One before and one behind it, in the order of their names.
    for (name, query) in [("a", "quick.sql"), ("z", "also.sql")] {
        let element = if name == "a" {
            "NaIvsjCYa37"
        } else {
            "JdZ5G1NCF0k"
        };
        site.write(
            &format!("mappings/{name}.toml"),
            &text.replace("query.sql", query),
        );
        site.write(
            &format!("mappings/{query}"),
            &format!("SELECT '{element}' AS element, 'VsF9dWr6arv' AS unit, '202503' AS period, 1 AS value"),
        );
    }
    site.write(
        "mappings/query.sql",
        &format!("SELECT {KEYS}, 1 AS value FROM pg_sleep(60)"),
    );
    let run = site.run().code(5);
    let told = "pg2dhis2: small: running query.sql: it ran longer than statement-timeout (200 ms)";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    assert_eq!(site.dhis2.values().len(), 2);
}
