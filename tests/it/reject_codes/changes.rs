//! Changes to DHIS2 that make it refuse a value, as metadata exports: made before a run, or behind its back.

use std::fs;

use serde_json::{Value, json};

use crate::st_lucia::repository;

pub(super) const X_MAIN: &str = "YE8SgpSMBQ9";
pub(super) const X_CMT: &str = "MiSnQv015xF";
pub(super) const X_EXP: &str = "SnUisQvEvLp";
pub(super) const X_FUND: &str = "XD58K9JonN6";
pub(super) const X_APR: &str = "Ph3c2KcuaMx";
pub(super) const X_SHARE: &str = "qOfuleXGtTZ";
pub(super) const X_CSET: &str = "Zmhv6rZheiA";
const WORKFLOW: &str = "Zi8WylFLAiB";

/// A data set with the given fields changed.
pub(super) fn data_set(id: &str, mut fields: Value) -> Value {
    fields["id"] = json!(id);
    json!({ "dataSets": [fields] })
}

pub(super) fn data_element(id: &str, mut fields: Value) -> Value {
    fields["id"] = json!(id);
    json!({ "dataElements": [fields] })
}

pub(super) fn category_option(id: &str, mut fields: Value) -> Value {
    fields["id"] = json!(id);
    json!({ "categoryOptions": [fields] })
}

pub(super) fn unit(id: &str, mut fields: Value) -> Value {
    fields["id"] = json!(id);
    json!({ "organisationUnits": [fields] })
}

/// Sharing with everybody: DHIS2's letters for reading and writing the object, then its data.
pub(super) fn shared(public: &str) -> Value {
    json!({ "sharing": { "public": public, "users": {}, "userGroups": {} } })
}

/// A list of a data set of the recordings, without the entry for one object.
fn without(set: &str, list: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let path = repository().join("tests/golden/exchanges/extra_metadata.json");
    let text = fs::read_to_string(path).expect("the metadata of the recordings");
    let export: Value = serde_json::from_str(&text).expect("JSON");
    let mut sets = export["dataSets"].as_array().expect("data sets").iter();
    let set = sets.find(|each| each["id"] == set).expect("the data set");
    let mut entries = set[list].as_array().expect("a list").clone();
    let before = entries.len();
    entries.retain(|entry| !is_it(entry));
    assert_eq!(entries.len() + 1, before, "{list} has it once");
    Value::Array(entries)
}

pub(super) fn without_element(set: &str, element: &str) -> Value {
    let list = "dataSetElements";
    let elements = without(set, list, |entry| entry["dataElement"]["id"] == element);
    data_set(set, json!({ list: elements }))
}

pub(super) fn without_unit(set: &str, unit: &str) -> Value {
    let list = "organisationUnits";
    let units = without(set, list, |entry| entry["id"] == unit);
    data_set(set, json!({ list: units }))
}

/// The unit is deleted in DHIS2.
pub(super) fn unit_gone(set: &str, unit: &str) -> Value {
    let mut change = without_unit(set, unit);
    change["removed"] = json!({ "organisationUnits": [{ "id": unit }] });
    change
}

pub(super) fn lock_exceptions(set: &str, period: &str, units: &[&str]) -> Value {
    let exception = |unit: &&str| {
        json!({
            "dataSet": { "id": set }, "period": { "id": period }, "organisationUnit": { "id": unit },
        })
    };
    units.iter().map(exception).collect()
}

pub(super) fn approved(period: &str, unit: &str) -> Value {
    json!({ "dataApprovals": [{
        "workflow": { "id": WORKFLOW }, "period": { "id": period }, "organisationUnit": { "id": unit },
    }] })
}

/// The one data input period of a data set, open from the beginning of 2025 to a day.
pub(super) fn input_period(set: &str, period: &str, closing: &str) -> Value {
    let window = json!({
        "period": { "id": period },
        "openingDate": "2025-01-01T00:00:00.000",
        "closingDate": format!("{closing}T00:00:00.000"),
    });
    data_set(set, json!({ "dataInputPeriods": [window] }))
}

/// Both at once.
pub(super) fn and(mut one: Value, other: Value) -> Value {
    let (Some(all), Value::Object(other)) = (one.as_object_mut(), other) else {
        panic!("exports are objects");
    };
    all.extend(other);
    one
}
