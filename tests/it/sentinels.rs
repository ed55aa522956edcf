//! Free text beside the numbers: a thousand planted names, and none of them outside the database but where it is data
//! or where a person looks.

mod failing;
mod registry;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use rig::dhis2::{Dialect, StandIn};
use serde_json::Value;

use crate::program::Finished;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::terminal::at_a_terminal;

/// A text element of the data set.
const TEXT: &str = "FQAQ3PqLsVK";

/// Names as they are typed: with quotes, line ends and what steers a terminal.
fn names() -> Vec<String> {
    let odd = [
        "",
        " O'Neil",
        "\n",
        "\u{1b}[2J",
        " Désirée",
        "\t\"",
        "{}",
        "\\",
        "\u{202e}",
        ";--",
    ];
    (0..1_000)
        .map(|number| format!("Sentinel{number}{}", odd[number % odd.len()]))
        .collect()
}

/// The names stand in the place of units, one row each; the units themselves are keys of the map.
fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    let map = format!("column = \"unit\"\nmap = {{ known = \"{}\" }}", UNITS[0]);
    site.replace("mappings/small.toml", "column = \"unit\"", &map);
    let mut session = site.database.connect();
    session.execute("UPDATE t SET unit = 'known'", &[]).unwrap();
    for name in names() {
        session
            .execute(
                "INSERT INTO t VALUES ($1, $2, '202503', '1')",
                &[&NUMBER, &name],
            )
            .unwrap();
    }
    site.replace(
        "mappings/small.toml",
        "absent = ",
        "guards.max-unmapped = \"100%\"\nabsent = ",
    );
    // All that tells of runs leaves a file.
    let site_file = fs::read_to_string(site.path("pg2dhis2.toml")).unwrap();
    let told = format!(
        "\n[history]\npage = \"page.html\"\nmetrics = \"metrics.prom\"\n[[alert]]\ncommand = [\"/bin/sh\", \"-c\", \"cat >> '{}'\"]\n",
        site.path("told").display()
    );
    site.write("pg2dhis2.toml", &(site_file + &told));
    site
}

/// Whole or in part, as it was typed or in capitals.
#[track_caller]
fn tells_no_name(text: &str) {
    let found = text.to_ascii_lowercase().find("sentinel");
    let around = found.map(|place| {
        let before = text[..place].chars().rev().take(300).collect::<Vec<char>>();
        let behind = text[place..].chars().take(100);
        before.into_iter().rev().chain(behind).collect::<String>()
    });
    assert_eq!(around, None);
}

/// What was sent to DHIS2: every path, and the body of every import since they are kept.
#[track_caller]
fn nothing_sent_tells_a_name(dhis2: &StandIn) {
    for request in dhis2.requests() {
        tells_no_name(&request.path);
    }
    for body in dhis2.imports() {
        tells_no_name(&body.to_string());
    }
}

/// What is left in a folder: state, documents, plans, the site itself.
#[track_caller]
fn no_file_tells_a_name(files: BTreeMap<PathBuf, Vec<u8>>) {
    for (path, content) in files {
        let found = String::from_utf8_lossy(&content)
            .to_ascii_lowercase()
            .contains("sentinel");
        assert!(!found, "{}", path.display());
    }
}

fn report(site: &SmallSite, more: &[&str]) -> Finished {
    let args = [
        "run", "-vv", "--format", "json", "-p", "202503", "--as-of", NOW,
    ];
    let args: Vec<&str> = args.iter().chain(more).copied().collect();
    site.program(&args).code(3)
}

/// What is told of runs that are over, and of where a number comes from.
#[track_caller]
fn told_later_without_a_name(site: &SmallSite, element: &str) {
    let explain = |unit| vec!["explain", element, unit, "202503", "--as-of", NOW];
    let commands = [
        vec!["history"],
        vec!["history", "1"],
        vec!["status", "-p", "202503", "--as-of", NOW],
        explain(UNITS[0]),
        explain(UNITS[1]),
    ];
    for args in commands {
        for form in ["text", "json"] {
            let args: Vec<&str> = args.iter().copied().chain(["--format", form]).collect();
            let told = site.program(&args);
            assert!([0, 3].contains(&told.code), "{args:?}: {}", told.stderr);
            tells_no_name(&told.stdout);
            tells_no_name(&told.stderr);
        }
    }
}

/// The unmapped keys as a report shows them.
fn keys(report: &Value) -> BTreeSet<String> {
    let keys = report["mappings"][0]["keys"].as_array().unwrap().iter();
    keys.map(|key| key["key"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn unknown_keys_are_fingerprints_wherever_they_are_told_or_kept() {
    let site = site();
    let run = report(&site, &[]);
    tells_no_name(&run.stdout);
    tells_no_name(&run.stderr);
    let shown = keys(&run.json());
    assert_eq!(shown.len(), 1_000);
    for key in &shown {
        let (hex, rest) = key.strip_prefix("key #").unwrap().split_once(", ").unwrap();
        assert!(hex.len() == 8 && hex.chars().all(|digit| digit.is_ascii_hexdigit()));
        assert!(rest.ends_with(" characters"));
    }
    let plain = site
        .program(&["run", "-p", "202503", "--as-of", NOW])
        .code(3);
    tells_no_name(&plain.stderr);
    assert!(plain.stderr.contains("… and 980 more"), "{}", plain.stderr);

    let extract = [
        "extract", "-vv", "-m", "small", "-p", "202503", "-o", "rows",
    ];
    tells_no_name(&site.program(&extract).code(0).stderr);
    let map = site
        .program(&["map", "-vv", "rows", "-o", "document"])
        .code(0);
    tells_no_name(&map.stderr);
    fs::remove_file(site.path("rows")).unwrap();
    let push = site
        .program(&["push", "-vv", "document", "--format", "json"])
        .code(3);
    tells_no_name(&push.stderr);
    tells_no_name(&push.stdout);
    let plan = [
        "run",
        "-vv",
        "-n",
        "--save-plan",
        "plan",
        "-p",
        "202503",
        "--as-of",
        NOW,
    ];
    let plan = site.program(&plan).code(3);
    tells_no_name(&plan.stdout);
    tells_no_name(&plan.stderr);
    told_later_without_a_name(&site, NUMBER);
    nothing_sent_tells_a_name(&site.dhis2);
    for file in ["state/history.db", "page.html", "metrics.prom", "told"] {
        assert!(fs::metadata(site.path(file)).unwrap().len() > 0, "{file}");
    }
    no_file_tells_a_name(site.files());
}

#[test]
fn a_person_at_a_terminal_sees_them_and_a_script_beside_does_not() {
    let site = site();
    let args = [
        "run", "-vv", "--format", "json", "-p", "202503", "--as-of", NOW,
    ];
    let scripted = at_a_terminal(site.folder.path(), &args).code(3);
    tells_no_name(&scripted.stdout);
    let person = at_a_terminal(site.folder.path(), &["run", "-p", "202503", "--as-of", NOW]);
    let person = person.code(3);
    assert!(person.stderr.contains("Sentinel"), "{}", person.stderr);
    assert!(!person.stderr.contains("\u{1b}[2J"), "{}", person.stderr);
    assert!(!person.stderr.contains('\u{202e}'), "{}", person.stderr);
    let kept = ["run", "-o", "report", "-p", "202503", "--as-of", NOW];
    at_a_terminal(site.folder.path(), &kept).code(3);
    nothing_sent_tells_a_name(&site.dhis2);
    no_file_tells_a_name(site.files());
}

#[test]
fn a_site_keeps_its_fingerprints_and_another_has_others() {
    let (one, other) = (site(), site());
    let first = keys(&report(&one, &[]).json());
    assert_eq!(keys(&report(&one, &[]).json()), first);
    assert_eq!(keys(&report(&one, &["--dry-run"]).json()), first);
    assert!(keys(&report(&other, &[]).json()).is_disjoint(&first));
    // Without a secret to keep, each run has its own.
    fs::remove_dir_all(one.path("state")).unwrap();
    let thrown_away = keys(&report(&one, &["--dry-run"]).json());
    assert!(thrown_away.is_disjoint(&first));
    assert!(keys(&report(&one, &["--dry-run"]).json()).is_disjoint(&thrown_away));
}

#[test]
fn keys_that_match_the_pattern_are_shown_and_a_missing_one_is_called_so() {
    let site = site();
    site.replace(
        "mappings/small.toml",
        "[org-unit]",
        "[org-unit]\nshow-keys = \"^HF[0-9]{4}$\"",
    );
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', 'HF0042', '202503', '1'), ('{NUMBER}', 'HF0042 Sentinel', '202503', '1'),
                              ('{NUMBER}', NULL, '202503', '1')"
    ));
    let run = report(&site, &[]);
    tells_no_name(&run.stdout);
    tells_no_name(&run.stderr);
    let shown = keys(&run.json());
    assert_eq!(shown.len(), 1_003);
    let plain: Vec<&String> = shown
        .iter()
        .filter(|key| !key.starts_with("key #"))
        .collect();
    assert_eq!(plain, ["HF0042", "NULL"]);
}

#[test]
fn values_that_are_no_numbers_are_told_by_their_length() {
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let site = SmallSite::new(dialect);
        site.database.execute(&format!(
            "UPDATE t SET value = 'Sentinel';
             INSERT INTO t VALUES ('{TEXT}', '{}', '202503', 'Sentinel of old')",
            UNITS[1]
        ));
        for (value, outcome) in [
            ("Sentinel of old", "created"),
            ("Sentinel of new", "updated"),
        ] {
            site.database.execute(&format!(
                "UPDATE t SET value = '{value}' WHERE element = '{TEXT}'"
            ));
            let run = report(&site, &[]);
            tells_no_name(&run.stderr);
            tells_no_name(&run.stdout);
            let report = run.json();
            let change = &report["mappings"][0]["changes"][0];
            assert_eq!(change["outcome"], outcome);
            assert_eq!(change["new"]["characters"], 15);
            // In the element of numbers it is blocked.
            assert_eq!(report["mappings"][0]["blocked"][0]["reason"], "value-type");
        }
        tells_no_name(&site.program(&["run", "-p", "202503"]).stderr);
        for element in [NUMBER, TEXT] {
            told_later_without_a_name(&site, element);
        }
        // Where it belongs it is.
        let values: Vec<String> = site.dhis2.values().into_values().collect();
        assert_eq!(values, ["Sentinel of new"]);
    }
}
