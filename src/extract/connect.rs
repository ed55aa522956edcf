//! A connection to the source.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::{Client, Config, IsolationLevel, NoTls, SimpleQueryMessage};
use secrecy::{ExposeSecret, SecretString};

use super::error::{self, ExtractError, ExtractErrorKind};
use super::privileges;
use super::session_settings::SessionSettings;
use super::settings::{Host, SourceSettings};
use super::snapshot::Snapshot;
use super::sslmode::Tls;
use super::tls;

/// A connection to the source.
pub(crate) struct Source {
    client: Client,
    session: SessionSettings,
    version: String,
    excess: Vec<String>,
}

const APPLICATION_NAME: &str = concat!("pg2dhis2/", env!("CARGO_PKG_VERSION"));

/// Frees the server of our query soon after we are gone. Only PostgreSQL 14 and later know it, and not on every system.
const NOTICE_OUR_END: &str = "set client_connection_check_interval = '5s'";

/// How many times `connect_timeout` a whole connection may take: it may try several addresses, and then has TLS and a login to do.
const ANSWERS: u32 = 3;

/// A long query is silent; these find out when its server has gone without a word.
const SILENCE: Duration = Duration::from_secs(20);

impl Source {
    /// Connects to the first server that answers. A server that refuses us ends the search: the next would get the same password.
    pub(crate) fn connect(
        settings: &SourceSettings,
        password: Option<&SecretString>,
    ) -> Result<Source, ExtractError> {
        let mut before: Option<ExtractError> = None;
        for host in &settings.hosts {
            match connect(settings, host, password) {
                Ok(source) => return Ok(source),
                Err(error) => {
                    let another_may_answer = matches!(
                        error.kind,
                        ExtractErrorKind::Unreachable
                            | ExtractErrorKind::Lost
                            | ExtractErrorKind::Overloaded
                            | ExtractErrorKind::Recovery
                    );
                    let error = match before.take() {
                        Some(first) => first.and(error),
                        None => error,
                    };
                    if !another_may_answer {
                        return Err(error);
                    }
                    before = Some(error);
                }
            }
        }
        Err(before.unwrap_or_else(|| {
            ExtractError::new(ExtractErrorKind::Unreachable, "the source has no host")
        }))
    }

    /// The version in the server's own words, such as `15.18 (Debian 15.18-0+deb12u1)`.
    pub(crate) fn server_version(&self) -> String {
        self.version.clone()
    }

    /// What the role may do beyond reading, in words; only where the settings allow it.
    pub(crate) fn excess_rights(&self) -> &[String] {
        &self.excess
    }

    /// Opens the one read-only transaction in which everything is read as it was at this moment.
    pub(crate) fn snapshot(&mut self) -> Result<Snapshot<'_>, ExtractError> {
        let failed = |error: postgres::Error| {
            error::in_session("opening a read-only snapshot of the source", &error)
        };
        let mut transaction = self
            .client
            .build_transaction()
            .isolation_level(IsolationLevel::RepeatableRead)
            .read_only(true)
            .start()
            .map_err(failed)?;
        // The first query fixes the snapshot; after it, PostgreSQL lets nobody make the transaction writable.
        transaction
            .batch_execute(&format!("{}; select 1", self.session.commands))
            .map_err(failed)?;
        Ok(Snapshot::new(transaction, &self.session))
    }
}

fn connect(
    settings: &SourceSettings,
    host: &Host,
    password: Option<&SecretString>,
) -> Result<Source, ExtractError> {
    let user = settings.user.as_deref().unwrap_or("the system user");
    let at = if host.is_socket() { "/.s.PGSQL." } else { ":" };
    let doing = format!(
        "connecting to {}{at}{}, database {}, as {user}",
        host.name, host.port, settings.database
    );
    let failed = |error: postgres::Error| error::in_session(&doing, &error);
    let config = config(settings, host, password);
    let connector = tls::connector(&host.tls)
        .map_err(|why| ExtractError::new(ExtractErrorKind::Tls, format!("{doing}: {why}")))?;
    let started = within(
        settings.connect_timeout.map(|timeout| timeout * ANSWERS),
        move || match connector {
            Some(connector) => config.connect(connector),
            None => config.connect(NoTls),
        },
    );
    let mut client = match started {
        Some(connected) => connected.map_err(failed)?,
        None => {
            return Err(ExtractError::new(
                ExtractErrorKind::Unreachable,
                format!("{doing}: the server does not answer"),
            ));
        }
    };
    let mut session = SessionSettings::new(settings);
    client.batch_execute(&session.commands).map_err(failed)?;
    match client.batch_execute(NOTICE_OUR_END) {
        Ok(()) => session.commands = format!("{}; {NOTICE_OUR_END}", session.commands),
        Err(error) => log::debug!(
            "the source does not know client_connection_check_interval ({:?})",
            error.code().map(|code| code.code())
        ),
    }
    let excess = excess_rights(&mut client, settings, &doing)?;
    let answer = client.simple_query("show server_version").map_err(failed)?;
    let version = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    Ok(Source {
        client,
        session,
        version: version.unwrap_or_default(),
        excess,
    })
}

/// What the role may do beyond reading; refused unless the settings allow it.
fn excess_rights(
    client: &mut Client,
    settings: &SourceSettings,
    doing: &str,
) -> Result<Vec<String>, ExtractError> {
    let excess = match privileges::excess(client) {
        Ok(excess) => excess,
        // Not every engine that speaks PostgreSQL's protocol has its catalogs.
        Err(error) if settings.allow_overprivileged_role => {
            let code = error.code().map_or("no answer", |code| code.code());
            vec![format!(
                "nobody knows what, for its rights cannot be looked up ({code})"
            )]
        }
        Err(error) => return Err(error::in_session(doing, &error)),
    };
    if excess.is_empty() || settings.allow_overprivileged_role {
        return Ok(excess);
    }
    let why = format!(
        "{doing}: the role may do more than read: {}; let it connect as a role that may not (examples/source-role.sql makes one), or \
         write allow-overprivileged-role = true in [source]",
        excess.join(", ")
    );
    Err(ExtractError::new(ExtractErrorKind::Source, why))
}

/// What `work` gives; none if it takes longer than `limit`. It is then left to end with the process: the library bounds only the first
/// step of connecting, and a server that accepts and says nothing would hold us for ever.
fn within<T: Send + 'static>(
    limit: Option<Duration>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    match limit {
        Some(limit) => receiver.recv_timeout(limit).ok(),
        None => receiver.recv().ok(),
    }
}

fn config(settings: &SourceSettings, host: &Host, password: Option<&SecretString>) -> Config {
    let mut config = Config::new();
    config
        .host(&host.name)
        .port(host.port)
        .dbname(&settings.database)
        .application_name(APPLICATION_NAME);
    config
        .target_session_attrs(settings.target)
        .channel_binding(settings.channel_binding);
    config.ssl_mode(match host.tls {
        Tls::Off => SslMode::Disable,
        Tls::Offered => SslMode::Prefer,
        Tls::Encrypted | Tls::Signed(_) | Tls::Named(_) | Tls::Pinned(..) => SslMode::Require,
    });
    if let Some(user) = &settings.user {
        config.user(user);
    }
    if let Some(options) = &settings.options {
        config.options(options);
    }
    if let Some(timeout) = settings.connect_timeout {
        config.connect_timeout(timeout);
    }
    config
        .keepalives_idle(SILENCE)
        .keepalives_interval(SILENCE)
        .keepalives_retries(3)
        .tcp_user_timeout(SILENCE * 3);
    if let Some(password) = password {
        config.password(password.expose_secret());
    }
    // The library would log notices, and a function's notice may quote a row.
    config.notice_callback(|_| {});
    config
}
