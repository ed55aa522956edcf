//! A live row, packed: what the comparison needs of it.

use super::Target;
use crate::domain::{Key, LiveRow, Text};

pub(super) struct LiveCell {
    pub(super) key: Key,
    /// None: deleted, or a comment alone.
    value: Option<Text>,
    pub(super) comment: Option<Box<Text>>,
    pub(super) follow_up: bool,
    /// Last stored by somebody else.
    pub(super) foreign: bool,
    pub(super) in_scope: bool,
}

impl LiveCell {
    pub(super) fn new(key: Key, row: &LiveRow<'_>, in_scope: bool, target: &Target) -> LiveCell {
        let value = if row.deleted { None } else { row.value };
        LiveCell {
            key,
            value: value.map(Text::from),
            comment: row.comment.map(|comment| Box::new(Text::from(comment))),
            follow_up: row.follow_up,
            foreign: !row.stored_by.is_some_and(|user| target.is_ours(user)),
            in_scope,
        }
    }

    pub(super) fn value(&self) -> Option<&str> {
        self.value.as_ref().map(Text::as_str)
    }
}
