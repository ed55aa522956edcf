//! Whatever the rows are: they balance, their order means nothing, and a document brings back what went in.

use proptest::prelude::{Just, Strategy, prop};
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::{cells, mapped_as};
use crate::domain::Desired;
use crate::map::{Document, MapFault, read};

/// Different keys; some of them unknown, NULL, excluded or out of their time.
fn key() -> impl Strategy<Value = String> {
    let one_of = |words: &[&'static str]| prop::sample::select(words.to_vec());
    (
        one_of(&["202501", "202502", "202503"]),
        one_of(&["sum", "max", "min", "one", "nobody", "-"]),
        one_of(&["<1 f", "<1 m", "x y", "- -"]),
        one_of(&[
            "Castries",
            "Bexon",
            "Soufriere",
            "Cruise",
            "Choiseul",
            "Nowhere",
            "-",
        ]),
    )
        .prop_map(|(period, element, combo, unit)| format!("{period} {element} {combo} {unit}"))
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        1 => Just("-".to_owned()),
        1 => Just("NaN".to_owned()),
        6 => (-3..30_i64).prop_map(|number| number.to_string()),
        2 => (-300..300_i64).prop_map(|number| format!("{}.{:02}", number / 100, number.abs() % 100)),
        // As large as can be held, so that sums overflow in one order and not in another.
        1 => Just(i128::MAX.to_string()),
        1 => Just(format!("-{}", i128::MAX)),
    ]
}

/// Rows in two orders.
fn rows() -> impl Strategy<Value = (Vec<String>, Vec<String>)> {
    prop::collection::btree_map(key(), value(), 0..30).prop_flat_map(|rows| {
        let rows: Vec<String> = rows
            .iter()
            .map(|(key, value)| format!("{key} {value}"))
            .collect();
        (Just(rows.clone()), Just(rows).prop_shuffle())
    })
}

fn rules() -> impl Strategy<Value = Vec<&'static str>> {
    let more = [
        "Castries UnitAaaaaa2 2025-02-01 - 1 - -",
        "Soufriere UnitAaaaaa0 2025-02-01 - - - -",
        "Bexon - 2025-03-01 - 50 true -",
        "Choiseul nonsense - 2025-01-31 200 - -",
    ];
    prop::sample::subsequence(more.to_vec(), 0..4).prop_map(|more| {
        let all = super::RULES.iter().copied().chain(more);
        all.collect()
    })
}

fn told(mapped: &Result<Desired, MapFault>) -> String {
    match mapped {
        Ok(desired) => format!(
            "{:?}\n{:?}\n{:?}\n{:?}",
            cells(desired),
            desired.incomplete.values().collect::<Vec<_>>(),
            desired.unplaced,
            desired.rows
        ),
        Err(fault) => fault.to_string(),
    }
}

fn map(rules: &[&str], rows: &[String]) -> Result<Desired, MapFault> {
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    mapped_as("numeric", rules, &rows)
}

proptest! {
    #[test]
    fn the_order_of_rules_and_rows_means_nothing(
        rules in rules(), (rows, shuffled) in rows(),
    ) {
        let turned: Vec<&str> = rules.iter().rev().copied().collect();
        prop_assert_eq!(told(&map(&rules, &rows)), told(&map(&turned, &shuffled)));
    }

    #[test]
    fn every_row_is_accounted_for(rules in rules(), (rows, _) in rows()) {
        if let Ok(desired) = map(&rules, &rows) {
            prop_assert!(desired.rows.balances());
            let counts = desired.rows.total();
            prop_assert_eq!(counts.rows, rows.len() as u64);
            let unplaced: u64 = desired.unplaced.iter().map(|unplaced| unplaced.rows).sum();
            prop_assert_eq!(unplaced, counts.unmapped + counts.empty + counts.invalid);
            let keys: u64 = desired.rows.keys.iter().map(|key| key.rows).sum();
            prop_assert_eq!(keys, counts.excluded + counts.unmapped);
        }
    }

    #[test]
    fn a_document_brings_back_what_went_in(rules in rules(), (rows, _) in rows()) {
        if let Ok(mut desired) = map(&rules, &rows) {
            let document = Document { desired: &desired, created: "2026-01-01T00:00:00Z".to_owned() };
            let json = serde_json::to_vec(&document).unwrap();
            let back = read(&json);
            prop_assert!(back.is_ok(), "{:?}", back.err());
            // Keys travel masked.
            for group in &mut desired.rows.keys {
                group.key.plain = group.key.masked.clone();
            }
            prop_assert_eq!(told(&Ok(desired)), told(&Ok(back.unwrap().0)));
        }
    }
}
