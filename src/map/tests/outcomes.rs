//! What becomes of a single row: the outcomes in the order in which they are tried, and the value it passes on.

use super::{RULES, cells, mapped, mapped_as};
use crate::domain::{Desired, RowCounts};

/// How many rows were excluded, unmapped, empty, invalid, mapped.
fn counts(desired: &Desired) -> [u64; 5] {
    let RowCounts {
        rows,
        excluded,
        unmapped,
        empty,
        invalid,
        mapped,
    } = desired.rows.total();
    assert_eq!(rows, excluded + unmapped + empty + invalid + mapped);
    [excluded, unmapped, empty, invalid, mapped]
}

const EXCLUDED: [u64; 5] = [1, 0, 0, 0, 0];
const UNMAPPED: [u64; 5] = [0, 1, 0, 0, 0];
const EMPTY: [u64; 5] = [0, 0, 1, 0, 0];
const INVALID: [u64; 5] = [0, 0, 0, 1, 0];
const MAPPED: [u64; 5] = [0, 0, 0, 0, 1];

#[test]
fn a_row_ends_in_the_first_outcome_that_fits() {
    let ends = |row: &str| counts(&mapped(&[row]));
    assert_eq!(ends("202501 sum <1 f Castries 3"), MAPPED);
    // Excluded comes before everything, also where nothing else is known of the row.
    assert_eq!(ends("202501 sum <1 f Cruise 3"), EXCLUDED);
    assert_eq!(ends("202501 - - - Cruise -"), EXCLUDED);
    assert_eq!(ends("202501 nobody <1 f Cruise NaN"), EXCLUDED);
    // Unmapped before empty and invalid.
    assert_eq!(ends("202501 nobody <1 f Castries -"), UNMAPPED);
    assert_eq!(ends("202501 sum <1 f Gros~Islet NaN"), UNMAPPED);
    assert_eq!(ends("202501 sum <1 x Castries 3"), UNMAPPED);
    assert_eq!(ends("202503 sum <1 f Soufriere 3"), UNMAPPED);
    // NULL is no key, not even of the empty one.
    assert_eq!(ends("202501 sum - - Castries 3"), UNMAPPED);
    assert_eq!(ends("202501 sum <1 f - 3"), UNMAPPED);
    assert_eq!(ends("202501 sum <1 f Castries -"), EMPTY);
    assert_eq!(ends("202501 sum <1 f Castries NaN"), INVALID);
    assert_eq!(ends("202501 one <1 f Castries Infinity"), INVALID);
    // A rule that excludes nothing is like another.
    assert_eq!(ends("202501 sum <1 f Choiseul 3"), MAPPED);
}

#[test]
fn keys_match_byte_for_byte() {
    let ends = |row: &str| counts(&mapped(&[row]));
    for row in [
        "202501 Sum <1 f Castries 3",
        "202501 sum~ <1 f Castries 3",
        "202501 sum <1 f castries 3",
        "202501 sum <1 F Castries 3",
        "202501 sum <1f  Castries 3",
    ] {
        assert_eq!(ends(row), UNMAPPED, "{row}");
    }
    // Two empty texts are a key, where the map has it.
    let empty = cells(&mapped(&["202501 sum   Castries 3"]));
    assert_eq!(empty, ["202501 UnitAaaaaa0 ElementSum0 ComboAaaaa2 = 3"]);
}

#[test]
fn the_first_dimension_without_an_answer_is_named_with_its_key() {
    let named = |row: &str| {
        let desired = mapped(&[row]);
        let group = &desired.rows.keys[0];
        format!("{} {}", group.dimension, group.key.plain)
    };
    assert_eq!(named("202501 nobody x y z 1"), "data element nobody");
    assert_eq!(named("202501 sum x y z 1"), "category option combo x, y");
    assert_eq!(named("202501 sum x - z 1"), "category option combo x, NULL");
    assert_eq!(named("202501 sum <1 f z 1"), "organisation unit z");
    assert_eq!(
        named("202501 nobody <1 f Cruise 1"),
        "organisation unit Cruise"
    );
    // What nobody may see is told apart all the same.
    let desired = mapped(&[
        "202501 sum <1 f BEXON 1",
        "202502 sum <1 f BEXON 1",
        "202502 max <1 f BEXON 1",
    ]);
    let told: Vec<_> = desired
        .rows
        .keys
        .iter()
        .map(|group| {
            (
                group.key.masked.as_str(),
                group.period.to_string(),
                group.rows,
            )
        })
        .collect();
    // printf 'BEXON\0' | openssl dgst -sha256 -hmac secret
    let masked = "key #ea64f53d, 5 characters";
    assert_eq!(
        told,
        [
            (masked, "202501".to_owned(), 1),
            (masked, "202502".to_owned(), 2)
        ]
    );
}

#[test]
fn zero_is_a_value_and_null_is_not() {
    let desired = mapped(&["202501 sum <1 f Castries 0", "202501 sum <1 m Castries -"]);
    assert_eq!(
        cells(&desired),
        ["202501 UnitAaaaaa0 ElementSum0 ComboAaaaa0 = 0"]
    );
    assert_eq!(counts(&desired), [0, 0, 1, 0, 1]);
    assert_eq!(desired.unplaced.len(), 1);
    assert_eq!(desired.incomplete.len(), 1);
}

/// The value that a row of a data element passes on, or None where the row is invalid.
fn passed_on(value_type: &str, element: &str, value: &str) -> Option<String> {
    let row = format!("202501 {element} <1 f Castries {value}");
    let desired = mapped_as(value_type, &RULES, &[&row]).unwrap();
    match counts(&desired) {
        MAPPED => Some(desired.cells[0].value.to_string()),
        INVALID => None,
        other => panic!("{row}: {other:?}"),
    }
}

#[test]
fn a_number_is_made_canonical_and_a_text_passes_byte_for_byte() {
    for (given, canonical) in [
        ("5.0000", "5"),
        (".5", "0.5"),
        ("-0", "0"),
        ("-0.50", "-0.5"),
        ("1e+3", "1000"),
        ("1.5e-7", "0.00000015"),
        ("007", "7"),
    ] {
        for element in ["sum", "one"] {
            assert_eq!(
                passed_on("numeric", element, given).as_deref(),
                Some(canonical),
                "{given}"
            );
            assert_eq!(
                passed_on("float8", element, given).as_deref(),
                Some(canonical),
                "{given}"
            );
            assert_eq!(
                passed_on("text", element, given).as_deref(),
                Some(given),
                "{given}"
            );
        }
    }
    assert_eq!(
        passed_on("text", "one", "~yes,~a~bit~").as_deref(),
        Some(" yes, a bit ")
    );
}

#[test]
fn what_dhis2_could_not_hold_or_cannot_be_added_up_is_invalid() {
    for value in ["NaN", "Infinity", "-Infinity"] {
        assert_eq!(passed_on("numeric", "one", value), None);
        assert_eq!(passed_on("numeric", "sum", value), None);
        assert_eq!(passed_on("text", "sum", value), None);
        // To a data element of text it is a word.
        assert_eq!(passed_on("text", "one", value).as_deref(), Some(value));
    }
    for value in ["many", "1,000", "~5", "", "~~"] {
        assert_eq!(passed_on("text", "max", value), None, "{value:?}");
    }
    for blank in ["", "~", "~~~"] {
        assert_eq!(passed_on("text", "one", blank), None, "{blank:?}");
    }
    let longest = "x".repeat(50_000);
    assert_eq!(passed_on("text", "one", &longest), Some(longest.clone()));
    assert_eq!(passed_on("text", "one", &format!("{longest}x")), None);
    // Too many digits to add up exactly, though DHIS2 could hold them.
    let digits = "9".repeat(60);
    assert_eq!(passed_on("numeric", "one", &digits), Some(digits.clone()));
    assert_eq!(passed_on("numeric", "sum", &digits), None);
    assert_eq!(passed_on("numeric", "one", "1e50001"), None);
}

#[test]
fn a_rows_place_is_kept_where_it_reached_no_cell() {
    let desired = mapped(&[
        "202501 nobody <1 f Castries 1",
        "202501 other <1 f Castries 1",
        "202501 sum <1 f Nowhere 1",
        "202501 sum <1 f Castries -",
        "202501 sum <1 m Castries NaN",
        "202501 sum <1 f Cruise 1",
    ]);
    let told: Vec<String> = desired
        .unplaced
        .iter()
        .map(|unplaced| {
            let place = &unplaced.place;
            let known = [
                place.data_element,
                place.category_option_combo,
                place.attribute_option_combo,
                place.org_unit,
            ];
            let known = known.map(|uid| uid.map_or("?".to_owned(), |uid| uid.to_string()));
            format!("{} {} x {}", place.period, known.join(" "), unplaced.rows)
        })
        .collect();
    // The excluded row is not among them: somebody said that it is not to be counted.
    assert_eq!(
        told,
        [
            "202501 ? ComboAaaaa0 HllvX50cXC0 UnitAaaaaa0 x 2",
            "202501 ElementSum0 ComboAaaaa0 HllvX50cXC0 ? x 1",
            "202501 ElementSum0 ComboAaaaa0 HllvX50cXC0 UnitAaaaaa0 x 1",
            "202501 ElementSum0 ComboAaaaa1 HllvX50cXC0 UnitAaaaaa0 x 1",
        ]
    );
}
