//! Cells that are no longer as a saved plan found them, for which nothing of it is sent.

use crate::domain::{Cell, Text};

#[derive(Clone, Debug)]
pub(crate) struct MovedCell {
    pub(crate) cell: Cell,
    /// The live value when the plan was made.
    pub(crate) expected: Option<Text>,
    /// The live value now.
    pub(crate) found: Option<Text>,
    /// Last stored by somebody else.
    pub(crate) foreign: bool,
}
