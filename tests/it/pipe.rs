//! The documents between `extract`, `map` and `push`: what they are, and what is refused.

use std::fs;

use serde_json::Value;

use crate::program::{Finished, program_fed};
use crate::small_site::SmallSite;
use crate::st_lucia::{BOTH, StLucia, T0};

fn fed(site: &StLucia, args: &[&str], input: &str) -> Finished {
    program_fed(site.folder.path(), args, input.as_bytes())
}

fn extract(site: &StLucia, mapping: &str, period: &str) -> String {
    let args = ["extract", "-m", mapping, "-p", period, "--as-of", T0];
    site.program(&args).code(0).stdout
}

#[test]
fn the_document_is_a_body_that_dhis2_takes() {
    let site = StLucia::at(BOTH[1], T0);
    let rows = extract(&site, "epi-targets", "2024");
    fs::write(site.folder.path().join("rows"), rows).unwrap();
    site.program(&["map", "rows", "-o", "document"])
        .code(0)
        .silent();
    let document = fs::read_to_string(site.folder.path().join("document")).unwrap();
    let document: Value = serde_json::from_str(&document).unwrap();
    let members: Vec<&String> = document.as_object().unwrap().keys().collect();
    assert_eq!(members, ["pg2dhis2", "dataSet", "dataValues"]);
    assert_eq!(document["dataSet"], "csfuYZsWBMJ");
    for value in document["dataValues"].as_array().unwrap() {
        let members: Vec<&String> = value.as_object().unwrap().keys().collect();
        let wanted = [
            "dataElement",
            "period",
            "orgUnit",
            "categoryOptionCombo",
            "attributeOptionCombo",
            "value",
        ];
        assert_eq!(members, wanted);
        assert!(value.as_object().unwrap().values().all(Value::is_string));
    }
    site.program(&["push", "document"]).code(0).silent();
    assert_eq!(
        site.values().len(),
        document["dataValues"].as_array().unwrap().len()
    );
}

#[test]
fn rows_of_other_files_or_cut_rows_are_refused() {
    let site = StLucia::at(BOTH[1], T0);
    let rows = extract(&site, "epi-targets", "2024");
    let cut = rows.lines().take(40).collect::<Vec<_>>().join("\n");
    let lacking: Vec<&str> = rows
        .lines()
        .enumerate()
        .filter(|(index, _)| *index != 300)
        .map(|(_, line)| line)
        .collect();
    for (input, words) in [
        ("", "the input is empty"),
        ("{}", "does not begin with the header"),
        ("hello", "does not begin with the header"),
        (&cut, "ends in the middle"),
        (&lacking.join("\n"), "lacks rows"),
        (
            &rows.replacen("extract/1", "extract/2", 1),
            "another version",
        ),
    ] {
        fed(&site, &["map"], input).code(2).stderr_has(words);
    }
    site.edit("queries/target_population.sql", |text| {
        text + "\n-- changed\n"
    });
    fed(&site, &["map"], &rows)
        .code(10)
        .stderr_has("run `extract` again");
}

#[test]
fn a_document_that_is_not_ours_or_was_changed_is_refused() {
    let site = StLucia::at(BOTH[1], T0);
    let rows = extract(&site, "epi-targets", "2024");
    let document = fed(&site, &["map"], &rows).code(0).stdout;
    let value: Value = serde_json::from_str(&document).unwrap();
    let changed = {
        let mut value = value.clone();
        value["dataValues"][3]["value"] = "1".into();
        value.to_string()
    };
    let without =
        serde_json::json!({"dataSet": value["dataSet"], "dataValues": value["dataValues"]});
    for (input, words) in [
        ("", "empty"),
        ("[]", "map"),
        (&without.to_string(), "pg2dhis2"),
        (&document[..document.len() / 2], "ends in the middle"),
        (&changed, "do not add up"),
        (&document.replacen("map/1", "map/0", 1), "another version"),
    ] {
        fed(&site, &["push"], input).code(2).stderr_has(words);
    }
    assert!(site.dhis2.requests().is_empty());
}

#[test]
fn a_document_that_is_too_old_is_held_and_its_digest_lets_it_pass() {
    let site = SmallSite::new(BOTH[1]);
    site.program(&["extract", "-m", "small", "-p", "202503", "-o", "rows"])
        .code(0);
    let document = site.program(&["map", "rows"]).code(0).stdout;
    let mut old: Value = serde_json::from_str(&document).unwrap();
    let hours_ago = |hours: i64| {
        let now = jiff::Timestamp::now();
        let then = now - jiff::SignedDuration::from_hours(hours);
        Value::from(then.to_string())
    };
    old["pg2dhis2"]["created"] = hours_ago(5);
    site.write("young", &old.to_string());
    site.program(&["push", "young", "--dry-run"]).code(0);
    old["pg2dhis2"]["created"] = hours_ago(7);
    site.write("old", &old.to_string());
    let held = site.program(&["push", "old"]).code(4);
    let words = "the document is 420 minutes old, and max-age allows 360";
    assert!(held.stderr.contains(words), "{}", held.stderr);
    assert!(site.dhis2.values().is_empty());
    let digest = held.stderr.split("--release ").nth(1).unwrap();
    let digest = digest.split_whitespace().next().unwrap();
    site.program(&["push", "old", "--release", digest]).code(0);
    assert_eq!(site.dhis2.values().len(), 1);
}
