//! How to reach the source: the site's `[source]` as libpq would understand it, with `verify-full` as the default.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use postgres::config::ChannelBinding;
use secrecy::SecretString;

use super::passfile::password_from_passfile;
use super::settings_error::SettingsError;
use super::sslmode::{Tls, WantedTls};
use super::tls_pin::TlsPin;
use super::url::{self, is_loopback, is_socket};
use crate::mapping::nearest;

/// Where the source is and how to speak with it. It never holds the password. It is this large because `[source]` and its URL have so
/// many keys.
#[derive(Debug, Clone)]
pub(crate) struct SourceSettings {
    /// Servers to try in this order.
    pub(crate) hosts: Vec<Host>,
    pub(crate) database: String,
    /// None: the system user who runs the program, as libpq has it.
    pub(crate) user: Option<String>,
    /// Bounds each fetch of a query (10,000 rows) on the server.
    pub(crate) statement_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    /// The IANA name of the zone in which queries run.
    pub(crate) time_zone: String,
    /// A standby that is further behind its primary is not read.
    pub(crate) max_lag: SignedDuration,
    /// A role that may do more than read is refused unless the site says so.
    pub(crate) allow_overprivileged_role: bool,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) options: Option<String>,
    pub(super) target: ServerChoice,
    pub(super) channel_binding: ChannelBinding,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Host {
    /// A name, an address, or the folder of a Unix socket.
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(super) tls: Tls,
}

const KEYS: [&str; 10] = [
    "host",
    "port",
    "dbname",
    "user",
    "sslmode",
    "sslrootcert",
    "connect_timeout",
    "options",
    "target_session_attrs",
    "channel_binding",
];
const DEFAULT_PORT: u16 = 5432;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5 * 60);
const MAX_LAG: SignedDuration = SignedDuration::from_hours(1);
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

impl SourceSettings {
    /// Reads a `postgresql://` URL; queries run in UTC unless another zone is put in its place; a relative `sslrootcert` is relative to `base`, and is read at once. With `pins` the server must have
    /// one of these keys, which stands for a trusted certificate where the URL asks for none.
    pub(crate) fn from_url(
        url: &str,
        base: &Path,
        pins: Vec<TlsPin>,
    ) -> Result<SourceSettings, SettingsError> {
        let url = url::parse(url)?;
        if let Some((key, _)) = url
            .query
            .iter()
            .find(|(key, _)| !KEYS.contains(&key.as_str()))
        {
            return Err(unknown_key(key));
        }
        // The last of several wins, as in libpq.
        let value = |key: &str| {
            url.query
                .iter()
                .rev()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        let places = places(&url.hosts, value("host"), value("port"))?;
        let database = value("dbname")
            .map(str::to_owned)
            .or_else(|| url.database.clone());
        let mut tls = WantedTls::read(value("sslmode"), value("sslrootcert"), base)?;
        if !pins.is_empty() {
            ensure_encrypted(&places)?;
            tls = tls.pinned(pins)?;
        }
        Ok(SourceSettings {
            hosts: places
                .into_iter()
                .map(|(name, port)| Host {
                    tls: tls.for_host(&name),
                    name,
                    port,
                })
                .collect(),
            database: database.ok_or_else(|| {
                SettingsError::new(
                    "the url of [source] names no database: postgresql://host/DATABASE",
                )
            })?,
            user: value("user")
                .map(str::to_owned)
                .or_else(|| url.user.clone()),
            statement_timeout: STATEMENT_TIMEOUT,
            lock_timeout: LOCK_TIMEOUT,
            time_zone: "UTC".to_owned(),
            max_lag: MAX_LAG,
            allow_overprivileged_role: false,
            connect_timeout: connect_timeout(value("connect_timeout"))?,
            options: value("options").map(str::to_owned),
            target: ServerChoice::read(value("target_session_attrs"))?,
            channel_binding: channel_binding(value("channel_binding"))?,
        })
    }

    /// Which servers, database and user these are, in one text.
    pub(crate) fn place(&self) -> String {
        let hosts = self.hosts.iter();
        let hosts: Vec<String> = hosts
            .map(|host| format!("{}:{}", host.name, host.port))
            .collect();
        let user = self.user.as_deref().unwrap_or_default();
        format!("{user}@{}/{}", hosts.join(","), self.database)
    }

    /// What the URL gives up of verify-full for servers on other machines, a sentence each.
    pub(crate) fn relaxed(&self) -> Vec<String> {
        self.hosts.iter().filter_map(Host::relaxed).collect()
    }

    /// The password that a file in libpq's format (`PGPASSFILE`, `~/.pgpass`) holds for the first of our hosts that it knows.
    pub(crate) fn password_in(&self, passfile: &str) -> Option<SecretString> {
        let user = self.user.as_deref()?;
        self.hosts.iter().find_map(|host| {
            let found =
                |name| password_from_passfile(passfile, name, host.port, &self.database, user);
            // libpq calls its default socket folder "localhost".
            found(&host.name).or_else(|| {
                if host.is_socket() {
                    found("localhost")
                } else {
                    None
                }
            })
        })
    }
}

/// Which server is to be read, of those that answer: libpq's `target_session_attrs`. A role that may only read says nothing about
/// its server, so that only this counts: whether the server is a standby.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ServerChoice {
    Any,
    /// `primary` and `read-write`
    Primary,
    /// `standby` and `read-only`
    Standby,
    PreferStandby,
}

impl ServerChoice {
    fn read(written: Option<&str>) -> Result<ServerChoice, SettingsError> {
        match written {
            None | Some("any") => Ok(ServerChoice::Any),
            Some("read-write" | "primary") => Ok(ServerChoice::Primary),
            Some("read-only" | "standby") => Ok(ServerChoice::Standby),
            Some("prefer-standby") => Ok(ServerChoice::PreferStandby),
            Some(_) => Err(SettingsError::new(
                "target_session_attrs is any, read-write, read-only, primary, standby or prefer-standby",
            )),
        }
    }

    /// What is asked of the servers, in one round after another.
    pub(super) fn attempts(self) -> &'static [ServerChoice] {
        match self {
            ServerChoice::Any => &[ServerChoice::Any],
            ServerChoice::Primary => &[ServerChoice::Primary],
            ServerChoice::Standby => &[ServerChoice::Standby],
            ServerChoice::PreferStandby => &[ServerChoice::Standby, ServerChoice::Any],
        }
    }
}

impl Host {
    /// The server as messages name it.
    pub(super) fn place(&self) -> String {
        let between = if self.is_socket() { "/.s.PGSQL." } else { ":" };
        format!("{}{between}{}", self.name, self.port)
    }

    pub(super) fn is_socket(&self) -> bool {
        is_socket(&self.name)
    }

    fn relaxed(&self) -> Option<String> {
        let name = &self.name;
        if self.is_socket() || is_loopback(name) {
            return None;
        }
        match &self.tls {
            Tls::Off => Some(format!(
                "what is read from {name} is not encrypted, and any server can stand for it (sslmode=disable)"
            )),
            Tls::Offered => Some(format!(
                "what is read from {name} is encrypted only if the server offers it, and any server can stand for it (sslmode=prefer)"
            )),
            Tls::Encrypted => Some(format!("any server can stand for {name} (sslmode=require)")),
            Tls::Signed(_) => Some(format!(
                "any server of the same authority can stand for {name} (sslmode=verify-ca)"
            )),
            Tls::Named(_) | Tls::Pinned(..) => None,
        }
    }
}

/// PostgreSQL offers no TLS on a Unix socket, so that nobody shows a key there.
fn ensure_encrypted(places: &[(String, u16)]) -> Result<(), SettingsError> {
    match places.iter().any(|(host, _)| is_socket(host)) {
        false => Ok(()),
        true => Err(SettingsError::new(
            "tls-pin needs a host: a Unix socket has no TLS; remove one of them",
        )),
    }
}

fn unknown_key(key: &str) -> SettingsError {
    SettingsError::new(match nearest(key, KEYS) {
        Some(meant) => format!("unknown key {key:?} in the url of [source]; did you mean {meant}?"),
        None => format!(
            "unknown key {key:?} in the url of [source]; known: {}",
            KEYS.join(", ")
        ),
    })
}

fn connect_timeout(seconds: Option<&str>) -> Result<Option<Duration>, SettingsError> {
    match seconds.map(str::parse::<u32>) {
        None => Ok(Some(CONNECT_TIMEOUT)),
        Some(Ok(0)) => Ok(None),
        Some(Ok(seconds)) => Ok(Some(Duration::from_secs(u64::from(seconds)))),
        Some(Err(_)) => Err(SettingsError::new("connect_timeout is a number of seconds")),
    }
}

fn channel_binding(written: Option<&str>) -> Result<ChannelBinding, SettingsError> {
    match written {
        None | Some("prefer") => Ok(ChannelBinding::Prefer),
        Some("disable") => Ok(ChannelBinding::Disable),
        Some("require") => Ok(ChannelBinding::Require),
        Some(_) => Err(SettingsError::new(
            "channel_binding is disable, prefer or require",
        )),
    }
}

/// Hosts with their ports; `host` and `port` behind the `?` are lists with commas and win over what stands before it.
fn places(
    written: &[(String, Option<u16>)],
    hosts: Option<&str>,
    ports: Option<&str>,
) -> Result<Vec<(String, u16)>, SettingsError> {
    let mut places = match hosts {
        Some(hosts) => hosts
            .split(',')
            .map(|host| (host.to_owned(), None))
            .collect(),
        None => written.to_vec(),
    };
    if places.is_empty() || places.iter().any(|(host, _)| host.is_empty()) {
        let message = "the url of [source] names no host: postgresql://HOST/database, or ?host=/run/postgresql for a Unix socket";
        return Err(SettingsError::new(message));
    }
    if let Some(ports) = ports {
        let ports: Vec<u16> = ports.split(',').map(url::port).collect::<Result<_, _>>()?;
        if ports.len() != 1 && ports.len() != places.len() {
            return Err(SettingsError::new(
                "the url of [source] has another number of ports than of hosts",
            ));
        }
        let ports = ports.iter().cycle();
        places
            .iter_mut()
            .zip(ports)
            .for_each(|(place, port)| place.1 = Some(*port));
    }
    Ok(places
        .into_iter()
        .map(|(host, port)| (host, port.unwrap_or(DEFAULT_PORT)))
        .collect())
}
