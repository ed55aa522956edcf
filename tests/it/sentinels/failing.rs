//! Queries that fail on the data itself, at the loudest: PostgreSQL's own text would tell a name.

use rig::dhis2::Dialect;

use super::{no_file_tells_a_name, nothing_sent_tells_a_name, tells_no_name};
use crate::small_site::{NOW, SmallSite, UNITS};

/// A thousand people, and functions that talk of them.
const SCHEMA: &str = "
CREATE TABLE person (id int PRIMARY KEY, name text UNIQUE, n int);
INSERT INTO person SELECT id, 'Sentinel ' || id, 0 FROM generate_series(1, 1000) AS id;
CREATE FUNCTION raises(text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no dose for %', $1 USING HINT = $1, DETAIL = $1; END $$;
CREATE FUNCTION registers_twice(text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN RAISE unique_violation USING MESSAGE = 'duplicate key ' || $1, DETAIL = 'Key (name)=(' || $1 || ') exists',
        COLUMN = $1, CONSTRAINT = $1, TABLE = $1, SCHEMA = $1, DATATYPE = $1; END $$;
CREATE FUNCTION cannot(text) RETURNS int LANGUAGE plpgsql AS $$
    BEGIN RAISE insufficient_privilege USING MESSAGE = 'permission denied for ' || $1; END $$;
CREATE DOMAIN short AS text CHECK (length(value) < 5);
";

/// An expression over a person's row, and PostgreSQL's code for what is wrong with it
/// (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
const FAILING: [(&str, &str); 20] = [
    ("name::int", "22P02"),
    ("name::date", "22007"),
    ("name::uuid", "22P02"),
    ("name::jsonb->>'x'", "22P02"),
    ("name::inet", "22P02"),
    ("name::interval", "22007"),
    ("name::regclass", "42"),
    ("('{' || name)::text[]", "22P02"),
    ("to_timestamp(name, 'YYYY-MM-DD')", "22007"),
    ("to_number(name, '999')", "22P02"),
    ("current_setting(name)", "42704"),
    ("length(name) / n", "22012"),
    ("(length(name) * 1000000000)", "22003"),
    ("repeat(name, 100000000)", "54000"),
    ("regexp_replace('x', name || '(', '')", "2201B"),
    ("name::short", "23514"),
    ("raises(name)", "P0001"),
    ("registers_twice(name)", "23505"),
    ("cannot(name)", "42501"),
    ("(SELECT name FROM person) || name", "21000"),
];

fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute(SCHEMA);
    site.dhis2.watch_imports();
    site
}

/// Every command that runs the queries, with all that it can write.
fn commands() -> [Vec<&'static str>; 4] {
    let period = ["-p", "202503", "--as-of", NOW];
    let with = |args: &[&'static str]| [args, &period].concat();
    [
        with(&["run", "-vv", "--format", "json", "-o", "report.json"]),
        with(&["run", "-vv", "-n", "--save-plan", "plan"]),
        with(&["extract", "-vv", "-m", "small", "-o", "rows"]),
        with(&["run"]),
    ]
}

/// Runs them all; each must end so, and nothing anywhere tells a name.
#[track_caller]
fn all_are_silent(site: &SmallSite, code: i32, words: &str, what: &str) {
    for args in commands() {
        let ended = site.program(&args);
        assert_eq!(ended.code, code, "{what} {args:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{what}: {}", ended.stderr);
        tells_no_name(&ended.stdout);
        tells_no_name(&ended.stderr);
    }
    nothing_sent_tells_a_name(&site.dhis2);
    no_file_tells_a_name(site.files());
}

#[test]
fn a_query_that_fails_on_a_name_tells_the_code_and_not_the_name() {
    let site = site();
    for (value, code) in FAILING {
        site.write(
            "mappings/query.sql",
            &format!(
                "SELECT 'M1eFRJpEkoO' AS element, '{}' AS unit, '202503' AS period, ({value})::text AS value FROM person",
                UNITS[0]
            ),
        );
        all_are_silent(&site, 13, code, value);
    }
}

#[test]
fn so_do_data_mapping_rules_that_fail_or_are_wrong() {
    let site = site();
    site.write(
        "mappings/query.sql",
        "SELECT 'M1eFRJpEkoO' AS element, name AS unit, '202503' AS period, '1' AS value FROM person",
    );
    site.replace(
        "mappings/small.toml",
        "column = \"unit\"",
        "column = \"unit\"\nrules = \"rules.sql\"",
    );
    for (rules, words) in [
        ("name::int::text AS uid", "22P02"),
        ("raises(name)::text AS uid", "P0001"),
        // UIDs that are none, two answers for one key, and validity the wrong way round.
        ("name AS uid", "rules.sql"),
        (
            "'VsF9dWr6arv' AS uid, date '2025-01-01' AS valid_to, date '2026-01-01' AS valid_from",
            "rules.sql",
        ),
        (
            "CASE n WHEN 0 THEN 'VsF9dWr6arv' ELSE 'iztChCalPg5' END AS uid, 'rule ' || n AS rule",
            "rules.sql",
        ),
    ] {
        let people = "(SELECT name, n FROM person UNION ALL SELECT name, 1 FROM person) AS person";
        site.write(
            "mappings/rules.sql",
            &format!("SELECT name AS key, {rules} FROM {people}"),
        );
        for args in commands()
            .iter()
            .filter(|args| args.first() == Some(&"run"))
        {
            let ended = site.program(args);
            assert_eq!(ended.code, 13, "{rules} {args:?}: {}", ended.stderr);
            assert!(ended.stderr.contains(words), "{rules}: {}", ended.stderr);
            tells_no_name(&ended.stdout);
            tells_no_name(&ended.stderr);
        }
        nothing_sent_tells_a_name(&site.dhis2);
        no_file_tells_a_name(site.files());
    }
}

#[test]
fn so_do_results_that_break_the_mappings_promise() {
    let site = site();
    for (rest, code) in [
        // A period that is none, rows of one key, a column too many, one too few.
        ("'VsF9dWr6arv' AS unit, name AS period, '1' AS value", 13),
        (
            "'VsF9dWr6arv' AS unit, '202503' AS period, name AS value",
            13,
        ),
        (
            "name AS unit, '202503' AS period, '1' AS value, name AS name",
            15,
        ),
        ("'VsF9dWr6arv' AS unit, name AS period", 13),
    ] {
        site.write(
            "mappings/query.sql",
            &format!("SELECT 'M1eFRJpEkoO' AS element, {rest} FROM person"),
        );
        let ended = site.program(&[
            "run", "-vv", "-p", "202503", "--format", "json", "--as-of", NOW,
        ]);
        assert_eq!(ended.code, code, "{rest}: {}", ended.stderr);
        tells_no_name(&ended.stdout);
        tells_no_name(&ended.stderr);
        nothing_sent_tells_a_name(&site.dhis2);
        no_file_tells_a_name(site.files());
    }
    // The same unknown unit twice: the row is refused without its key.
    site.write(
        "mappings/query.sql",
        "SELECT 'M1eFRJpEkoO' AS element, name AS unit, '202503' AS period, '1' AS value FROM person, generate_series(1, 2)",
    );
    let twice = site.run().code(13);
    tells_no_name(&twice.stderr);
}
