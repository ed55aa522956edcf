//! Import summaries: counts, conflicts and rejected indexes, and the web message around them.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::Dialect;
use super::answer::{Answer, web_message};

/// What came of an import.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) failed: bool,
    /// Only the old engine describes.
    pub(crate) description: Option<String>,
    pub(crate) imported: usize,
    pub(crate) updated: usize,
    pub(crate) ignored: usize,
    pub(crate) deleted: usize,
    pub(crate) conflicts: Vec<Conflict>,
    pub(crate) rejected: BTreeSet<usize>,
    /// Absent when the import was aborted or could not be decoded.
    pub(crate) data_set_complete: Option<String>,
    /// Warn about conflicts; registrations of completeness do not.
    pub(crate) lenient: bool,
}

/// A refusal of values, or of everything, with the indexes it is about.
#[derive(Debug)]
pub(crate) struct Conflict {
    pub(crate) code: Option<&'static str>,
    pub(crate) object: Option<String>,
    /// `None` leaves `objects` out.
    pub(crate) objects: Option<Vec<(&'static str, String)>>,
    pub(crate) property: Option<&'static str>,
    pub(crate) text: String,
    /// Empty leaves `indexes` out.
    pub(crate) indexes: Vec<i64>,
}

impl Summary {
    /// Adds a value's conflict; one with the same code and objects only gains an index.
    pub(crate) fn add_conflict(&mut self, conflict: Conflict) {
        let same = self
            .conflicts
            .iter_mut()
            .find(|held| held.code == conflict.code && held.objects == conflict.objects);
        match same {
            Some(held) => held.indexes.extend(conflict.indexes),
            None => self.conflicts.push(conflict),
        }
    }

    pub(crate) fn answer(&self, dialect: Dialect) -> Answer {
        let warned = !self.lenient && !self.conflicts.is_empty();
        let (status, verdict, outcome, message) = match (self.failed, warned, dialect) {
            (true, ..) => (
                409,
                "ERROR",
                "ERROR",
                "An error occurred, please check import summary.",
            ),
            (false, true, Dialect::V2_42) => (
                409,
                "WARNING",
                "WARNING",
                "One more conflicts encountered, please check import summary.",
            ),
            (false, true, Dialect::V2_43) => (
                200,
                "WARNING",
                "WARNING",
                "Import completed with warnings, please check import summary.",
            ),
            (false, false, _) => (200, "OK", "SUCCESS", "Import was successful."),
        };
        let mut body = web_message(status, verdict, message);
        body["response"] = self.body(outcome);
        Answer::json_with_status(status, &body)
    }

    /// The bare summary, as task summaries give it.
    pub(crate) fn bare(&self) -> Value {
        let outcome = match (self.failed, self.conflicts.is_empty()) {
            (true, _) => "ERROR",
            (false, false) => "WARNING",
            (false, true) => "SUCCESS",
        };
        self.body(outcome)
    }

    fn body(&self, outcome: &str) -> Value {
        let mut body = json!({
            "responseType": "ImportSummary",
            "status": outcome,
            "importCount": {
                "imported": self.imported,
                "updated": self.updated,
                "ignored": self.ignored,
                "deleted": self.deleted,
            },
            "conflicts": self.conflicts.iter().map(Conflict::body).collect::<Value>(),
            "rejectedIndexes": self.rejected,
        });
        if let Some(description) = &self.description {
            body["description"] = json!(description);
        }
        if let Some(complete) = &self.data_set_complete {
            body["dataSetComplete"] = json!(complete);
        }
        body
    }
}

impl Conflict {
    fn body(&self) -> Value {
        let mut body = Map::new();
        if let Some(object) = &self.object {
            body.insert("object".to_owned(), json!(object));
        }
        if let Some(objects) = &self.objects {
            let objects = objects.iter();
            let objects = objects.map(|(name, value)| ((*name).to_owned(), json!(value)));
            body.insert("objects".to_owned(), Value::Object(objects.collect()));
        }
        body.insert("value".to_owned(), json!(self.text));
        if let Some(code) = self.code {
            body.insert("errorCode".to_owned(), json!(code));
        }
        if let Some(property) = self.property {
            body.insert("property".to_owned(), json!(property));
        }
        if !self.indexes.is_empty() {
            body.insert("indexes".to_owned(), json!(self.indexes));
        }
        Value::Object(body)
    }
}
