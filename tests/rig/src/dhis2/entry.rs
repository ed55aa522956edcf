//! `/api/dataValues`: how a person enters, comments, marks and deletes a value in the data entry app.

use std::sync::Arc;

use serde_json::Value as Json;

use super::Dialect;
use super::answer::{Answer, Refusal};
use super::books::Books;
use super::import_options::ImportOptions;
use super::new_decode::Value;
use super::new_engine::{Invalid, store, validate};
use super::period::Period;
use super::properties::View;
use super::request::Query;
use super::rows::{Key, Stored};
use super::value_types::{misfit, normalised};

/// `POST`: what is not given stays as it is.
pub(crate) fn enter(view: &View, books: &mut Books, query: &Query) -> Result<Answer, Refusal> {
    let key = key_of(view, |name| query.first(name))?;
    let given = Given {
        value: query.first("value").map(str::to_owned),
        comment: query.first("comment").map(str::to_owned),
        follow_up: query.first("followUp").map(|flag| flag == "true"),
    };
    match view.dialect {
        Dialect::V2_42 => enter_old(view, books, key, given)?,
        Dialect::V2_43 => enter_new(view, books, query, key, given)?,
    }
    Ok(Answer::empty(201))
}

/// `DELETE`: softly; 2.42 leaves the row's text and name, 2.43 imports a deletion without a value.
pub(crate) fn delete(view: &View, books: &mut Books, query: &Query) -> Result<Answer, Refusal> {
    let key = key_of(view, |name| query.first(name))?;
    let Some(mut row) = books.rows.get(&key).filter(|row| !row.deleted).cloned() else {
        let message = "Data value does not exist";
        return Err(Refusal::with_code(409, message, "E2032"));
    };
    match view.dialect {
        Dialect::V2_42 => {
            row.deleted = true;
            row.last_updated = view.now;
            books.rows.put(key, row);
        }
        Dialect::V2_43 => {
            let nothing = Given {
                value: None,
                comment: None,
                follow_up: None,
            };
            import_one(view, books, query, value_of(key, nothing, Some(true)))?;
        }
    }
    Ok(Answer::empty(204))
}

/// `PUT /api/dataValues/followup`.
pub(crate) fn mark(view: &View, books: &mut Books, body: &[u8]) -> Result<Answer, Refusal> {
    let body: Json = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| body.get(name).and_then(Json::as_str);
    let key = key_of(view, |name| {
        text(match name {
            "de" => "dataElement",
            "pe" => "period",
            "ou" => "orgUnit",
            "co" => "categoryOptionCombo",
            _ => "attributeOptionCombo",
        })
    })?;
    let Some(mut row) = books.rows.get(&key).cloned() else {
        return Err(Refusal::with_code(
            409,
            "Data value does not exist",
            "E2032",
        ));
    };
    row.follow_up = body.get("followup").and_then(Json::as_bool);
    row.last_updated = view.now;
    if view.dialect == Dialect::V2_43 {
        row.stored_by.clone_from(&view.account.username);
    }
    books.rows.put(key, row);
    Ok(Answer::empty(200))
}

struct Given {
    value: Option<String>,
    comment: Option<String>,
    follow_up: Option<bool>,
}

fn key_of<'q>(view: &View, parameter: impl Fn(&str) -> Option<&'q str>) -> Result<Key, Refusal> {
    let model = view.model();
    let text = |name: &str| parameter(name).unwrap_or_default();
    let element = text("de");
    if !model.elements.contains_key(element) {
        let message = format!("Data element not found or not accessible: `{element}`");
        return Err(Refusal::with_code(409, message, "E1100"));
    }
    let Some(period) = Period::parse(text("pe"), view.dialect) else {
        let message = format!("Period is invalid: `{}`", text("pe"));
        return Err(Refusal::with_code(409, message, "E1101"));
    };
    let unit = text("ou");
    if !model.units.contains_key(unit) {
        let message = format!("Organisation unit not found or not accessible: `{unit}`");
        return Err(Refusal::with_code(409, message, "E1102"));
    }
    let combo = |name| -> Arc<str> { parameter(name).unwrap_or(&model.default_combo).into() };
    Ok(Key {
        element: element.into(),
        period,
        unit: unit.into(),
        combo: combo("co"),
        attribute_combo: combo("ao"),
    })
}

fn enter_old(view: &View, books: &mut Books, key: Key, given: Given) -> Result<(), Refusal> {
    let kind = &view.model().elements[&*key.element].value_type;
    let value = given
        .value
        .map(|value| normalised(&value, kind, view.dialect));
    if let Some(reason) = value
        .as_deref()
        .and_then(|value| misfit(value, kind, view.dialect))
    {
        let message = format!("Data value is not valid: `{reason}`");
        return Err(Refusal::with_code(409, message, "E2030"));
    }
    let held = books.rows.get(&key).filter(|row| !row.deleted);
    let row = Stored {
        value: value
            .or_else(|| held?.value.clone())
            .filter(|value| !value.is_empty()),
        comment: given.comment.or_else(|| held?.comment.clone()),
        follow_up: given.follow_up.or_else(|| held?.follow_up).or(Some(false)),
        stored_by: view.account.username.clone(),
        created: view.now,
        last_updated: view.now,
        deleted: false,
    };
    books.rows.put(key, row);
    Ok(())
}

/// The new server puts a person's entry through the checks of an import of one value.
fn enter_new(
    view: &View,
    books: &mut Books,
    query: &Query,
    key: Key,
    given: Given,
) -> Result<(), Refusal> {
    let held = books.rows.get(&key);
    let given = Given {
        value: given.value.or_else(|| held?.value.clone()),
        comment: given.comment.or_else(|| held?.comment.clone()),
        follow_up: given.follow_up.or_else(|| held?.follow_up),
    };
    import_one(view, books, query, value_of(key, given, None))
}

fn value_of(key: Key, given: Given, deleted: Option<bool>) -> Value {
    Value {
        index: 0,
        value: given.value,
        comment: given.comment,
        follow_up: given.follow_up,
        deleted,
        element: key.element,
        period: key.period,
        unit: key.unit,
        combo: Some(key.combo),
        attribute_combo: Some(key.attribute_combo),
    }
}

fn import_one(view: &View, books: &mut Books, query: &Query, value: Value) -> Result<(), Refusal> {
    let options = ImportOptions::bind(&Query::default())?;
    let checked = validate(view, books, &options, query.first("ds"), &[value]);
    let why = match checked {
        Ok((mut valid, errors)) => match (valid.pop(), errors.first()) {
            (Some(value), _) => {
                store(view, books, value);
                return Ok(());
            }
            (None, error) => error.map(|error| error.text.clone()).unwrap_or_default(),
        },
        Err(Invalid::Group(error)) => return Err(Refusal::with_code(409, error.text, error.code)),
        Err(Invalid::Exception(refusal)) => return Err(refusal),
    };
    let message = format!("Failed to upsert data value: {why}");
    Err(Refusal::with_code(409, message, "E1004"))
}
