//! The checks of the old engine on each value, in its order; the first that fails ends it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::books::{Approval, ApprovalKey};
use super::id_schemes::Names;
use super::import_options::{ImportOptions, Strategy};
use super::model::Element;
use super::old_lookup::look_up;
use super::old_strict::Strict;
use super::old_timeliness::Timeliness;
use super::payload::Given;
use super::period::Period;
use super::properties::View;
use super::summary::Conflict;
use super::value_types::{is_numeric, misfit, normalised, sentence};

/// An exception in the middle of the import, which ends all of it.
pub(crate) struct Failure(pub(crate) String);

/// A value that passed, with everything looked up.
pub(crate) struct Entry<'a> {
    pub(crate) element: &'a str,
    pub(crate) described: &'a Element,
    pub(crate) period: &'a Period,
    pub(crate) unit: &'a str,
    pub(crate) combo: &'a str,
    pub(crate) attribute_combo: &'a str,
}

impl Entry<'_> {
    /// Whether a zero is a value of the element (DHIS2: `dataValueIsZeroAndInsignificant`).
    pub(crate) fn keeps_zeros(&self) -> bool {
        let (kind, aggregation) = (
            self.described.value_type.as_str(),
            self.described.aggregation_type.as_str(),
        );
        let averaged = matches!(aggregation, "AVERAGE" | "AVERAGE_SUM_ORG_UNIT");
        self.described.zero_is_significant || averaged || !is_numeric(kind)
    }
}

pub(crate) struct Checks<'a> {
    view: &'a View<'a>,
    options: &'a ImportOptions,
    strategy: Strategy,
    data_set: Option<String>,
    periods: HashMap<String, Option<Period>>,
    timeliness: Timeliness<'a>,
}

type Verdict = Result<(), Vec<Conflict>>;

/// A conflict about `objects`, of which the first is the one it is named after; missing ones are left out.
pub(crate) fn conflict(
    code: &'static str,
    property: Option<&'static str>,
    text: String,
    objects: &[(&'static str, Option<&str>)],
) -> Conflict {
    let named = |(name, id): &(&'static str, Option<&str>)| Some((*name, (*id)?.to_owned()));
    Conflict {
        code: Some(code),
        object: objects.first().and_then(|(_, id)| id.map(str::to_owned)),
        objects: Some(objects.iter().filter_map(named).collect()),
        property,
        text,
        indexes: Vec::new(),
    }
}

impl<'a> Checks<'a> {
    pub(crate) fn new(
        view: &'a View<'a>,
        options: &'a ImportOptions,
        data_set: Option<String>,
        strategy: Strategy,
    ) -> Checks<'a> {
        Checks {
            view,
            options,
            strategy,
            timeliness: Timeliness::new(view, options, data_set.clone()),
            data_set,
            periods: HashMap::new(),
        }
    }

    /// Checks one value, `meant` with the set-wide fields in place of those it was `given`; the inner error holds
    /// its conflicts, with the index.
    pub(crate) fn run<'g>(
        &'g mut self,
        approvals: &BTreeMap<ApprovalKey, Approval>,
        lock_exceptions: &BTreeSet<(String, Period, String)>,
        names: &'g Names,
        index: usize,
        (meant, given): (&'g Given, &'g Given),
    ) -> Result<Result<Entry<'g>, Vec<Conflict>>, Failure> {
        let text = meant
            .period
            .as_deref()
            .unwrap_or_default()
            .trim()
            .to_owned();
        let dialect = self.view.dialect;
        self.periods
            .entry(text.clone())
            .or_insert_with(|| Period::parse(&text, dialect));
        let period = self.periods.get(&text).and_then(Option::as_ref);
        let numbered = |mut conflicts: Vec<Conflict>| {
            for conflict in &mut conflicts {
                conflict.indexes = vec![index as i64];
            }
            conflicts
        };
        let entry = match look_up(self.view, names, meant, given, period) {
            Ok(entry) => entry,
            Err(conflicts) => return Ok(Err(numbered(conflicts))),
        };
        if let Err(conflicts) = self.content(&entry, given)? {
            return Ok(Err(numbered(conflicts)));
        }
        let strict = Strict {
            view: self.view,
            options: self.options,
            data_set: self.data_set.as_deref(),
        };
        let checked = strict.required(meant);
        let checked = checked.and_then(|()| strict.check(&entry, given));
        let checked = checked.and_then(|()| {
            self.timeliness
                .check(approvals, lock_exceptions, &entry, given)
        });
        Ok(checked.map(|()| entry).map_err(numbered))
    }

    /// E7618 – E7621: value and comment themselves.
    fn content(&self, entry: &Entry, given: &Given) -> Result<Verdict, Failure> {
        let element = given.element.as_deref();
        let shown = shown(&given.element);
        let absent = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        let deletes = given.deleted == Some(true) || self.strategy == Strategy::Delete;
        if absent(&given.value) && absent(&given.comment) && !deletes {
            let text = format!("Data value or comment not specified for data element: `{shown}`");
            return Ok(refused(
                "E7618",
                Some("value"),
                text,
                &[("dataElement", element)],
            ));
        }
        let kind = &entry.described.value_type;
        let value = given.value.as_deref();
        let value = value.map(|value| normalised(value, kind, self.view.dialect));
        if let Some(reason) = value.and_then(|value| misfit(&value, kind, self.view.dialect)) {
            let why = sentence(reason);
            let text = format!("Value must match value type of data element `{shown}`: `{why}`");
            let objects = [("dataElement", element), ("value", Some(reason))];
            return Ok(refused("E7619", Some("value"), text, &objects));
        }
        let comment = given.comment.as_deref().unwrap_or_default();
        if comment.encode_utf16().count() > 50_000 {
            let reason = "comment_length_greater_than_max_length";
            let text = format!("Invalid comment: {}", sentence(reason));
            return Ok(refused(
                "E7620",
                Some("comment"),
                text,
                &[("comment", Some(reason))],
            ));
        }
        let Some(options) = &entry.described.options else {
            return Ok(Ok(()));
        };
        // `List.of(null)` in DHIS2's own code.
        let value = given
            .value
            .as_deref()
            .ok_or_else(|| Failure("null".to_owned()))?;
        let multiple = kind == "MULTI_TEXT";
        let known = options.contains(value)
            || (multiple && value.split(',').all(|part| options.contains(part)));
        if !known {
            let text = format!(
                "Data value is not a valid option of the data element option set: `{shown}`"
            );
            return Ok(refused(
                "E7621",
                Some("value"),
                text,
                &[("dataElement", element)],
            ));
        }
        Ok(Ok(()))
    }
}

/// Text as Java prints it.
pub(crate) fn shown(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("null")
}

/// A verdict of one conflict.
pub(crate) fn refused<T>(
    code: &'static str,
    property: Option<&'static str>,
    text: String,
    objects: &[(&'static str, Option<&str>)],
) -> Result<T, Vec<Conflict>> {
    Err(vec![conflict(code, property, text, objects)])
}
