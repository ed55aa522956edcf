//! Value types against what two servers answered and stored, value by value (golden/exchanges).

use std::collections::BTreeMap;

use serde_json::Value;

use super::BLANK;
use super::ValueType;
use crate::domain::Engine;

/// The recordings of a version that are about single values.
macro_rules! recordings {
    ($version:literal) => {
        recordings!($version:
            "mixed-value-type", "stored-form", "value-type-bool", "value-type-date",
            "value-type-int", "value-type-num", "value-type-opt", "value-type-pos",
            "value-type-text", "value-type-true", "value-type-zop", "write-empty")
    };
    ($version:literal: $($name:literal),*) => {
        [$(($name, include_str!(concat!("../../../tests/golden/exchanges/", $version, "/", $name, ".json")))),*]
    };
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value[key].as_str().unwrap_or_default()
}

/// Data element → value type, of all the metadata that the recorded servers held.
fn value_types() -> BTreeMap<String, ValueType> {
    let exports = [
        include_str!("../../../examples/st-lucia/dhis2/metadata.json"),
        include_str!("../../../tests/golden/exchanges/extra_metadata.json"),
        include_str!("../../../tests/golden/exchanges/extra_metadata_2.json"),
    ];
    let mut types = BTreeMap::new();
    for export in exports {
        let export: Value = serde_json::from_str(export).unwrap();
        for element in export["dataElements"].as_array().into_iter().flatten() {
            let value_type = ValueType::from(text(element, "valueType"));
            types.insert(text(element, "id").to_string(), value_type);
        }
    }
    types
}

/// The reason for which a server refused the value at an index: `value_not_integer` and the like.
fn refusal(step: &Value, index: usize) -> Option<String> {
    let conflicts = step["response"]["body"]["response"]["conflicts"].as_array()?;
    let is_ours = |conflict: &&Value| {
        conflict["indexes"]
            .as_array()
            .is_some_and(|all| all.contains(&index.into()))
    };
    let conflict = conflicts.iter().find(is_ours)?;
    match text(conflict, "errorCode") {
        "E7619" => Some(text(&conflict["objects"], "value").to_string()),
        // `0-01-INTEGER-value_not_integer`: the reason comes last and has no hyphen.
        "E8122" => text(&conflict["objects"], "args")
            .rsplit('-')
            .next()
            .map(str::to_string),
        "E7618" | "E8120" => Some(BLANK.to_string()),
        // Option sets are no matter of the value type.
        "E7621" | "E8123" => None,
        other => panic!("{other} is not expected in these recordings"),
    }
}

/// What the server then held in the cell of a sent value.
fn stored<'s>(step: &'s Value, sent: &Value) -> Option<&'s str> {
    let rows = step["stored"].as_array()?;
    rows.iter()
        .find(|row| text(row, "de") == text(sent, "dataElement"))?["value"]
        .as_str()
}

/// How many values a server's recordings refuse, and how many they show as stored.
fn replay(engine: Engine, recordings: &[(&str, &str)]) -> (usize, usize) {
    let types = value_types();
    let (mut refused, mut kept) = (0, 0);
    for &(name, recording) in recordings {
        let scenario: Value = serde_json::from_str(recording).unwrap();
        for step in scenario["steps"].as_array().unwrap() {
            let sent = step["request"]["body"]["dataValues"]
                .as_array()
                .into_iter()
                .flatten();
            for (index, data_value) in sent.enumerate() {
                let Some(value) = data_value["value"].as_str() else {
                    continue;
                };
                let value_type = types[text(data_value, "dataElement")];
                let judged = value_type.check(value, engine).map_err(str::to_string);
                let about = format!("{engine:?} {name}: {value:.40} as {value_type}");
                if value == " " {
                    // Servers take it, for a delete or as it is; we never send it.
                    assert_eq!(judged, Err(BLANK.to_string()), "{about}");
                } else if let Some(reason) = refusal(step, index) {
                    assert_eq!(judged, Err(reason), "{about}");
                    refused += 1;
                } else {
                    assert_eq!(judged, Ok(()), "{about}");
                    let found = stored(step, data_value).filter(|_| name != "value-type-opt");
                    if let Some(found) = found {
                        assert_eq!(value_type.stored_form(value, engine), found, "{about}");
                        kept += 1;
                    }
                }
            }
        }
    }
    (refused, kept)
}

#[test]
fn every_recorded_value_is_refused_or_stored_as_the_servers_did() {
    // Refused and stored, as counted in the recordings by another program.
    assert_eq!(replay(Engine::Old, &recordings!("2.42.5.2")), (24, 27));
    assert_eq!(replay(Engine::New, &recordings!("2.43.1")), (21, 31));
}
