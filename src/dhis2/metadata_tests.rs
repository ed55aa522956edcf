//! Data sets as both servers describe them, held against the export they were loaded from.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::error::Kind;
use super::recorded::{answer, answering, recorded};
use crate::domain::{DataSet, Uid, ValueType};

const VERSIONS: [&str; 2] = ["2.42.5.2", "2.43.1"];

fn uid(text: &str) -> Uid {
    text.parse().expect("a UID")
}

/// An object of the export.
fn exported(kind: &str, id: Uid) -> Value {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/exchanges/extra_metadata.json");
    let export: Value = serde_json::from_slice(&fs::read(path).expect("the export")).expect("JSON");
    let mut objects = export[kind].as_array().expect("objects").iter();
    let found = objects.find(|object| object["id"] == id.to_string());
    found.expect("the object").clone()
}

/// A data set as recorded in step `step` of `read-data-set`.
fn data_set(version: &str, id: &str, step: usize) -> DataSet {
    let answers = vec![
        recorded(version, "read-data-set", step),
        recorded(version, "read-category-combos", 0),
    ];
    let (mut dhis2, served) = answering(answers);
    let data_set = dhis2.data_set(uid(id)).expect("a data set");
    let requests = served.join().expect("both are asked for");
    assert!(
        requests[0].starts_with(&format!("GET /dhis/api/dataSets/{id}?fields=id%2C")),
        "{requests:?}"
    );
    assert!(
        requests[1].starts_with("GET /dhis/api/categoryCombos?filter=id%3Ain%3A%5B"),
        "{requests:?}"
    );
    data_set
}

#[test]
fn elements_units_and_rights_are_those_of_the_export() {
    for version in VERSIONS {
        let set = data_set(version, "YE8SgpSMBQ9", 0);
        let export = exported("dataSets", set.id);
        assert_eq!(set.name, export["name"].as_str().expect("a name"));
        assert_eq!(
            set.elements.len(),
            export["dataSetElements"]
                .as_array()
                .expect("elements")
                .len()
        );
        assert_eq!(
            set.org_units.len(),
            export["organisationUnits"].as_array().expect("units").len()
        );
        assert!(set.may_read && set.may_write);
        for (id, element) in &set.elements {
            let export = exported("dataElements", *id);
            let value_type: ValueType =
                serde_json::from_value(export["valueType"].clone()).expect("a value type");
            assert_eq!(element.value_type, value_type, "{id}");
            assert_eq!(
                element.zero_is_significant,
                export["zeroIsSignificant"] == true,
                "{id}"
            );
            assert_eq!(
                element.aggregation_type,
                export["aggregationType"].as_str().expect("text"),
                "{id}"
            );
        }
        let options = set.elements[&uid("aIArV96ftSo")]
            .options
            .as_ref()
            .expect("options");
        assert_eq!(options.iter().collect::<Vec<_>>(), ["A", "B"]);
        assert_eq!(set.elements[&uid("M1eFRJpEkoO")].options, None);
        let by_sex = &set.elements[&uid("cghkWbkZbHM")].category_option_combos;
        let names: Vec<&str> = by_sex.values().map(String::as_str).collect();
        assert_eq!(by_sex.len(), 3, "{names:?}");
        assert!(names.contains(&"EPI Female"), "{names:?}");
        let read_only = data_set(version, "OU8AG8mnVXK", 6);
        assert_eq!((read_only.may_read, read_only.may_write), (true, false));
    }
}

#[test]
fn expiry_input_windows_and_attribute_combos_are_read() {
    for version in VERSIONS {
        assert_eq!(data_set(version, "SnUisQvEvLp", 2).expiry_days, 10.0);
        let window = &data_set(version, "Yt3Cav0JlWP", 3).input_periods;
        let mut window: Vec<String> = window
            .iter()
            .map(|input| {
                let time = |time: Option<jiff::civil::DateTime>| time.expect("a time").to_string();
                format!(
                    "{} {} {}",
                    input.period,
                    time(input.opening),
                    time(input.closing)
                )
            })
            .collect();
        window.sort();
        assert_eq!(
            window,
            [
                "202601 2026-01-01T00:00:00 2099-01-01T00:00:00",
                "202602 2026-02-01T00:00:00 2026-03-01T00:00:00",
            ]
        );
        let by_funder = data_set(version, "XD58K9JonN6", 1).attribute_option_combos;
        let names: Vec<&str> = by_funder.values().map(String::as_str).collect();
        assert_eq!(names, ["X Donor", "X Ministry"]);
    }
}

#[test]
fn the_combo_a_data_set_gives_an_element_wins_over_its_own() {
    let set = r#"{"name":"S","periodType":"Monthly","categoryCombo":{"id":"jEQmvYZmXlG"},
        "dataSetElements":[{"categoryCombo":{"id":"jEQmvYZmXlG"},"dataElement":{"id":"M1eFRJpEkoO","name":"E",
        "valueType":"NUMBER","aggregationType":"SUM","categoryCombo":{"id":"bjDvmb4bfuf"}}}],
        "access":{"data":{"read":true,"write":true}}}"#;
    let set = answer(200, &[("content-type", "application/json")], set);
    let (mut dhis2, served) = answering(vec![set, recorded("2.43.1", "read-category-combos", 0)]);
    let set = dhis2.data_set(uid("YE8SgpSMBQ9")).expect("a data set");
    let requests = served.join().expect("both are asked for");
    assert!(requests[1].contains("%5BjEQmvYZmXlG%5D"), "{requests:?}");
    assert_eq!(
        set.elements[&uid("M1eFRJpEkoO")]
            .category_option_combos
            .len(),
        3
    );
}

#[test]
fn a_data_set_that_is_not_shown_to_us_is_no_matter_of_credentials() {
    let (mut dhis2, served) = answering(vec![recorded("2.43.1", "auth", 10)]);
    let error = dhis2.data_set(uid("YE8SgpSMBQ9")).expect_err("forbidden");
    served.join().expect("asked once");
    assert_eq!((error.status, error.kind), (Some(403), Kind::Target));
}

#[test]
fn the_default_combo_is_the_one_of_the_default_category_combo() {
    let page = r#"{"categoryOptionCombos":[
        {"id":"Aaaaaaaaaa1","categoryCombo":{"id":"Baaaaaaaaa1","isDefault":false}},
        {"id":"Aaaaaaaaaa2","categoryCombo":{"id":"Baaaaaaaaa2","isDefault":true}}]}"#;
    let (mut dhis2, served) = answering(vec![answer(
        200,
        &[("content-type", "application/json")],
        page,
    )]);
    assert_eq!(dhis2.default_combo().expect("a combo"), uid("Aaaaaaaaaa2"));
    served.join().expect("asked once");
}

#[test]
fn units_are_asked_for_in_bounded_calls() {
    let ids: Vec<Uid> = (0..250)
        .map(|number| uid(&format!("U{number:010}")))
        .collect();
    let page = recorded("2.43.1", "read-org-units", 0);
    let (mut dhis2, served) = answering(vec![page.clone(), page.clone(), page]);
    let units = dhis2.org_units(&ids).expect("units");
    let requests = served.join().expect("three requests");
    assert!(requests.iter().all(|request| request.len() < 2000));
    let polyclinic = &units[&uid("VsF9dWr6arv")];
    assert_eq!(polyclinic.name, "Gros Islet Polyclinic");
    assert_eq!(polyclinic.path, "/sc5rkcvmE6I/VVrMwhxWKKp/VsF9dWr6arv");
    assert_eq!(
        polyclinic.opened.map(|day| day.to_string()).as_deref(),
        Some("2002-03-18")
    );
    assert_eq!(polyclinic.closed, None);
}
