//! What can be wrong with the source: its exit codes, and not a value of a row in any message.

use rig::dhis2::Dialect;
use rig::postgres::cluster;

use crate::small_site::SmallSite;

/// A name that stands beside the numbers, and must not leave the database.
const NAME: &str = "Philomena Sentinel";

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

/// Runs the site with another query.
#[track_caller]
fn check(sql: &str, code: i32, words: &str) {
    let site = site();
    site.database.execute(&format!(
        "CREATE TABLE person (name text, n int); INSERT INTO person VALUES ('{NAME}', 0);"
    ));
    site.write("mappings/query.sql", sql);
    let run = site.program(&["run", "-p", "202503", "-vv"]).code(code);
    assert!(!run.stderr.contains("Sentinel"), "{}", run.stderr);
    assert!(run.stderr.contains(words), "{sql}: {}", run.stderr);
    site.refused(site.run(), code, words);
}

#[test]
fn a_result_that_is_not_as_declared_is_refused_before_a_row_is_read() {
    let columns = "'M1eFRJpEkoO' AS element, 'VsF9dWr6arv' AS unit, '202503' AS period, 1 AS value";
    check(
        &format!("SELECT {columns}, name FROM person"),
        15,
        "column 5 (text) is not declared",
    );
    check(
        "SELECT 'a' AS element, '202503' AS period, 1 AS value",
        13,
        "has no column `unit`",
    );
    check(
        &format!("SELECT {columns}, 2 AS value"),
        13,
        "column `value` twice",
    );
}

#[test]
fn a_query_that_fails_is_told_without_its_data() {
    let from = |value: &str| {
        format!(
            "SELECT 'M1eFRJpEkoO' AS element, 'VsF9dWr6arv' AS unit, '202503' AS period, {value} AS value FROM person"
        )
    };
    check(&from("name::int"), 13, "22P02");
    check(&from("1 / n"), 13, "22012");
    check(&from("to_date(name, 'YYYY')"), 13, "query.sql");
    check(&from("nowhere"), 13, "nowhere");
    check("SELECT * FROM nothing", 13, "nothing");
    check("DELETE FROM person RETURNING name", 13, "query.sql");
    check(
        "WITH gone AS (DELETE FROM person RETURNING 1) SELECT * FROM gone",
        13,
        "query.sql",
    );
    check("commit", 13, "query.sql");
}

#[test]
fn rows_that_break_the_mappings_promise_are_refused() {
    let row = |period: &str| {
        format!(
            "SELECT 'M1eFRJpEkoO' AS element, 'VsF9dWr6arv' AS unit, {period} AS period, 1 AS value"
        )
    };
    check(&row("NULL::text"), 13, "a row has no period");
    check(&row("'March'"), 13, "is not spelled as DHIS2 does");
    check(&row("'202504'"), 13, "202504, which was not asked for");
    check(
        &format!("{0} UNION ALL {0}", row("'202503'")),
        13,
        "two rows of 202503 have the same keys",
    );
}

#[test]
fn rules_that_contradict_each_other_are_refused() {
    for (rules, words) in [
        ("SELECT 'a' AS key, 'short' AS uid", "11 letters and digits"),
        (
            "SELECT 'a' AS key, 'VsF9dWr6arv' AS uid UNION ALL SELECT 'a', 'iztChCalPg5'",
            "equal priority",
        ),
        (
            "SELECT 'a' AS key, 'VsF9dWr6arv' AS uid, date '2025-12-31' AS valid_from, date '2025-01-01' AS valid_to",
            "`valid_to` before `valid_from`",
        ),
        (
            "SELECT 'a' AS key, 'VsF9dWr6arv' AS uid, 'x' AS note",
            "is not declared",
        ),
    ] {
        let site = site();
        site.write("mappings/rules.sql", rules);
        site.replace(
            "mappings/small.toml",
            "column = \"unit\"",
            "column = \"unit\"\nrules = \"rules.sql\"",
        );
        let code = if words == "is not declared" { 15 } else { 13 };
        site.refused(site.run(), code, words);
    }
}

#[test]
fn a_source_that_cannot_be_reached_or_refuses_us_has_its_own_code() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let site = site();
    let url = site.database.url();
    site.replace(
        "pg2dhis2.toml",
        &url,
        &format!("postgresql://postgres@127.0.0.1:{port}/x"),
    );
    site.refused(site.run(), 5, &port.to_string());

    let site = self::site();
    let url = site.database.url();
    let (server, name) = url.rsplit_once('/').unwrap();
    site.replace("pg2dhis2.toml", &url, &format!("{server}/{name}_other"));
    site.refused(site.run(), 13, "does not exist");

    let site = self::site();
    cluster().create_role_with_password("wrong_source_pw", "right");
    site.replace(
        "pg2dhis2.toml",
        &site.database.url(),
        &site.database.url_as("wrong_source_pw"),
    );
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "password-file = \"source.password\"\n[dhis2]",
    );
    site.write("source.password", "wrong\n");
    site.refused(site.run(), 12, "wrong_source_pw");
    // The right one gets in, and then lacks the right to read.
    site.write("source.password", "right\n");
    site.refused(site.run(), 13, "permission denied");
    site.database
        .execute("GRANT SELECT ON t TO wrong_source_pw");
    site.run().code(0).silent();
}

#[test]
fn a_row_level_policy_is_never_taken_for_an_empty_source() {
    let site = site();
    site.database.execute(
        "DO $$ BEGIN CREATE ROLE policed LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT SELECT ON t TO policed; ALTER TABLE t ENABLE ROW LEVEL SECURITY;",
    );
    site.replace(
        "pg2dhis2.toml",
        &site.database.url(),
        &site.database.url_as("policed"),
    );
    site.refused(site.run(), 13, "row-level security");
}

#[test]
fn a_query_that_takes_too_long_is_given_up_until_the_next_run() {
    let site = site();
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "statement-timeout = \"100ms\"\n[dhis2]",
    );
    site.write(
        "mappings/query.sql",
        "SELECT element, unit, period, value FROM t, pg_sleep(30)",
    );
    site.refused(site.run(), 5, "query.sql");
}

#[test]
fn one_mapping_that_fails_does_not_stop_another() {
    let site = site();
    let text = std::fs::read_to_string(site.path("mappings/small.toml")).unwrap();
    site.write(
        "mappings/broken.toml",
        &text.replace("query.sql", "broken.sql"),
    );
    site.write(
        "mappings/broken.sql",
        "SELECT 1 / 0 AS value, element, unit, period FROM t",
    );
    let run = site.run().code(13);
    assert!(run.stderr.contains("pg2dhis2: broken: "), "{}", run.stderr);
    assert_eq!(site.dhis2.values().len(), 1);
}
