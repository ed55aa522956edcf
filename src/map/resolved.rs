//! What is known of one dimension of a row.

use crate::domain::Uid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    Uid(Uid),
    /// Nothing is known of the key.
    Unknown,
    /// A rule says that rows of the key are left out.
    Excluded,
}
