//! Why DHIS2 did not do what it was asked: what a person must look at, in one line, and whether trying again can help.

use std::fmt;
use std::time::Duration;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dhis2Error {
    pub(crate) kind: Kind,
    /// Of the answer, if there was one.
    pub(crate) status: Option<u16>,
    /// DHIS2's error code, where its answer had one.
    pub(crate) code: Option<String>,
    /// How long the server asks us to wait.
    pub(crate) retry_after: Option<Duration>,
    /// One line: what we were doing, what is wrong, what to do next. Holds no value and no comment.
    pub(crate) message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The server does not accept who we are. Never tried again: repeated failures lock the account.
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
            retry_after: None,
            message,
        }
    }

    pub(crate) fn is_temporary(&self) -> bool {
        matches!(self.kind, Kind::Temporary { .. })
    }

    /// Whether nobody knows if the request had an effect. A server that is overloaded says so before it begins.
    pub(crate) fn leaves_open(&self) -> bool {
        let is_refused = matches!(self.status, Some(408 | 425 | 429 | 503));
        self.kind
            == Kind::Temporary {
                nothing_sent: false,
            }
            && !is_refused
    }

    /// Whether DHIS2 did not let us in at all: more such attempts would lock the account. A right that is missing (403)
    /// is found out after the login.
    pub(crate) fn is_refused_login(&self) -> bool {
        self.kind == Kind::Credentials && self.status != Some(403)
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
