//! The history cannot be changed without a trace, is never without a run that sent something, and forgets by the month.

use std::fs;
use std::process::Stdio;

use rig::dhis2::Dialect;
use rusqlite::Connection;
use serde_json::json;

use crate::history::{FILE, run, runs};
use crate::program::{Finished, command};
use crate::small_site::{NOW, SmallSite, UNITS};

/// A site that ran four times, with one change each.
fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    for value in 1..=4 {
        site.database
            .execute(&format!("UPDATE t SET value = '{value}'"));
        site.run().code(0);
    }
    site
}

fn verify(site: &SmallSite) -> Finished {
    site.program(&["history", "--verify"])
}

fn sql(site: &SmallSite, sql: &str) {
    let database = Connection::open(site.path(FILE)).unwrap();
    database.execute_batch(sql).unwrap();
}

/// Edits are refused by the database itself; whoever wants to takes that away first.
const UNLOCK: &str = "DROP TRIGGER IF EXISTS entry_is_never_edited;";

#[test]
fn an_edit_a_removal_a_reorder_and_a_cut_are_found() {
    for (what, change) in [
        (
            "a value",
            "UPDATE entry SET body = replace(body, '\"new\":\"2\"', '\"new\":\"9\"')",
        ),
        (
            "a time",
            "UPDATE entry SET at = '2020-01-01T00:00:00Z' WHERE seq = 3",
        ),
        (
            "a mapping",
            "UPDATE entry SET mapping = 'other' WHERE kind = 'change'",
        ),
        ("a hash", "UPDATE entry SET hash = 'x' WHERE seq = 2"),
        ("a removal", "DELETE FROM entry WHERE seq = 5"),
        ("a removal of the first", "DELETE FROM entry WHERE seq = 1"),
        (
            "a removal that is closed up",
            "DELETE FROM entry WHERE seq = 5; UPDATE entry SET seq = seq - 1 WHERE seq > 5",
        ),
        (
            "a reorder",
            "UPDATE entry SET seq = -1 WHERE seq = 3; UPDATE entry SET seq = 3 WHERE seq = 4; UPDATE entry SET seq = 4 WHERE seq = -1",
        ),
        (
            "an insert",
            "INSERT INTO entry SELECT seq + 100, run, at, kind, mapping, period, subject, body, hash FROM entry WHERE seq = 3",
        ),
        (
            "a cut",
            "DELETE FROM entry WHERE seq = (SELECT max(seq) FROM entry)",
        ),
        ("all gone", "DELETE FROM entry"),
    ] {
        let site = site();
        verify(&site).code(0);
        sql(&site, &format!("{UNLOCK} {change}"));
        let found = verify(&site);
        assert_eq!(found.code, 16, "{what}: {}", found.stderr);
        assert!(found.stderr.contains("not as it was written"), "{what}");
        assert_eq!(found.stdout, "", "{what}");
    }
}

#[test]
fn an_entry_is_not_edited_by_mistake() {
    let site = site();
    let database = Connection::open(site.path(FILE)).unwrap();
    let refused = database.execute("UPDATE entry SET body = '{}'", []);
    assert!(refused.unwrap_err().to_string().contains("never edited"));
}

#[test]
fn an_open_problem_that_nothing_opened_is_found() {
    let site = site();
    sql(
        &site,
        "INSERT INTO problem VALUES ('small', '202503', 'unmapped org-unit x', 3, '', '', 1)",
    );
    verify(&site).code(16).stderr_has("no entry opened");
}

#[test]
fn a_run_that_died_is_interrupted_for_ever_and_the_next_says_so() {
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "lock-timeout = \"10m\"\n[dhis2]",
    );
    let mut lock = site.database.connect();
    lock.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        .unwrap();
    let mut child = command(site.folder.path(), &["run", "-p", "202503"])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.01)
        WHERE datname = current_database() AND application_name LIKE 'pg2dhis2%' AND wait_event_type = 'Lock'";
    while site.database.query(waiting)[0][0].as_deref() != Some("1") {
        assert!(child.try_wait().unwrap().is_none(), "the run does not hang");
    }
    assert_eq!(run(&site, "1")["outcome"], "running");
    child.kill().unwrap();
    child.wait().unwrap();
    lock.batch_execute("ROLLBACK").unwrap();
    assert_eq!(run(&site, "1")["outcome"], "interrupted");
    let status = site.program(&["status", "-p", "202503"]).code(5);
    assert!(status.stdout.contains("run 1, begun "), "{}", status.stdout);

    let next = site.program(&["run", "-p", "202503", "--format", "json"]);
    let notes = next.code(0).json()["notes"].to_string();
    assert!(
        notes.contains("run 1, begun at ") && notes.contains("interrupted"),
        "{notes}"
    );
    site.run().code(0).silent();
    let told = runs(&site, &[]);
    let outcomes: Vec<&str> = told
        .iter()
        .map(|run| run["outcome"].as_str().unwrap())
        .collect();
    assert_eq!(outcomes, ["interrupted", "ok", "ok"]);
    verify(&site).code(0);
}

#[test]
fn without_a_record_nothing_is_sent() {
    let site = SmallSite::new(Dialect::V2_43);
    fs::create_dir_all(site.path(FILE)).unwrap();
    site.refused(site.run(), 16, "nothing was sent");
    assert!(site.dhis2.requests().is_empty());

    let site = SmallSite::new(Dialect::V2_43);
    site.write(FILE, "this is no database, and was never one; it is only as long as the header of one would have to be, or longer");
    site.refused(site.run(), 16, "it is no history of pg2dhis2");
    assert!(site.dhis2.requests().is_empty());
    site.program(&["history"]).code(16);
    site.program(&["status"]).code(16);
}

#[test]
fn a_history_that_cannot_be_written_any_more_stops_the_sending() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    site.database.execute("UPDATE t SET value = '6'");
    site.dhis2.forget_requests();
    // From the second entry of a run on: the beginning is written, what is about to be sent is not.
    sql(
        &site,
        "CREATE TRIGGER full BEFORE INSERT ON entry WHEN NEW.kind = 'sending' BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    site.run().code(16).stderr_has("no room");
    let posts = site.dhis2.requests();
    assert!(posts.iter().all(|request| request.method != "POST"));
    sql(&site, "DROP TRIGGER full");
    site.run().code(0);
    assert_eq!(run(&site, "3")["changes"][0]["new"], "6");
    verify(&site).code(0);
}

#[test]
fn old_months_are_removed_whole_and_the_rest_still_holds() {
    let site = site();
    site.database.execute(&format!(
        "INSERT INTO t SELECT element, 'Zz9RodneyBx', period, value FROM t WHERE unit = '{}'",
        UNITS[0]
    ));
    site.run().code(3);
    // The first three runs were long ago; the chain is made anew as the program makes it.
    age(&site, 3);
    // DHIS2's clock stands still a week ago or more: nobody confirms which day it is.
    site.run().code(3);
    assert_eq!(runs(&site, &[]).len(), 6);
    site.dhis2.set_now(&jiff::Timestamp::now().to_string());
    site.run().code(3);
    let told = runs(&site, &[]);
    let numbers: Vec<u64> = told
        .iter()
        .map(|run| run["run"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, [4, 5, 6, 7]);
    verify(&site).code(0);
    site.run().code(3);
    verify(&site).code(0);
    // An edit after the removal is found as before.
    sql(
        &site,
        &format!("{UNLOCK} UPDATE entry SET period = '202504' WHERE kind = 'change' AND run = 4"),
    );
    verify(&site).code(16);
    assert_eq!(run(&site, "7")["open-problems"][0]["first-run"], json!(5));
}

/// Puts the first runs ten years back, with hashes that fit.
pub(crate) fn age(site: &SmallSite, runs: i64) {
    age_to(site, runs, "2016-05-17T12:00:00Z");
}

/// Puts the first runs to a moment, with hashes that fit.
pub(crate) fn age_to(site: &SmallSite, runs: i64, moment: &str) {
    let database = Connection::open(site.path(FILE)).unwrap();
    database.execute_batch(UNLOCK).unwrap();
    database
        .execute("UPDATE entry SET at = ? WHERE run <= ?", (moment, runs))
        .unwrap();
    let entries: Vec<(i64, [String; 7])> = {
        let mut statement = database
            .prepare(
                "SELECT seq, run, at, kind, mapping, period, subject, body FROM entry ORDER BY seq",
            )
            .unwrap();
        let rows = statement.query_map([], |row| {
            let run: i64 = row.get(1)?;
            Ok((
                row.get(0)?,
                [
                    run.to_string(),
                    row.get(2)?,
                    row.get(3)?,
                    row.get(4)?,
                    row.get(5)?,
                    row.get(6)?,
                    row.get(7)?,
                ],
            ))
        });
        rows.unwrap().map(Result::unwrap).collect()
    };
    let mut before = String::new();
    for (seq, fields) in entries {
        before = hash(&before, seq, &fields);
        database
            .execute("UPDATE entry SET hash = ? WHERE seq = ?", (&before, seq))
            .unwrap();
    }
    database
        .execute("UPDATE head SET hash = ?", [&before])
        .unwrap();
}

/// The chain as `docs/history.md` tells it.
fn hash(before: &str, seq: i64, fields: &[String; 7]) -> String {
    use sha2::{Digest, Sha256};
    let mut digest = Sha256::new();
    let seq = seq.to_string();
    for field in [before, &seq]
        .into_iter()
        .chain(fields.iter().map(String::as_str))
    {
        digest.update((field.len() as u64).to_be_bytes());
        digest.update(field);
    }
    let digest = digest.finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn histories_of_other_schemas_are_brought_up_to_date_or_left_alone() {
    let kept = |name: &str| {
        let path = crate::st_lucia::repository()
            .join("tests/history")
            .join(name);
        fs::read(path).expect("a history kept in the repository")
    };
    let site = SmallSite::new(Dialect::V2_43);
    let put = |name: &str| {
        site.write(FILE, "");
        fs::write(site.path(FILE), kept(name)).unwrap();
    };
    site.replace(
        "pg2dhis2.toml",
        "[source]",
        "[history]\nretain = \"900y\"\n[source]",
    );
    put("schema-1.db");
    assert_eq!(runs(&site, &[]).len(), 2);
    verify(&site).code(0);
    site.run().code(0);
    let told = runs(&site, &[]);
    assert_eq!(told.len(), 3);
    assert_eq!(told[0]["mappings"][0]["name"], "small");
    // What was open in the old schema is counted on: it is over now, for the source has it no more.
    assert_eq!(
        run(&site, "2")["open-problems"][0]["subject"],
        format!(
            "{} Zz9RodneyBx HllvX50cXC0 HllvX50cXC0",
            crate::small_site::NUMBER
        )
    );
    assert_eq!(run(&site, "3")["open-problems"][0]["over"], true);
    verify(&site).code(0);

    put("schema-newer.db");
    let before = site.files();
    site.dhis2.forget_requests();
    for args in [
        &["run", "-p", "202503", "--as-of", NOW][..],
        &["history"],
        &["history", "--verify"],
        &["status"],
    ] {
        site.program(args).code(16).stderr_has("newer pg2dhis2");
    }
    assert!(site.dhis2.requests().is_empty());
    let mut after = site.files();
    // The lock tells who held it last.
    let mut before = before;
    for files in [&mut before, &mut after] {
        files.remove(&site.path("state/holder"));
    }
    assert_eq!(after, before);
}
