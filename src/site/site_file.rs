//! The site file, `pg2dhis2.toml`.

use std::path::Path;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span};

use super::files::folder;
use super::tables::{AccountSite, Dhis2Site, Limits, Site, SourceSite, Watchers};
use super::{address, alert, files, watchers};
use crate::dhis2::login_session::LoginSession;
use crate::dhis2::patience::{ATTEMPTS, WAIT};
use crate::domain::OwnUser;
use crate::extract;
use crate::mapping::{Entry, FileError, Section, digest};
use crate::{http, push};

/// Where the lock and the history are unless the site says otherwise.
const STATE: &str = "/var/lib/pg2dhis2";

/// How far apart the clocks of this host, of the source and of DHIS2 may be unless the site says otherwise.
const MAX_CLOCK_SKEW: SignedDuration = SignedDuration::from_mins(10);

/// Years that runs stay in the history unless the site says otherwise.
const RETAIN: i64 = 5;

impl Site {
    /// Reads the site file that was named, or the first that is found where site files are looked for.
    pub(crate) fn load(named: Option<&Path>) -> Result<Site, FileError> {
        let file = files::site_file(named)?;
        let text = files::read_for("the site file", &file)?;
        parse(&file, &text)
    }
}

fn parse(file: &Path, text: &str) -> Result<Site, FileError> {
    let shown = file.display().to_string();
    let base = folder(file);
    let mut top = Section::parse(&shown, text)?;
    let zone = top.require("time-zone")?;
    let (zone_name, time_zone) = (time_zone_name(&zone)?, time_zone(&zone)?);
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
        .map(|entry| source(entry, base, &zone_name))
        .transpose()?;
    let (deadline, limits) = limits(&mut top)?;
    let dhis2 = top
        .take("dhis2")
        .map(|entry| dhis2(entry, base))
        .transpose()?;
    let (retain, watchers) = history(&mut top, base)?;
    let name = top.take("name").map(|entry| watchers::word(&entry));
    let name = name.transpose()?;
    let alerts = alert::parse(&mut top, base)?;
    top.finish()?;
    Ok(Site {
        file: file.to_owned(),
        time_zone,
        mappings,
        state,
        name,
        watchers,
        retain,
        digest: digest(text),
        deadline,
        ends_at: None,
        session: LoginSession::default(),
        limits,
        source,
        dhis2,
        alerts,
    })
}

/// The table `[history]`: how long runs stay in it, and who else is told of them.
fn history(top: &mut Section<'_>, base: &Path) -> Result<(Span, Watchers), FileError> {
    let years = Span::new().years(RETAIN);
    let Some(entry) = top.take("history") else {
        return Ok((years, Watchers::default()));
    };
    let mut section = entry.section()?;
    let retain = match section.take("retain") {
        None => years,
        Some(entry) => {
            let parsed: Result<Span, _> = entry.string()?.parse();
            let whole = |span: &Span| span.get_years() > 0 || span.get_months() > 0;
            parsed.ok().filter(whole).ok_or_else(|| {
                entry.error("must be years or months such as \"5y\" or \"18mo\"".to_owned())
            })?
        }
    };
    let watchers = watchers::watchers(&mut section, base)?;
    section.finish()?;
    Ok((retain, watchers))
}

/// The name as people wrote it: PostgreSQL has the same list, and reads it in any case.
fn time_zone_name(entry: &Entry<'_>) -> Result<String, FileError> {
    time_zone(entry)?;
    Ok(entry.string()?.to_owned())
}

fn time_zone(entry: &Entry<'_>) -> Result<TimeZone, FileError> {
    TimeZone::get(entry.string()?).map_err(|_| {
        entry.error("is not an IANA time zone such as \"America/St_Lucia\"".to_owned())
    })
}

fn source(entry: Entry<'_>, base: &Path, site_zone: &str) -> Result<SourceSite, FileError> {
    let mut section = entry.section()?;
    let url = section.require("url")?;
    let pins = section.take("tls-pin").map(tls_pins).transpose()?;
    let mut settings =
        extract::SourceSettings::from_url(url.string()?, base, pins.unwrap_or_default())
            .map_err(|error| url.at(error.to_string()))?;
    if let Some(entry) = section.take("allow-overprivileged-role") {
        settings.allow_overprivileged_role = entry.truth()?;
    }
    settings.time_zone = match section.take("time-zone") {
        Some(entry) => time_zone_name(&entry)?,
        None => site_zone.to_owned(),
    };
    if let Some(entry) = section.take("max-lag") {
        settings.max_lag = entry.duration()?;
    }
    if let Some(entry) = section.take("statement-timeout") {
        settings.statement_timeout = entry.duration()?.unsigned_abs();
    }
    if let Some(entry) = section.take("lock-timeout") {
        settings.lock_timeout = entry.duration()?.unsigned_abs();
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

/// One, or a list: several servers have several keys, and one that will change its key has two for a while.
fn tls_pins(entry: Entry<'_>) -> Result<Vec<extract::TlsPin>, FileError> {
    match entry.string() {
        Ok(_) => Ok(vec![entry.parse()?]),
        Err(_) => entry.list()?.iter().map(Entry::parse).collect(),
    }
}

fn limits(top: &mut Section<'_>) -> Result<(Option<Duration>, Limits), FileError> {
    let mut limits = Limits {
        http: http::HttpSettings::default(),
        attempts: ATTEMPTS,
        wait: WAIT,
    };
    let Some(entry) = top.take("limits") else {
        return Ok((None, limits));
    };
    let mut section = entry.section()?;
    let deadline = section.take("deadline");
    let deadline = deadline.map(|entry| entry.duration()).transpose()?;
    for (key, limit) in [
        ("connect", &mut limits.http.connect),
        ("send", &mut limits.http.send),
        ("first-byte", &mut limits.http.first_byte),
        ("body", &mut limits.http.body),
        ("wait", &mut limits.wait),
    ] {
        if let Some(entry) = section.take(key) {
            *limit = entry.duration()?.unsigned_abs();
        }
    }
    if let Some(entry) = section.take("attempts") {
        limits.attempts = entry.count(1..=20)?;
    }
    section.finish()?;
    Ok((deadline.map(SignedDuration::unsigned_abs), limits))
}

fn dhis2(entry: Entry<'_>, base: &Path) -> Result<Dhis2Site, FileError> {
    let mut section = entry.section()?;
    let url = section.require("url")?;
    address::ensure_dhis2(&url)?;
    let proxy = section.take("proxy");
    let proxy = proxy
        .map(|entry| address::proxy(&entry, &url))
        .transpose()?;
    let system_id = section.take("system-id");
    let system_id = system_id
        .map(|entry| entry.string().map(str::to_owned))
        .transpose()?;
    let allow_overprivileged = match section.take("allow-overprivileged-account") {
        Some(entry) => entry.truth()?,
        None => false,
    };
    let account = account(&mut section, base)?;
    let chunk = match section.take("chunk") {
        Some(entry) => entry.count(push::SMALLEST_CHUNK..=push::LARGEST_CHUNK)? as usize,
        None => push::CHUNK,
    };
    let max_clock_skew = match section.take("max-clock-skew") {
        Some(entry) => entry.duration()?,
        None => MAX_CLOCK_SKEW,
    };
    let ca_file = section.take("ca-file");
    let ca_file = ca_file
        .map(|entry| entry.string().map(|path| base.join(path)))
        .transpose()?;
    let own_users = section.take("own-users");
    let own_users = own_users.map_or(Ok(Vec::new()), own_users_of)?;
    let url = url.string()?.to_owned();
    let data_store = watchers::data_store(&mut section)?;
    let analytics = watchers::analytics(&mut section, base)?;
    section.finish()?;
    Ok(Dhis2Site {
        url,
        account,
        ca_file,
        chunk,
        max_clock_skew,
        own_users,
        system_id,
        allow_overprivileged,
        proxy,
        data_store,
        analytics,
    })
}

/// A token, or a user with a password.
fn account(section: &mut Section<'_>, base: &Path) -> Result<AccountSite, FileError> {
    let path = |entry: Entry<'_>| entry.string().map(|path| base.join(path));
    Ok(
        match (
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
        },
    )
}

fn own_users_of(entry: Entry<'_>) -> Result<Vec<OwnUser>, FileError> {
    entry.list()?.into_iter().map(own_user).collect()
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
        .map(|entry| entry.date())
        .transpose()?;
    section.finish()?;
    Ok(OwnUser { name, until })
}
