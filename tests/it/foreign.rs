//! Values that somebody else stored, changed or deleted: shown with who and when, and held, kept or overwritten as the
//! mapping says. A deletion of our own is none of theirs.

use rig::dhis2::{Dialect, Row};
use serde_json::{Value, json};

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::BOTH;

const MAPPING: &str = "mappings/small.toml";
const DEFAULT: &str = "HllvX50cXC0";

fn site(dialect: Dialect, foreign: &str, absent: &str) -> SmallSite {
    let site = SmallSite::new(dialect);
    // Units and elements that the files list, so that what vanishes can be withdrawn; one row stays.
    site.write(
        MAPPING,
        &format!(
            "data-set = \"YE8SgpSMBQ9\"\nqueries = [\"query.sql\"]\nperiod = {{ type = \"Monthly\", column = \"period\" }}\n\
             value = \"value\"\nabsent = \"{absent}\"\nforeign = \"{foreign}\"\n\
             [data-element]\ncolumn = \"element\"\nmap = {{ {NUMBER} = \"{NUMBER}\" }}\n\
             [org-unit]\ncolumn = \"unit\"\nmap = {{ {0} = \"{0}\", {1} = \"{1}\" }}\n",
            UNITS[0], UNITS[1]
        ),
    );
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '8')",
        UNITS[1]
    ));
    site
}

fn put(site: &SmallSite, user: &str, value: &str, when: &str) {
    site.dhis2.set_now(when);
    site.dhis2.put(Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: UNITS[0].to_owned(),
        value: Some(value.to_owned()),
        stored_by: user.to_owned(),
        ..Row::default()
    });
    site.dhis2.set_now(NOW);
}

/// What a person does in the data entry app, as `admin`.
fn by_hand(site: &SmallSite, method: &str, more: &str) {
    let url = format!(
        "{}api/dataValues?de={NUMBER}&pe=202503&ou={}&co={DEFAULT}{more}",
        site.dhis2.url(),
        UNITS[0]
    );
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(url)
        .header("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=")
        .body(());
    ureq::run(request.expect("a request")).expect("a success");
    site.dhis2.forget_requests();
}

fn value(site: &SmallSite, unit: &str) -> Option<String> {
    let values = site.dhis2.values();
    let mut of_unit = values
        .into_iter()
        .filter(|((_, _, each, ..), _)| each == unit);
    of_unit.next().map(|(_, value)| value)
}

#[track_caller]
fn report(site: &SmallSite, code: i32) -> Value {
    let args = ["run", "-p", "202503", "--as-of", NOW, "--format", "json"];
    site.program(&args).code(code).json()["mappings"][0].clone()
}

fn posts(site: &SmallSite) -> usize {
    let requests = site.dhis2.requests();
    requests.iter().filter(|each| each.method == "POST").count()
}

#[test]
fn hold_shows_both_values_and_who_stored_theirs_when_and_sends_the_others() {
    for dialect in BOTH {
        let site = site(dialect, "hold", "zero");
        put(&site, "nurse", "7", "2026-10-02T08:15:00Z");
        let held = site.run().code(4);
        let line = held.stderr.lines().find(|line| line.contains("7 | 5"));
        let line = line.unwrap_or_else(|| panic!("{}", held.stderr));
        for words in ["202503 | ", "(LC-F01, VsF9dWr6arv)", "(X_NUM, M1eFRJpEkoO)"] {
            assert!(line.contains(words), "{line}");
        }
        assert!(
            held.stderr
                .contains("(last touched by nurse, 2026-10-02 08:15)"),
            "{}",
            held.stderr
        );
        assert!(
            held.stderr
                .contains("write foreign = \"keep\" or \"overwrite\"")
        );
        // The neighbour is nobody else's.
        assert_eq!(posts(&site), 1);
        assert_eq!(value(&site, UNITS[0]).as_deref(), Some("7"));
        assert_eq!(value(&site, UNITS[1]).as_deref(), Some("8"));

        let report = report(&site, 4);
        let held = &report["held"][0];
        assert_eq!(
            (&held["live"], &held["desired"]),
            (&json!("7"), &json!("5"))
        );
        assert_eq!(
            held["foreign"],
            json!({"stored-by": "nurse", "at": "2026-10-02T08:15:00"})
        );
        assert_eq!(report["cells"]["held"], 1);
    }
}

#[test]
fn keep_leaves_and_overwrite_replaces_and_both_tell() {
    for dialect in BOTH {
        let keep = site(dialect, "keep", "zero");
        put(&keep, "nurse", "7", NOW);
        let kept = report(&keep, 0);
        assert_eq!(
            kept["left"],
            json!([{"reason": "foreign-kept", "cells": 1}])
        );
        assert_eq!(value(&keep, UNITS[0]).as_deref(), Some("7"));
        assert_eq!(value(&keep, UNITS[1]).as_deref(), Some("8"));

        let overwrite = site(dialect, "overwrite", "zero");
        put(&overwrite, "nurse", "7", NOW);
        let report = report(&overwrite, 0);
        let changes = report["changes"].as_array().unwrap();
        let theirs = changes.iter().find(|change| change["old"] == "7").unwrap();
        assert_eq!(theirs["foreign"]["stored-by"], "nurse");
        assert_eq!(value(&overwrite, UNITS[0]).as_deref(), Some("5"));
    }
}

#[test]
fn a_value_that_a_person_deleted_is_theirs_on_both_engines() {
    for dialect in BOTH {
        for (policy, code, after) in [
            ("hold", 4, None),
            ("keep", 0, None),
            ("overwrite", 0, Some("5")),
        ] {
            let site = site(dialect, policy, "zero");
            site.run().code(0);
            // DHIS2 2.42 keeps our name on the row.
            by_hand(&site, "DELETE", "");
            assert_eq!(value(&site, UNITS[0]), None);
            let report = report(&site, code);
            assert_eq!(
                value(&site, UNITS[0]).as_deref(),
                after,
                "{dialect:?} {policy}"
            );
            match policy {
                "hold" => assert_eq!(report["held"][0]["live"], Value::Null),
                "keep" => assert_eq!(report["left"][0]["reason"], "foreign-kept"),
                _ => assert!(report["changes"][0]["foreign"].is_object()),
            }
        }
    }
}

#[test]
fn what_we_deleted_ourselves_comes_back_without_a_question() {
    for dialect in BOTH {
        for absent in ["zero", "delete"] {
            let site = site(dialect, "hold", absent);
            site.run().code(0);
            site.database.execute("DELETE FROM t WHERE value = '5'");
            site.run().code(0);
            assert_ne!(value(&site, UNITS[0]).as_deref(), Some("5"));
            site.database.execute(&format!(
                "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '5')",
                UNITS[0]
            ));
            site.run().code(0);
            assert_eq!(
                value(&site, UNITS[0]).as_deref(),
                Some("5"),
                "{dialect:?} {absent}"
            );

            // Deleted by a person after it came back, it is theirs again.
            by_hand(&site, "DELETE", "");
            site.run().code(4);
            // And a list of our deletions that is lost makes nothing worse than a question.
            assert_eq!(posts(&site), 0);
        }
    }
}

#[test]
fn a_list_of_our_deletions_that_is_lost_or_spoiled_does_no_harm() {
    let site = site(BOTH[0], "hold", "delete");
    site.run().code(0);
    site.database.execute("DELETE FROM t WHERE value = '5'");
    site.run().code(0);
    let list = site.path("state/memory.tsv");
    let told = std::fs::read_to_string(&list).expect("the list");
    let cell = format!(
        "deleted\t{NUMBER}\t202503\t{}\t{DEFAULT}\t{DEFAULT}\n",
        UNITS[0]
    );
    assert!(told.contains(&cell), "{told}");
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '5')",
        UNITS[0]
    ));
    let server = site.dhis2.url();
    let server = server.trim_end_matches('/');
    let spoiled = format!("{told}{server}\tdeleted\tsomething else\n");
    site.write("state/memory.tsv", &spoiled);
    site.dhis2.forget_requests();
    site.run()
        .code(16)
        .stderr_has("what earlier runs found in DHIS2, cannot be used");
    assert_eq!(site.dhis2.requests().len(), 0);
    std::fs::remove_file(&list).expect("it is gone");
    site.run().code(4).stderr_has("deleted | 5");
}

#[test]
fn a_comment_of_a_person_makes_a_value_theirs_only_where_it_differs() {
    for dialect in BOTH {
        let site = site(dialect, "hold", "zero");
        site.run().code(0);
        by_hand(&site, "POST", "&value=5&comment=as%20told%20by%20telephone");
        site.run().code(0);
        assert_eq!(posts(&site), 0);
        site.database
            .execute("UPDATE t SET value = '6' WHERE value = '5'");
        site.run().code(4).stderr_has("5 | 6");
    }
}

#[test]
fn a_former_tool_is_ours_to_its_last_day() {
    for (own, code) in [
        ("[\"openfn\"]", 0),
        ("[{ name = \"openfn\", until = 2026-10-02 }]", 0),
        ("[{ name = \"openfn\", until = 2026-10-01 }]", 4),
        ("[\"somebody\"]", 4),
    ] {
        let site = site(BOTH[1], "hold", "zero");
        put(&site, "openfn", "7", "2026-10-02T08:15:00Z");
        let line = format!("[dhis2]\nown-users = {own}");
        site.replace("pg2dhis2.toml", "[dhis2]", &line);
        site.run().code(code);
        let wanted = if code == 0 { "5" } else { "7" };
        assert_eq!(value(&site, UNITS[0]).as_deref(), Some(wanted), "{own}");
    }
    let site = SmallSite::new(BOTH[1]);
    let line = "[dhis2]\nown-users = [{ name = \"openfn\", until = \"soon\" }]";
    site.replace("pg2dhis2.toml", "[dhis2]", line);
    let run = site.run();
    site.refused(run, 10, "must be a date such as 2026-06-30");
}

/// An import by `admin`, as another tool sends it.
fn imported(site: &SmallSite, values: Value) {
    let body = json!({"dataSet": "YE8SgpSMBQ9", "dataValues": values});
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{}api/dataValueSets", site.dhis2.url()))
        .header("content-type", "application/json")
        .header("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=")
        .body(body.to_string());
    ureq::run(request.expect("a request")).expect("a success");
    site.dhis2.forget_requests();
}

#[test]
fn a_deletion_by_another_import_is_not_ours_though_it_leaves_no_value() {
    for dialect in BOTH {
        let site = site(dialect, "hold", "zero");
        site.run().code(0);
        let cell = json!({"dataElement": NUMBER, "period": "202503", "orgUnit": UNITS[0],
            "categoryOptionCombo": DEFAULT, "attributeOptionCombo": DEFAULT, "deleted": true});
        imported(&site, json!([cell]));
        assert_eq!(value(&site, UNITS[0]), None, "{dialect:?}");
        site.run().code(4).stderr_has("deleted | 5");
        assert_eq!(value(&site, UNITS[0]), None, "{dialect:?}");
    }
}

#[test]
fn a_correction_in_data_that_is_approved_is_closed_and_holds_nothing() {
    const APPROVED: &str = "KdYGRJf1dS1";
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        site.replace("mappings/small.toml", "YE8SgpSMBQ9", "Ph3c2KcuaMx");
        site.replace(
            "mappings/small.toml",
            "absent = ",
            "foreign = \"hold\"\nabsent = ",
        );
        site.database
            .execute(&format!("UPDATE t SET element = '{APPROVED}'"));
        site.dhis2.put(Row {
            element: APPROVED.to_owned(),
            period: "202503".to_owned(),
            unit: UNITS[0].to_owned(),
            value: Some("6".to_owned()),
            stored_by: "clerk".to_owned(),
            ..Row::default()
        });
        site.run().code(4);
        // Approved for the whole country.
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!(
                "{}api/dataApprovals?ds=Ph3c2KcuaMx&pe=202503&ou=sc5rkcvmE6I",
                site.dhis2.url()
            ))
            .header("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=")
            .body(());
        ureq::run(request.expect("a request")).expect("a success");
        let told = report(&site, 0);
        assert_eq!(told["cells"]["closed"], 1, "{told}");
        assert_eq!(told["closed"][0]["reason"], "approved");
        assert_eq!(told["held"], json!([]));
    }
}
