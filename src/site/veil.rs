//! The secret behind the fingerprints of keys: a random file in the state folder, or a throw-away one.

use std::fs;
use std::path::Path;

use crate::domain::Veil;
use crate::exit::{Exit, Problem};

const FILE: &str = "keys.secret";
const LENGTH: usize = 32;

/// The veil of a site. `keep`: make the file if there is none, so that fingerprints stay the same from run to run.
pub(crate) fn veil(state: &Path, keep: Keep) -> Result<Veil, Problem> {
    if let Some(veil) = kept(state) {
        return Ok(veil);
    }
    let path = state.join(FILE);
    if keep == Keep::InState && path.exists() {
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
    if keep == Keep::InState {
        super::write_private(&path, |file| file.write_all(&secret)).map_err(|error| {
            let shown = path.display();
            Problem::new(
                Exit::State,
                format!(
                    "{shown} cannot be written ({}); nothing was sent; make room there, or name another folder as `state`",
                    super::reason(&error)
                ),
            )
        })?;
    }
    Ok(Veil::new(secret))
}

/// The veil that an earlier run made.
pub(super) fn kept(state: &Path) -> Option<Veil> {
    let secret = fs::read(state.join(FILE)).ok()?;
    (secret.len() == LENGTH).then(|| Veil::new(secret))
}

/// Whether a new secret is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    InState,
    Nowhere,
}
