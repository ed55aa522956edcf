//! A live row, packed: what the comparison needs of it.

use super::Target;
use crate::domain::{Author, Key, LiveRow, Text};

pub(super) struct LiveCell {
    pub(super) key: Key,
    /// None: deleted, or a comment alone.
    value: Option<Text>,
    pub(super) comment: Option<Box<Text>>,
    pub(super) follow_up: bool,
    /// Somebody else who stored it last, or deleted it.
    pub(super) author: Option<Box<Author>>,
    pub(super) in_scope: bool,
}

impl LiveCell {
    pub(super) fn new(key: Key, row: &LiveRow<'_>, in_scope: bool, target: &Target) -> LiveCell {
        let value = if row.deleted { None } else { row.value };
        let theirs = match (row.deleted, value) {
            (true, _) => !target.is_own_deletion(row),
            (false, Some(_)) => !target.is_ours(row.stored_by, row.last_updated),
            // A comment alone is nobody's value.
            (false, None) => false,
        };
        let author = || Author {
            user: row.stored_by.unwrap_or_default().into(),
            when: row.last_updated,
        };
        LiveCell {
            key,
            value: value.map(Text::from),
            comment: row.comment.map(|comment| Box::new(Text::from(comment))),
            follow_up: row.follow_up,
            author: theirs.then(|| Box::new(author())),
            in_scope,
        }
    }

    pub(super) fn value(&self) -> Option<&str> {
        self.value.as_ref().map(Text::as_str)
    }
}
