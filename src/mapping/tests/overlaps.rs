//! Mappings that would both write one cell, as far as their files show it.

use super::{accepted, edited};
use crate::mapping::{Mapping, overlap};

const UNITS: &str = "rules = \"rules.sql\"";

/// A mapping of one data element with these lines for its units.
fn mapping(period: &str, element: &str, units: &str) -> Mapping {
    let text = edited(
        "map = { BCG = \"ElementAaa0\", \"OPV 1\" = \"ElementAaa1\" }",
        &format!("uid = \"{element}\""),
    );
    let text = text.replace("Monthly", period).replace(UNITS, units);
    accepted(&text.replace("\"zero\"", "\"leave\""), &[])
}

#[track_caller]
fn meet(one: Mapping, other: Mapping, expected: bool) {
    assert_eq!(overlap(&[one, other]).is_some(), expected);
}

#[test]
fn two_mappings_of_one_data_element_and_unit_meet() {
    let of = |element: &str, units: &str| mapping("Monthly", element, units);
    meet(of("ElementAaa0", UNITS), of("ElementAaa0", UNITS), true);
    meet(of("ElementAaa0", UNITS), of("ElementAaa1", UNITS), false);
    meet(
        of("ElementAaa0", UNITS),
        mapping("Yearly", "ElementAaa0", UNITS),
        false,
    );
    let listed = "map = { a = \"UnitAaaaaa0\", b = \"UnitAaaaaa1\" }";
    let constant = "uid = \"UnitAaaaaa1\"";
    meet(of("ElementAaa0", listed), of("ElementAaa0", constant), true);
    meet(
        of("ElementAaa0", "uid = \"UnitAaaaaa2\""),
        of("ElementAaa0", listed),
        false,
    );
    let below = |unit: &str| format!("{UNITS}\nscope-org-units = [\"{unit}\"]");
    meet(
        of("ElementAaa0", UNITS),
        of("ElementAaa0", &below("UnitAaaaaa0")),
        true,
    );
    meet(
        of("ElementAaa0", &below("UnitAaaaaa0")),
        of("ElementAaa0", &below("UnitAaaaaa0")),
        true,
    );
}

#[test]
fn what_only_dhis2_can_tell_apart_passes_here() {
    let of = |units: &str| mapping("Monthly", "ElementAaa0", units);
    // Whether one lies below the other, or in the data set, stands in no file.
    let below = |unit: &str| format!("{UNITS}\nscope-org-units = [\"{unit}\"]");
    meet(of(&below("UnitAaaaaa0")), of(&below("UnitAaaaaa1")), false);
    meet(of(UNITS), of("uid = \"UnitAaaaaa0\""), false);
    meet(of(""), of(UNITS), false);
}

#[test]
fn the_first_pair_is_named() {
    let of = |element: &str| mapping("Monthly", element, UNITS);
    let mappings = [
        of("ElementAaa0"),
        of("ElementAaa1"),
        of("ElementAaa2"),
        of("ElementAaa1"),
    ];
    let (one, other) = overlap(&mappings).unwrap();
    assert!(std::ptr::eq(one, &mappings[1]) && std::ptr::eq(other, &mappings[3]));
}
