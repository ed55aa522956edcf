//! Addresses in the site file: that of DHIS2, and of a proxy on the way to it. Neither may hold a secret.

use std::net::{Ipv4Addr, Ipv6Addr};

use secrecy::{ExposeSecret, SecretString};

use crate::mapping::{Entry, FileError};

/// Refuses what is no address of a DHIS2, and what would send its account in the clear to another machine.
pub(super) fn ensure_dhis2(entry: &Entry<'_>) -> Result<(), FileError> {
    let url = entry.string()?;
    let Some((scheme, rest)) = url.split_once("://").filter(|(scheme, _)| is_http(scheme)) else {
        return Err(entry.error("must begin with https:// (or http://)".to_owned()));
    };
    let host = rest.split('/').next().unwrap_or_default();
    if host.contains('@') {
        return Err(entry.error(
            "must not hold a user or password; write `token-file`, or `username` and `password-file`"
                .to_owned(),
        ));
    }
    if host.is_empty() || rest.contains(['?', '#', ' ']) {
        return Err(entry.error("must be an address such as https://dhis2.example/".to_owned()));
    }
    if scheme == "http" && !is_loopback(host) {
        return Err(entry.error(
            "would show the account to everybody on the way; begin it with https:// (http:// is for this machine alone)"
                .to_owned(),
        ));
    }
    Ok(())
}

/// The address of a proxy, which must be one to go through with TLS: it then sees the name of DHIS2 and nothing else.
pub(super) fn proxy(entry: &Entry<'_>, dhis2: &Entry<'_>) -> Result<String, FileError> {
    let written = entry.string()?;
    let place = written.strip_prefix("http://").unwrap_or_default();
    let place = place.trim_end_matches('/');
    if place.contains('@') {
        return Err(entry.error(
            "must not hold a user or password; let the proxy know this machine by its address"
                .to_owned(),
        ));
    }
    let port = place.rsplit_once(':').map(|(_, port)| port);
    let has_port = port.is_some_and(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    if !has_port || place.contains(['/', '?', '#', ' ']) {
        return Err(entry.error("must be an address such as http://proxy.example:3128".to_owned()));
    }
    if !dhis2.string()?.starts_with("https://") {
        return Err(entry.error(
            "would see the account, for `url` does not begin with https://; remove one".to_owned(),
        ));
    }
    Ok(format!("http://{place}"))
}

/// Refuses what is no address of a heartbeat, and one that the way there would show: it is all the service asks for.
pub(super) fn ensure_heartbeat(address: &SecretString) -> Result<(), String> {
    let address = address.expose_secret();
    let parts = address.split_once("://");
    let Some((scheme, rest)) = parts.filter(|(scheme, _)| is_http(scheme)) else {
        return Err("must begin with https:// (or http://)".to_owned());
    };
    let host = rest.split('/').next().unwrap_or_default();
    let odd =
        |character: char| !character.is_ascii_graphic() || "?#@\"<>\\^`{|}".contains(character);
    if host.is_empty() || rest.contains(odd) {
        return Err(
            "must be an address such as https://hc-ping.com/…, without `?` and `@`".to_owned(),
        );
    }
    if scheme == "http" && !is_loopback(host) {
        return Err(
            "would be shown to everybody on the way; begin it with https:// (http:// is for this machine alone)".to_owned(),
        );
    }
    Ok(())
}

/// Refuses what is no address to tell something to, and one that would tell it to everybody on the way.
pub(super) fn ensure_webhook(url: &str) -> Result<(), String> {
    let wrong = || "must be an address such as https://chat.example/hooks".to_owned();
    let (scheme, rest) = url.split_once("://").ok_or_else(wrong)?;
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if !is_http(scheme)
        || host.is_empty()
        || host.contains('@')
        || rest.contains(char::is_whitespace)
    {
        return Err(wrong());
    }
    match scheme == "https" || is_loopback(host) {
        true => Ok(()),
        false => Err("must begin with https:// (http:// is for this machine alone)".to_owned()),
    }
}

fn is_http(scheme: &str) -> bool {
    matches!(scheme, "http" | "https")
}

/// Whether a host, with or without a port, is this machine by its very name. No other name is looked up for it.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
        || name
            .parse::<Ipv6Addr>()
            .is_ok_and(|address| address.is_loopback())
}
