//! Every row of St. Lucia's March 2025 is accounted for, one by one, against files computed without the program.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::st_lucia::{BOTH, StLucia, T0, count, expected};

/// Indicators that the programme does not have (answer sheet, P25 and P26).
const NO_ELEMENT: &str = "no data element";
const NO_RULE: &str = "no mapping rule";
const EXCLUDED: &str = "excluded by rule";
const NO_UNIT: &str = "organisation unit not in DHIS2";

#[test]
fn every_row_that_reaches_no_value_has_its_outcome() {
    let lost = expected("t0_unmapped.csv");
    assert_eq!(lost.len(), 77);
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let report = site
            .run(T0, &["202503"], &["-m", "epi-monthly"])
            .code(3)
            .json();

        let found = keys_of(&report);
        let wanted = keys_wanted(&lost);
        assert_eq!(found, wanted, "{dialect:?}");
        let of = |reason: &str| lost.iter().filter(|row| row["reason"] == reason).count() as u64;
        assert_eq!(
            count(&report, "/rows/unmapped"),
            of(NO_RULE) + of(NO_ELEMENT)
        );
        assert_eq!(count(&report, "/rows/excluded"), of(EXCLUDED));
        assert_eq!(count(&report, "/cells/blocked"), of(NO_UNIT));

        let rows = expected("t0_rows.csv").len() as u64;
        assert_eq!(count(&report, "/rows/rows"), rows);
        let mapped = rows - (lost.len() as u64 - of(NO_UNIT));
        assert_eq!(count(&report, "/rows/mapped"), mapped);
    }
}

/// Rows by outcome, dimension and key, as the report tells them.
fn keys_of(report: &Value) -> BTreeMap<[String; 3], u64> {
    let mut found = BTreeMap::new();
    for group in report["mappings"][0]["keys"].as_array().unwrap() {
        let text = |name: &str| group[name].as_str().unwrap().to_owned();
        let key = [text("outcome"), text("dimension"), text("key")];
        *found.entry(key).or_default() += group["rows"].as_u64().unwrap();
    }
    found
}

/// The same from the file. A row without a data element is named by that, whatever its municipality.
fn keys_wanted(lost: &[BTreeMap<String, String>]) -> BTreeMap<[String; 3], u64> {
    let mut wanted = BTreeMap::new();
    for row in lost {
        let key = match row["reason"].as_str() {
            NO_ELEMENT => ["unmapped", "data-element", &row["indicator"]],
            NO_RULE => ["unmapped", "org-unit", &row["municipality"]],
            EXCLUDED => ["excluded", "org-unit", &row["municipality"]],
            NO_UNIT => continue,
            other => panic!("an unknown reason: {other}"),
        };
        *wanted.entry(key.map(str::to_owned)).or_default() += 1;
    }
    wanted
}

#[test]
fn the_sums_of_the_report_are_those_of_the_rows() {
    let site = StLucia::at(BOTH[1], T0);
    let report = site
        .run(T0, &["202503"], &["-m", "epi-monthly"])
        .code(3)
        .json();
    let elements: BTreeMap<String, String> =
        spreadsheet("mappings/epi-indicators.csv", "indicator");

    // Whole numbers all, and days without stock are not added up.
    let mut wanted: BTreeMap<Option<String>, i64> = BTreeMap::new();
    for row in expected("t0_rows.csv") {
        if row["indicator"] != "STOCKOUT_DAYS" {
            let element = elements.get(&row["indicator"]).cloned();
            *wanted.entry(element).or_default() += row["value"].parse::<i64>().unwrap();
        }
    }
    let found: BTreeMap<Option<String>, i64> = report["mappings"][0]["sums"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sums| {
            let number = |name: &str| sums[name].as_str().unwrap().parse::<i64>().unwrap();
            let parts = number("desired") + number("excluded") + number("unmapped");
            assert_eq!(number("rows"), parts, "{sums}");
            (
                sums["data-element"].as_str().map(str::to_owned),
                number("rows"),
            )
        })
        .collect();
    assert_eq!(found, wanted);
}

/// Two columns of a spreadsheet: a key and its UID.
fn spreadsheet(file: &str, key: &str) -> BTreeMap<String, String> {
    let path = crate::st_lucia::repository().join(file);
    let mut reader = csv::Reader::from_path(path).unwrap();
    reader
        .deserialize()
        .map(|row| {
            let row: BTreeMap<String, String> = row.unwrap();
            (row[key].clone(), row["uid"].clone())
        })
        .collect()
}

#[test]
fn the_ministrys_own_mapping_shows_no_key_that_nobody_knows() {
    let site = StLucia::at(BOTH[1], T0);
    let own = crate::st_lucia::repository().join("mappings/epi-monthly.toml");
    let own = std::fs::read_to_string(own).unwrap();
    site.edit("mappings/epi-monthly.toml", |_| own);
    let run = site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
    let told: BTreeSet<&str> = run.stdout.lines().chain(run.stderr.lines()).collect();
    for row in expected("t0_unmapped.csv") {
        if row["reason"] == NO_RULE {
            let key = &row["municipality"];
            assert!(
                !told.iter().any(|line| line.contains(key.as_str())),
                "{key}"
            );
        }
    }
    assert!(run.stdout.contains("\"key\": \"key #"));
}
