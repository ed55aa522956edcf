//! The first load into a DHIS2 that has values, as `docs/adoption.md` tells it, on St. Lucia.

use std::collections::BTreeMap;

use rig::dhis2::{Dialect, Row};
use serde_json::{Value, json};

use crate::st_lucia::{BOTH, Key, StLucia, T0, difference, expected};

const MONTHLY: &str = "mappings/epi-monthly.toml";
const MARCH: [&str; 1] = ["202503"];

/// March 2025 as it should be.
fn wanted() -> BTreeMap<Key, String> {
    let rows = expected("t0_values.csv").into_iter();
    rows.filter(|row| row["period"] == "202503")
        .map(|row| {
            let key = ["dataElement", "period", "orgUnit", "categoryOptionCombo"];
            (key.map(|column| row[column].clone()), row["value"].clone())
        })
        .collect()
}

/// Stores a value as somebody did months ago.
fn stored_before(site: &StLucia, key: &Key, value: &str, user: &str) {
    let [element, period, unit, combo] = key.clone();
    site.dhis2.put(Row {
        element,
        period,
        unit,
        combo,
        value: Some(value.to_owned()),
        stored_by: user.to_owned(),
        ..Row::default()
    });
}

/// Every value is there by another tool, and most are one too low.
fn after_another_tool(dialect: Dialect) -> StLucia {
    let site = StLucia::at(dialect, T0);
    site.replace(MONTHLY, "foreign = \"overwrite\"", "foreign = \"hold\"");
    site.dhis2.set_now("2025-05-01T00:00:00Z");
    for (number, (key, value)) in wanted().into_iter().enumerate() {
        let value: i64 = value.parse().expect("a whole number");
        let stored = if number % 5 < 4 && value > 0 {
            value - 1
        } else {
            value
        };
        stored_before(&site, &key, &stored.to_string(), "openfn");
    }
    site.dhis2.set_now(T0);
    site
}

fn run(site: &StLucia, code: i32, more: &[&str]) -> Value {
    let more = [&["-m", "epi-monthly"], more].concat();
    site.run(T0, &MARCH, &more).code(code).json()["mappings"][0].clone()
}

#[test]
fn the_values_of_a_former_tool_become_ours_once_a_person_has_looked() {
    for dialect in BOTH {
        let site = after_another_tool(dialect);
        // To us they are somebody's.
        let held = run(&site, 4, &[]);
        assert_eq!(held["held"][0]["foreign"]["stored-by"], "openfn");

        let own = "[dhis2]\nown-users = [{ name = \"openfn\", until = 2025-06-30 }]";
        site.replace("pg2dhis2.toml", "[dhis2]", own);
        // Much of a month that is over would change at once.
        let held = run(&site, 4, &[]);
        assert_eq!(held["held"], json!([]));
        assert_eq!(held["guards"][0]["guard"], "max-changed");
        assert_eq!(site.posts(), 0);
        let digest = held["digest"].as_str().unwrap().to_owned();
        run(&site, 3, &["--release", &digest]);
        let different = difference(&site.values(), &wanted());
        assert!(different.is_empty(), "{different:?}");

        site.dhis2.forget_requests();
        run(&site, 3, &[]);
        assert_eq!(site.posts(), 0);
    }
}

#[test]
fn figures_from_paper_wait_for_a_decision_and_follow_it() {
    let wanted = wanted();
    let (key, value) = wanted.iter().find(|(_, value)| value.len() == 2).unwrap();
    for (decision, after) in [("keep", "4711"), ("overwrite", value.as_str())] {
        let site = StLucia::at(BOTH[1], T0);
        site.replace(MONTHLY, "foreign = \"overwrite\"", "foreign = \"hold\"");
        stored_before(&site, key, "4711", "clerk");
        let held = run(&site, 4, &[]);
        assert_eq!(held["held"].as_array().unwrap().len(), 1);
        // The one value waits; the others do not wait for it.
        assert_eq!(site.values()[key], "4711");
        assert_eq!(site.values().len(), wanted.len());
        site.replace(
            MONTHLY,
            "foreign = \"hold\"",
            &format!("foreign = \"{decision}\""),
        );
        run(&site, 3, &[]);
        assert_eq!(site.values()[key], after);
        // Its neighbours are there whatever was decided.
        assert_eq!(site.values().len(), wanted.len());
    }
}

#[test]
fn a_shadow_data_set_takes_the_values_beside_the_real_one() {
    let site = StLucia::at(BOTH[0], T0);
    let metadata: Value =
        serde_json::from_str(include_str!("../../examples/st-lucia/dhis2/metadata.json")).unwrap();
    let find = |kind: &str, id: &str| {
        let objects = metadata[kind].as_array().unwrap();
        objects
            .iter()
            .find(|object| object["id"] == id)
            .unwrap()
            .clone()
    };
    // BCG doses, and the sets that hold them.
    let mut element = find("dataElements", "lO7ecd1fAsI");
    let mut set = find("dataSets", "fTTHFe1SktZ");
    for (object, id) in [(&mut element, "ShadowElem1"), (&mut set, "ShadowDaSe1")] {
        object["id"] = json!(id);
        for name in ["code", "name", "shortName"] {
            object[name] = json!(format!("shadow {id} {name}"));
        }
    }
    set["dataSetElements"] =
        json!([{"dataSet": {"id": "ShadowDaSe1"}, "dataElement": {"id": "ShadowElem1"}}]);
    let export = json!({"dataElements": [element], "dataSets": [set]});
    site.dhis2.merge_metadata(&export.to_string());

    site.edit(MONTHLY, |text| {
        text.replace("fTTHFe1SktZ", "ShadowDaSe1")
            .replace("epi-indicators.csv", "shadow.csv")
    });
    site.only(&["doses_administered"]);
    let sheet = site.folder.path().join("mappings/shadow.csv");
    std::fs::write(sheet, "indicator,uid\nDOSES_BCG_1,ShadowElem1\n").unwrap();
    run(&site, 3, &[]);
    let mut shadow = wanted();
    shadow.retain(|key, _| key[0] == "lO7ecd1fAsI");
    let shadow: BTreeMap<Key, String> = shadow
        .into_iter()
        .map(|([_, period, unit, combo], value)| {
            (["ShadowElem1".to_owned(), period, unit, combo], value)
        })
        .collect();
    assert!(!shadow.is_empty());
    let different = difference(&site.values(), &shadow);
    assert!(different.is_empty(), "{different:?}");
}
