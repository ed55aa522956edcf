//! What becomes of values that people changed, by policy, and of values that the server refuses.

use rig::dhis2::{Dialect, Row};
use serde_json::Value;

use crate::st_lucia::{BOTH, Key, StLucia, T0, count};

/// A cell of the first load: March 2025, BCG of girls under one year.
const ELEMENT: &str = "lO7ecd1fAsI";
const GIRLS: &str = "NKJg49KgSdp";

fn some_cell(site: &StLucia) -> (Key, String) {
    let cell = site.values().into_iter().find(|(key, value)| {
        key[0] == ELEMENT && key[1] == "202503" && key[3] == GIRLS && value != "0"
    });
    cell.expect("the first load has such a cell")
}

/// Somebody types another value, a comment and a mark over a cell.
fn typed_over(site: &StLucia, key: &Key, value: &str) {
    site.dhis2.put(Row {
        element: key[0].clone(),
        period: key[1].clone(),
        unit: key[2].clone(),
        combo: key[3].clone(),
        value: Some(value.to_owned()),
        comment: Some("as counted on paper".to_owned()),
        follow_up: true,
        stored_by: "admin".to_owned(),
        ..Row::default()
    });
}

fn stored<'s>(rows: &'s [Value], key: &Key) -> &'s Value {
    let same = |row: &&Value| {
        row["de"] == key[0].as_str()
            && row["ou"] == key[2].as_str()
            && row["coc"] == key[3].as_str()
    };
    rows.iter().find(same).expect("the row is there")
}

fn loaded(dialect: Dialect) -> StLucia {
    let site = StLucia::at(dialect, T0);
    site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
    site.dhis2.forget_requests();
    site
}

#[test]
fn a_foreign_value_is_kept_or_held_as_the_mapping_says_and_the_others_are_sent() {
    for dialect in BOTH {
        let site = loaded(dialect);
        let (key, _) = some_cell(&site);
        typed_over(&site, &key, "4711");
        // A change of our own beside it, which is sent in either case.
        site.database
            .execute("UPDATE imm.immunization_event SET deleted_at = now() WHERE event_id IN (SELECT row_id FROM qa.planted_case WHERE case_code = 'P36')");
        for (policy, code, posts) in [("hold", 4, 1), ("keep", 3, 0)] {
            let word = format!("foreign = \"{policy}\"");
            site.edit("mappings/epi-monthly.toml", |text| {
                let line = text
                    .lines()
                    .find(|line| line.starts_with("foreign"))
                    .unwrap();
                text.replace(line, &word)
            });
            site.dhis2.forget_requests();
            let run = site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(code);
            assert_eq!(site.posts(), posts, "{policy}");
            let rows = site.dhis2.stored();
            assert_eq!(stored(&rows, &key)["value"], "4711");
            let report = run.json();
            let held = count(&report, "/cells/held");
            assert_eq!(held, u64::from(policy == "hold"));
            assert_eq!(count(&report, "/cells/zeroed"), posts as u64);
            if policy == "keep" {
                assert_eq!(report["mappings"][0]["left"][0]["reason"], "foreign-kept");
            }
        }
    }
}

#[test]
fn a_unit_that_the_server_refuses_costs_only_its_own_values() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let (unit, export) = without_one_unit();
        site.dhis2.merge_metadata_at_first_post(&export);
        let report = site
            .run(T0, &["202503"], &["-m", "epi-monthly"])
            .code(3)
            .json();
        let wanted: usize = crate::st_lucia::expected("t0_values.csv")
            .iter()
            .filter(|row| row["period"] == "202503" && row["orgUnit"] != unit)
            .count();
        assert_eq!(site.values().len(), wanted, "{dialect:?}");
        assert!(site.values().keys().all(|key| key[2] != unit));
        let rejected = count(&report, "/cells/rejected");
        assert_eq!(rejected as usize + wanted, 5_678);
        let changes = report["mappings"][0]["changes"].as_array().unwrap();
        let code = match dialect {
            Dialect::V2_42 => "E7636",
            Dialect::V2_43 => "E8022",
        };
        for change in changes
            .iter()
            .filter(|change| change["outcome"] == "rejected")
        {
            assert_eq!(
                (&change["orgUnit"], &change["code"]),
                (&unit.as_str().into(), &code.into())
            );
        }
        assert!(site.posts() <= 6 + 64);
    }
}

/// An export in which the monthly data set lacks one of its units.
fn without_one_unit() -> (String, String) {
    let metadata = std::fs::read_to_string(rig::st_lucia::metadata()).unwrap();
    let metadata: Value = serde_json::from_str(&metadata).unwrap();
    let data_sets = metadata["dataSets"].as_array().unwrap();
    let data_set = data_sets
        .iter()
        .find(|set| set["id"] == "fTTHFe1SktZ")
        .unwrap();
    let mut units = data_set["organisationUnits"].as_array().unwrap().clone();
    let place = units
        .iter()
        .position(|unit| unit["id"] == "VsF9dWr6arv")
        .unwrap();
    let unit = units.remove(place)["id"].as_str().unwrap().to_owned();
    let export =
        serde_json::json!({"dataSets": [{"id": "fTTHFe1SktZ", "organisationUnits": units}]});
    (unit, export.to_string())
}
