//! Explanations for scripts. The members are a promise; they are only ever added to.

use serde_json::{Value, json};

use super::explanation::{CellExplained, Explanation};
use crate::domain::{AnsweredBy, Incomplete, TracedAnswer, TracedRow, TracedRule, Uid};

pub(super) fn whole(explanation: &Explanation) -> Value {
    let object = |uid: Uid| {
        json!({
            "uid": uid.to_string(),
            "name": explanation.names.get(&uid),
            "code": explanation.codes.get(&uid),
        })
    };
    let of_mapping = |rows: &[(String, TracedRow)]| -> Vec<Value> {
        let rows = rows.iter();
        rows.map(|(mapping, each)| {
            let mut value = row(each);
            if let Value::Object(members) = &mut value {
                members.insert("mapping".to_owned(), json!(mapping));
            }
            value
        })
        .collect()
    };
    json!({
        "pg2dhis2": "explain/1",
        "dataElement": object(explanation.data_element),
        "orgUnit": object(explanation.org_unit),
        "period": explanation.period.to_string(),
        "as-of": explanation.as_of.to_string(),
        "mappings": explanation.mappings,
        "cells": explanation.cells.iter().map(|each| cell(each, explanation)).collect::<Vec<_>>(),
        "not-placed": of_mapping(&explanation.not_placed),
        "elsewhere": of_mapping(&explanation.elsewhere),
        "more-rows": explanation.more,
        "history-since": explanation.since,
        "notes": explanation.notes,
    })
}

fn cell(each: &CellExplained, explanation: &Explanation) -> Value {
    let combo = each.cell.triple.category_option_combo;
    let live = each.live.as_ref().map(|live| {
        json!({
            "value": live.value.as_ref().map(|value| value.shown().to_string()),
            "deleted": live.deleted,
            "storedBy": live.user,
            "lastUpdated": live.when.map(|when| when.to_string()),
            "ours": live.ours,
        })
    });
    let open = each.open.iter().map(|open| {
        json!({
            "mapping": open.mapping, "what": open.what, "first-seen": open.first_seen, "last-seen": open.last_seen,
            "tries": open.tries,
        })
    });
    let changes = each.changes.iter().map(|past| {
        json!({
            "run": past.run, "at": past.at, "command": past.command, "mapping": past.mapping,
            "kind": past.change.kind, "old": past.change.old, "new": past.change.new,
            "foreign": past.change.foreign, "outcome": past.change.outcome,
            "changed-since-the-run-before": past.differences,
        })
    });
    json!({
        "categoryOptionCombo": combo.to_string(),
        "name": explanation.names.get(&combo),
        "attributeOptionCombo": each.cell.triple.attribute_option_combo.to_string(),
        "mapping": each.mapping,
        "combine": each.combine,
        "desired": each.desired.as_ref().map(|value| value.shown().to_string()),
        "incomplete": each.incomplete.map(|why| match why {
            Incomplete::Empty => "empty",
            Incomplete::Invalid => "invalid",
        }),
        "rows": each.rows.iter().map(row).collect::<Vec<_>>(),
        "live": live,
        "open-problems": open.collect::<Vec<_>>(),
        "changes": changes.collect::<Vec<_>>(),
    })
}

fn row(row: &TracedRow) -> Value {
    json!({
        "query": row.query,
        "outcome": row.outcome,
        "value": row.value.as_ref().map(|value| value.shown().to_string()),
        "orgUnit": row.place.org_unit.map(|unit| unit.to_string()),
        "categoryOptionCombo": row.place.category_option_combo.map(|combo| combo.to_string()),
        "by": row.answers.iter().map(answer).collect::<Vec<_>>(),
    })
}

/// One dimension of a row: its key, the UID, and what gave it.
fn answer(answer: &TracedAnswer) -> Value {
    let mut value = json!({
        "dimension": answer.dimension,
        "key": answer.key.as_ref().map(|key| &key.masked),
        "uid": answer.uid.map(|uid| uid.to_string()),
        "instead-of": answer.instead_of.as_ref().map(rule),
    });
    let by = match &answer.by {
        AnsweredBy::Line { file, line } => json!({ "by": "line", "file": file, "line": line }),
        AnsweredBy::Rule(known) => json!({ "by": "rule", "file": known.file, "rule": rule(known) }),
        AnsweredBy::NoRule { file } => json!({ "by": "no-rule", "file": file }),
        AnsweredBy::NoLine => json!({ "by": "no-line" }),
        AnsweredBy::Options => json!({ "by": "options" }),
        AnsweredBy::Column => json!({ "by": "column" }),
        AnsweredBy::Default => json!({ "by": "default" }),
    };
    if let (Value::Object(value), Value::Object(by)) = (&mut value, by) {
        value.extend(by);
    }
    value
}

fn rule(rule: &TracedRule) -> Value {
    json!({
        "rule": rule.label,
        "uid": rule.uid.map(|uid| uid.to_string()),
        "exclude": rule.uid.is_none(),
        "valid-from": rule.valid_from,
        "valid-to": rule.valid_to,
        "priority": rule.priority,
    })
}
