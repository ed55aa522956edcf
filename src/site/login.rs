//! A login that was refused is not tried again for an hour, by no run on this host: a few failures lock a DHIS2 account.
//!
//! Known by the fingerprint of the credential, so that another one is tried at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::files;
use super::key_secret::{self, NewSecret};
use crate::domain::KeyMask;
use crate::exit::{Exit, Problem};

const FILE: &str = "refused.tsv";
const HEADER: &str = "login\trefused";

/// DHIS2 locks an account after 4 failures in 15 minutes where `keyLockMultipleFailedLogins` is set.
const PAUSE: Duration = Duration::from_secs(60 * 60);

/// Where, as whom and with what we log in.
#[derive(Clone)]
pub(crate) struct Login {
    state: PathBuf,
    /// What people call it: "DHIS2".
    side: &'static str,
    /// What people call the secret: "the token".
    secret_is: &'static str,
    credential: SecretString,
}

impl Login {
    /// `credential`: address, user and secret in one text.
    pub(super) fn new(
        state: &Path,
        side: &'static str,
        secret_is: &'static str,
        credential: String,
    ) -> Login {
        Login {
            state: state.to_owned(),
            side,
            secret_is,
            credential: SecretString::from(credential),
        }
    }

    /// Refuses a login that was refused within the hour. A state folder that cannot be read knows of none.
    pub(super) fn ensure_not_refused(&self, now: Timestamp) -> Result<(), Problem> {
        let Some(mask) = key_secret::kept(&self.state) else {
            return Ok(());
        };
        let fingerprint = self.fingerprint(&mask);
        let refused = refused(&self.file());
        let known = refused
            .into_iter()
            .find(|(login, at)| *login == fingerprint && is_recent(*at, now));
        match known {
            None => Ok(()),
            Some((_, at)) => Err(Problem::new(
                Exit::Credentials,
                format!(
                    "{} refused these credentials at {}, so that they are not tried until {}: repeated failures lock the account; change {}, or remove {}",
                    self.side,
                    shown(at),
                    shown(at + PAUSE),
                    self.secret_is,
                    self.file().display()
                ),
            )),
        }
    }

    /// Notes that the login was refused now; gives the end of a sentence about it. Two runs that do so at once may lose
    /// one of the two notes, which costs one more attempt.
    pub(crate) fn refused(&self, now: Timestamp) -> String {
        let until = shown(now + PAUSE);
        match self.note(now) {
            Ok(()) => format!(
                "; no run tries these credentials again until {until}, unless {} changes",
                self.secret_is
            ),
            Err(why) => format!(
                "; {} cannot be written ({why}), so that the next run tries them again: stop it until they are mended",
                self.file().display()
            ),
        }
    }

    fn note(&self, now: Timestamp) -> Result<(), String> {
        let mask = key_secret::key_mask(&self.state, NewSecret::Kept)
            .map_err(|problem| problem.message)?;
        let mut lines = refused(&self.file());
        let fingerprint = self.fingerprint(&mask);
        lines.retain(|(login, at)| *login != fingerprint && is_recent(*at, now));
        lines.push((fingerprint, now));
        files::write_private(&self.file(), |file| {
            writeln!(file, "{HEADER}")?;
            for (login, at) in &lines {
                writeln!(file, "{login}\t{at}")?;
            }
            Ok(())
        })
        .map_err(|error| files::reason(&error))
    }

    fn fingerprint(&self, mask: &KeyMask) -> String {
        mask.mark(self.credential.expose_secret().as_bytes())
    }

    fn file(&self) -> PathBuf {
        self.state.join(FILE)
    }
}

/// The refused logins of the file and when they were; a line that is none is left out.
fn refused(file: &Path) -> Vec<(String, Timestamp)> {
    let text = fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().skip(1);
    lines
        .filter_map(|line| {
            let (login, at) = line.split_once('\t')?;
            Some((login.to_owned(), at.parse().ok()?))
        })
        .collect()
}

/// A clock that was set back ends the hour too.
fn is_recent(at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at + PAUSE
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
