//! The DHIS2 Web API as an aggregate importer needs it, in the words of both import engines (≤ 2.42 and ≥ 2.43):
//! metadata, live values as a stream, imports and what their answers mean.

mod analytics;
mod approvals;
pub(crate) mod blocks;
mod category_combos;
mod completeness;
mod data_store;
pub(crate) mod error;
pub(crate) mod import;
mod listing;
pub(crate) mod live;
pub(crate) mod login_session;
mod messages;
mod metadata;
#[cfg(test)]
mod metadata_tests;
mod method;
pub(crate) mod patience;
mod pinned;
#[cfg(test)]
mod recorded;
mod refusal;
mod request;
mod server;
pub(crate) mod summary;
pub(crate) mod verdict;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

pub(crate) use analytics::Build;
pub(crate) use completeness::LiveRegistration;
pub(crate) use data_store::{Kept, Readers};

use crate::http;
use error::{Dhis2Error, Kind};
use login_session::{LoginNotes, LoginSession};
use patience::Patience;

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Where DHIS2 is, with its context path: `https://host/dhis/`.
    pub(crate) url: String,
    pub(crate) credentials: Credentials,
    /// Goes on with the login of others that have the same account.
    pub(crate) session: LoginSession,
    pub(crate) http: http::HttpSettings,
    /// How often a request is tried, the first time included.
    pub(crate) attempts: u32,
    /// Before a request is tried again; it grows, and is of random length.
    pub(crate) wait: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// A personal access token.
    Token(SecretString),
    Password {
        username: String,
        password: SecretString,
    },
}

/// A DHIS2 server and our account there.
pub(crate) struct Dhis2 {
    client: http::Client,
    /// It has no slash at the end.
    base: String,
    /// The whole `Authorization` header.
    authorization: SecretString,
    /// What may still be tried again.
    pub(crate) patience: Patience,
    session: LoginSession,
    /// What is known of our login from other runs.
    pub(crate) login_notes: Option<Box<dyn LoginNotes>>,
    /// How many requests were sent.
    pub(crate) requests: u32,
}

impl Dhis2 {
    /// Opens nothing yet. Fails for settings that no request could be made with: a URL that is not HTTP, a CA file
    /// without a certificate, credentials that do not fit into a header.
    pub(crate) fn connect(settings: &Settings) -> Result<Dhis2, Dhis2Error> {
        let base = settings.url.trim_end_matches('/');
        let host = base
            .strip_prefix("https://")
            .or_else(|| base.strip_prefix("http://"))
            .filter(|rest| !rest.is_empty() && !rest.contains(['@', '?', '#', ' ']));
        if host.is_none() {
            return Err(Dhis2Error::new(
                Kind::Target,
                "url in [dhis2] is not of the form https://host/path/, without user, password or query".to_owned(),
            ));
        }
        let client = http::Client::new(&settings.http).map_err(|error| {
            Dhis2Error::new(Kind::Target, format!("ca-file in [dhis2]: {error}"))
        })?;
        Ok(Dhis2 {
            client,
            base: base.to_owned(),
            authorization: authorization(&settings.credentials)?,
            patience: Patience::new(settings.attempts, settings.wait, settings.http.ends_at),
            session: settings.session.clone(),
            login_notes: None,
            requests: 0,
        })
    }
}

fn authorization(credentials: &Credentials) -> Result<SecretString, Dhis2Error> {
    let header = match credentials {
        Credentials::Token(token) => format!("ApiToken {}", token.expose_secret()),
        Credentials::Password { username, password } => {
            let pair = format!("{username}:{}", password.expose_secret());
            format!("Basic {}", STANDARD.encode(pair))
        }
    };
    if header.bytes().any(|byte| !(b' '..=b'~').contains(&byte)) {
        return Err(Dhis2Error::new(
            Kind::Credentials,
            "the DHIS2 token has characters that no token has; check token-file in [dhis2]"
                .to_owned(),
        ));
    }
    Ok(SecretString::from(header))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Credentials, Dhis2, Settings, authorization, http};
    use secrecy::ExposeSecret;

    fn settings(url: &str) -> Settings {
        Settings {
            url: url.to_owned(),
            credentials: Credentials::Token("d2pat_x".into()),
            session: super::LoginSession::default(),
            http: http::HttpSettings::default(),
            attempts: 1,
            wait: Duration::ZERO,
        }
    }

    #[test]
    fn a_context_path_is_kept_and_other_urls_are_refused() {
        let base = |url| Dhis2::connect(&settings(url)).map(|dhis2| dhis2.base).ok();
        assert_eq!(
            base("https://host/dhis/").as_deref(),
            Some("https://host/dhis")
        );
        assert_eq!(
            base("http://127.0.0.1:8080").as_deref(),
            Some("http://127.0.0.1:8080")
        );
        for url in [
            "host/dhis",
            "ftp://host",
            "https://",
            "https://me:secret@host/",
            "https://host/?a",
        ] {
            assert_eq!(base(url), None, "{url}");
        }
    }

    #[test]
    fn a_password_goes_as_basic_a_token_as_api_token_and_neither_is_printed() {
        let password = Credentials::Password {
            username: "loader".to_owned(),
            password: "Loader-2026!".into(),
        };
        // `printf 'loader:Loader-2026!' | base64`
        let header = authorization(&password).expect("a header");
        assert_eq!(header.expose_secret(), "Basic bG9hZGVyOkxvYWRlci0yMDI2IQ==");
        let token = Credentials::Token("d2pat_x".into());
        assert_eq!(
            authorization(&token).expect("a header").expose_secret(),
            "ApiToken d2pat_x"
        );
        assert!(authorization(&Credentials::Token("d2pat\nx".into())).is_err());
        assert!(!format!("{password:?} {token:?}").contains("2026"));
        assert!(!format!("{password:?} {token:?}").contains("d2pat"));
    }
}
