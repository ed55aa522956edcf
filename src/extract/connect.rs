//! A connection to the source.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use postgres::config::SslMode;
use postgres::{Client, Config, IsolationLevel, NoTls, Transaction};
use secrecy::{ExposeSecret, SecretString};

use super::error::{self, ExtractError, ExtractErrorKind};
use super::privileges;
use super::server_facts;
use super::session_settings::SessionSettings;
use super::settings::{Host, ServerChoice, SourceSettings};
use super::snapshot::Snapshot;
use super::sslmode::Tls;
use super::tls;
use crate::domain::{Lag, SourceServer};

/// A connection to the source.
pub(crate) struct Source {
    client: Client,
    session: SessionSettings,
    server: SourceServer,
    date_style: String,
    excess: Vec<String>,
}

const APPLICATION_NAME: &str = concat!("pg2dhis2/", env!("CARGO_PKG_VERSION"));

/// How many times `connect_timeout` a whole connection may take: it may try several addresses, and then has TLS and a login to do.
const ANSWERS: u32 = 3;

/// A long query is silent; these find out when its server has gone without a word.
const SILENCE: Duration = Duration::from_secs(20);

impl Source {
    /// Connects to the first server that answers and is the one to read. A server that refuses us ends the search: the next would get the
    /// same password.
    pub(crate) fn connect(
        settings: &SourceSettings,
        password: Option<&SecretString>,
    ) -> Result<Source, ExtractError> {
        let mut before: Option<ExtractError> = None;
        for target in settings.target.attempts() {
            for host in &settings.hosts {
                match connect(settings, host, *target, password) {
                    Ok(source) => return Ok(source),
                    Err(error) => {
                        let another_may_answer = error.kind.another_server_may_do();
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
        }
        Err(before.unwrap_or_else(|| {
            ExtractError::new(ExtractErrorKind::Unreachable, "the source has no host")
        }))
    }

    /// The server that answered.
    pub(crate) fn server(&self) -> &SourceServer {
        &self.server
    }

    /// What the role may do beyond reading, in words; only where the settings allow it.
    pub(crate) fn excess_rights(&self) -> &[String] {
        &self.excess
    }

    /// What people must know of this source to judge the numbers that come from it, a sentence each.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let SourceServer { host, lag, .. } = &self.server;
        if self.server.is_standby {
            let behind = match lag {
                Lag::None => "which has all that it received and still receives".to_owned(),
                Lag::Behind(lag) => format!("which is {lag:#} behind"),
                Lag::Unknown => "which does not receive now: nobody knows what it lacks".to_owned(),
            };
            notes.push(format!("the source is {host}, a standby, {behind}"));
        }
        if self.server.is_distributed {
            notes.push(
                "the source is a distributed PostgreSQL (pg_dist_node): its workers share neither the settings nor the snapshot of this session"
                    .to_owned(),
            );
        }
        if !self.date_style.starts_with("ISO") {
            notes.push(format!(
                "the database writes dates in its own style ({}), and pg2dhis2 as ISO: a query that compares dates as text gives something else in psql",
                self.date_style
            ));
        }
        notes
    }

    /// Opens the one read-only transaction in which everything is read as it was at this moment.
    pub(crate) fn snapshot(&mut self) -> Result<Snapshot<'_>, ExtractError> {
        let failed = |error: postgres::Error| {
            error::in_session("opening a read-only snapshot of the source", &error)
        };
        let mut transaction = begin(&mut self.client).map_err(failed)?;
        let facts = self.session.begin(&mut transaction).map_err(failed)?;
        // The first query fixes the snapshot; after it, PostgreSQL lets nobody make the transaction writable.
        self.server = server_facts::look(&mut transaction, &self.server.host)?;
        Ok(Snapshot::new(
            transaction,
            &self.session,
            facts.plain_strings,
        ))
    }
}

/// Nothing of ours may be left behind on a connection of a pool, so that all that we do is done in such a transaction, and that is
/// always rolled back. PostgreSQL up to 15 also lets some functions write in a read-only transaction (`lo_create`).
fn begin(client: &mut Client) -> Result<Transaction<'_>, postgres::Error> {
    client
        .build_transaction()
        .isolation_level(IsolationLevel::RepeatableRead)
        .read_only(true)
        .start()
}

fn connect(
    settings: &SourceSettings,
    host: &Host,
    target: ServerChoice,
    password: Option<&SecretString>,
) -> Result<Source, ExtractError> {
    let user = settings.user.as_deref().unwrap_or("the system user");
    let place = host.place();
    let doing = format!(
        "connecting to {place}, database {}, as {user}",
        settings.database
    );
    let mut client = client(settings, host, password, &doing)?;
    let failed = |error: postgres::Error| error::in_session(&doing, &error);
    let session = SessionSettings::new(settings);
    let mut transaction = begin(&mut client).map_err(failed)?;
    let facts = session.begin(&mut transaction).map_err(failed)?;
    let server = server_facts::look(&mut transaction, &place)?;
    server_facts::ensure_wanted(&server, target, settings)?;
    let excess = excess_rights(&mut transaction, settings, &doing)?;
    transaction.rollback().map_err(failed)?;
    log::info!("{place}: {server:?}");
    Ok(Source {
        client,
        session,
        server,
        date_style: facts.date_style,
        excess,
    })
}

fn client(
    settings: &SourceSettings,
    host: &Host,
    password: Option<&SecretString>,
    doing: &str,
) -> Result<Client, ExtractError> {
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
    match started {
        Some(connected) => connected.map_err(|error| error::in_session(doing, &error)),
        None => Err(ExtractError::new(
            ExtractErrorKind::Unreachable,
            format!("{doing}: the server does not answer"),
        )),
    }
}

/// What the role may do beyond reading; refused unless the settings allow it.
fn excess_rights(
    transaction: &mut Transaction<'_>,
    settings: &SourceSettings,
    doing: &str,
) -> Result<Vec<String>, ExtractError> {
    let excess = match privileges::excess(transaction) {
        Ok(excess) => excess,
        // Some engines that speak PostgreSQL's protocol lack its catalogs.
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
        .application_name(APPLICATION_NAME)
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
