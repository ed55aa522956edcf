//! The files of St. Lucia agree with each other: queries with the rows that were computed without
//! SQL, spreadsheets with the metadata of DHIS2.
#![forbid(unsafe_code)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::str::FromStr;

use postgres::{Config, NoTls, SimpleQueryMessage};
use rig::postgres::cluster;
use rig::st_lucia::{SYNC_ROLE, metadata};
use serde_json::Value;

const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

const MONTHLY_QUERIES: [&str; 9] = [
    "doses_administered",
    "cohort_coverage",
    "timeliness",
    "sessions",
    "stock",
    "aefi",
    "vpd_cases",
    "data_quality",
    "zero_dose_snapshot",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(REPOSITORY).join(path))
        .unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The lines of a spreadsheet, each a map from the column's name to the cell.
fn spreadsheet(path: &str) -> Vec<BTreeMap<String, String>> {
    let text = read(path);
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader
        .deserialize()
        .map(|line| line.unwrap_or_else(|error| panic!("{path}: {error}")))
        .collect()
}

fn exported() -> Value {
    serde_json::from_str(&fs::read_to_string(metadata()).unwrap()).unwrap()
}

/// `(uid, code, name)` of the objects of one kind in the export.
fn objects(exported: &Value, kind: &str) -> BTreeSet<[String; 3]> {
    let text = |object: &Value, member: &str| object[member].as_str().unwrap().to_owned();
    let objects = exported[kind].as_array().unwrap().iter();
    objects
        .map(|object| ["id", "code", "name"].map(|member| text(object, member)))
        .collect()
}

fn named(lines: &[BTreeMap<String, String>]) -> BTreeSet<[String; 3]> {
    lines
        .iter()
        .map(|line| ["uid", "code", "name"].map(|column| line[column].clone()))
        .collect()
}

#[test]
fn the_monthly_queries_give_the_expected_rows_to_the_sync_role() {
    let database = cluster().database_from(&cluster().sluhis());
    let mut session = Config::from_str(&database.url_as(SYNC_ROLE))
        .unwrap()
        .connect(NoTls)
        .unwrap();
    let mut rows = Vec::new();
    for name in MONTHLY_QUERIES {
        let sql = read(&format!("queries/{name}.sql"))
            .replace(":'period_start'", "'2025-03-01'")
            .replace(":'period_end'", "'2025-04-01'");
        for message in session
            .simple_query(&sql)
            .unwrap_or_else(|error| panic!("{name}: {error:?}"))
        {
            if let SimpleQueryMessage::Row(row) = message {
                let column = |name: &str| row.get(name).unwrap().to_owned();
                rows.push(
                    [
                        "municipality",
                        "period",
                        "indicator",
                        "disaggregation",
                        "value",
                    ]
                    .map(column),
                );
            }
        }
    }
    rows.sort();
    let mut expected: Vec<[String; 5]> =
        csv::Reader::from_reader(read("tests/st-lucia/expected/t0_rows.csv").as_bytes())
            .deserialize()
            .map(Result::unwrap)
            .collect();
    expected.sort();
    assert_eq!(rows.len(), expected.len());
    let differs = rows
        .iter()
        .zip(&expected)
        .find(|(row, expected)| row != expected);
    assert_eq!(differs, None);
}

#[test]
fn the_spreadsheets_name_every_data_element_as_dhis2_does() {
    let exported = exported();
    let mut lines = spreadsheet("mappings/epi-indicators.csv");
    lines.extend(spreadsheet("mappings/target-indicators.csv"));
    assert_eq!(named(&lines), objects(&exported, "dataElements"));
}

#[test]
fn the_spreadsheet_names_every_option_combo_as_dhis2_does() {
    let mut combos = objects(&exported(), "categoryOptionCombos");
    // DHIS2 has the default combo built in, so an export leaves it out.
    combos.insert(["HllvX50cXC0", "default", "default"].map(str::to_owned));
    assert_eq!(
        named(&spreadsheet("mappings/epi-disaggregations.csv")),
        combos
    );
}

#[test]
fn balances_and_denominators_are_never_zeroed() {
    let kept: Vec<_> = spreadsheet("mappings/epi-indicators.csv")
        .into_iter()
        .filter(|line| !line["absent"].is_empty())
        .map(|line| (line["indicator"].clone(), line["absent"].clone()))
        .collect();
    let expected = [
        "COH12_CHILDREN",
        "COH24_CHILDREN",
        "SNAP_CH12_23M",
        "STOCK_OPENING",
        "STOCK_CLOSING",
        "STOCKOUT_DAYS",
    ];
    assert_eq!(
        kept,
        expected.map(|name| (name.to_owned(), "delete".to_owned()))
    );
    assert!(read("mappings/epi-targets.toml").contains("\nabsent = \"leave\"\n"));
}
