//! Rows that meet in a cell.

use super::{RULES, cells, fault, mapped, mapped_as};

/// Bexon and Castries report to one unit.
fn meeting(element: &str, castries: &str, bexon: &str) -> String {
    let rows = [
        format!("202501 {element} <1 f Castries {castries}"),
        format!("202501 {element} <1 f Bexon {bexon}"),
    ];
    let turned = cells(&mapped(&[&rows[1], &rows[0]]));
    let told = cells(&mapped(&[&rows[0], &rows[1]]));
    assert_eq!(told, turned, "the order of rows matters");
    match told.as_slice() {
        [] => "nothing".to_owned(),
        [cell] => cell.split(" = ").nth(1).unwrap().to_owned(),
        more => panic!("{more:?}"),
    }
}

#[test]
fn rows_are_added_or_the_larger_or_smaller_counts_exactly() {
    assert_eq!(meeting("sum", "2", "3"), "5");
    assert_eq!(meeting("sum", "0.1", "0.2"), "0.3");
    assert_eq!(meeting("sum", "1.50", "1.50"), "3");
    assert_eq!(meeting("sum", "-3", "3"), "0");
    assert_eq!(
        meeting("sum", "9007199254740993", "1e-10"),
        "9007199254740993.0000000001"
    );
    assert_eq!(meeting("max", "9", "10"), "10");
    assert_eq!(meeting("max", "-9", "-10"), "-9");
    assert_eq!(meeting("max", "0.10", "0.1"), "0.1");
    assert_eq!(meeting("min", "9", "10"), "9");
    assert_eq!(
        meeting("min", "9007199254740993", "9007199254740992"),
        "9007199254740992"
    );
}

#[test]
fn a_part_is_not_the_sum() {
    assert_eq!(meeting("sum", "2", "-"), "2 (empty)");
    assert_eq!(meeting("sum", "2", "NaN"), "2 (invalid)");
    assert_eq!(meeting("max", "2", "-"), "2 (empty)");
    assert_eq!(meeting("sum", "-", "NaN"), "nothing");
}

#[test]
fn a_cell_with_an_empty_row_waits_for_it_whatever_else_is_wrong() {
    let rules = [&RULES[..], &["Anse UnitAaaaaa0 - - - - -"]].concat();
    let of = |unit: &str, value: &str| format!("202501 sum <1 f {unit} {value}");
    let mut rows = [of("Castries", "2"), of("Bexon", "-"), of("Anse", "NaN")];
    for _ in 0..2 {
        let rows_in_order: Vec<&str> = rows.iter().map(String::as_str).collect();
        let told = cells(&mapped_as("numeric", &rules, &rows_in_order).unwrap());
        assert_eq!(
            told,
            ["202501 UnitAaaaaa0 ElementSum0 ComboAaaaa0 = 2 (empty)"]
        );
        rows.reverse();
    }
}

#[test]
fn a_sum_that_does_not_fit_is_no_value() {
    let most = i128::MAX.to_string();
    assert_eq!(meeting("max", &most, "1"), most);
    assert!(meeting("sum", &most, "1").ends_with(" (invalid)"));
    let desired = mapped(&[
        &format!("202501 sum <1 f Castries {most}"),
        "202501 sum <1 f Bexon 1",
        "202501 max <1 f Bexon 1",
    ]);
    // Nothing can be said of this data element's sums, and that is no fault of the program.
    assert!(desired.rows.balances());
    assert!(desired.rows.sums.values().all(|sums| sums.overflowed));
}

#[test]
fn a_row_alone_keeps_its_text_and_rows_that_meet_become_a_number() {
    let told = |rows: &[&str]| cells(&mapped_as("text", &RULES, rows).unwrap());
    let one = told(&["202501 sum <1 f Castries 05.0"]);
    assert_eq!(one, ["202501 UnitAaaaaa0 ElementSum0 ComboAaaaa0 = 05.0"]);
    let two = told(&[
        "202501 sum <1 f Castries 05.0",
        "202501 sum <1 f Bexon 1.50",
    ]);
    assert_eq!(two, ["202501 UnitAaaaaa0 ElementSum0 ComboAaaaa0 = 6.5"]);
}

#[test]
fn rows_of_different_keys_that_meet_are_refused_where_nothing_is_said_of_combining() {
    let rows = |castries: &str, bexon: &str| {
        let rows = [
            format!("202501 one <1 f Castries {castries}"),
            format!("202501 one <1 f Bexon {bexon}"),
        ];
        fault(&[&rows[0], &rows[1]])
    };
    let words =
        "rows of different keys meet in the cell ElementOne0 202501 UnitAaaaaa0 ComboAaaaa0";
    // Whatever their values are: which rows meet must not hang on the day.
    for (castries, bexon) in [
        ("1", "2"),
        ("1", "1"),
        ("1", "-"),
        ("NaN", "1"),
        ("-", "-"),
        ("-", "NaN"),
    ] {
        assert!(
            rows(castries, bexon).starts_with(words),
            "{castries} {bexon}"
        );
    }
    let apart = [
        "202501 one <1 f Castries 1",
        "202501 one <1 m Bexon 2",
        "202502 one <1 f Bexon 3",
        "202501 one <1 f Choiseul -",
    ];
    assert_eq!(mapped(&apart).cells.len(), 3);
}

#[test]
fn two_rows_with_the_same_keys_are_a_broken_query() {
    let words = "two rows of 202502 have the same keys";
    let row = "202502 sum <1 f Castries";
    assert!(fault(&[&format!("{row} 1"), &format!("{row} 1")]).starts_with(words));
    assert!(
        fault(&[
            &format!("{row} 1"),
            "202501 sum <1 f Castries 1",
            &format!("{row} 2")
        ])
        .starts_with(words)
    );
    // Also where they reach no cell, or have no value.
    for row in [
        "202502 sum <1 f Nowhere 1",
        "202502 - - - Cruise 1",
        "202502 one <1 f Castries -",
    ] {
        assert!(fault(&[row, row]).starts_with(words), "{row}");
    }
    // NULL and the empty text are two keys, and so are a-bc and ab-c.
    mapped(&["202501 sum   Castries 1", "202501 sum - - Castries 1"]);
    mapped(&["202501 sum a bc Castries 1", "202501 sum ab c Castries 1"]);
}
