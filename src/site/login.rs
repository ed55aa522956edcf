//! A login that was refused is not tried again for a while, by no run on this host: a few failures lock a DHIS2 account.
//!
//! What is known is kept by fingerprints: of a secret, so that another one is tried at once, and of an account at its
//! address, so that several wrong ones do not lock it. A secret that worked within a day is refused twice before it is
//! held back: a server that is getting well was seen to refuse right ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use super::key_secret::{self, NewSecret};
use super::{files, state};
use crate::dhis2::login_session::LoginNotes;
use crate::domain::KeyMask;
use crate::exit::{Exit, Problem};

const REFUSED: &str = "refused.tsv";
const REFUSED_HEADER: &str = "login\trefused\taccount";
const ACCEPTED: &str = "accepted.tsv";
const ACCEPTED_HEADER: &str = "login\taccepted";

/// A secret that was refused is not tried for so long.
const PAUSE: Duration = Duration::from_secs(20 * 60);
/// DHIS2 locks an account after 4 failures in 15 minutes where `keyLockMultipleFailedLogins` is set; we stop at 2.
const QUARTER: Duration = Duration::from_secs(15 * 60);
const MOST: usize = 2;
/// A secret that worked so lately may be refused by mistake.
const LATELY: Duration = Duration::from_secs(24 * 60 * 60);
/// That a secret works is written down so often.
const WRITTEN: Duration = Duration::from_secs(60 * 60);

/// Where, as whom and with what we log in.
#[derive(Clone)]
pub(crate) struct Login {
    state: PathBuf,
    /// What people call it: "DHIS2".
    side: &'static str,
    /// What people call the secret: "the token".
    secret_is: &'static str,
    /// Address and user; of a token, which has no user, the token.
    account: SecretString,
    /// The same with the secret.
    credential: SecretString,
}

/// A login that was refused.
struct RefusedLogin {
    login: String,
    at: Timestamp,
    account: String,
}

impl Login {
    /// `account`: address and user in one text.
    pub(super) fn new(
        state: &Path,
        (side, secret_is): (&'static str, &'static str),
        account: String,
        secret: &SecretString,
    ) -> Login {
        Login {
            state: state.to_owned(),
            side,
            secret_is,
            credential: format!("{account}\0{}", secret.expose_secret()).into(),
            account: account.into(),
        }
    }

    /// Refuses a login that was refused lately. A state folder that cannot be read knows of none.
    pub(super) fn ensure_not_refused(&self, now: Timestamp) -> Result<(), Problem> {
        let Some((last, until)) = self.held(now) else {
            return Ok(());
        };
        Err(Problem::new(
            Exit::Credentials,
            format!(
                "{} refused these credentials at {}, so that they are not tried until {}: repeated failures lock the account; change {}, or remove {}",
                self.side,
                shown(last),
                shown(until),
                self.secret_is,
                self.file(REFUSED).display()
            ),
        ))
    }

    /// When the login, or another of the same account, was refused last, and until when it is not tried; None: it may be.
    fn held(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let mask = key_secret::kept(&self.state)?;
        let login = self.login(&mask);
        let account = mask.mark(self.account.expose_secret().as_bytes());
        let refused = self.refused(now);
        let times = |of: &dyn Fn(&RefusedLogin) -> bool| -> Vec<Timestamp> {
            let refused = refused.iter().filter(|refusal| of(refusal));
            refused.map(|refusal| refusal.at).collect()
        };
        let own = times(&|refusal| refusal.login == login);
        let is_held = own.len() >= MOST || !self.has_worked(&login, now);
        let pause = own.last().filter(|_| is_held).map(|last| *last + PAUSE);
        let of_account =
            times(&|refusal| refusal.account == account && is_within(QUARTER, refusal.at, now));
        // Once the oldest of the last two is past, one more fits into the quarter of an hour.
        let full = of_account.iter().rev().nth(MOST - 1);
        let until = pause.max(full.map(|at| *at + QUARTER))?;
        let last = own.last().max(of_account.last()).copied()?;
        Some((last, until))
    }

    /// Notes that the login was refused now; gives the end of a sentence about it. Two runs that do so at once may lose
    /// one of the two notes, which costs one more attempt.
    pub(crate) fn note_refused(&self, now: Timestamp) -> String {
        match self.note(now) {
            Ok(()) => self.told(now),
            Err(why) => format!(
                "; {} cannot be written ({why}), so that the next run tries them again: stop it until they are mended",
                self.file(REFUSED).display()
            ),
        }
    }

    fn told(&self, now: Timestamp) -> String {
        match self.held(now) {
            Some((_, until)) => format!(
                "; no run tries these credentials again until {}, unless {} changes",
                shown(until),
                self.secret_is
            ),
            None => {
                "; they worked within a day, so that the next run tries them once more".to_owned()
            }
        }
    }

    fn note(&self, now: Timestamp) -> Result<(), String> {
        if !state::make_usable(&self.state) {
            return Err("its folder cannot be made or is not ours".to_owned());
        }
        let mask = key_secret::key_mask(&self.state, NewSecret::Kept)
            .map_err(|problem| problem.message)?;
        let mut refused = self.refused(now);
        refused.push(RefusedLogin {
            login: self.login(&mask),
            at: now,
            account: mask.mark(self.account.expose_secret().as_bytes()),
        });
        let lines = refused.iter().map(|refusal| {
            let RefusedLogin { login, at, account } = refusal;
            format!("{login}\t{at}\t{account}")
        });
        self.write(REFUSED, REFUSED_HEADER, lines.collect())
    }

    /// The logins that were refused lately; a line that is none is left out.
    fn refused(&self, now: Timestamp) -> Vec<RefusedLogin> {
        let text = fs::read_to_string(self.file(REFUSED)).unwrap_or_default();
        let refusals = text.lines().skip(1).filter_map(|line| {
            let (login, rest) = line.split_once('\t')?;
            let (at, account) = rest.split_once('\t')?;
            Some(RefusedLogin {
                login: login.to_owned(),
                at: at.parse().ok()?,
                account: account.to_owned(),
            })
        });
        refusals
            .filter(|refusal| is_within(PAUSE, refusal.at, now))
            .collect()
    }

    fn has_worked(&self, login: &str, now: Timestamp) -> bool {
        let mut accepted = self.accepted_logins(now).into_iter();
        accepted.any(|(accepted, _)| accepted == login)
    }

    /// The logins that worked lately, and when.
    fn accepted_logins(&self, now: Timestamp) -> Vec<(String, Timestamp)> {
        let text = fs::read_to_string(self.file(ACCEPTED)).unwrap_or_default();
        let lines = text.lines().skip(1).filter_map(|line| {
            let (login, at) = line.split_once('\t')?;
            Some((login.to_owned(), at.parse().ok()?))
        });
        lines
            .filter(|(_, at)| is_within(LATELY, *at, now))
            .collect()
    }

    /// Notes that a login works, where there is a state folder already; without the note, one that is refused by mistake
    /// is held back at once.
    fn note_accepted(&self, now: Timestamp) {
        let Some(mask) = key_secret::kept(&self.state) else {
            return;
        };
        let login = self.login(&mask);
        let mut accepted = self.accepted_logins(now);
        let is_written =
            |(known, at): &(String, Timestamp)| *known == login && is_within(WRITTEN, *at, now);
        if accepted.iter().any(is_written) {
            return;
        }
        accepted.retain(|(known, _)| *known != login);
        accepted.push((login, now));
        let lines = accepted.iter().map(|(login, at)| format!("{login}\t{at}"));
        if let Err(why) = self.write(ACCEPTED, ACCEPTED_HEADER, lines.collect()) {
            log::info!("{} is not written: {why}", self.file(ACCEPTED).display());
        }
    }

    fn write(&self, name: &str, header: &str, lines: Vec<String>) -> Result<(), String> {
        let written = files::write_private(&self.file(name), |file| {
            writeln!(file, "{header}")?;
            for line in &lines {
                writeln!(file, "{line}")?;
            }
            Ok(())
        });
        written.map_err(|error| files::reason(&error))
    }

    fn login(&self, mask: &KeyMask) -> String {
        mask.mark(self.credential.expose_secret().as_bytes())
    }

    fn file(&self, name: &str) -> PathBuf {
        self.state.join(name)
    }
}

impl LoginNotes for Login {
    fn may_be_tried_again(&self) -> bool {
        let now = Timestamp::now();
        let has_worked = |mask| self.has_worked(&self.login(&mask), now);
        key_secret::kept(&self.state).is_some_and(has_worked) && self.held(now).is_none()
    }

    fn accepted(&self) {
        self.note_accepted(Timestamp::now());
    }

    fn refused(&self) -> String {
        self.note_refused(Timestamp::now())
    }
}

/// A clock that was set back ends every time too.
fn is_within(time: Duration, at: Timestamp, now: Timestamp) -> bool {
    at <= now && now < at + time
}

fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}
