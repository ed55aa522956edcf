//! Wide results: a column for each data element.

use super::{BASE, accepted, read, uid};
use crate::domain::{Absent, Combine, Dimension, ElementPolicies};
use crate::mapping::{Mapping, Values};

/// The mapping with these lines in its table `[values]`.
fn text(lines: &str) -> String {
    let (top, rest) = BASE.split_once("[data-element]").unwrap();
    let (_, org_unit) = rest.split_once("[org-unit]").unwrap();
    let top = top.replace("value = \"value\"\n", "");
    format!("{top}[values]\n{lines}\n[org-unit]{org_unit}")
}

fn wide(lines: &str) -> Mapping {
    accepted(&text(lines), &[])
}

#[track_caller]
fn refused(lines: &str, place: (usize, usize), words: &str) {
    let error = read(&text(lines), &[]).expect_err(lines);
    assert_eq!(error.place, Some(place), "{error}");
    assert!(error.message.contains(words), "{error}");
}

#[test]
fn a_value_column_names_its_data_element_and_may_name_more() {
    let mapping = wide(
        "bcg = { data-element = \"ElementAaa0\" }\n\
         opv_m = { data-element = \"ElementAaa1\", category-option-combo = \"ComboAaaaa0\", combine = \"sum\" }\n\
         opv_f = { data-element = \"ElementAaa1\", category-option-combo = \"ComboAaaaa1\", absent = \"delete\" }",
    );
    let Values::Wide(columns) = &mapping.values else {
        panic!("not wide");
    };
    let told: Vec<_> = columns
        .iter()
        .map(|each| {
            (
                each.column.as_str(),
                each.data_element,
                each.category_option_combo,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("bcg", uid("ElementAaa0"), None),
            ("opv_m", uid("ElementAaa1"), Some(uid("ComboAaaaa0"))),
            ("opv_f", uid("ElementAaa1"), Some(uid("ComboAaaaa1"))),
        ]
    );
    assert!(!mapping.dimensions.contains_key(&Dimension::DataElement));
    // What one column leaves out, another may say.
    let own = ElementPolicies {
        combine: Some(Combine::Sum),
        absent: Some(Absent::Delete),
    };
    assert_eq!(
        mapping.policies.data_elements,
        [(uid("ElementAaa1"), own)].into()
    );
    let triples = mapping.scope().triples.unwrap();
    assert_eq!(triples.len(), 3);
    assert_eq!(
        triples[2].category_option_combos,
        [uid("ComboAaaaa1")].into()
    );
}

#[test]
fn mistakes_are_told_where_they_stand() {
    refused(
        "a = { dataelement = \"ElementAaa0\" }",
        (7, 7),
        "did you mean `data-element`?",
    );
    refused(
        "a = { data-element = \"ElementAaa0\", sum = true }",
        (7, 37),
        "unknown key `[values.a] sum`",
    );
    refused("a = { }", (7, 5), "`[values.a] data-element` is missing");
    refused("a = \"ElementAaa0\"", (7, 5), "must be a table");
    refused("", (6, 1), "names no column");
    refused(
        "a = { data-element = \"ElementAaa0\", combine = \"sum\" }\n\
         b = { data-element = \"ElementAaa0\", combine = \"max\" }",
        (8, 5),
        "`combine`",
    );
    refused(
        "a = { data-element = \"ElementAaa0\", absent = \"leave\" }\n\
         b = { data-element = \"ElementAaa0\", absent = \"zero\" }",
        (8, 5),
        "`absent`",
    );
}

#[test]
fn value_and_values_exclude_each_other_and_a_data_element_has_no_table_beside_values() {
    let lines = "a = { data-element = \"ElementAaa0\" }";
    let both = text(lines).replace("absent =", "value = \"v\"\nabsent =");
    let error = read(&both, &[]).unwrap_err();
    assert!(error.message.contains("exclude each other"), "{error}");
    let beside = text(lines) + "\n[data-element]\nuid = \"ElementAaa0\"\n";
    let error = read(&beside, &[]).unwrap_err();
    assert!(
        error.message.contains("has no place beside `[values]`"),
        "{error}"
    );
}
