//! The secret behind the fingerprints of keys: a random file in the state folder, or a throw-away one.

use std::fs;
use std::path::Path;

use super::files;
use crate::domain::KeyMask;
use crate::exit::{Exit, Problem};

const FILE: &str = "keys.secret";
const LENGTH: usize = 32;

/// What masks the keys of a site. A kept secret gives the same fingerprints in every run.
pub(crate) fn key_mask(state: &Path, new: NewSecret) -> Result<KeyMask, Problem> {
    if let Some(mask) = kept(state) {
        return Ok(mask);
    }
    let path = state.join(FILE);
    if new == NewSecret::Kept && path.exists() {
        // Another secret would give every key another fingerprint, and nobody would know why.
        let shown = path.display();
        return Err(Problem::new(
            Exit::State,
            format!(
                "{shown}, the secret behind the fingerprints of keys, cannot be read or is not whole; nothing was sent; give it back \
                 to the user who runs pg2dhis2, or remove it: then keys get other fingerprints"
            ),
        ));
    }
    let mut secret = vec![0; LENGTH];
    getrandom::fill(&mut secret)
        .map_err(|error| Problem::new(Exit::Internal, format!("no random numbers ({error})")))?;
    if new == NewSecret::Kept {
        files::write_private(&path, |file| file.write_all(&secret)).map_err(|error| {
            let shown = path.display();
            Problem::new(
                Exit::State,
                format!(
                    "{shown} cannot be written ({}); nothing was sent; make room there, or name another folder as `state`",
                    files::reason(&error)
                ),
            )
        })?;
    }
    Ok(KeyMask::new(secret))
}

/// The mask with the secret that an earlier run made.
pub(super) fn kept(state: &Path) -> Option<KeyMask> {
    let secret = fs::read(state.join(FILE)).ok()?;
    (secret.len() == LENGTH).then(|| KeyMask::new(secret))
}

/// What becomes of a secret that had to be made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum NewSecret {
    Kept,
    ThrownAway,
}
