//! `/api/completeDataSetRegistrations`: which data sets are said to be complete.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::books::{Books, Registration};
use super::clock::{moment, with_offset};
use super::period::Period;
use super::properties::View;
use super::request::Query;
use super::summary::{Conflict, Summary};

/// `POST`: only if every registration is ignored is it an error, and conflicts have no codes.
pub(crate) fn register(view: &View, books: &mut Books, query: &Query, body: &[u8]) -> Answer {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let given = body
        .get("completeDataSetRegistrations")
        .and_then(Value::as_array);
    let mut summary = Summary {
        description: Some("Import process complete.".to_owned()),
        lenient: true,
        ..Summary::default()
    };
    for registration in given.into_iter().flatten() {
        if let Err((object, text)) = one(view, books, query, registration, &mut summary) {
            summary.ignored += 1;
            summary.conflicts.push(Conflict {
                code: None,
                object: Some(object),
                objects: None,
                property: None,
                text: text.to_owned(),
                indexes: Vec::new(),
            });
        }
    }
    summary.failed = summary.imported + summary.updated + summary.deleted == 0;
    summary.answer(view.dialect)
}

fn one(
    view: &View,
    books: &mut Books,
    query: &Query,
    given: &Value,
    summary: &mut Summary,
) -> Result<(), (String, &'static str)> {
    let text = |name: &str| {
        given
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let model = view.model();
    let (set, unit) = (text("dataSet"), text("organisationUnit"));
    if !model.data_sets.contains_key(&set) {
        return Err((set, "Data set not found or not accessible"));
    }
    let Some(period) = Period::parse(&text("period"), view.dialect) else {
        return Err((text("period"), "Period not valid"));
    };
    if !model.units.contains_key(&unit) {
        return Err((unit, "Organisation unit not found or not accessible"));
    }
    if !model.is_within(&unit, &view.account.organisation_units) {
        return Err((unit, "Organisation unit not in hierarchy of current user"));
    }
    let combo = Some(text("attributeOptionCombo")).filter(|combo| !combo.is_empty());
    let combo = combo.unwrap_or_else(|| model.default_combo.clone());
    if !model.combos.contains_key(&combo) {
        return Err((combo, "Attribute option combo not found or not accessible"));
    }
    let key = (set, period, unit, combo);
    match books.registrations.contains_key(&key) {
        true => summary.updated += 1,
        false => summary.imported += 1,
    }
    if query.is_true("dryRun") {
        return Ok(());
    }
    let registration = Registration {
        date: moment(&text("date")).unwrap_or(view.now),
        stored_by: view.account.username.clone(),
        completed: given
            .get("completed")
            .and_then(Value::as_bool)
            .unwrap_or(true),
    };
    books.registrations.insert(key, registration);
    Ok(())
}

/// `GET`.
pub(crate) fn read(view: &View, books: &Books, query: &Query) -> Answer {
    let (sets, units, periods) = (
        query.list("dataSet"),
        query.list("orgUnit"),
        query.list("period"),
    );
    let date = |name| {
        query
            .first(name)
            .and_then(moment)
            .map(|moment| moment.date())
    };
    let (start, end) = (date("startDate"), date("endDate"));
    let children = query.is_true("children");
    let found = books
        .registrations
        .iter()
        .filter(|((set, period, unit, _), _)| {
            let in_units =
                units.contains(unit) || (children && view.model().is_within(unit, &units));
            sets.contains(set)
                && in_units
                && (periods.is_empty() || periods.iter().any(|iso| **iso == *period.iso))
                && start.is_none_or(|start| start <= period.start)
                && end.is_none_or(|end| period.end <= end)
        });
    let shown = found.map(|((set, period, unit, combo), held)| {
        json!({
            "period": &*period.iso,
            "dataSet": set,
            "organisationUnit": unit,
            "attributeOptionCombo": combo,
            "date": with_offset(held.date),
            "storedBy": held.stored_by,
            "completed": held.completed,
        })
    });
    Answer::json(&json!({ "completeDataSetRegistrations": shown.collect::<Value>() }))
}

/// `DELETE ?ds&pe&ou`: 204, refused where the data set is locked.
pub(crate) fn remove(view: &View, books: &mut Books, query: &Query) -> Result<Answer, Refusal> {
    let period = query
        .first("pe")
        .and_then(|text| Period::parse(text, view.dialect));
    let (Some(period), Some(unit)) = (period, query.first("ou")) else {
        return Err(Refusal::new(
            409,
            "Illegal period or organisation unit identifier",
        ));
    };
    let children = query.is_true("multiOu");
    let sets = query.list("ds");
    books.registrations.retain(|(set, held, at, _), _| {
        let below = children && view.model().is_within(at, &[unit.to_owned()]);
        !(sets.contains(set) && *held == period && (at == unit || below))
    });
    Ok(Answer::empty(204))
}
