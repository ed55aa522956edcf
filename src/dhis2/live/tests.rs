//! Every recorded read of data values, held against the rows that were stored.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::rows;
use crate::dhis2::error::Kind;
use crate::domain::LiveRow;

/// What `stored` of the recordings says of a row.
fn as_stored(row: &LiveRow<'_>) -> Value {
    let cell = row.cell;
    json!({
        "de": cell.triple.data_element.to_string(),
        "pe": format!("{} {}", cell.period.period_type(), cell.period.start()),
        "ou": cell.org_unit.to_string(),
        "coc": cell.triple.category_option_combo.to_string(),
        "aoc": cell.triple.attribute_option_combo.to_string(),
        "value": row.value,
        "comment": row.comment,
        "followup": row.follow_up,
        "storedby": row.stored_by,
        "deleted": row.deleted,
    })
}

fn check(version: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/exchanges")
        .join(version);
    let mut seen = 0;
    for entry in fs::read_dir(folder).expect("the recordings") {
        let text = fs::read(entry.expect("an entry").path()).expect("a recording");
        let recording: Value = serde_json::from_slice(&text).expect("JSON");
        for step in recording["steps"].as_array().expect("steps") {
            let path = step["request"]["path"].as_str().expect("a path");
            let answer = &step["response"];
            let is_read =
                step["request"]["method"] == "GET" && path.starts_with("/api/dataValueSets");
            // An answer in another form has its text in `text`.
            if !is_read || answer["status"] != 200 || answer["body"]["dataValues"].is_null() {
                continue;
            }
            let body = serde_json::to_vec(&answer["body"]).expect("JSON");
            let mut count = 0;
            rows(body.as_slice(), "reading", &mut |row| {
                count += 1;
                let row = as_stored(&row);
                let stored = step["stored"]
                    .as_array()
                    .expect("rows")
                    .iter()
                    .any(|stored| {
                        // The new engine's null is no mark either.
                        let mut stored = stored.clone();
                        stored["followup"] = json!(stored["followup"] == true);
                        stored == row
                    });
                assert!(stored, "{version} {path}: {row} is not stored");
            })
            .expect("a document");
            let sent = answer["body"]["dataValues"]
                .as_array()
                .expect("values")
                .len();
            assert_eq!(count, sent, "{version} {path}");
            seen += count;
        }
    }
    assert!(seen > 20, "only {seen} rows of {version} were seen");
}

#[test]
fn rows_of_2_42_are_read_as_they_are_stored() {
    check("2.42.5.2");
}

#[test]
fn rows_of_2_43_without_the_dimensions_asked_for_singly_are_read_as_they_are_stored() {
    check("2.43.1");
}

#[test]
fn only_a_whole_document_is_believed() {
    let kind =
        |body: &str| rows(body.as_bytes(), "reading", &mut |_| ()).map_err(|error| error.kind);
    assert_eq!(kind(r#"{"dataValues":[]}"#), Ok(()));
    let cut = Err(Kind::Temporary {
        nothing_sent: false,
    });
    assert_eq!(kind(r#"{"dataValues":["#), cut);
    assert_eq!(kind(r#"{"dataValues":[]"#), cut);
    for refused in [
        "",
        "{}",
        "[]",
        "<html>",
        r#"{"dataValues":[]}{"#,
        r#"{"dataValues":[{"value":"1"}]}"#,
        // What was asked for singly stands nowhere.
        r#"{"dataValues":[{"dataElement":"M1eFRJpEkoO","categoryOptionCombo":"HllvX50cXC0","value":"1"}]}"#,
    ] {
        assert_eq!(kind(refused), Err(Kind::Target), "{refused}");
    }
}

#[test]
fn a_value_that_is_no_text_is_not_quoted() {
    let body = r#"{"dataValues":[{"dataElement":"M1eFRJpEkoO","value":4711}]}"#;
    let error = rows(body.as_bytes(), "reading", &mut |_| ()).expect_err("no document");
    assert!(!error.message.contains("4711"), "{error}");
}
