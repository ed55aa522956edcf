//! Sessions: every login begins one, whose cookie spares the next requests a login of their own.

use std::collections::HashMap;

use super::http::Incoming;
use super::{Dialect, StandIn};

const COOKIE: &str = "JSESSIONID";

/// The sessions that go on.
#[derive(Default)]
pub(crate) struct Sessions {
    /// Who is logged in, by the value of the cookie.
    users: HashMap<String, String>,
    begun: u64,
}

impl Sessions {
    /// Whose session the cookie of a request belongs to.
    pub(crate) fn user(&self, request: &Incoming) -> Option<&str> {
        let cookies = request.header("cookie")?.split(';');
        let mut pairs = cookies.filter_map(|cookie| cookie.trim().split_once('='));
        let (_, session) = pairs.find(|(name, _)| *name == COOKIE)?;
        self.users.get(session).map(String::as_str)
    }

    /// Begins a session and gives the cookies that a server sets for it.
    pub(crate) fn begin(&mut self, user: &str, dialect: Dialect) -> Vec<String> {
        self.begun += 1;
        let session = format!("{:032X}", self.begun);
        let mut cookies = vec![format!(
            "{COOKIE}={session}; Path=/; HttpOnly; SameSite=Lax"
        )];
        if dialect == Dialect::V2_43 {
            cookies.push("SESSION_EXPIRE=1796000000; Path=/; SameSite=Lax".to_owned());
        }
        self.users.insert(session, user.to_owned());
        cookies
    }

    pub(crate) fn end(&mut self) {
        self.users.clear();
    }
}

impl StandIn {
    /// How many requests logged in, or tried to, since requests were forgotten: those with credentials and without the
    /// cookie of a session that goes on.
    pub fn logins(&self) -> usize {
        let world = self.world();
        let logins = world.requests.iter().filter(|request| request.is_login);
        logins.count()
    }

    /// Ends every session, as a restart of the server does.
    pub fn end_sessions(&self) {
        self.world().sessions.end();
    }

    /// Gives an account one more token, with its limits: `{"token": …, "methods": […], "addresses": […], "expired": …}`.
    ///
    /// # Panics
    /// If there is no such account, or it is no token.
    pub fn add_token(&self, username: &str, token: &str) {
        let token = serde_json::from_str(token).expect("a token");
        let mut world = self.world();
        let mut accounts = world.accounts.iter_mut();
        let account = accounts.find(|account| account.username == username);
        account.expect("an account").limited_tokens.push(token);
    }
}
