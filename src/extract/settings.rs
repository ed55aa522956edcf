//! How to reach the source: the site's `[source]` as libpq would understand it, with `verify-full` as the default.

use std::fmt;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postgres::config::{ChannelBinding, TargetSessionAttrs};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use secrecy::SecretString;

use super::passfile::password_from_passfile;
use super::url;
use crate::mapping::nearest;

/// Where the source is and how to speak with it. It never holds the password.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// Servers to try in this order.
    pub(crate) hosts: Vec<Host>,
    pub(crate) database: String,
    /// None: the system user who runs the program, as libpq has it.
    pub(crate) user: Option<String>,
    /// Bounds each fetch of a query (10,000 rows) on the server.
    pub(crate) statement_timeout: Duration,
    pub(crate) lock_timeout: Duration,
    pub(super) connect_timeout: Option<Duration>,
    pub(super) options: Option<String>,
    pub(super) target: TargetSessionAttrs,
    pub(super) channel_binding: ChannelBinding,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Host {
    /// A name, an address, or the folder of a Unix socket.
    pub(crate) name: String,
    pub(crate) port: u16,
    pub(super) tls: Tls,
}

/// What must be known about the server before it sees a credential.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tls {
    /// `disable`, and every Unix socket.
    Off,
    /// `prefer`: encrypted if the server offers it.
    Offered,
    /// `require`: encrypted, by whomever.
    Encrypted,
    /// `verify-ca`: signed by one of these.
    Signed(Certificates),
    /// `verify-full`: signed by one of these (none: the system's), for the host's name.
    Named(Option<Certificates>),
}

pub(super) type Certificates = Arc<Vec<CertificateDer<'static>>>;

/// Why the `[source]` of a site cannot be used.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SettingsError(String);

impl SettingsError {
    pub(super) fn new(message: impl Into<String>) -> SettingsError {
        SettingsError(message.into())
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}

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
const MODES: [&str; 5] = ["disable", "prefer", "require", "verify-ca", "verify-full"];
const DEFAULT_PORT: u16 = 5432;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(5 * 60);
const LOCK_TIMEOUT: Duration = Duration::from_secs(5);

impl Settings {
    /// Reads a `postgresql://` URL; a relative `sslrootcert` is relative to `base`, and is read at once.
    pub(crate) fn from_url(url: &str, base: &Path) -> Result<Settings, SettingsError> {
        let url = url::parse(url)?;
        if let Some((key, _)) = url
            .query
            .iter()
            .find(|(key, _)| !KEYS.contains(&key.as_str()))
        {
            return Err(unknown_key(key));
        }
        // As in libpq, the last of several wins.
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
        let tls = WantedTls::read(value("sslmode"), value("sslrootcert"), base)?;
        Ok(Settings {
            hosts: places
                .into_iter()
                .map(|(name, port)| Host {
                    tls: tls.of(&name),
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
            connect_timeout: connect_timeout(value("connect_timeout"))?,
            options: value("options").map(str::to_owned),
            target: target(value("target_session_attrs"))?,
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

impl Host {
    pub(super) fn is_socket(&self) -> bool {
        is_socket(&self.name)
    }
}

/// The transport security that the URL asks for, before a host is known.
enum WantedTls {
    Unsaid(Tls),
    Written(Tls),
}

impl WantedTls {
    fn read(
        mode: Option<&str>,
        root: Option<&str>,
        base: &Path,
    ) -> Result<WantedTls, SettingsError> {
        let roots = match root {
            None | Some("system") => None,
            Some(file) => Some(certificates(file, base)?),
        };
        if root == Some("system") && mode.is_some_and(|mode| mode != "verify-full") {
            return Err(SettingsError::new(
                "sslrootcert=system goes only with sslmode=verify-full",
            ));
        }
        let tls = match (mode, roots) {
            (None, roots) => return Ok(WantedTls::Unsaid(Tls::Named(roots))),
            (Some("disable"), _) => Tls::Off,
            (Some("prefer"), _) => Tls::Offered,
            (Some("require"), None) => Tls::Encrypted,
            // In libpq too, require with a root certificate verifies like verify-ca.
            (Some("require" | "verify-ca"), Some(roots)) => Tls::Signed(roots),
            (Some("verify-ca"), None) => {
                return Err(SettingsError::new(
                    "sslmode=verify-ca needs sslrootcert=FILE",
                ));
            }
            (Some("verify-full"), roots) => Tls::Named(roots),
            (Some(other), _) => return Err(unknown_mode(other)),
        };
        Ok(WantedTls::Written(tls))
    }

    fn of(&self, host: &str) -> Tls {
        match self {
            // PostgreSQL offers no TLS on a Unix socket, and libpq does not ask for it there.
            _ if is_socket(host) => Tls::Off,
            // A root certificate is written to be used, wherever the server is.
            WantedTls::Unsaid(Tls::Named(None)) if is_loopback(host) => Tls::Offered,
            WantedTls::Unsaid(tls) | WantedTls::Written(tls) => tls.clone(),
        }
    }
}

fn unknown_mode(mode: &str) -> SettingsError {
    let all = MODES.join(", ");
    SettingsError::new(match nearest(mode, MODES) {
        _ if mode == "allow" => {
            "sslmode=allow is not supported; write prefer, or better verify-full".to_owned()
        }
        Some(meant) => format!(
            "unknown sslmode {mode:?} in the url of [source]; did you mean {meant}? ({all})"
        ),
        None => format!("unknown sslmode in the url of [source]; known: {all}"),
    })
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

fn target(written: Option<&str>) -> Result<TargetSessionAttrs, SettingsError> {
    match written {
        None | Some("any") => Ok(TargetSessionAttrs::Any),
        Some("read-write") => Ok(TargetSessionAttrs::ReadWrite),
        Some("read-only") => Ok(TargetSessionAttrs::ReadOnly),
        Some(_) => Err(SettingsError::new(
            "target_session_attrs is any, read-write or read-only",
        )),
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

fn certificates(file: &str, base: &Path) -> Result<Certificates, SettingsError> {
    let path = base.join(file);
    let shown = path.display();
    let text = std::fs::read(&path).map_err(|error| {
        SettingsError(match error.kind() {
            ErrorKind::NotFound => format!("sslrootcert {shown} does not exist"),
            _ => format!("sslrootcert {shown} cannot be read ({})", error.kind()),
        })
    })?;
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|_| SettingsError(format!("sslrootcert {shown} is not PEM text")))?;
    if certificates.is_empty() {
        return Err(SettingsError(format!(
            "sslrootcert {shown} holds no certificate in PEM form"
        )));
    }
    Ok(Arc::new(certificates))
}

fn is_socket(host: &str) -> bool {
    host.starts_with('/')
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
