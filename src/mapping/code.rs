//! `code:LC_EPI_DOSES_BCG_1`: the code of an object where its UID could stand, and the pin that says whose it is.

use std::fmt::Write;

use super::nearest;
use crate::domain::{ObjectKind, Pin, Uid};

/// The name of the file, which also stands among the digests of a mapping that rests on it.
pub(crate) const PIN: &str = "dhis2.pin.json";

const PREFIX: &str = "code:";

/// A pin as it was read.
#[derive(Debug)]
pub(crate) struct PinFile {
    /// How messages call it.
    pub(crate) shown: String,
    pub(crate) pin: Pin,
    /// SHA-256 of its text, in hex.
    pub(crate) digest: String,
}

/// How a mapping finds out what a code stands for.
#[derive(Clone, Copy)]
pub(crate) enum Codes<'c> {
    /// By the pin of the site, if it has one.
    Pinned(Option<&'c PinFile>),
    /// By asking DHIS2, while a site is being pinned: the error says why a code stands for nothing. Nothing else is asked of a pin.
    Asked(&'c dyn Fn(ObjectKind, &str) -> Result<Uid, String>),
}

impl Codes<'_> {
    /// The UID in a text, or the one of the object whose code the text names, and whether it named a code.
    pub(super) fn uid(&self, kind: ObjectKind, text: &str) -> Result<(Uid, bool), String> {
        let Some(code) = text.strip_prefix(PREFIX) else {
            let uid = text.parse::<Uid>().map_err(|error| error.to_string())?;
            return Ok((uid, false));
        };
        let uid = match self {
            Codes::Asked(ask) => ask(kind, code)?,
            Codes::Pinned(Some(file)) => coded(kind, code, &file.pin.codes(kind), &file.shown)
                .map_err(|error| format!("{error}; if DHIS2 has it, run `pg2dhis2 pin`"))?,
            Codes::Pinned(None) => {
                return Err(format!(
                    "`{PREFIX}{code}` is found by the pin {PIN}, which is not there; run `pg2dhis2 pin`"
                ));
            }
        };
        Ok((uid, true))
    }
}

/// The one object that has a code, of those that `whose` names; else what is wrong, with the nearest code.
pub(crate) fn coded(
    kind: ObjectKind,
    code: &str,
    known: &[(&str, Uid)],
    whose: &str,
) -> Result<Uid, String> {
    let mut found = known.iter().filter(|(each, _)| *each == code);
    match (found.next(), found.next()) {
        (Some((_, uid)), None) => Ok(*uid),
        (Some((_, first)), Some((_, second))) => Err(format!(
            "`{PREFIX}{code}` is the code of more than one {kind} ({first}, {second}); write the UID"
        )),
        (None, _) => {
            let mut message = format!("{whose} has no {kind} with the code `{code}`");
            if let Some(near) = nearest(code, known.iter().map(|(each, _)| *each)) {
                // Writing to a String does not fail.
                let _ = write!(message, ", did you mean `{PREFIX}{near}`?");
            }
            Err(message)
        }
    }
}
