//! What is to become of a cell in DHIS2, and what became of it.

use serde::{Deserialize, Serialize};

use super::{Author, CellOutcome, Key, MovedCell, Text};

/// One cell that DHIS2 is asked to change.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) key: Key,
    pub(crate) kind: ChangeKind,
    /// The value to write; for a delete the live one, because DHIS2 ≤ 2.42 fails on a delete without.
    pub(crate) value: Text,
    /// The live value, if there is one.
    pub(crate) old: Option<Text>,
    pub(crate) follow_up: bool,
    /// Hardly any cell has one, and a run holds a million changes.
    pub(crate) people: Option<Box<People>>,
}

impl Change {
    /// A person's comment on the cell, sent back with the change because DHIS2 wipes it otherwise.
    pub(crate) fn comment(&self) -> Option<&str> {
        self.people.as_ref()?.comment.as_ref().map(Text::as_str)
    }

    /// Who stored or deleted the live value last, where that is somebody else.
    pub(crate) fn author(&self) -> Option<&Author> {
        self.people.as_ref()?.author.as_ref()
    }
}

/// What people did to a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct People {
    pub(crate) comment: Option<Text>,
    /// Who stored or deleted the value last, where that is somebody else.
    pub(crate) author: Option<Author>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ChangeKind {
    Create,
    Update,
    Zero,
    Delete,
}

/// How sending one change ended.
// `NotSent` is the report's own word for it.
#[allow(clippy::enum_variant_names)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Read back as it should be.
    Confirmed,
    /// DHIS2 refused it; its error code, or `none` where it gave none.
    Rejected { code: Box<str> },
    /// Sent, but no certain answer and not found as it should be.
    Unconfirmed,
    /// The run ended before.
    NotSent,
    /// Somebody stored or deleted something there since it was read.
    Moved(Box<MovedCell>),
}

impl Sent {
    /// What became of the cell of a change of this kind.
    pub(crate) fn outcome(&self, kind: ChangeKind) -> CellOutcome {
        match (self, kind) {
            (Sent::Confirmed, ChangeKind::Create) => CellOutcome::Created,
            (Sent::Confirmed, ChangeKind::Update) => CellOutcome::Updated,
            (Sent::Confirmed, ChangeKind::Zero) => CellOutcome::Zeroed,
            (Sent::Confirmed, ChangeKind::Delete) => CellOutcome::Deleted,
            (Sent::Rejected { .. }, _) => CellOutcome::Rejected,
            (Sent::Unconfirmed, _) => CellOutcome::Unconfirmed,
            (Sent::NotSent, _) => CellOutcome::NotSent,
            (Sent::Moved(_), _) => CellOutcome::Moved,
        }
    }
}

/// What DHIS2's import summaries count, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ServerCounts {
    pub(crate) imported: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) ignored: u64,
}

impl ServerCounts {
    pub(crate) fn add(&mut self, other: ServerCounts) {
        self.imported = self.imported.saturating_add(other.imported);
        self.updated = self.updated.saturating_add(other.updated);
        self.deleted = self.deleted.saturating_add(other.deleted);
        self.ignored = self.ignored.saturating_add(other.ignored);
    }
}
