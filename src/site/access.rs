//! How to reach the source and DHIS2, with the secrets that this takes.

use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};

use super::login::Login;
use super::registrations::Registrations;
use super::tables::{AccountSite, Site};
use super::{files, secret};
use crate::dhis2::{self, Dhis2};
use crate::domain::{OwnUser, Pin};
use crate::exit::Problem;
use crate::extract;
use crate::mapping::FileError;

/// What extracting needs.
pub(crate) struct SourceAccess {
    pub(crate) settings: extract::SourceSettings,
    pub(crate) password: Option<SecretString>,
    /// None: there is no secret that could be refused.
    pub(crate) login: Option<Login>,
    /// How often reading it is tried at most, and the wait that others are multiples of.
    pub(crate) attempts: u32,
    pub(crate) wait: Duration,
}

/// What DHIS2 needs.
pub(crate) struct Dhis2Access {
    pub(crate) url: String,
    /// Not asked anything yet.
    pub(crate) dhis2: Dhis2,
    pub(crate) chunk: usize,
    pub(crate) own_users: Vec<OwnUser>,
    /// What the server must say that it is, if the site says so.
    pub(crate) system_id: Option<String>,
    /// An account that may do more than import is refused unless the site says so.
    pub(crate) allow_overprivileged: bool,
    /// What we registered as complete there.
    pub(crate) registrations: Registrations,
    /// What DHIS2 was like when it was pinned, if it was.
    pub(crate) pin: Option<Box<Pin>>,
}

impl Site {
    /// How to reach the source, with its password; refused if the source refused that lately.
    pub(crate) fn source(&self) -> anyhow::Result<SourceAccess> {
        let source = self.table(self.source.as_ref(), "source")?;
        let settings = source.settings.clone();
        let password = secret::source_password(source.password_file.as_deref(), &settings)?;
        let login = password.as_ref().map(|password| {
            let words = ("PostgreSQL", "the password");
            Login::new(&self.state, words, settings.place(), password)
        });
        if let Some(login) = &login {
            login.ensure_not_refused(Timestamp::now())?;
        }
        Ok(SourceAccess {
            settings,
            password,
            login,
            attempts: self.limits.attempts,
            wait: self.limits.wait,
        })
    }

    /// How to reach DHIS2, with the token or password, and what it was like when it was pinned; refused if DHIS2 refused
    /// those lately.
    pub(crate) fn dhis2(&self) -> anyhow::Result<Dhis2Access> {
        let mut access = self.dhis2_without_pin()?;
        access.pin = self.pin()?.map(|file| Box::new(file.pin));
        Ok(access)
    }

    /// How to reach DHIS2 for those who make a pin, whatever the one that is there.
    pub(crate) fn dhis2_without_pin(&self) -> anyhow::Result<Dhis2Access> {
        let dhis2 = self.table(self.dhis2.as_ref(), "dhis2")?;
        let settings = self.dhis2_settings()?;
        let url = settings.url.clone();
        Ok(Dhis2Access {
            registrations: Registrations::new(&self.state, &url),
            dhis2: self.log_in(settings)?,
            url,
            chunk: dhis2.chunk,
            own_users: dhis2.own_users.clone(),
            system_id: dhis2.system_id.clone(),
            allow_overprivileged: dhis2.allow_overprivileged,
            pin: None,
        })
    }

    /// DHIS2, not asked anything yet; refused if it refused the token or password lately.
    pub(super) fn log_in(&self, settings: dhis2::Settings) -> anyhow::Result<Dhis2> {
        // What no request can be made with is a fault of the files, whatever it would be called later.
        let mut connected = Dhis2::connect(&settings).map_err(|error| {
            let file = self.file.display().to_string();
            FileError::whole(&file, error)
        })?;
        let login = self.login(&settings);
        login.ensure_not_refused(Timestamp::now())?;
        connected.login_notes = Some(Box::new(login));
        Ok(connected)
    }

    /// Where DHIS2 is and how we log in there.
    pub(super) fn dhis2_settings(&self) -> Result<dhis2::Settings, FileError> {
        let dhis2 = self.table(self.dhis2.as_ref(), "dhis2")?;
        let credentials = match &dhis2.account {
            AccountSite::Token { file } => dhis2::Credentials::Token(secret::read(file)?),
            AccountSite::Password { username, file } => dhis2::Credentials::Password {
                username: username.clone(),
                password: secret::read(file)?,
            },
        };
        let mut http = self.limits.http.clone();
        http.ends_at = self.ends_at;
        http.proxy = dhis2.proxy.clone();
        if let Some(file) = &dhis2.ca_file {
            http.ca_pem = Some(files::certificates(file)?);
        }
        Ok(dhis2::Settings {
            url: dhis2.url.clone(),
            credentials,
            session: self.session.clone(),
            http,
            attempts: self.limits.attempts,
            wait: self.limits.wait,
        })
    }

    pub(super) fn ensure_login_not_refused(
        &self,
        settings: &dhis2::Settings,
    ) -> Result<(), Problem> {
        self.login(settings).ensure_not_refused(Timestamp::now())
    }

    /// How far apart the clocks of this host, of the source and of DHIS2 may be.
    pub(crate) fn max_clock_skew(&self) -> SignedDuration {
        let allowed = self.dhis2.as_ref().map(|dhis2| dhis2.max_clock_skew);
        allowed.unwrap_or_default()
    }

    /// Months before that of the second day are removed from the history on the first. None: the day is before all time.
    pub(crate) fn forget_before(&self, now: Timestamp) -> Option<(Date, Date)> {
        let today = TimeZone::UTC.to_datetime(now).date();
        Some((today, today.checked_sub(self.retain).ok()?))
    }

    fn login(&self, settings: &dhis2::Settings) -> Login {
        let address = settings.url.trim_end_matches('/');
        let (secret_is, user, secret) = match &settings.credentials {
            dhis2::Credentials::Token(token) => ("the token", token.expose_secret(), token),
            dhis2::Credentials::Password { username, password } => {
                ("the password", username.as_str(), password)
            }
        };
        let account = format!("{address}\0{user}");
        Login::new(&self.state, ("DHIS2", secret_is), account, secret)
    }
}
