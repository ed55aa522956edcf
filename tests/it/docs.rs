//! The words that `docs/` explains are those of the program, and whatever is there to be copied is tested.

use std::collections::BTreeSet;
use std::fs;

use regex::Regex;
use rig::dhis2::Dialect;
use serde_json::Value;

use crate::readme::read;
use crate::st_lucia::{StLucia, T0, repository};

pub(crate) fn doc(name: &str) -> String {
    read(&format!("docs/{name}.md"))
}

/// The cells of the table whose heading begins so, row by row.
pub(crate) fn table<'t>(text: &'t str, heading: &str) -> Vec<Vec<&'t str>> {
    let (_, rest) = text.split_once(heading).expect("the table");
    let rows = rest.lines().skip(1);
    rows.take_while(|line| line.starts_with('|'))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
        .collect()
}

/// What stands between backticks.
pub(crate) fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The names in the first column of a table, and the table of a file that they say they are in.
pub(crate) fn names(text: &str, heading: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for row in table(text, heading) {
        let mut section = "";
        for name in quoted(row[0]) {
            let (of, name) = name.split_once("] ").unwrap_or((section, name));
            section = of;
            names.insert(format!("{of} {name}").trim_start().to_owned());
        }
    }
    names
}

#[test]
fn the_docs_give_every_outcome_and_reason_in_the_programs_words() {
    let words = doc("words");
    let source = read("src/domain/outcome.rs");
    let literal = Regex::new(r#"=>\s*\{?\s*"([^"]+)""#).unwrap();
    let (mut reasons, mut outcomes) = (BTreeSet::new(), BTreeSet::new());
    for part in source.split("\nimpl ").skip(1) {
        let part = part.split("\n}\n").next().unwrap();
        let found = literal.captures_iter(part).map(|found| found[1].to_owned());
        match part.starts_with("fmt::Display") {
            true => reasons.extend(found),
            false => outcomes.extend(found),
        }
    }
    let told: BTreeSet<String> = table(&words, "| | reason |\n")
        .iter()
        .map(|row| row[1].to_owned())
        .collect();
    assert_eq!(told, reasons);
    assert_eq!(outcomes.len(), 13);
    let rows = ["excluded", "unmapped", "empty", "invalid", "mapped"].map(str::to_owned);
    let explained: Vec<&str> = words
        .lines()
        .filter_map(|line| line.strip_prefix("- **"))
        .flat_map(|line| line.split("**").next().unwrap().split(", "))
        .collect();
    for outcome in outcomes.iter().chain(&rows) {
        assert!(explained.contains(&outcome.as_str()), "{outcome}");
    }
}

#[test]
fn every_file_to_copy_or_run_is_used_by_a_test() {
    // Queries, mappings and spreadsheets: those that the two mappings of the programme are made of.
    let site = StLucia::at(Dialect::V2_43, T0);
    let mut used = BTreeSet::new();
    for (mapping, period) in [("epi-monthly", "202503"), ("epi-targets", "2024")] {
        let extract = ["extract", "-m", mapping, "-p", period];
        let lines = site.program(&extract).code(0).stdout;
        let header: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        let digests = header["digests"].as_object().unwrap().keys();
        used.extend(digests.map(|file| file.rsplit('/').next().unwrap().to_owned()));
    }
    let shipped = ["mappings", "queries"]
        .iter()
        .flat_map(|folder| files(folder));
    let shipped = shipped.map(|file| file.rsplit('/').next().unwrap().to_owned());
    assert_eq!(shipped.collect::<BTreeSet<String>>(), used);

    // The others by name; the demo and the bench are compiled with the tests.
    let users = [
        "tests/it/alerts/words.rs",
        "tests/it/examples.rs",
        "tests/it/monitoring_metrics.rs",
        "tests/it/privileges.rs",
        "tests/rig/src/st_lucia.rs",
        "tests/rig/src/postgres/mod.rs",
    ];
    let users = users.map(read).concat();
    for file in files("examples") {
        assert!(file.ends_with(".rs") || users.contains(&file), "{file}");
    }
}

/// Every file below a folder of the repository, by its path there.
fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(repository().join(folder)).expect("a folder");
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.unwrap();
        let path = format!("{folder}/{}", entry.file_name().to_str().unwrap());
        match entry.path().is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}
