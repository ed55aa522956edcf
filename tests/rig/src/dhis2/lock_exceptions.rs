//! `/api/lockExceptions`: units for which an expired period of a data set is open again.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::books::Books;
use super::collections::page_of;
use super::metadata::Object;
use super::period::Period;
use super::properties::View;
use super::request::Query;

/// `GET`, as a list like those of metadata.
pub(crate) fn list(view: &View, books: &Books, query: &Query) -> Result<Answer, Refusal> {
    let held = books.lock_exceptions.iter();
    let objects = held.filter_map(|(set, period, unit)| {
        let object = json!({
            "name": format!("{set} ({unit}, {})", period.iso),
            "dataSet": { "id": set },
            "period": { "id": &*period.iso },
            "organisationUnit": { "id": unit },
        });
        match object {
            Value::Object(object) => Some(object),
            _ => None,
        }
    });
    let objects: Vec<Object> = objects.collect();
    page_of(view, "lockExceptions", objects.iter().collect(), query)
}

/// `POST ?ds&pe&ou`, with one or more units.
pub(crate) fn add(view: &View, books: &mut Books, query: &Query) -> Result<Answer, Refusal> {
    let (set, period, units) = named(view, query)?;
    let linked = view.model().data_sets.get(&set);
    let linked = units
        .iter()
        .filter(|unit| linked.is_some_and(|set| set.units.contains(*unit)));
    let linked: Vec<&String> = linked.collect();
    if linked.is_empty() {
        let units = units.join(",");
        let message = format!(
            "None of the target organisation unit(s) {units} is linked to the specified data set: {set}"
        );
        return Err(Refusal::new(409, message));
    }
    for unit in linked {
        let exception = (set.clone(), period.clone(), unit.clone());
        books.lock_exceptions.insert(exception);
    }
    Ok(Answer::message(201, "LockException created successfully."))
}

/// `DELETE ?ds&pe&ou`.
pub(crate) fn remove(view: &View, books: &mut Books, query: &Query) -> Result<Answer, Refusal> {
    let (set, period, units) = named(view, query)?;
    for unit in units {
        let exception = (set.clone(), period.clone(), unit);
        books.lock_exceptions.remove(&exception);
    }
    Ok(Answer::empty(204))
}

fn named(view: &View, query: &Query) -> Result<(String, Period, Vec<String>), Refusal> {
    let set = query.first("ds").unwrap_or_default().to_owned();
    let text = query.first("pe").unwrap_or_default();
    let units = query.list("ou");
    let (model, account) = (view.model(), view.account);
    if units.is_empty() {
        return Err(Refusal::new(409, "OrganisationUnit ID is invalid."));
    }
    for unit in &units {
        if !model.units.contains_key(unit) {
            let message = format!("Can't find OrganisationUnit with id ={unit}");
            return Err(Refusal::new(409, message));
        }
        if !account.is_super() && !model.is_within(unit, &account.organisation_units) {
            let message =
                "You can only add a lock exceptions to your data capture organisation units.";
            return Err(Refusal::new(403, message));
        }
    }
    match Period::parse(text, view.dialect) {
        Some(period) if model.data_sets.contains_key(&set) => Ok((set, period, units)),
        _ => Err(Refusal::new(409, "DataSet or Period is invalid")),
    }
}
