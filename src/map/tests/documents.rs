//! The document between `map` and `push`: whole or refused.

use serde_json::{Value, json};

use super::{cells, mapped};
use crate::domain::{Absent, Foreign};
use crate::map::{Document, read};

const ROWS: [&str; 8] = [
    "202501 sum <1 f Castries 1.5",
    "202501 sum <1 f Bexon 2",
    "202502 max <1 m Castries 7",
    "202502 one <1 f Castries 9",
    "202501 sum <1 f Nowhere 10",
    "202501 sum <1 m Bexon -",
    "202503 min <1 m Bexon NaN",
    "202501 - - - Cruise 3",
];

fn written() -> String {
    let desired = mapped(&ROWS);
    let document = Document {
        desired: &desired,
        created: "2026-01-01T00:00:00Z".to_owned(),
    };
    serde_json::to_string(&document).unwrap()
}

fn json() -> Value {
    serde_json::from_str(&written()).unwrap()
}

/// What a document is refused for.
#[track_caller]
fn refused(document: &str) -> String {
    match read(document.as_bytes()) {
        Ok((desired, _)) => panic!("taken: {:?}\n{document}", cells(&desired)),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_document_is_a_body_that_dhis2_takes_after_one_member_of_ours() {
    let document = json();
    let names: Vec<&str> = document
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(names, ["pg2dhis2", "dataSet", "dataValues"]);
    assert_eq!(document["dataSet"], "DataSetAaa0");
    assert_eq!(
        document["dataValues"][0],
        json!({
            "dataElement": "ElementSum0",
            "period": "202501",
            "orgUnit": "UnitAaaaaa0",
            "categoryOptionCombo": "ComboAaaaa0",
            "attributeOptionCombo": "HllvX50cXC0",
            "value": "3.5"
        })
    );
    let ours = &document["pg2dhis2"];
    assert_eq!(ours["version"], "map/1");
    assert_eq!(ours["mapping"], "small");
    assert_eq!(ours["created"], "2026-01-01T00:00:00Z");
    assert_eq!(ours["periods"], json!(["202501", "202502", "202503"]));
    assert_eq!(ours["policies"]["absent"], "zero");
    assert_eq!(
        ours["policies"]["data-elements"]["ElementMax0"],
        json!({"combine": "max"})
    );
    assert_eq!(ours["unplaced"][0]["org-unit"], Value::Null);
    assert_eq!(ours["incomplete"].as_array().unwrap().len(), 2);
}

#[test]
fn a_document_reads_back_as_it_was_written() {
    let before = mapped(&ROWS);
    let (after, _) = read(written().as_bytes()).unwrap();
    assert_eq!(cells(&before), cells(&after));
    assert_eq!(before.unplaced, after.unplaced);
    assert_eq!(before.scope, after.scope);
    assert_eq!(before.periods, after.periods);
    assert_eq!(before.rows.periods, after.rows.periods);
    assert_eq!(before.rows.sums, after.rows.sums);
    assert_eq!(
        (after.policies.absent, after.policies.foreign),
        (Absent::Zero, Foreign::Hold)
    );
    // What nobody may see does not travel.
    assert!(
        after
            .rows
            .keys
            .iter()
            .all(|group| group.key.plain.starts_with("key #"))
    );
    assert!(!written().contains("Nowhere") && !written().contains("Cruise"));
}

#[test]
fn a_document_cut_anywhere_is_refused() {
    let document = written();
    assert!(document.is_ascii());
    for end in 0..document.len() {
        let told = refused(&document[..end]);
        let known = ["the input is empty", "the input ends in the middle"];
        assert!(known.contains(&told.as_str()), "at {end}: {told}");
    }
}

#[test]
fn what_was_not_written_by_map_is_refused_in_words_of_ours() {
    for (document, words) in [
        ("", "the input is empty"),
        (" \n", "the input is empty"),
        ("{}", "not written by `pg2dhis2 map`"),
        ("{\"dataValues\":[]}", "not written by `pg2dhis2 map`"),
        (
            "{\"dataSet\":\"DataSetAaa0\",\"dataValues\":[]}",
            "not written by `pg2dhis2 map`",
        ),
        ("[]", "not of the form `map` writes"),
        ("7", "not of the form `map` writes"),
        ("dataElement,period\n", "not JSON at line 1"),
        ("<html></html>", "not JSON at line 1"),
        ("{\"pg2dhis2\":1}", "has no version"),
        ("{\"pg2dhis2\":{}}", "has no version"),
        ("{\"pg2dhis2\":{\"version\":\"map/2\"}}", "another version"),
        (
            "{\"pg2dhis2\":{\"version\":\"map/1\"}}",
            "not of the form `map` writes",
        ),
        (
            "{\"pg2dhis2\":\"extract/1\",\"mapping\":\"m\"}",
            "has no version",
        ),
    ] {
        let told = refused(document);
        assert!(told.contains(words), "{document}: {told}");
    }
    let twice = format!("{}{}", written(), written());
    assert!(refused(&twice).contains("not JSON"));
}

/// The document with a part changed is refused in these words.
#[track_caller]
fn edited(words: &str, edit: impl Fn(&mut Value)) {
    let mut document = json();
    edit(&mut document);
    assert_ne!(document, json(), "nothing was changed");
    let told = refused(&document.to_string());
    assert!(told.contains(words), "{told}");
}

#[test]
fn a_document_that_was_edited_does_not_add_up() {
    let words = "does not add up";
    let words = &words.replace("does not", "do not");
    edited(words, |document| {
        document["dataValues"][0]["value"] = json!("4.5")
    });
    edited(words, |document| {
        document["dataValues"][0]["value"] = json!("many")
    });
    edited(words, |document| {
        drop(document["dataValues"].as_array_mut().unwrap().remove(0))
    });
    edited(words, |document| {
        document["dataValues"].as_array_mut().unwrap().clear();
    });
    edited(words, |document| {
        document["pg2dhis2"]["unplaced"] = json!([])
    });
    edited(words, |document| {
        document["pg2dhis2"]["unplaced"][0]["rows"] = json!(2)
    });
    edited(words, |document| {
        document["pg2dhis2"]["unplaced"][0]["period"] = json!("202504")
    });
    edited(words, |document| {
        let mut another = document["pg2dhis2"]["unplaced"][0].clone();
        another["period"] = json!("202504");
        let unplaced = document["pg2dhis2"]["unplaced"].as_array_mut();
        unplaced.unwrap().push(another);
    });
    let accounting = |document: &mut Value, name: &str, value: Value| {
        document["pg2dhis2"]["accounting"][name] = value;
    };
    edited(words, |document| accounting(document, "sums", json!([])));
    edited(words, |document| accounting(document, "keys", json!([])));
    edited(words, |document| accounting(document, "rows", json!({})));
    edited(words, |document| {
        accounting(document, "rows-of-other-keys", json!(u64::MAX))
    });
    for count in ["rows", "excluded", "unmapped", "empty", "invalid", "mapped"] {
        edited(words, |document| {
            document["pg2dhis2"]["accounting"]["rows"]["202501"][count] = json!(u64::MAX);
        });
    }
}

#[test]
fn a_document_that_contradicts_itself_is_refused() {
    edited("a cell stands in it twice", |document| {
        let first = document["dataValues"][0].clone();
        document["dataValues"].as_array_mut().unwrap().push(first);
    });
    edited("a period that the document does not name", |document| {
        document["dataValues"][0]["period"] = json!("202504");
    });
    let periods = "its periods are not those";
    for all in [
        json!([]),
        json!(["202502", "202501"]),
        json!(["202501", "202501"]),
        json!(["2025"]),
    ] {
        edited(periods, |document| {
            document["pg2dhis2"]["periods"] = all.clone()
        });
    }
    edited(periods, |document| {
        document["pg2dhis2"]["incomplete"][0]["period"] = json!("2025")
    });
    edited("not of the form", |document| {
        document["dataSet"] = json!("DataSet")
    });
    edited("not of the form", |document| {
        document["dataValues"][0]["value"] = json!(5)
    });
    edited("not of the form", |document| {
        document["dataValues"][0]["comment"] = json!("x")
    });
    edited("a member that `map` does not write", |document| {
        document["dryRun"] = json!(true)
    });
}

#[test]
fn an_error_repeats_nothing_of_the_document() {
    // Marked as a message of ours would be.
    for name in ["Mary", "\u{1}Mary\u{1}"] {
        let mut document = json();
        document["dataValues"][0][name] = json!("Mary");
        assert!(!refused(&document.to_string()).contains("Mary"));
        let mut document = json();
        document["pg2dhis2"][name] = json!("Mary");
        assert!(!refused(&document.to_string()).contains("Mary"));
        let mut document = json();
        document["dataValues"][0]["orgUnit"] = json!(name);
        assert!(!refused(&document.to_string()).contains("Mary"));
    }
}
