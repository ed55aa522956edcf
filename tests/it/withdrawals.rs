//! What becomes of cells whose rows vanish: zeroed, deleted or left as their element says, in what is stored too,
//! never beyond the periods of the run, and never where a row without a place may belong.

use std::collections::BTreeMap;

use rig::dhis2::{Dialect, Row};
use serde_json::{Value, json};

use crate::st_lucia::{BOTH, Key, StLucia, T0, count};

const MONTHLY: &str = "mappings/epi-monthly.toml";
const TARGETS: &str = "mappings/epi-targets.toml";

const MMR_1: &str = "W3CxvdmOJxT";
const PENTA_1: &str = "m2KeVL0eS1B";
/// Men from 20 to 59 years, and girls below one.
const MEN: &str = "ypT2qaZyULl";
const GIRLS: &str = "NKJg49KgSdp";

/// The indicators of stock; true where 0 would be a statement that nobody made.
const STOCK: [(&str, bool); 8] = [
    ("STOCK_OPENING", true),
    ("STOCK_RECEIVED", false),
    ("STOCK_OPENED", false),
    ("STOCK_DISCARDED", false),
    ("STOCK_ISSUED_OUT", false),
    ("STOCK_ADJUSTED", false),
    ("STOCK_CLOSING", true),
    ("STOCKOUT_DAYS", true),
];

fn loaded(dialect: Dialect, queries: &[&str], periods: &[&str]) -> StLucia {
    let site = StLucia::at(dialect, T0);
    site.only(queries);
    site.run(T0, periods, &["-m", "epi-monthly"]);
    assert!(!site.values().is_empty());
    site
}

fn again(site: &StLucia, periods: &[&str]) -> Value {
    site.dhis2.forget_requests();
    site.run(T0, periods, &["-m", "epi-monthly"]).code(3).json()
}

/// The cell of an adult's catch-up dose, alone in it (answer sheet, P36).
fn catch_up(site: &StLucia, period: &str) -> Key {
    let unit = site.unit_of("DURANDEAU", "2025-03-01");
    let key = [MMR_1, period, &unit, MEN].map(str::to_owned);
    assert_eq!(site.values()[&key], "1");
    key
}

/// The value of ours has a comment and a mark.
fn comment_on(site: &StLucia, key: &Key) {
    let [element, period, unit, combo] = key.clone();
    site.dhis2.put(Row {
        value: Some(site.values()[key].clone()),
        element,
        period,
        unit,
        combo,
        comment: Some("seen".to_owned()),
        follow_up: true,
        stored_by: "loader".to_owned(),
        ..Row::default()
    });
}

#[track_caller]
fn is_stored(site: &StLucia, key: &Key, wanted: Value) {
    let row = site.row(key);
    let found = json!({
        "value": row["value"], "deleted": row["deleted"], "comment": row["comment"],
        "followup": row["followup"], "storedby": row["storedby"],
    });
    assert_eq!(found, wanted, "{row}");
}

fn column(file: &str, key: usize, value: usize) -> BTreeMap<String, String> {
    let path = crate::st_lucia::repository().join(file);
    let mut reader = csv::Reader::from_path(path).unwrap();
    let records = reader.records().map(Result::unwrap);
    records
        .map(|record| (record[key].to_owned(), record[value].to_owned()))
        .collect()
}

#[test]
fn a_vaccine_out_of_the_ledger_leaves_no_balances_and_zero_movements() {
    let elements = column("mappings/epi-indicators.csv", 1, 0);
    let yellow_fever = &column("mappings/epi-disaggregations.csv", 0, 1)["VAC_YF"];
    for dialect in BOTH {
        let site = loaded(dialect, &["stock"], &["202503"]);
        let before = site.values();
        site.database.execute(
            "SET session_replication_role = replica;
             DELETE FROM imm.stock_transaction WHERE vaccine_code = 'YF'",
        );
        let mut wanted = before.clone();
        let mut counts = BTreeMap::from([("zeroed", 0), ("deleted", 0)]);
        for (key, value) in before.iter().filter(|(key, _)| key[3] == *yellow_fever) {
            let indicator = elements[&key[0]].as_str();
            let (_, is_deleted) = STOCK.iter().find(|(name, _)| *name == indicator).unwrap();
            if *is_deleted {
                wanted.remove(key);
                *counts.get_mut("deleted").unwrap() += 1;
            } else {
                wanted.insert(key.clone(), "0".to_owned());
                *counts.get_mut("zeroed").unwrap() += u64::from(value != "0");
            }
        }
        assert!(counts.values().all(|count| *count > 0), "{counts:?}");
        let report = site
            .run(T0, &["202503"], &["-m", "epi-monthly"])
            .code(0)
            .json();
        assert_eq!(site.values(), wanted, "{dialect:?}");
        for (outcome, cells) in counts {
            assert_eq!(count(&report, &format!("/cells/{outcome}")), cells);
        }
    }
}

#[test]
fn zeroed_and_deleted_rows_keep_their_comments_and_marks() {
    for (dialect, significant) in BOTH.into_iter().flat_map(|d| [(d, true), (d, false)]) {
        let site = loaded(dialect, &["doses_administered"], &["202503"]);
        site.dhis2.merge_metadata(
            &json!({"dataElements": [{"id": MMR_1, "zeroIsSignificant": significant}]}).to_string(),
        );
        let key = catch_up(&site, "202503");
        comment_on(&site, &key);
        site.take_out("P36");
        again(&site, &["202503"]);
        // DHIS2 2.42 writes a zero that is not significant into a row and deletes it.
        let deleted = dialect == Dialect::V2_42 && !significant;
        let wanted = json!({
            "value": "0", "deleted": deleted, "comment": "seen", "followup": true, "storedby": "loader",
        });
        is_stored(&site, &key, wanted);
        again(&site, &["202503"]);
        assert_eq!(site.posts(), 0, "{dialect:?} {significant}");
    }
}

#[test]
fn a_deleted_row_keeps_its_comment_and_comes_back_with_it() {
    for dialect in BOTH {
        let site = loaded(dialect, &["doses_administered"], &["202503"]);
        site.replace(MONTHLY, "absent = \"zero\"", "absent = \"delete\"");
        let key = catch_up(&site, "202503");
        comment_on(&site, &key);
        let dose = "WHERE event_id IN (SELECT row_id FROM qa.planted_case WHERE case_code = 'P36')";
        let update = |what: &str| {
            let update = format!("UPDATE imm.immunization_event SET deleted_at = {what} {dose}");
            site.database.execute(&update);
        };
        update("now()");
        let report = again(&site, &["202503"]);
        assert_eq!(count(&report, "/cells/zeroed"), 0);
        let row = site.row(&key);
        assert_eq!(
            (&row["deleted"], &row["comment"]),
            (&true.into(), &"seen".into()),
            "{row}"
        );
        update("NULL");
        again(&site, &["202503"]);
        let wanted = json!({
            "value": "1", "deleted": false, "comment": "seen", "followup": true, "storedby": "loader",
        });
        is_stored(&site, &key, wanted);
    }
}

#[test]
fn p36_three_doses_alone_in_their_cells_become_three_zeros() {
    let months = ["202503", "202506", "202511"];
    for dialect in BOTH {
        let site = loaded(dialect, &["doses_administered"], &months);
        let cells = months.map(|month| catch_up(&site, month));
        let before = site.values();
        site.take_out("P36");
        let report = again(&site, &months);
        let mut wanted = before;
        for key in cells {
            wanted.insert(key, "0".to_owned());
        }
        let mmr = |values: BTreeMap<Key, String>| -> BTreeMap<Key, String> {
            let of_element = values.into_iter().filter(|(key, _)| key[0] == MMR_1);
            of_element.collect()
        };
        assert_eq!(mmr(site.values()), mmr(wanted));
        let changes = report["mappings"][0]["changes"].as_array().unwrap();
        let zeroed = changes.iter().filter(|change| {
            change["dataElement"] == MMR_1 && change["outcome"] == "zeroed" && change["old"] == "1"
        });
        assert_eq!(zeroed.count(), 3);
    }
}

#[test]
fn a_row_without_a_place_protects_the_cells_it_may_belong_to_and_no_others() {
    let site = loaded(BOTH[1], &["doses_administered"], &["202503"]);
    let before = site.values();
    // All first doses of Penta disappear but those of towns that nobody knows, who were girls below one year.
    site.database.execute(
        "SET session_replication_role = replica;
         DELETE FROM imm.immunization_event
         WHERE vaccine_code = 'PENTA' AND dose_no = 1
           AND administered_on >= '2025-03-01' AND administered_on < '2025-04-01'
           AND event_id NOT IN (SELECT row_id FROM qa.planted_case
                                WHERE case_code IN ('P12', 'P13') AND table_name = 'imm.immunization_event')",
    );
    let report = again(&site, &["202503"]);
    let after = site.values();
    let mut protected = 0;
    let mut zeroed = 0;
    for (key, value) in before.iter().filter(|(key, _)| key[0] == PENTA_1) {
        if key[3] == GIRLS {
            assert_eq!(after.get(key), Some(value), "{key:?}");
            protected += 1;
        } else {
            assert_eq!(after[key], "0", "{key:?}");
            zeroed += 1;
        }
    }
    assert!(protected > 0 && zeroed > 0);
    let left = report["mappings"][0]["left"].as_array().unwrap();
    let unplaced = left.iter().find(|left| left["reason"] == "unplaced");
    // Counts of the whole schedule that came from these doses alone are left too, for the towns may have had them.
    assert!(unplaced.expect("cells are left")["cells"].as_u64() >= Some(protected));
}

/// The denominators of some years are in DHIS2, then one unit loses its own.
fn without_estimates(dialect: Dialect, years: &[&str], absent: &str) -> (StLucia, String) {
    let site = StLucia::at(dialect, T0);
    site.run(T0, years, &["-m", "epi-targets"]);
    let unit = site.unit_of("BEXON", "2022-01-01");
    assert_eq!(years_of(&site, &unit), years);
    site.replace(
        TARGETS,
        "absent = \"leave\"",
        &format!("absent = \"{absent}\""),
    );
    site.database.execute(&format!(
        "SET session_replication_role = replica;
         DELETE FROM ref.target_population WHERE municipality_id IN (
             SELECT m.municipality_id FROM ref.municipality m
             JOIN interop.data_mapping_rules r
               ON r.source_key = btrim(upper(regexp_replace(m.name, '[^A-Za-z0-9]+', ' ', 'g')))
             WHERE r.version_no = 3 AND r.orgunit_uid = '{unit}')"
    ));
    site.dhis2.forget_requests();
    (site, unit)
}

fn years_of(site: &StLucia, unit: &str) -> Vec<String> {
    let keys = site.values().into_keys().filter(|key| key[2] == unit);
    let mut years: Vec<String> = keys.map(|[_, year, _, _]| year).collect();
    years.sort();
    years.dedup();
    years
}

#[test]
fn under_leave_a_vanished_estimate_stays_and_nothing_is_sent() {
    for dialect in BOTH {
        let years = ["2022", "2024"];
        let (site, unit) = without_estimates(dialect, &years, "leave");
        let before = site.dhis2.stored();
        let run = site.run(T0, &years, &["-m", "epi-targets"]).code(0);
        let left = &run.json()["mappings"][0]["left"];
        // Four denominators in two years.
        assert_eq!(*left, json!([{"reason": "absent", "cells": 8}]));
        assert_eq!(site.posts(), 0);
        assert_eq!(site.dhis2.stored(), before);
        assert_eq!(years_of(&site, &unit), years);
    }
}

#[test]
fn nothing_is_withdrawn_outside_the_periods_of_the_run_or_before_the_start() {
    let (site, unit) = without_estimates(BOTH[1], &["2021", "2022", "2024"], "delete");
    let run = |periods: &[&str]| site.run(T0, periods, &["-m", "epi-targets"]).code(0);
    run(&["2022"]);
    assert_eq!(years_of(&site, &unit), ["2021", "2024"]);

    // Where no --period is given, the look-back is the bound: at this moment 2026 has just begun in St. Lucia.
    site.replace(TARGETS, "look-back = 2", "look-back = 1");
    run(&[]);
    assert_eq!(years_of(&site, &unit), ["2021", "2024"]);
    site.replace(TARGETS, "look-back = 1", "look-back = 2");
    run(&[]);
    assert_eq!(years_of(&site, &unit), ["2021"]);

    site.replace(TARGETS, "start = \"2021\"", "start = \"2022\"");
    run(&["2021", "2022"]);
    assert_eq!(years_of(&site, &unit), ["2021"]);
    site.replace(TARGETS, "start = \"2022\"", "start = \"2021\"");
    run(&["2021", "2022"]);
    assert_eq!(years_of(&site, &unit), Vec::<String>::new());
}

#[test]
fn p28_an_estimate_without_a_rule_keeps_all_of_its_year_from_being_withdrawn() {
    let (site, unit) = without_estimates(BOTH[0], &["2022", "2023"], "delete");
    let run = site.run(T0, &["2022", "2023"], &["-m", "epi-targets"]);
    let report = run.code(3).json();
    assert_eq!(years_of(&site, &unit), ["2023"]);
    let left = &report["mappings"][0]["left"];
    assert_eq!(*left, json!([{"reason": "unplaced", "cells": 4}]));
    let key = &report["mappings"][0]["keys"][0];
    assert_eq!(
        (&key["key"], &key["period"], &key["rows"]),
        (&"DESPINOZE".into(), &"2023".into(), &4.into())
    );
}
