//! What servers say, what they keep back, and what went by while nobody looked.

use std::collections::BTreeMap;

use rig::dhis2::{Apply, Dialect, Row};
use serde_json::json;

use super::{NUMBER, SmallSite, UNITS, site};
use crate::small_site::NOW;

const PATIENT: &str = "Maria Joseph of Gros Islet";

/// Some servers repeat the body of a request in their answer, and with it a person's comment.
#[test]
fn what_an_answer_to_an_import_repeats_is_told_nowhere() {
    for (status, description) in [
        (
            400,
            json!(format!("cannot parse {{\"comment\":\"{PATIENT}\"}}")),
        ),
        (409, json!(format!("Could not import {PATIENT}"))),
        (500, json!(PATIENT)),
    ] {
        let site = SmallSite::new(Dialect::V2_43);
        site.dhis2.put(Row {
            element: NUMBER.to_owned(),
            period: "202503".to_owned(),
            unit: UNITS[0].to_owned(),
            value: Some("4".to_owned()),
            comment: Some(PATIENT.to_owned()),
            stored_by: "loader".to_owned(),
            ..Row::default()
        });
        let body = json!({ "httpStatusCode": status, "status": "ERROR", "message": description, "devMessage": PATIENT });
        site.dhis2
            .answer_next_post_with(status, body, Apply::Nothing);
        let run = site.program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"]);
        assert!(
            run.code != 0 || site.dhis2.requests().len() > 10,
            "{status}"
        );
        let history = site.program(&["history", "1", "--format", "json"]);
        for text in [run.stdout, run.stderr, history.stdout, history.stderr] {
            assert!(!text.contains("Maria"), "{status}: {text}");
        }
        for (path, content) in site.files() {
            let content = String::from_utf8_lossy(&content).into_owned();
            assert!(!content.contains("Maria"), "{status}: {}", path.display());
        }
    }
}

/// A message that is given before any row exists can hold no row's value.
#[test]
fn what_is_wrong_with_a_statement_is_shown() {
    for (query, words) in [
        (
            "SELECT element, unit, period, value FROM elsewhere.public.t",
            "cross-database references are not implemented",
        ),
        (
            "SELECT element, unit, period, value FROM t WHERE unit > 5",
            "operator does not exist",
        ),
        (
            "SELECT element, unit, period, values FROM t",
            "column \"values\" does not exist",
        ),
        (
            "SELECT element, unit, period, sum(value::int) AS value FROM t",
            "must appear in the GROUP BY clause",
        ),
    ] {
        let site = site("", query);
        let run = site.run();
        assert_eq!(run.code, 13, "{query}: {}", run.stderr);
        assert!(run.stderr.contains(words), "{query}: {}", run.stderr);
        assert!(!run.stderr.contains('$'), "{}", run.stderr);
    }
}

/// From March to August nobody ran it, and the look-back is one month.
#[test]
fn periods_that_fell_due_meanwhile_are_looked_at_again() {
    // The data set takes no value for a month that is not over.
    let months = ["202602", "202603", "202604", "202605", "202606", "202607"];
    let rows = months
        .map(|month| format!("('{NUMBER}', '{}', '{month}', '{month}')", UNITS[0]))
        .join(", ");
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "mappings/small.toml",
        "value = \"value\"",
        "value = \"value\"\nlook-back = 1",
    );
    site.database
        .execute(&format!("TRUNCATE t; INSERT INTO t VALUES {rows}"));
    let run = |now: &str| {
        site.dhis2.set_now(now);
        site.program(&["run", "--as-of", now]).code(0)
    };
    run("2026-03-20T12:00:00Z");
    run("2026-08-10T12:00:00Z");
    let held: BTreeMap<String, String> = site
        .dhis2
        .values()
        .into_iter()
        .map(|(key, value)| (key.1, value))
        .collect();
    let expected = months.map(|month| (month.to_owned(), month.to_owned()));
    assert_eq!(held, BTreeMap::from(expected));
}
