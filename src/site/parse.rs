//! The site file, `pg2dhis2.toml`.

use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{AccountSite, Dhis2Site, Limits, Site, SourceSite, folder};
use crate::dhis2::patience::{ATTEMPTS, WAIT};
use crate::domain::OwnUser;
use crate::extract;
use crate::mapping::{Entry, FileError, Section};
use crate::{http, push};

/// Where the lock and the history are unless the site says otherwise.
const STATE: &str = "/var/lib/pg2dhis2";

pub(super) fn parse(file: &Path, text: &str) -> Result<Site, FileError> {
    let shown = file.display().to_string();
    let base = folder(file);
    let mut top = Section::parse(&shown, text)?;
    let time_zone = time_zone(&top.require("time-zone")?)?;
    let mappings = top.require("mappings")?;
    if mappings
        .value()
        .as_array()
        .is_some_and(|list| list.is_empty())
    {
        return Err(mappings.error("must name at least one mapping file".to_owned()));
    }
    let mappings = mappings.strings()?;
    let state = match top.take("state") {
        Some(entry) => base.join(entry.string()?),
        None => STATE.into(),
    };
    let source = top
        .take("source")
        .map(|entry| source(entry, base))
        .transpose()?;
    let (deadline, limits) = limits(&mut top)?;
    let dhis2 = top
        .take("dhis2")
        .map(|entry| dhis2(entry, base))
        .transpose()?;
    top.finish()?;
    Ok(Site {
        file: file.to_owned(),
        time_zone,
        mappings,
        state,
        deadline,
        ends_at: None,
        limits,
        source,
        dhis2,
    })
}

fn time_zone(entry: &Entry<'_>) -> Result<TimeZone, FileError> {
    TimeZone::get(entry.string()?).map_err(|_| {
        entry.error("is not an IANA time zone such as \"America/St_Lucia\"".to_owned())
    })
}

fn source(entry: Entry<'_>, base: &Path) -> Result<SourceSite, FileError> {
    let mut section = entry.section()?;
    let url = section.require("url")?;
    let mut settings = extract::Settings::from_url(url.string()?, base)
        .map_err(|error| url.at(error.to_string()))?;
    if let Some(entry) = section.take("statement-timeout") {
        settings.statement_timeout = duration(&entry)?;
    }
    if let Some(entry) = section.take("lock-timeout") {
        settings.lock_timeout = duration(&entry)?;
    }
    let password_file = match section.take("password-file") {
        Some(entry) => Some(base.join(entry.string()?)),
        None => None,
    };
    section.finish()?;
    Ok(SourceSite {
        settings,
        password_file,
    })
}

fn limits(top: &mut Section<'_>) -> Result<(Option<Duration>, Limits), FileError> {
    let mut limits = Limits {
        http: http::Settings::default(),
        attempts: ATTEMPTS,
        wait: WAIT,
    };
    let Some(entry) = top.take("limits") else {
        return Ok((None, limits));
    };
    let mut section = entry.section()?;
    let deadline = section.take("deadline");
    let deadline = deadline.map(|entry| duration(&entry)).transpose()?;
    for (key, limit) in [
        ("connect", &mut limits.http.connect),
        ("send", &mut limits.http.send),
        ("first-byte", &mut limits.http.first_byte),
        ("body", &mut limits.http.body),
        ("wait", &mut limits.wait),
    ] {
        if let Some(entry) = section.take(key) {
            *limit = duration(&entry)?;
        }
    }
    if let Some(entry) = section.take("attempts") {
        limits.attempts = entry.count(1..=20)?;
    }
    section.finish()?;
    Ok((deadline, limits))
}

fn dhis2(entry: Entry<'_>, base: &Path) -> Result<Dhis2Site, FileError> {
    let mut section = entry.section()?;
    let url = section.require("url")?;
    ensure_is_address(&url)?;
    let path = |entry: Entry<'_>| entry.string().map(|path| base.join(path));
    let account = match (
        section.take("token-file"),
        section.take("username"),
        section.take("password-file"),
    ) {
        (Some(token), None, None) => AccountSite::Token { file: path(token)? },
        (None, Some(username), Some(password)) => AccountSite::Password {
            username: username.string()?.to_owned(),
            file: path(password)?,
        },
        _ => {
            return Err(section.error(
                "[dhis2] needs a `token-file`, or `username` and `password-file`".to_owned(),
            ));
        }
    };
    let chunk = match section.take("chunk") {
        Some(entry) => entry.count(1..=2_000)? as usize,
        None => push::CHUNK,
    };
    let ca_file = section.take("ca-file").map(path).transpose()?;
    let own_users = match section.take("own-users") {
        Some(entry) => entry
            .list()?
            .into_iter()
            .map(own_user)
            .collect::<Result<_, _>>()?,
        None => Vec::new(),
    };
    let url = url.string()?.to_owned();
    section.finish()?;
    Ok(Dhis2Site {
        url,
        account,
        ca_file,
        chunk,
        own_users,
    })
}

/// `"openfn"`, or `{ name = "openfn", until = 2026-06-30 }`.
fn own_user(entry: Entry<'_>) -> Result<OwnUser, FileError> {
    if let Ok(name) = entry.string() {
        return Ok(OwnUser {
            name: name.to_owned(),
            until: None,
        });
    }
    let mut section = entry.section()?;
    let name = section.require("name")?.string()?.to_owned();
    let until = section
        .take("until")
        .map(|entry| date(&entry))
        .transpose()?;
    section.finish()?;
    Ok(OwnUser { name, until })
}

fn date(entry: &Entry<'_>) -> Result<Date, FileError> {
    let written = entry.value().as_datetime().map(ToString::to_string);
    let parsed = written.and_then(|text| text.parse().ok());
    parsed
        .ok_or_else(|| entry.error("must be a date such as 2026-06-30, without quotes".to_owned()))
}

/// An address of HTTP without anything secret or superfluous in it.
fn ensure_is_address(entry: &Entry<'_>) -> Result<(), FileError> {
    let url = entry.string()?;
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
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
    Ok(())
}

/// `5m`, `300s`, `50ms`, `1h 30m`.
fn duration(entry: &Entry<'_>) -> Result<Duration, FileError> {
    let parsed: Result<SignedDuration, _> = entry.string()?.parse();
    let wrong = || entry.error("must be a time such as \"30s\" or \"5m\"".to_owned());
    let duration = parsed.map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}
