//! Cells that are no longer as a saved plan found them, for which nothing of it is sent.

use crate::domain::{Author, Cell, Text};

#[derive(Clone, Debug)]
pub(crate) struct MovedCell {
    pub(crate) cell: Cell,
    /// The live value when the plan was made.
    pub(crate) expected: Option<Text>,
    /// The live value now.
    pub(crate) found: Option<Text>,
    /// Who stored or deleted it last, where that is somebody else.
    pub(crate) author: Option<Author>,
}
