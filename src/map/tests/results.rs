//! Results as a whole: periods, columns, wide ones, and what makes one unusable.

use super::{add, cells, columns, fault, mapped, mapping, periods};
use crate::domain::{Desired, Dimension, KeyMask};
use crate::map::{MapFault, Mapper, check_rows, check_rules};

#[test]
fn a_rows_period_must_be_one_that_its_query_was_asked_for() {
    let row = |period: &str| format!("{period} sum <1 f Castries 1");
    assert_eq!(mapped(&[&row("2025-02")]).cells.len(), 1);
    assert_eq!(
        fault(&[&row("202504")]),
        "rows.sql: a row is of period 202504, which was not asked for; bound the query by :'period_start' and :'period_end'"
    );
    assert!(fault(&[&row("2025")]).contains("period 2025, which was not asked for"));
    assert_eq!(fault(&[&row("-")]), "rows.sql: a row has no period");
    // A period that is none is free text and is not repeated.
    let text = fault(&[&row("Mary")]);
    assert!(
        text.contains("not spelled as DHIS2 does") && !text.contains("Mary"),
        "{text}"
    );
}

#[test]
fn a_period_without_rows_is_in_the_run() {
    let desired = mapped(&["202502 sum <1 f Castries 1"]);
    let told: Vec<(String, u64)> = desired
        .rows
        .periods
        .iter()
        .map(|(period, counts)| (period.to_string(), counts.rows))
        .collect();
    let told: Vec<(&str, u64)> = told
        .iter()
        .map(|(period, rows)| (period.as_str(), *rows))
        .collect();
    assert_eq!(told, [("202501", 0), ("202502", 1), ("202503", 0)]);
    assert_eq!(desired.periods, periods(&["202501", "202502", "202503"]));
}

/// Wide rows `m a b` of one query for each of two months.
fn wide(rows: [&[&str]; 2]) -> Result<Desired, MapFault> {
    let mapping = mapping(
        r#"
data-set = "DataSetAaa0"
queries = ["wide.sql"]
period = { type = "Monthly" }
absent = "leave"
[values]
a = { data-element = "ElementAaa0", combine = "sum" }
b = { data-element = "ElementAaa1", category-option-combo = "ComboAaaaa1", combine = "sum" }
[category-option-combo]
uid = "ComboAaaaa0"
[org-unit]
column = "m"
map = { Castries = "UnitAaaaaa0", Bexon = "UnitAaaaaa0" }
"#,
    );
    let periods = periods(&["202501", "202502"]);
    let mut mapper = Mapper::new(&mapping, periods.clone());
    for (period, rows) in periods.iter().zip(rows) {
        mapper.begin_rows(
            "wide.sql",
            &[*period],
            &columns("b int8, m text, a numeric"),
        )?;
        for row in rows {
            add(&mut mapper, row)?;
        }
    }
    mapper.finish(&KeyMask::new(Vec::new()))
}

#[test]
fn every_value_column_of_a_wide_row_is_a_row_of_its_own() {
    let desired = wide([
        &["2 Castries 1.0", "3 Bexon -", "4 Nowhere 4"],
        &["5 Castries 6"],
    ])
    .unwrap();
    assert_eq!(
        cells(&desired),
        [
            "202501 UnitAaaaaa0 ElementAaa0 ComboAaaaa0 = 1 (empty)",
            "202501 UnitAaaaaa0 ElementAaa1 ComboAaaaa1 = 5",
            "202502 UnitAaaaaa0 ElementAaa0 ComboAaaaa0 = 6",
            "202502 UnitAaaaaa0 ElementAaa1 ComboAaaaa1 = 5",
        ]
    );
    let counts = desired.rows.total();
    assert_eq!(
        (counts.rows, counts.unmapped, counts.empty, counts.mapped),
        (8, 2, 1, 5)
    );
    assert!(desired.rows.balances());
    // The data element of an unmapped value is known by its column.
    assert!(
        desired
            .unplaced
            .iter()
            .all(|unplaced| unplaced.place.data_element.is_some())
    );
}

#[test]
fn the_same_keys_twice_are_a_broken_query_in_a_wide_result_too() {
    let fault = wide([&["2 Castries 1"], &["1 Castries 1", "2 Castries 2"]]).unwrap_err();
    assert_eq!(
        fault,
        MapFault::RepeatedRow {
            period: "202502".parse().unwrap()
        }
    );
}

#[test]
fn results_must_have_the_declared_columns() {
    let mapping = mapping(super::MAPPING);
    let rows = |all: &str| {
        check_rows(&mapping, "rows.sql", &columns(all))
            .err()
            .map(|fault| fault.to_string())
    };
    let all = "p text, i text, age text, sex text, m text, v int4";
    assert_eq!(rows(all), None);
    let told = rows(&format!("{all}, full_name text")).unwrap();
    assert!(
        told.starts_with("rows.sql: column 7 (text) is not declared"),
        "{told}"
    );
    assert!(
        rows("p text, i text, age text, sex text, m text")
            .unwrap()
            .contains("no column `v`")
    );
}

#[test]
fn rules_must_have_the_columns_of_rules() {
    let mapping = mapping(super::MAPPING);
    let rules = |all: &str| {
        check_rules(&mapping, Dimension::OrgUnit, &columns(all))
            .err()
            .map(|fault| fault.to_string())
    };
    assert_eq!(rules("key text, uid text"), None);
    assert_eq!(
        rules(
            "uid text, m text, valid_from date, valid_to date, priority int2, exclude bool, rule text"
        ),
        None
    );
    for (all, words) in [
        ("uid text", "no column `m`"),
        ("key text", "no column `uid`"),
        (
            "key text, m text, uid text",
            "column 2 (text) is not declared",
        ),
        (
            "key text, uid text, note text",
            "column 3 (text) is not declared",
        ),
        (
            "key text, uid text, valid_from timestamptz",
            "column `valid_from` is timestamptz; it must be a date",
        ),
        ("key text, uid text, valid_to text", "`valid_to` is text"),
        (
            "key text, uid text, priority numeric",
            "it must be a whole number",
        ),
        ("key text, uid text, exclude int4", "it must be a boolean"),
        ("key text, uid text, uid text", "column `uid` twice"),
    ] {
        let told = rules(all).unwrap();
        assert!(
            told.starts_with("rules.sql: ") && told.contains(words),
            "{all}: {told}"
        );
    }
}

#[test]
fn a_column_that_holds_uids_is_taken_as_it_is() {
    let text = super::MAPPING
        .replace("rules = \"rules.sql\"", "")
        .replace("\"zero\"", "\"leave\"");
    let mapping = mapping(&text);
    let periods = periods(&["202501"]);
    let mut mapper = Mapper::new(&mapping, periods.clone());
    let all = columns("p text, i text, age text, sex text, m text, v int4");
    mapper.begin_rows("rows.sql", &periods, &all).unwrap();
    for row in [
        "202501 sum <1 f UnitAaaaaa7 1",
        "202501 sum <1 f Castries 1",
        "202501 sum <1 f - 1",
    ] {
        add(&mut mapper, row).unwrap();
    }
    let desired = mapper.finish(&KeyMask::new(Vec::new())).unwrap();
    assert_eq!(
        cells(&desired),
        ["202501 UnitAaaaaa7 ElementSum0 ComboAaaaa0 = 1"]
    );
    assert_eq!(desired.rows.total().unmapped, 2);
}
