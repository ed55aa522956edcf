//! Whose a value is.

use std::rc::Rc;

use jiff::civil::DateTime;

/// Who last stored or deleted a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Author {
    /// DHIS2's name of the account; empty where it tells none.
    pub(crate) user: Rc<str>,
    /// By the server's clock.
    pub(crate) when: Option<DateTime>,
}
