//! Why DHIS2 did not do what it was asked: what a person must look at, in one line, and whether trying again can help.

use std::fmt;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dhis2Error {
    pub(crate) kind: Kind,
    /// The status of the answer, if there was one.
    pub(crate) status: Option<u16>,
    /// DHIS2's error code, where its answer had one.
    pub(crate) code: Option<String>,
    /// DHIS2 did not let us in at all: more such attempts would lock the account.
    pub(crate) is_refused_login: bool,
    /// It may pass, and nothing more is asked in this run.
    pub(crate) ends_run: bool,
    /// How long the server asks us to wait.
    pub(crate) retry_after: Option<Duration>,
    /// One line: what we were doing, what is wrong, what to do next. Holds no value and no comment.
    pub(crate) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server does not accept who we are, or not for this. Never tried again: repeated failures lock the account.
    Credentials,
    /// Not the DHIS2 we expect, or not the rights or metadata.
    Target,
    /// May go away by itself.
    Temporary {
        /// The request cannot have had an effect.
        nothing_sent: bool,
    },
}

impl Dhis2Error {
    pub(crate) fn new(kind: Kind, message: String) -> Dhis2Error {
        Dhis2Error {
            kind,
            status: None,
            code: None,
            is_refused_login: false,
            ends_run: false,
            retry_after: None,
            message,
        }
    }

    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self.kind, Kind::Temporary { .. })
    }

    /// Whether the request was larger than the server takes.
    pub(crate) fn is_too_large(&self) -> bool {
        self.status == Some(413)
    }
}

impl fmt::Display for Dhis2Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Dhis2Error {}
