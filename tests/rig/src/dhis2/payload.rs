//! Bodies of data value imports: read leniently as the old engine does, or strictly as the new one does.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::answer::Refusal;

/// A data value set as sent.
#[derive(Debug, Default)]
pub(crate) struct Payload {
    pub(crate) data_set: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) attribute_combo: Option<String>,
    pub(crate) complete_date: Option<String>,
    pub(crate) dry_run: Option<bool>,
    pub(crate) strategy: Option<String>,
    /// Fields whose names end in `dScheme`.
    pub(crate) schemes: HashMap<String, String>,
    pub(crate) values: Vec<Given>,
}

/// One value as sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) element: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) unit: Option<String>,
    pub(crate) combo: Option<String>,
    pub(crate) attribute_combo: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) follow_up: Option<bool>,
    pub(crate) deleted: Option<bool>,
    pub(crate) stored_by: Option<String>,
}

/// Reads a field that must be text.
type TextOf = fn(&Map<String, Value>, &str) -> Result<Option<String>, Refusal>;
/// Reads a field that must be true or false.
type FlagOf = fn(&Map<String, Value>, &str) -> Result<Option<bool>, Refusal>;

/// The old engine's reading: numbers become text, what follows the object is not looked at; `None` for what is
/// no object or ends too early.
pub(crate) fn lenient(body: &[u8]) -> Option<Payload> {
    let mut stream = serde_json::Deserializer::from_slice(body).into_iter::<Value>();
    let Some(Ok(Value::Object(object))) = stream.next() else {
        return None;
    };
    payload(&object, (coerced, coerced_flag), "followup").ok()
}

/// The new engine's reading: text must be text, and half a body may pass for none.
pub(crate) fn strict(body: &[u8]) -> Result<Payload, Refusal> {
    let text = String::from_utf8_lossy(body);
    let mut stream = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    match stream.next() {
        Some(Ok(Value::Object(object))) => payload(&object, (exact, exact_flag), "followUp"),
        Some(Ok(Value::Array(_))) => Ok(Payload::default()),
        // A lone bracket opens an object of which nothing is ever asked.
        _ if text.trim() == "{" => Ok(Payload::default()),
        Some(Err(error)) if error.is_eof() => Err(cut_short(&text)),
        _ => Err(unexpected(&text, 0)),
    }
}

/// What the new engine says to a body that ends too early: the reader of values runs over the end, unless the
/// cut is inside a value.
fn cut_short(text: &str) -> Refusal {
    let length = text.chars().count();
    if text.trim_end().ends_with(['}', ']', ',']) {
        return Refusal::new(
            500,
            format!("Index {length} out of bounds for length {length}"),
        );
    }
    unexpected(text, length)
}

fn unexpected(text: &str, position: usize) -> Refusal {
    let found = match text.chars().nth(position) {
        Some(c) => format!("`{c}`"),
        None => "EOI".to_owned(),
    };
    let excerpt: String = text.chars().skip(position).take(40).collect();
    let message = format!(
        "Unexpected character at position {position},\n{excerpt}\n^ expected a JSON value but found {found}"
    );
    Refusal::new(400, message)
}

fn payload(
    object: &Map<String, Value>,
    (text, flag): (TextOf, FlagOf),
    follow_up: &str,
) -> Result<Payload, Refusal> {
    let schemes = object.iter().filter(|(name, _)| name.ends_with("dScheme"));
    let mut payload = Payload {
        data_set: text(object, "dataSet")?,
        period: text(object, "period")?,
        unit: text(object, "orgUnit")?,
        attribute_combo: text(object, "attributeOptionCombo")?,
        complete_date: text(object, "completeDate")?,
        dry_run: flag(object, "dryRun")?,
        strategy: text(object, "strategy")?,
        schemes: schemes
            .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
            .collect(),
        values: Vec::new(),
    };
    let values = object.get("dataValues").and_then(Value::as_array);
    for value in values.into_iter().flatten().filter_map(Value::as_object) {
        payload.values.push(Given {
            element: text(value, "dataElement")?,
            period: text(value, "period")?,
            unit: text(value, "orgUnit")?,
            combo: text(value, "categoryOptionCombo")?,
            attribute_combo: text(value, "attributeOptionCombo")?,
            value: text(value, "value")?,
            comment: text(value, "comment")?,
            follow_up: flag(value, follow_up)?,
            deleted: flag(value, "deleted")?,
            stored_by: coerced(value, "storedBy")?,
        });
    }
    Ok(payload)
}

fn coerced(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    Ok(match object.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        Some(plain @ (Value::Number(_) | Value::Bool(_))) => Some(plain.to_string()),
        _ => None,
    })
}

fn exact(object: &Map<String, Value>, name: &str) -> Result<Option<String>, Refusal> {
    match object.get(name) {
        Some(Value::String(text)) => Ok(Some(text.clone())),
        // Option combos may also be written as objects of categories and options, which this server does not know.
        None | Some(Value::Null | Value::Object(_)) => Ok(None),
        Some(other) => Err(unlike("STRING", name, other)),
    }
}

fn exact_flag(object: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    match object.get(name) {
        Some(Value::Bool(flag)) => Ok(Some(*flag)),
        None | Some(Value::Null) => Ok(None),
        Some(other) => Err(unlike("BOOLEAN", name, other)),
    }
}

/// The exception of the new engine's reader over a value of the wrong kind.
fn unlike(wanted: &str, name: &str, found: &Value) -> Refusal {
    let kind = match found {
        Value::Null => "NULL",
        Value::Bool(_) => "BOOLEAN",
        Value::Number(_) => "NUMBER",
        Value::String(_) => "STRING",
        Value::Array(_) => "ARRAY",
        Value::Object(_) => "OBJECT",
    };
    let message = format!("Path `$.{name}` does not contain an {wanted} but a(n) {kind}: {found}");
    Refusal::new(500, message)
}

fn coerced_flag(object: &Map<String, Value>, name: &str) -> Result<Option<bool>, Refusal> {
    Ok(match object.get(name) {
        Some(Value::Bool(flag)) => Some(*flag),
        Some(Value::String(text)) => Some(text.eq_ignore_ascii_case("true")),
        Some(Value::Number(number)) => Some(number.as_i64() != Some(0)),
        _ => None,
    })
}
