//! One login a run: the cookies of its session, and what became of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::error::{Dhis2Error, Kind};

/// No server sets more cookies than this, or longer ones; what goes beyond is left out.
const COOKIES: usize = 16;
const LONGEST_COOKIE: usize = 1024;

/// Shared by all that log in with the same account during a run.
#[derive(Clone, Default)]
pub(crate) struct LoginSession(Arc<Mutex<LoginState>>);

/// Whether DHIS2 has answered us as somebody it knows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum LetIn {
    #[default]
    NotYet,
    Before,
}

#[derive(Default)]
struct LoginState {
    cookies: BTreeMap<String, String>,
    let_in: LetIn,
    /// Why nothing more is asked in this run.
    ended: Option<Dhis2Error>,
}

/// What is known of a login beyond the run.
pub(crate) trait LoginNotes {
    /// Whether DHIS2 accepted the same secret within a day, so that a refusal may be a mistake, and the account can bear
    /// one more.
    fn may_be_tried_again(&self) -> bool;
    fn accepted(&self);
    /// Notes a login that DHIS2 refused; gives the end of a sentence about what that means for the next runs.
    fn refused(&self) -> String;
}

impl LoginSession {
    /// The header that goes on with the session; empty as long as there is none.
    pub(super) fn cookie(&self) -> String {
        let state = self.state();
        let pairs = state.cookies.iter();
        let pairs: Vec<String> = pairs
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    /// Takes the cookies of an answer in; one that is taken back is empty.
    pub(super) fn take(&self, set_cookies: &[String]) {
        let mut state = self.state();
        for cookie in set_cookies {
            let pair = cookie
                .split(';')
                .next()
                .and_then(|pair| pair.split_once('='));
            let Some((name, value)) = pair.filter(|_| cookie.len() <= LONGEST_COOKIE) else {
                continue;
            };
            let (name, value) = (name.trim(), value.trim());
            if value.is_empty() {
                state.cookies.remove(name);
            } else if state.cookies.len() < COOKIES || state.cookies.contains_key(name) {
                state.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub(super) fn let_in(&self) -> LetIn {
        self.state().let_in
    }

    pub(super) fn accept(&self) {
        self.state().let_in = LetIn::Before;
    }

    /// Why nothing more is asked in this run, for a request that is not even made.
    pub(super) fn ended(&self) -> Option<Dhis2Error> {
        let why = self.state().ended.clone()?;
        let kind = match why.kind {
            Kind::Temporary { .. } => Kind::Temporary { nothing_sent: true },
            kind => kind,
        };
        Some(Dhis2Error { kind, ..why })
    }

    pub(super) fn end(&self, why: &Dhis2Error) {
        self.state().ended = Some(why.clone());
    }

    fn state(&self) -> MutexGuard<'_, LoginState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cookie is as good as a password.
impl fmt::Debug for LoginSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginSession")
    }
}

#[cfg(test)]
mod tests {
    use super::LoginSession;

    #[test]
    fn cookies_are_kept_replaced_and_taken_back_and_never_printed() {
        let session = LoginSession::default();
        assert_eq!(session.cookie(), "");
        let take = |cookies: &[&str]| {
            let cookies: Vec<String> = cookies.iter().map(|&cookie| cookie.to_owned()).collect();
            session.take(&cookies);
            session.cookie()
        };
        assert_eq!(
            take(&["JSESSIONID=A1; Path=/; HttpOnly", "node=n2"]),
            "JSESSIONID=A1; node=n2"
        );
        assert_eq!(take(&["JSESSIONID=B2"]), "JSESSIONID=B2; node=n2");
        assert_eq!(take(&["node=; Max-Age=0", "nonsense"]), "JSESSIONID=B2");
        let long = format!("long={}", "x".repeat(2_000));
        assert_eq!(take(&[&long]), "JSESSIONID=B2");
        assert_eq!(format!("{session:?}"), "LoginSession");
    }
}
