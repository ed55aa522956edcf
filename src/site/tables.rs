//! A site file's tables, as they were read.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};
use secrecy::SecretString;

use super::files::folder;
use crate::dhis2::Readers;
use crate::dhis2::login_session::LoginSession;
use crate::domain::OwnUser;
use crate::extract;
use crate::mapping::FileError;
use crate::notify::Audience;
use crate::notify::Transit;

/// A site file, read and checked; it has many fields because the file has many keys and tables. What only some commands need may be
/// missing until one asks for it.
#[derive(Debug)]
pub(crate) struct Site {
    /// It is kept as it was given or found.
    pub(crate) file: PathBuf,
    /// Decides which period is current.
    pub(crate) time_zone: TimeZone,
    /// Patterns of mapping files, relative to the site file.
    pub(super) mappings: Vec<String>,
    /// Lock and history.
    pub(crate) state: PathBuf,
    /// What it is called where there are others; none: as the host is.
    pub(super) name: Option<String>,
    pub(crate) watchers: Watchers,
    /// How long runs stay in the history.
    pub(super) retain: Span,
    /// SHA-256 of the site file.
    pub(crate) digest: String,
    /// So long may a command take.
    pub(crate) deadline: Option<Duration>,
    /// When this one has to end; nobody says it before the site file is read.
    pub(crate) ends_at: Option<Instant>,
    /// The one login to DHIS2 of this command.
    pub(super) session: LoginSession,
    pub(super) limits: Limits,
    pub(super) source: Option<SourceSite>,
    pub(super) dhis2: Option<Dhis2Site>,
    pub(super) alerts: Vec<AlertSite>,
}

/// The table `[source]`.
#[derive(Debug)]
pub(super) struct SourceSite {
    pub(super) settings: extract::SourceSettings,
    pub(super) password_file: Option<PathBuf>,
}

/// The table `[dhis2]`; it is this large because each key stands for itself.
#[derive(Debug)]
pub(super) struct Dhis2Site {
    pub(super) url: String,
    pub(super) account: AccountSite,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) chunk: usize,
    pub(super) max_clock_skew: SignedDuration,
    pub(super) own_users: Vec<OwnUser>,
    pub(super) system_id: Option<String>,
    pub(super) allow_overprivileged: bool,
    pub(super) proxy: Option<String>,
    pub(super) data_store: Option<DataStore>,
    pub(super) analytics: Analytics,
}

/// The table `[limits]`, but for the deadline.
#[derive(Debug)]
pub(super) struct Limits {
    pub(super) http: crate::http::HttpSettings,
    pub(super) attempts: u32,
    pub(super) wait: Duration,
}

#[derive(Debug)]
pub(super) enum AccountSite {
    Token { file: PathBuf },
    Password { username: String, file: PathBuf },
}

/// One table `[[alert]]`.
#[derive(Debug)]
pub(super) struct AlertSite {
    /// What people and the history call it: `mail to a@b.example`.
    pub(super) name: String,
    pub(super) audience: Audience,
    pub(super) way: WaySite,
}

#[derive(Debug)]
pub(super) enum WaySite {
    Mail(Box<MailSite>),
    Webhook {
        url: WebhookAddress,
        template: Option<PathBuf>,
        ca_file: Option<PathBuf>,
    },
    Command {
        program: PathBuf,
        arguments: Vec<String>,
    },
    Dhis2 {
        user_group: String,
    },
}

/// Whoever knows some addresses may write there: they stand in files of their own.
#[derive(Debug)]
pub(super) enum WebhookAddress {
    Written(String),
    File(PathBuf),
}

/// The key `mail` of an `[[alert]]`.
#[derive(Debug)]
pub(super) struct MailSite {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) transit: Transit,
    pub(super) login: Option<(String, PathBuf)>,
    pub(super) ca_file: Option<PathBuf>,
    pub(super) from: String,
    pub(super) to: Vec<String>,
}

/// The keys `heartbeat` or `heartbeat-file`, `metrics` and `page` of the table `[history]`.
#[derive(Debug, Default)]
pub(crate) struct Watchers {
    pub(super) heartbeat: Option<Heartbeat>,
    /// A file for Prometheus' node exporter.
    pub(crate) metrics: Option<PathBuf>,
    pub(crate) page: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) enum Heartbeat {
    Address(SecretString),
    File(PathBuf),
}

/// The keys `data-store` and `data-store-group` of `[dhis2]`.
#[derive(Clone, Debug)]
pub(crate) struct DataStore {
    pub(crate) namespace: String,
    pub(crate) readers: Readers,
}

/// The keys `analytics`, `analytics-every` and `analytics-token-file` of `[dhis2]`.
#[derive(Clone, Debug)]
pub(crate) struct Analytics {
    pub(crate) refresh: bool,
    pub(crate) every: Duration,
    pub(super) token: Option<PathBuf>,
}

impl Site {
    pub(super) fn table<'s, T>(
        &self,
        table: Option<&'s T>,
        name: &str,
    ) -> Result<&'s T, FileError> {
        table.ok_or_else(|| {
            let file = self.file.display().to_string();
            FileError::whole(
                &file,
                format!("table `[{name}]` is missing; this command needs it"),
            )
        })
    }

    /// A path as written in the site file.
    pub(super) fn path(&self, written: &str) -> PathBuf {
        folder(&self.file).join(written)
    }
}
