//! A connection URL taken apart, as libpq does it
//! (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>). Messages never repeat what could be a password.

use std::net::IpAddr;

use super::settings_error::SettingsError;

/// The parts of `postgresql://user@host:port,host:port/database?key=value&…`, percent-decoded.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Url {
    pub(super) user: Option<String>,
    /// Host and port as written; a host that begins with `/` is the folder of a Unix socket.
    pub(super) hosts: Vec<(String, Option<u16>)>,
    pub(super) database: Option<String>,
    pub(super) query: Vec<(String, String)>,
}

pub(super) fn parse(url: &str) -> Result<Url, SettingsError> {
    let rest = url
        .strip_prefix("postgresql://")
        .or_else(|| url.strip_prefix("postgres://"))
        .ok_or_else(|| SettingsError::new("the url of [source] begins with postgresql://"))?;
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, hosts) = match authority.rsplit_once('@') {
        Some((user, hosts)) => (user, hosts),
        None => ("", authority),
    };
    if user.contains(':') {
        return Err(password_refused());
    }
    // What looks like a database with @ may be the rest of a password with / in it.
    if database.contains(['@', '/']) {
        return Err(SettingsError::new(
            "write / as %2F and @ as %40 within the parts of the url of [source]",
        ));
    }
    Ok(Url {
        user: not_empty(decode(user)?),
        hosts: hosts
            .split(',')
            .filter(|host| !host.is_empty())
            .map(host)
            .collect::<Result<_, _>>()?,
        database: not_empty(decode(database)?),
        query: query
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(pair)
            .collect::<Result<_, _>>()?,
    })
}

/// A port number as written; ports are positive.
pub(super) fn port(text: &str) -> Result<u16, SettingsError> {
    text.parse().ok().filter(|port| *port != 0).ok_or_else(|| {
        SettingsError::new("a port in the url of [source] is not a number from 1 to 65535")
    })
}

fn password_refused() -> SettingsError {
    SettingsError::new(
        "the url of [source] holds a password; put it into a file and name that as password-file",
    )
}

/// Whether a host is the folder of a Unix socket.
pub(super) fn is_socket(host: &str) -> bool {
    host.starts_with('/')
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

fn host(text: &str) -> Result<(String, Option<u16>), SettingsError> {
    let (name, behind) = match text.strip_prefix('[') {
        Some(address) => address
            .split_once(']')
            .ok_or_else(|| SettingsError::new("an address in the url of [source] lacks its ]"))?,
        None => text
            .split_at_checked(text.find(':').unwrap_or(text.len()))
            .unwrap_or((text, "")),
    };
    let port = match behind.strip_prefix(':') {
        Some("") => None,
        Some(digits) => Some(port(digits)?),
        None if behind.is_empty() => None,
        None => {
            return Err(SettingsError::new(
                "a port in the url of [source] stands behind a :",
            ));
        }
    };
    Ok((decode(name)?, port))
}

fn pair(text: &str) -> Result<(String, String), SettingsError> {
    let (key, value) = text
        .split_once('=')
        .ok_or_else(|| SettingsError::new("the url of [source] takes key=value behind the ?"))?;
    let key = decode(key)?;
    if matches!(key.as_str(), "password" | "sslpassword") {
        return Err(password_refused());
    }
    Ok((key, decode(value)?))
}

fn decode(text: &str) -> Result<String, SettingsError> {
    let wrong = || {
        SettingsError::new(
            "a % in the url of [source] is not followed by two hexadecimal digits; write % as %25",
        )
    };
    let mut bytes = Vec::with_capacity(text.len());
    let mut pieces = text.split('%');
    bytes.extend_from_slice(pieces.next().unwrap_or("").as_bytes());
    for piece in pieces {
        let (digits, behind) = piece.split_at_checked(2).ok_or_else(wrong)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        bytes.extend_from_slice(behind.as_bytes());
    }
    match String::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Ok(text),
        _ => Err(SettingsError::new(
            "the url of [source] is not UTF-8 text once its %-escapes are read",
        )),
    }
}

fn not_empty(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}
