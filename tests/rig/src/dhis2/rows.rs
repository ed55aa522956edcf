//! The data value table: rows keyed by the five dimensions, found quickly by element and period.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use jiff::civil::DateTime;
use serde_json::{Value, json};

use super::period::Period;

/// A row's key; ordered as the rows are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    pub(crate) element: Arc<str>,
    pub(crate) period: Period,
    pub(crate) unit: Arc<str>,
    pub(crate) combo: Arc<str>,
    pub(crate) attribute_combo: Arc<str>,
}

/// What is stored for a key.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) value: Option<String>,
    pub(crate) comment: Option<String>,
    /// The new engine keeps an absent mark apart from an unset one.
    pub(crate) follow_up: Option<bool>,
    pub(crate) stored_by: String,
    pub(crate) created: DateTime,
    pub(crate) last_updated: DateTime,
    pub(crate) deleted: bool,
}

/// All rows, deleted ones too: DHIS2 deletes softly.
#[derive(Default)]
pub(crate) struct Rows(BTreeMap<Key, Stored>);

impl Rows {
    pub(crate) fn get(&self, key: &Key) -> Option<&Stored> {
        self.0.get(key)
    }

    /// Writes a row; one that is there keeps its time of creation.
    pub(crate) fn put(&mut self, key: Key, mut row: Stored) {
        if let Some(held) = self.0.get(&key) {
            row.created = held.created;
        }
        self.0.insert(key, row);
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, &Stored)> {
        self.0.iter()
    }

    /// The rows of one element.
    pub(crate) fn of_element(&self, element: &str) -> impl Iterator<Item = (&Key, &Stored)> {
        let first = Period::earliest();
        let element: Arc<str> = element.into();
        self.from(Arc::clone(&element), first)
            .take_while(move |(key, _)| key.element == element)
    }

    /// The rows of one element and period.
    pub(crate) fn of_element_and_period(
        &self,
        element: &str,
        period: &Period,
    ) -> impl Iterator<Item = (&Key, &Stored)> {
        let element: Arc<str> = element.into();
        let period = period.clone();
        self.from(Arc::clone(&element), period.clone())
            .take_while(move |(key, _)| key.element == element && key.period == period)
    }

    fn from(&self, element: Arc<str>, period: Period) -> impl Iterator<Item = (&Key, &Stored)> {
        let nothing: Arc<str> = "".into();
        let first = Key {
            element,
            period,
            unit: Arc::clone(&nothing),
            combo: Arc::clone(&nothing),
            attribute_combo: nothing,
        };
        self.0.range((Bound::Included(first), Bound::Unbounded))
    }

    /// Every row in the form of the recordings' `stored`.
    pub(crate) fn as_recorded(&self) -> Vec<Value> {
        let rows = self.0.iter().map(|(key, row)| {
            json!({
                "de": &*key.element,
                "pe": format!("{} {}", key.period.kind, key.period.start),
                "ou": &*key.unit,
                "coc": &*key.combo,
                "aoc": &*key.attribute_combo,
                "value": row.value,
                "comment": row.comment,
                "followup": row.follow_up,
                "storedby": row.stored_by,
                "deleted": row.deleted,
            })
        });
        rows.collect()
    }
}
