//! The keys at the top of a mapping file: what they mean, what they are without being written, how mistakes are told.

use super::{BASE, accepted, edited, read, refused, uid};
use crate::domain::{Absent, Combine, DEFAULT_COMBO, Dimension, Foreign, PeriodType};
use crate::mapping::{UidsFrom, Values};

/// This one has every key that stands at the top.
const WHOLE: &str = r#"
data-set  = "fTTHFe1SktZ"
queries   = ["../queries/doses.sql", "../queries/timeliness.sql"]
period    = { type = "Quarterly", column = "quarter" }
look-back = 14
start     = "2021Q1"
value     = "value"
combine   = "max"
absent    = "delete"
foreign   = "overwrite"

[data-element]
uid = "ElementAaa0"

[category-option-combo]
columns = ["age", "sex"]
uid = "ComboAaaaa0"

[attribute-option-combo]
column = "partner"
map = { WHO = "ComboAaaaa1" }

[org-unit]
uid = "UnitAaaaaa0"
"#;

#[test]
fn every_key_means_what_it_says() {
    let mapping = accepted(WHOLE, &[]);
    assert_eq!(mapping.name, "doses");
    assert_eq!(mapping.data_set, uid("fTTHFe1SktZ"));
    let queries: Vec<&str> = mapping
        .queries
        .iter()
        .map(|sql| sql.file.as_str())
        .collect();
    assert_eq!(queries, ["doses.sql", "timeliness.sql"]);
    assert_eq!(mapping.period_type, PeriodType::Quarterly);
    assert_eq!(mapping.period_column.as_deref(), Some("quarter"));
    assert_eq!(mapping.look_back, 14);
    assert_eq!(mapping.start, Some("2021Q1".parse().unwrap()));
    assert!(matches!(&mapping.values, Values::Long { column } if column == "value"));
    assert_eq!(mapping.policies.combine, Combine::Max);
    assert_eq!(mapping.policies.absent, Absent::Delete);
    assert_eq!(mapping.policies.foreign, Foreign::Overwrite);
    let combo = &mapping.dimensions[&Dimension::CategoryOptionCombo];
    assert_eq!(combo.columns, ["age", "sex"]);
    assert!(
        matches!(combo.uids_from, UidsFrom::Constant(constant) if constant == uid("ComboAaaaa0"))
    );
    let digests: Vec<&str> = mapping.digests.keys().map(String::as_str).collect();
    assert_eq!(
        digests,
        [
            "../queries/doses.sql",
            "../queries/timeliness.sql",
            "doses.toml"
        ]
    );
    // printf 'SELECT 1' | sha256sum
    assert_eq!(
        mapping.digests["../queries/doses.sql"],
        "e004ebd5b5532a4b85984a62f8ad48a81aa3460c1ca07701f386135d72cdecf5"
    );
}

#[test]
fn what_is_not_written_is_careful() {
    let mapping = accepted(BASE, &[]);
    assert_eq!((mapping.look_back, mapping.start), (0, None));
    assert_eq!(mapping.policies.combine, Combine::Refuse);
    assert_eq!(mapping.policies.foreign, Foreign::Hold);
    for name in [
        Dimension::CategoryOptionCombo,
        Dimension::AttributeOptionCombo,
    ] {
        let combo = &mapping.dimensions[&name];
        assert!(combo.columns.is_empty());
        assert!(matches!(combo.uids_from, UidsFrom::Constant(DEFAULT_COMBO)));
    }
}

#[test]
fn an_unknown_key_is_told_with_its_place_and_the_nearest_word() {
    let added = |key: &str| format!("value = \"value\"\n{key}");
    let value = "value = \"value\"";
    refused(
        value,
        &added("lookback = 3"),
        (5, 1),
        "unknown key `lookback`, did you mean `look-back`?",
    );
    refused(
        value,
        &added("colour = 3"),
        (5, 1),
        "unknown key `colour`, expected one of ",
    );
    refused(
        value,
        &added("  forein = \"keep\""),
        (5, 3),
        "did you mean `foreign`?",
    );
    refused(
        "rules = ",
        "ruels = ",
        (13, 1),
        "unknown key `[org-unit] ruels`, did you mean `rules`?",
    );
    refused(
        "column = \"period\"",
        "colum = \"period\"",
        (3, 30),
        "`[period] colum`, did you mean `column`?",
    );
    // A key that must be there and was mistyped is told as such, not as missing.
    refused(
        "data-set",
        "dataset",
        (1, 1),
        "unknown key `dataset`, did you mean `data-set`?",
    );
    refused(
        "absent",
        "abesnt",
        (5, 1),
        "unknown key `abesnt`, did you mean `absent`?",
    );
    refused(value, "vlaue = \"value\"", (4, 1), "did you mean `value`?");
    refused(
        "[org-unit]",
        "[org-units]",
        (11, 2),
        "unknown key `org-units`, did you mean `org-unit`?",
    );
}

#[test]
fn a_key_that_must_be_there_is_named() {
    refused(
        "data-set = \"fTTHFe1SktZ\"\n",
        "",
        (0, 0),
        "`data-set` is missing",
    );
    refused(
        "queries = [\"doses.sql\"]\n",
        "",
        (0, 0),
        "`queries` is missing",
    );
    refused(
        "period = { type = \"Monthly\", column = \"period\" }\n",
        "",
        (0, 0),
        "`period` is missing",
    );
    refused(
        "type = \"Monthly\", ",
        "",
        (3, 10),
        "`[period] type` is missing",
    );
    refused("value = \"value\"\n", "", (0, 0), "`value` is missing");
    refused("absent = \"zero\"\n", "", (0, 0), "`absent` is missing");
}

#[test]
fn a_value_of_the_wrong_kind_is_told_where_it_stands() {
    refused(
        "\"fTTHFe1SktZ\"",
        "\"fTTHFe1Skt\"",
        (1, 12),
        "a UID has 11 characters, this has 10",
    );
    refused("\"fTTHFe1SktZ\"", "17", (1, 12), "must be text in quotes");
    refused(
        "[\"doses.sql\"]",
        "\"doses.sql\"",
        (2, 11),
        "must be a list",
    );
    refused(
        "[\"doses.sql\"]",
        "[]",
        (2, 11),
        "must name at least one SQL file",
    );
    refused(
        "\"Monthly\"",
        "\"Montly\"",
        (3, 19),
        "unknown period type `Montly`, did you mean `Monthly`?",
    );
    refused(
        "\"zero\"",
        "\"Zero\"",
        (5, 10),
        "must be one of leave, zero, delete",
    );
}

#[test]
fn a_choice_outside_of_what_there_is_is_told_with_what_there_is() {
    let value = "value = \"value\"";
    let with = |line: &str| format!("{value}\n{line}");
    refused(value, &with("look-back = -1"), (5, 13), "must be from 0 to");
    refused(
        value,
        &with("look-back = 1.5"),
        (5, 13),
        "must be a whole number",
    );
    refused(
        value,
        &with("combine = \"add\""),
        (5, 11),
        "must be one of sum, max, min, refuse",
    );
    refused(
        value,
        &with("foreign = \"ours\""),
        (5, 11),
        "must be one of hold, keep, overwrite",
    );
    refused(
        value,
        &with("start = \"2021\""),
        (5, 9),
        "must be a Monthly period",
    );
    refused(value, &with("start = \"2021-13\""), (5, 9), "2021-13");
}

#[test]
fn toml_that_is_none_is_told_with_its_place() {
    refused("\"value\"", "value", (4, 9), "");
    refused(
        "value = \"value\"",
        "value = \"value\"\nvalue = \"v\"",
        (5, 1),
        "stands in the file twice",
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let text = edited(
        "map = { BCG = \"ElementAaa0\", \"OPV 1\" = \"ElementAaa1\" }",
        "map-file = \"x.csv\"",
    );
    let error = read(&text, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "doses.toml:9:12: `[data-element] map-file` names x.csv, which cannot be read"
    );
}

#[test]
fn a_query_that_runs_once_for_each_period_may_name_it_and_another_may_not() {
    let files = [("doses.sql", "SELECT 1\nWHERE p = :'period'")];
    accepted(&edited(", column = \"period\"", ""), &files);
    let error = read(BASE, &files).unwrap_err();
    assert_eq!(
        (error.file.as_str(), error.place),
        ("doses.sql", Some((2, 11)))
    );
    // Rules are read once for the whole run.
    let files = [("rules.sql", "SELECT 1 WHERE d < :'period_start'")];
    let error = read(BASE, &files).unwrap_err();
    assert_eq!(
        (error.file.as_str(), error.place),
        ("rules.sql", Some((1, 20)))
    );
}

#[test]
fn parameters_are_the_texts_that_psql_would_be_given() {
    let text = format!(
        "{BASE}\n[parameters]\ncountry = \"LCA\"\nage = 5\nall = true\nday = 2025-03-01\nmoment = 2025-03-01T00:30:00-04:00\n"
    );
    let files = [
        ("doses.sql", "SELECT :'country', :'age', :'all'"),
        ("rules.sql", "SELECT :'day', :'moment', :'as_of'"),
    ];
    let mapping = accepted(&text, &files);
    let expected = [
        ("age", "5"),
        ("all", "true"),
        ("country", "LCA"),
        ("day", "2025-03-01"),
        ("moment", "2025-03-01T00:30:00-04:00"),
    ];
    assert_eq!(
        mapping.parameters,
        expected
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into()
    );
    for (line, words) in [
        ("x = 1.5", "must be text, a whole number"),
        ("x = \"a\\u0000\"", "a zero byte"),
        ("x = 12:30:00", "must be text, a whole number"),
        ("x = [1]", "must be text, a whole number"),
        ("as_of = \"now\"", "every run sets itself"),
    ] {
        let error = read(&format!("{BASE}\n[parameters]\n{line}\n"), &[]).unwrap_err();
        assert!(error.message.contains(words), "{line}: {error}");
    }
}

#[test]
fn one_column_cannot_be_two_things() {
    refused(
        "column = \"indicator\"",
        "column = \"value\"",
        (0, 0),
        "column `value` is named as a dimension and as the value",
    );
    refused(
        "column = \"indicator\"",
        "column = \"period\"",
        (0, 0),
        "column `period`",
    );
    refused(
        "value = \"value\"",
        "value = \"period\"",
        (0, 0),
        "as the value and as the period",
    );
}
