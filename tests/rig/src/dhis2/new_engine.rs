//! The import engine of 2.43: all values of a request with one data set stand or fall together.

use std::sync::Arc;

use super::answer::Refusal;
use super::books::{Books, Registration};
use super::id_schemes::Names;
use super::import_options::{ImportOptions, Strategy};
use super::new_checks::{GroupError, validate_group};
use super::new_decode::{Undecodable, Value, decode};
use super::new_values::{ValueError, validate_values};
use super::payload::{Payload, strict};
use super::properties::View;
use super::rows::{Key, Stored};
use super::summary::{Conflict, Summary};

/// Imports a body as 2.43.1 does; a refusal is an exception the server did not handle.
pub(crate) fn import(
    view: &View,
    books: &mut Books,
    options: &ImportOptions,
    body: &[u8],
) -> Result<Summary, Refusal> {
    let payload = strict(body)?;
    let names = Names::new(view.metadata, &options.query, &payload.schemes);
    let group = match decode(view, &names, &payload) {
        Ok(group) => group,
        Err(Undecodable::Error(error)) => return Ok(undecodable(&error)),
        Err(Undecodable::Exception(refusal)) => return Err(refusal),
    };
    let mut options = options.clone();
    options.dry_run = payload.dry_run.unwrap_or(options.dry_run);
    let mut values = group.values;
    if options.strategy == Strategy::Delete {
        for value in &mut values {
            value.deleted = Some(true);
        }
    }
    if values.is_empty() {
        return Ok(done(Vec::new(), 0));
    }
    let (valid, errors) = match validate(view, books, &options, group.data_set.as_deref(), &values)
    {
        Ok(validated) => validated,
        Err(Invalid::Group(error)) => return Ok(refused(&error, values.len(), options.atomic)),
        Err(Invalid::Exception(refusal)) => return Err(refusal),
    };
    if options.atomic && !errors.is_empty() {
        let error = atomic_error(&errors, values.len());
        return Ok(refused(&error, values.len(), true));
    }
    let mut summary = done(errors, values.len());
    summary.updated = valid.len();
    if options.strategy == Strategy::Delete {
        summary.deleted = std::mem::take(&mut summary.updated);
    }
    if !options.dry_run {
        for value in valid {
            store(view, books, value);
        }
        if summary.ignored == 0 {
            complete(view, books, &payload);
        }
    }
    Ok(summary)
}

/// Why a group went no further.
pub(crate) enum Invalid {
    Group(GroupError),
    Exception(Refusal),
}

/// The checks of the group and then of its values: what may be stored, and the errors of the rest.
pub(crate) fn validate(
    view: &View,
    books: &Books,
    options: &ImportOptions,
    data_set: Option<&str>,
    values: &[Value],
) -> Result<(Vec<Value>, Vec<ValueError>), Invalid> {
    let set = validate_group(view, books, options, data_set, values).map_err(Invalid::Group)?;
    validate_values(view, &set, values)
}

/// Inserts or overwrites a row; what was not given becomes null, but a live row keeps its comment when it is deleted.
pub(crate) fn store(view: &View, books: &mut Books, value: Value) {
    let default: Arc<str> = view.model().default_combo.as_str().into();
    let key = Key {
        element: value.element,
        period: value.period,
        unit: value.unit,
        combo: value.combo.unwrap_or_else(|| Arc::clone(&default)),
        attribute_combo: value.attribute_combo.unwrap_or(default),
    };
    let deleted = value.deleted == Some(true);
    let live = books.rows.get(&key).filter(|held| !held.deleted);
    let comment = match live {
        Some(held) if deleted => held.comment.clone(),
        _ => value.comment,
    };
    let row = Stored {
        value: value.value,
        comment,
        follow_up: value.follow_up,
        stored_by: view.account.username.clone(),
        created: view.now,
        last_updated: view.now,
        deleted,
    };
    books.rows.put(key, row);
}

fn done(errors: Vec<ValueError>, entered: usize) -> Summary {
    let conflicts = errors.iter().map(|error| Conflict {
        indexes: vec![error.index as i64],
        ..group_conflict(error.code, &error.arguments, &error.text)
    });
    Summary {
        failed: entered > 0 && errors.len() == entered,
        conflicts: conflicts.collect(),
        rejected: errors.iter().map(|error| error.index).collect(),
        ignored: errors.len(),
        data_set_complete: Some("false".to_owned()),
        ..Summary::default()
    }
}

fn refused(error: &GroupError, entered: usize, atomic: bool) -> Summary {
    Summary {
        failed: true,
        conflicts: vec![Conflict {
            indexes: (0..entered as i64).collect(),
            ..group_conflict(error.code, &error.arguments, &error.text)
        }],
        rejected: (0..entered).collect(),
        data_set_complete: (!atomic).then(|| "false".to_owned()),
        ..Summary::default()
    }
}

fn undecodable(error: &GroupError) -> Summary {
    Summary {
        failed: true,
        conflicts: vec![Conflict {
            indexes: vec![-1],
            ..group_conflict(error.code, &error.arguments, &error.text)
        }],
        ..Summary::default()
    }
}

fn group_conflict(code: &'static str, arguments: &[String], text: &str) -> Conflict {
    Conflict {
        code: Some(code),
        object: None,
        objects: Some(vec![("args", arguments.join("-"))]),
        property: None,
        text: text.to_owned(),
        indexes: Vec::new(),
    }
}

/// A single bad value is refused for its own reason, several for not being all good.
fn atomic_error(errors: &[ValueError], entered: usize) -> GroupError {
    let first = &errors[0];
    if entered == 1 {
        return GroupError {
            code: first.code,
            arguments: first.arguments.clone(),
            text: first.text.clone(),
        };
    }
    let valid = entered - errors.len();
    GroupError {
        code: "E8000",
        arguments: vec![valid.to_string(), entered.to_string(), first.text.clone()],
        text: format!(
            "Atomic mode requires all values to be valid but only {valid}/{entered} were. First issue: {}",
            first.text
        ),
    }
}

/// Registers completeness after the values.
fn complete(view: &View, books: &mut Books, payload: &Payload) {
    let date = payload
        .complete_date
        .as_deref()
        .and_then(super::clock::moment);
    let period = payload.period.as_deref();
    let period = period.and_then(|text| super::period::Period::parse(text, view.dialect));
    let (Some(date), Some(set), Some(period), Some(unit)) =
        (date, &payload.data_set, period, &payload.unit)
    else {
        return;
    };
    let default = || view.model().default_combo.clone();
    let combo = payload.attribute_combo.clone().unwrap_or_else(default);
    let registration = Registration {
        date,
        stored_by: view.account.username.clone(),
        completed: true,
    };
    books
        .registrations
        .insert((set.clone(), period, unit.clone(), combo), registration);
}
