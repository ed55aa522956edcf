//! What the history keeps of runs, and how `history` tells it.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};

pub(crate) const FILE: &str = "state/history.db";

/// The runs as scripts see them.
pub(crate) fn runs(site: &SmallSite, args: &[&str]) -> Vec<Value> {
    let base = ["history", "--format", "json"];
    let args: Vec<&str> = base.iter().chain(args).copied().collect();
    let told = site.program(&args).code(0).json();
    told["runs"].as_array().unwrap().clone()
}

pub(crate) fn run(site: &SmallSite, number: &str) -> Value {
    site.program(&["history", number, "--format", "json"])
        .code(0)
        .json()
}

fn set(site: &SmallSite, value: &str) {
    site.database
        .execute(&format!("UPDATE t SET value = '{value}'"));
}

#[test]
fn a_run_is_kept_with_its_totals_its_changes_and_its_provenance() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0).silent();
    set(&site, "7");
    site.run().code(0).silent();
    let told = run(&site, "2");
    assert_eq!(told["outcome"], "ok");
    assert_eq!(
        told["changes"],
        json!([{
            "mapping": "small", "dataElement": NUMBER, "period": "202503", "orgUnit": UNITS[0],
            "categoryOptionCombo": "HllvX50cXC0", "attributeOptionCombo": "HllvX50cXC0",
            "kind": "update", "old": "5", "new": "7", "foreign": false, "outcome": "updated",
        }])
    );
    let mapping = &told["mappings"][0];
    assert_eq!(mapping["rows"], json!({ "rows": 1, "mapped": 1 }));
    assert_eq!(mapping["cells"], json!({ "cells": 1, "updated": 1 }));
    assert_eq!(mapping["periods"][0]["period"], "202503");
    assert_eq!(mapping["data-set"], "YE8SgpSMBQ9");
    assert_eq!(
        told["sending"],
        json!([{ "mapping": "small", "changes": 1 }])
    );
    let started = &told["started"];
    assert_eq!(started["command"], "run");
    assert_eq!(started["as-of"], NOW);
    assert_eq!(started["time-zone"], "Etc/UTC");
    assert_eq!(started["dhis2"], site.dhis2.url());
    assert_eq!(started["mappings"][0]["periods"], json!(["202503"]));
    let digests = started["mappings"][0]["digests"].as_object().unwrap();
    let files: Vec<&str> = digests.keys().map(String::as_str).collect();
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files.iter().any(|file| file.ends_with("query.sql")));
    let finished = &told["finished"];
    assert_eq!(finished["exit"], 0);
    assert_eq!(finished["dhis2-version"], "2.43.1");
    assert!(finished["source-version"].is_string());
    assert!(finished["requests"].as_u64().unwrap() > 1);
}

#[test]
fn what_changed_since_the_run_before_is_noted_and_kept() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    site.run().code(0);
    assert_eq!(run(&site, "2")["changed-since-the-run-before"], json!([]));
    let sql = fs::read_to_string(site.path("mappings/query.sql")).unwrap();
    site.write("mappings/query.sql", &format!("-- another comment\n{sql}"));
    let report = site.program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"]);
    let notes = report.code(0).json()["notes"].to_string();
    assert!(
        notes.contains("small: query.sql changed since run 2"),
        "{notes}"
    );
    site.replace("pg2dhis2.toml", "wait = \"1ms\"", "wait = \"2ms\"");
    site.run().code(0);
    assert_eq!(
        run(&site, "4")["changed-since-the-run-before"],
        json!(["the site file changed since run 3"])
    );
}

#[test]
fn a_server_that_was_updated_is_told() {
    let site = SmallSite::new(Dialect::V2_42);
    site.run().code(0);
    let updated = SmallSite::new(Dialect::V2_43);
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &updated.dhis2.url());
    site.run().code(0).silent();
    let changed = run(&site, "2")["changed-since-the-run-before"].to_string();
    assert!(
        changed.contains("DHIS2 is 2.43.1 and was 2.42.5.2 in run 1"),
        "{changed}"
    );
}

#[test]
fn a_dry_run_is_not_kept() {
    let site = SmallSite::new(Dialect::V2_43);
    site.program(&["run", "-n", "-p", "202503"]).code(0);
    assert!(!site.path("state").exists());
    assert!(runs(&site, &[]).is_empty());
    site.run().code(0);
    let before = site.files();
    site.program(&["run", "-n", "-p", "202503"]).code(0);
    site.program(&["run", "--dry-run=server", "-p", "202503"])
        .code(0);
    assert_eq!(site.files(), before);
    assert_eq!(runs(&site, &[]).len(), 1);
}

#[test]
fn push_and_apply_are_kept_as_run_is() {
    let site = SmallSite::new(Dialect::V2_43);
    let period = ["-p", "202503", "--as-of", NOW];
    let with = |args: &[&'static str]| [args, &period].concat();
    site.program(&with(&["extract", "-m", "small", "-o", "rows"]))
        .code(0);
    site.program(&["map", "rows", "-o", "document"]).code(0);
    site.program(&["push", "document"]).code(0);
    set(&site, "6");
    site.program(&with(&["run", "-n", "--save-plan", "plan"]))
        .code(0);
    site.program(&["apply", "plan"]).code(0);
    let told = runs(&site, &[]);
    let commands: Vec<&str> = told
        .iter()
        .map(|run| run["started"]["command"].as_str().unwrap())
        .collect();
    assert_eq!(commands, ["push", "apply"]);
    for (number, value) in [("1", "5"), ("2", "6")] {
        assert_eq!(run(&site, number)["changes"][0]["new"], value);
    }
}

#[test]
fn a_problem_is_opened_once_counted_while_it_lasts_and_closed() {
    let site = SmallSite::new(Dialect::V2_43);
    let stranger = "Zz9RodneyBx";
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{stranger}', '202503', '9')"
    ));
    site.run().code(3);
    set(&site, "6");
    site.run().code(3);
    for (number, opened) in [("1", 1), ("2", 1)] {
        let problems = run(&site, number)["open-problems"].clone();
        assert_eq!(problems[0]["what"], "blocked", "{problems}");
        assert_eq!(problems[0]["reason"], "unknown-org-unit");
        assert_eq!(problems[0]["first-run"], opened);
        assert_eq!(problems[0]["over"], false);
        assert_eq!(problems.as_array().unwrap().len(), 1);
    }
    site.database
        .execute(&format!("DELETE FROM t WHERE unit = '{stranger}'"));
    site.run().code(0);
    assert_eq!(run(&site, "3")["open-problems"][0]["over"], true);
    site.run().code(0);
    assert_eq!(run(&site, "4")["open-problems"], json!([]));
}

#[test]
fn runs_are_chosen_by_mapping_time_and_outcome() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    site.replace(
        "mappings/query.sql",
        "element, unit",
        "element AS other, unit",
    );
    site.run().code(15);
    let numbers = |args: &[&str]| -> Vec<u64> {
        let told = runs(&site, args);
        told.iter()
            .map(|run| run["run"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(numbers(&[]), [1, 2]);
    assert_eq!(numbers(&["--failed"]), [2]);
    assert_eq!(numbers(&["--last", "1"]), [2]);
    assert_eq!(numbers(&["-m", "small"]), [1, 2]);
    assert!(numbers(&["-m", "other"]).is_empty());
    assert_eq!(numbers(&["--since", "2001-01-01"]), [1, 2]);
    assert!(numbers(&["--since", "2999-01-01"]).is_empty());
    assert!(numbers(&["--since", "2999-01-01T00:00:00Z"]).is_empty());
    let failed = run(&site, "2");
    assert_eq!(failed["finished"]["name"], "privacy");
    let message = failed["finished"]["message"].as_str().unwrap();
    assert!(message.starts_with("small: "), "{message}");
    site.program(&["history", "3"])
        .code(2)
        .stderr_has("the history has no run 3");
}

#[test]
fn text_and_csv_tell_the_same_as_json() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    let csv = site.program(&["history", "--format", "csv"]).code(0).stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].starts_with("run,began,ended,command,outcome,exit,mapping"));
    assert!(
        lines[1].contains(",run,ok,0,small,0,1,1,1,"),
        "{}",
        lines[1]
    );
    let changes = site
        .program(&["history", "1", "--format", "csv"])
        .code(0)
        .stdout;
    let cell = format!(
        "small,create,202503,{NUMBER},{},HllvX50cXC0,HllvX50cXC0,,5,created",
        UNITS[0]
    );
    assert_eq!(changes.lines().nth(1), Some(cell.as_str()));
    let table = site.program(&["history"]).code(0).stdout;
    assert!(table.lines().nth(1).unwrap().contains("small"), "{table}");
    let page = site.program(&["history", "1"]).code(0).stdout;
    for words in [
        "run 1: run, ",
        "DHIS2 2.43.1",
        "1 change:",
        "– → 5",
        "exit 0 (ok)",
    ] {
        assert!(page.contains(words), "{words}\n{page}");
    }
}

#[test]
fn the_history_is_for_its_owner_only_whatever_the_umask() {
    for umask in ["000", "077", "777"] {
        let site = SmallSite::new(Dialect::V2_43);
        let line = format!(
            "umask {umask}; exec {} run -p 202503 --as-of {NOW}",
            env!("CARGO_BIN_EXE_pg2dhis2")
        );
        fs::create_dir(site.path("state")).unwrap();
        let ended = std::process::Command::new("/bin/sh")
            .args(["-c", &line])
            .current_dir(site.folder.path())
            .env_clear()
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "umask {umask}: {told}");
        let mode = fs::metadata(site.path(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "umask {umask}");
    }
}
