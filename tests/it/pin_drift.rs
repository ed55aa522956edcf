//! What a run and `pin --check` say when DHIS2 is not what it was when it was pinned.

use std::fs;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::pin::{PIN, changed, coded, run_json};
use crate::small_site::{NUMBER, UNITS};
use crate::st_lucia::BOTH;

fn drift(report: &Value) -> Vec<(String, bool)> {
    let drift = report["mappings"][0]["changed-since-pin"].as_array();
    let drift = drift.expect("what changed").iter();
    drift
        .map(|each| {
            let change = each["change"].as_str().expect("a word").to_owned();
            (change, each["harmful"].as_bool().expect("whether it harms"))
        })
        .collect()
}

/// A change of one object: its kind, its UID, what is changed; then whether it harms, and the words for it.
type Change = (&'static str, &'static str, Value, bool, &'static str);

/// One change after the other, each alone since the pin before it.
fn changes() -> [Change; 9] {
    let number = |what| ("dataElements", NUMBER, what);
    let set = |what| ("dataSets", "YE8SgpSMBQ9", what);
    let all = [
        (
            number(json!({ "code": "X_OTHER" })),
            false,
            "has the code X_OTHER now, not X_NUM",
        ),
        (
            number(json!({ "aggregationType": "AVERAGE" })),
            true,
            "has the aggregation type AVERAGE now, not SUM",
        ),
        (
            number(json!({ "zeroIsSignificant": true })),
            false,
            "has the zero significance true now, not false",
        ),
        (
            number(json!({ "categoryCombo": { "id": "jEQmvYZmXlG" } })),
            true,
            "has another category combo than default",
        ),
        (
            set(json!({ "periodType": "Weekly" })),
            true,
            "is Weekly now, not Monthly",
        ),
        (
            set(json!({ "name": "Another set" })),
            false,
            "is called Another set now",
        ),
        (
            set(json!({ "categoryCombo": { "id": "MR9d2GXxIgW" } })),
            true,
            "data set Another set (YE8SgpSMBQ9) has another category combo than default",
        ),
        (
            set(json!({ "organisationUnits": [{ "id": UNITS[0] }] })),
            true,
            "is not assigned to the data set any more",
        ),
        (
            set(json!({ "dataSetElements": [] })),
            true,
            "(M1eFRJpEkoO) is not in the data set any more",
        ),
    ];
    all.map(|((kind, uid, what), harmful, words)| (kind, uid, what, harmful, words))
}

#[test]
fn a_check_tells_what_changed_and_whether_it_harms() {
    let site = coded(Dialect::V2_42);
    // By UID, for its code changes too.
    site.replace("mappings/elements.csv", "code:X_NUM", NUMBER);
    for (kind, uid, what, harmful, words) in changes() {
        site.program(&["pin"]).code(0);
        site.program(&["pin", "--check"]).code(0);
        let before = fs::read(site.path(PIN)).unwrap();
        site.dhis2.merge_metadata(&changed(kind, uid, what));
        let (code, beginning) = if harmful {
            (14, "harmful: ")
        } else {
            (0, "note: ")
        };
        let check = site
            .program(&["pin", "--check"])
            .code(code)
            .stderr_has(words);
        let line = check.stderr.lines().find(|line| line.contains(words));
        assert!(line.unwrap().starts_with(beginning), "{}", check.stderr);
        assert_eq!(fs::read(site.path(PIN)).unwrap(), before);
    }
}

#[test]
fn a_renamed_element_is_a_note() {
    let site = coded(Dialect::V2_43);
    site.program(&["pin"]).code(0);
    let renamed = changed("dataElements", NUMBER, json!({ "name": "Another name" }));
    site.dhis2.merge_metadata(&renamed);
    let run = run_json(&site).code(0);
    assert_eq!(drift(&run.json()), [("name".to_owned(), false)]);
    site.program(&["pin", "--check"])
        .code(0)
        .stderr_has("is called Another name now");
    // Taken as it is now.
    site.program(&["pin"])
        .code(0)
        .stderr_has("is called Another name now");
    assert_eq!(drift(&run_json(&site).code(0).json()), []);
}

#[test]
fn a_changed_value_type_blocks_its_own_cells_alone() {
    for dialect in BOTH {
        let site = coded(dialect);
        site.program(&["pin"]).code(0);
        // A text takes every number: nothing but the pin knows that it is not what was meant.
        let text = changed("dataElements", NUMBER, json!({ "valueType": "TEXT" }));
        site.dhis2.merge_metadata(&text);
        let run = run_json(&site).code(3);
        let report = run.json();
        assert_eq!(drift(&report), [("value-type".to_owned(), true)]);
        let mapping = &report["mappings"][0];
        assert_eq!(
            mapping["blocked-by"][0]["reason"], "changed-since-pin",
            "{report}"
        );
        assert_eq!(mapping["cells"]["blocked"], 1);
        assert_eq!(mapping["cells"]["created"], 1);
        let values: Vec<String> = site.dhis2.values().into_values().collect();
        assert_eq!(values, ["7"]);
        site.run()
            .code(3)
            .stderr_has("has the value type TEXT now, not NUMBER");
        site.program(&["pin", "--check"])
            .code(14)
            .stderr_has("has the value type TEXT now, not NUMBER");
        site.program(&["pin"]).code(0);
        site.run().code(0);
    }
}

#[test]
fn what_happened_to_units_is_told() {
    let site = coded(Dialect::V2_43);
    site.program(&["pin"]).code(0);
    let unit = |uid: &str, what: Value| {
        let change = changed("organisationUnits", uid, what);
        site.dhis2.merge_metadata(&change);
    };
    let pin: Value = serde_json::from_slice(&fs::read(site.path(PIN)).unwrap()).unwrap();
    let path = pin["organisationUnits"][UNITS[1]]["path"].as_str().unwrap();
    let above = pin["organisationUnits"][UNITS[0]]["path"].as_str().unwrap();
    let moved = format!("{above}/{}", UNITS[1]);
    assert_ne!(path, moved);
    unit(UNITS[1], json!({ "parent": { "id": UNITS[0] } }));
    unit(UNITS[0], json!({ "closedDate": "2025-01-31T00:00:00.000" }));
    let check = site.program(&["pin", "--check"]).code(14);
    let check = check.stderr_has("is closed from 2025-01-31 on");
    assert!(
        check.stderr.contains("note: organisation unit"),
        "{}",
        check.stderr
    );
    assert!(
        check.stderr.contains(&format!("was moved to {moved}")),
        "{}",
        check.stderr
    );
    site.run()
        .code(3)
        .stderr_has("is closed from 2025-01-31 on");
}

#[test]
fn units_that_come_and_go_are_told() {
    let site = coded(Dialect::V2_43);
    site.replace(
        "mappings/small.toml",
        "column = \"unit\"",
        "column = \"unit\"\nrules = \"rules.sql\"",
    );
    site.write(
        "mappings/rules.sql",
        &format!("SELECT '{0}' AS key, '{0}' AS uid", UNITS[0]),
    );
    site.program(&["pin"]).code(0);
    let pin: Value = serde_json::from_slice(&fs::read(site.path(PIN)).unwrap()).unwrap();
    let units = pin["organisationUnits"].as_object().unwrap();
    let assigned = units
        .iter()
        .filter(|(_, unit)| unit["dataSets"] != json!([]));
    let mut assigned: Vec<Value> = assigned.map(|(uid, _)| json!({ "id": uid })).collect();
    assigned.retain(|unit| unit["id"] != UNITS[0]);
    // The wellness centre of Bexon, which the data set did not have.
    let other = "rXjYDMSHEYd";
    assert!(!units.contains_key(other));
    assigned.push(json!({ "id": other }));
    let assignment = json!({ "organisationUnits": assigned });
    site.dhis2
        .merge_metadata(&changed("dataSets", "YE8SgpSMBQ9", assignment));
    site.run()
        .code(3)
        .stderr_has("is not assigned to the data set any more")
        .stderr_has("a new unit without a rule");
}

#[test]
fn an_option_combo_made_of_other_options_is_blocked() {
    let site = coded(Dialect::V2_43);
    site.program(&["pin"]).code(0);
    let made_of = json!({ "categoryOptions": [{ "id": "MEilm4LDJ1U" }] });
    site.dhis2
        .merge_metadata(&changed("categoryOptionCombos", "HllvX50cXC0", made_of));
    let report = run_json(&site).code(3).json();
    assert_eq!(drift(&report), [("category-options".to_owned(), true)]);
    assert_eq!(report["mappings"][0]["cells"]["blocked"], 2);
    assert!(site.dhis2.values().is_empty());
}
