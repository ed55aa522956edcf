//! What a result's columns must be before a row is read.

use super::{BASE, accepted, edited};
use crate::domain::Dimension;
use crate::mapping::{ColumnFault, Columns, RowColumns};

/// Columns written as `name type`.
fn columns(all: &[&str]) -> Columns {
    let split = |column: &&str| {
        let (name, type_name) = column.split_once(' ').unwrap();
        (name.to_owned(), type_name.to_owned())
    };
    Columns(all.iter().map(split).collect())
}

fn check(text: &str, all: &[&str]) -> Result<RowColumns, ColumnFault> {
    accepted(text, &[]).check_columns(&columns(all))
}

const ALL: [&str; 4] = [
    "value int8",
    "municipality text",
    "period text",
    "indicator text",
];

#[test]
fn the_declared_columns_are_found_in_any_order() {
    let found = check(BASE, &ALL).unwrap();
    assert_eq!(found.period, Some(2));
    let values: Vec<(usize, bool)> = found
        .values
        .iter()
        .map(|column| (column.place, column.is_numeric))
        .collect();
    assert_eq!(values, [(0, true)]);
    assert_eq!(found.dimensions[&Dimension::DataElement], [3]);
    assert_eq!(found.dimensions[&Dimension::OrgUnit], [1]);
    assert_eq!(
        found.dimensions[&Dimension::CategoryOptionCombo],
        [0_usize; 0]
    );
    // A value one character longer than DHIS2 takes, so that it is seen to be too long.
    assert_eq!(found.lengths, [50_001, 1_000, 1_000, 1_000]);
}

#[test]
fn numbers_are_made_canonical_only_where_the_type_is_numeric() {
    for (type_name, numeric) in [
        ("int2", true),
        ("int4", true),
        ("numeric", true),
        ("float4", true),
        ("float8", true),
        ("text", false),
        ("varchar", false),
        ("bool", false),
        ("money", false),
    ] {
        let value = format!("value {type_name}");
        let found = check(BASE, &[&value, ALL[1], ALL[2], ALL[3]]).unwrap();
        assert_eq!(found.values[0].is_numeric, numeric, "{type_name}");
    }
}

#[test]
fn a_column_nobody_declared_is_refused_before_all_else_and_not_named() {
    let fault = check(BASE, &["value int8", "value int8", "full_name text"]).unwrap_err();
    assert_eq!(
        fault,
        ColumnFault::Undeclared {
            place: 3,
            type_name: "text".to_owned()
        }
    );
    assert!(!fault.to_string().contains("full_name"));
    // Names are compared as PostgreSQL does: to the letter.
    let fault = check(BASE, &["Value int8", ALL[1], ALL[2], ALL[3]]).unwrap_err();
    assert!(matches!(fault, ColumnFault::Undeclared { place: 1, .. }));
}

#[test]
fn a_missing_or_repeated_column_is_named() {
    let fault = check(BASE, &ALL[..3]).unwrap_err();
    assert_eq!(
        fault,
        ColumnFault::Missing {
            column: "indicator".to_owned()
        }
    );
    let fault = check(BASE, &[ALL[0], ALL[1], ALL[2], ALL[3], ALL[1]]).unwrap_err();
    assert_eq!(
        fault,
        ColumnFault::Repeated {
            column: "municipality".to_owned()
        }
    );
}

#[test]
fn a_column_beside_a_constant_is_declared() {
    let text = edited("rules = \"rules.sql\"", "uid = \"UnitAaaaaa0\"");
    assert!(check(&text, &ALL).is_ok());
    let fault = check(&text, &[ALL[0], ALL[2], ALL[3]]).unwrap_err();
    assert_eq!(
        fault,
        ColumnFault::Missing {
            column: "municipality".to_owned()
        }
    );
}
