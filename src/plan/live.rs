//! A live row, packed: what the comparison needs of it.

use super::Target;
use crate::domain::{Author, Key, LiveRow, People, Text};

pub(super) struct LiveCell {
    pub(super) key: Key,
    /// None: deleted, or a comment alone.
    value: Option<Text>,
    /// A comment, and somebody else who stored the value last or deleted it.
    pub(super) people: Option<Box<People>>,
    pub(super) follow_up: bool,
    pub(super) in_scope: bool,
}

impl LiveCell {
    pub(super) fn new(key: Key, row: &LiveRow<'_>, target: &Target) -> LiveCell {
        let value = if row.deleted { None } else { row.value };
        let theirs = match (row.deleted, value) {
            (true, _) => !target.is_own_deletion(row),
            (false, Some(_)) => !target.is_ours(row),
            // A comment alone is nobody's value.
            (false, None) => false,
        };
        let author = || Author {
            user: row.stored_by.unwrap_or_default().into(),
            when: row.updated(),
        };
        let people = || {
            Box::new(People {
                comment: row.comment.map(Text::from),
                author: theirs.then(author),
            })
        };
        LiveCell {
            key,
            value: value.map(Text::from),
            people: (theirs || row.comment.is_some()).then(people),
            follow_up: row.follow_up,
            in_scope: true,
        }
    }

    pub(super) fn comment(&self) -> Option<&str> {
        self.people.as_ref()?.comment.as_ref().map(Text::as_str)
    }

    pub(super) fn author(&self) -> Option<&Author> {
        self.people.as_ref()?.author.as_ref()
    }

    pub(super) fn value(&self) -> Option<&str> {
        self.value.as_ref().map(Text::as_str)
    }
}
