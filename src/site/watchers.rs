//! What a site tells those who watch it from elsewhere: a heartbeat, metrics, DHIS2's data store and analytics tables.

use std::path::Path;
use std::time::{Duration, Instant};

use secrecy::SecretString;

use super::tables::{Analytics, DataStore, Heartbeat, Site, Watchers};
use super::{address, machine, secret};
use crate::dhis2::{self, Dhis2, Readers};
use crate::mapping::{Entry, FileError, Section};

/// So often analytics tables are built at most, unless the site says otherwise.
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// DHIS2 allows 255 characters in a namespace and in a key.
const LONGEST: usize = 100;

impl Site {
    /// Where a heartbeat goes, if it goes anywhere.
    pub(crate) fn heartbeat(&self) -> Result<Option<SecretString>, FileError> {
        match &self.watchers.heartbeat {
            None => Ok(None),
            Some(Heartbeat::Address(address)) => Ok(Some(address.clone())),
            Some(Heartbeat::File(file)) => {
                let address = secret::read(file)?;
                address::ensure_heartbeat(&address)
                    .map_err(|why| FileError::whole(&file.display().to_string(), why))?;
                Ok(Some(address))
            }
        }
    }

    pub(crate) fn data_store(&self) -> Option<&DataStore> {
        self.dhis2.as_ref()?.data_store.as_ref()
    }

    pub(crate) fn analytics(&self) -> Option<&Analytics> {
        self.dhis2.as_ref().map(|dhis2| &dhis2.analytics)
    }

    /// What this site is called where there are others.
    pub(crate) fn name(&self) -> String {
        let named = self.name.clone();
        named.unwrap_or_else(|| without_odd_characters(&machine::host()))
    }

    /// DHIS2 for a few requests that may fail: each is tried once, and all end by a moment.
    pub(crate) fn dhis2_until(&self, ends_at: Instant) -> anyhow::Result<Dhis2> {
        let settings = self.dhis2_settings()?;
        self.log_in(at_once(settings, ends_at))
    }

    /// The same as the account that may build analytics tables.
    pub(crate) fn analytics_until(&self, ends_at: Instant) -> anyhow::Result<Dhis2> {
        let mut settings = self.dhis2_settings()?;
        if let Some(file) = self
            .analytics()
            .and_then(|analytics| analytics.token.as_ref())
        {
            settings.credentials = dhis2::Credentials::Token(secret::read(file)?);
            settings.session = dhis2::login_session::LoginSession::default();
        }
        self.log_in(at_once(settings, ends_at))
    }
}

fn at_once(mut settings: dhis2::Settings, ends_at: Instant) -> dhis2::Settings {
    settings.http.ends_at = Some(ends_at);
    settings.attempts = 1;
    settings
}

/// `heartbeat` or `heartbeat-file`, `metrics` and `page`.
pub(super) fn watchers(section: &mut Section<'_>, base: &Path) -> Result<Watchers, FileError> {
    let heartbeat = match (section.take("heartbeat"), section.take("heartbeat-file")) {
        (None, None) => None,
        (Some(entry), None) => {
            let address = SecretString::from(entry.string()?);
            address::ensure_heartbeat(&address).map_err(|why| entry.error(why))?;
            Some(Heartbeat::Address(address))
        }
        (None, Some(entry)) => Some(Heartbeat::File(base.join(entry.string()?))),
        (Some(_), Some(entry)) => {
            return Err(entry.error("must not stand beside `heartbeat`; remove one".to_owned()));
        }
    };
    let (metrics, page) = (section.take("metrics"), section.take("page"));
    let path = |entry: Entry<'_>| entry.string().map(|path| base.join(path));
    let metrics = metrics.map(path).transpose()?;
    let page = page.map(path).transpose()?;
    Ok(Watchers {
        heartbeat,
        metrics,
        page,
    })
}

/// `data-store` and `data-store-group`.
pub(super) fn data_store(section: &mut Section<'_>) -> Result<Option<DataStore>, FileError> {
    let namespace = section.take("data-store").map(|entry| word(&entry));
    let group = section.take("data-store-group");
    let Some(namespace) = namespace.transpose()? else {
        return match group {
            None => Ok(None),
            Some(entry) => Err(entry.error("needs `data-store` beside it".to_owned())),
        };
    };
    let readers = match group {
        None => Readers::Nobody,
        Some(entry) => Readers::Group(entry.parse::<crate::domain::Uid>()?.to_string()),
    };
    Ok(Some(DataStore { namespace, readers }))
}

/// `analytics`, `analytics-every` and `analytics-token-file`.
pub(super) fn analytics(section: &mut Section<'_>, base: &Path) -> Result<Analytics, FileError> {
    let refresh = match section.take("analytics") {
        None => false,
        Some(entry) => match entry.string()? {
            "report" => false,
            "refresh" => true,
            _ => return Err(entry.error("must be \"report\" or \"refresh\"".to_owned())),
        },
    };
    let mut analytics = Analytics {
        refresh,
        every: EVERY,
        token: None,
    };
    for (key, entry) in [
        ("analytics-every", section.take("analytics-every")),
        ("analytics-token-file", section.take("analytics-token-file")),
    ] {
        let Some(entry) = entry else { continue };
        if !refresh {
            return Err(entry.error("needs analytics = \"refresh\" beside it".to_owned()));
        }
        match key {
            "analytics-every" => analytics.every = entry.duration()?.unsigned_abs(),
            _ => analytics.token = Some(base.join(entry.string()?)),
        }
    }
    Ok(analytics)
}

/// A name that fits into an address.
pub(super) fn word(entry: &Entry<'_>) -> Result<String, FileError> {
    let word = entry.string()?;
    let fits = !word.is_empty() && word.len() <= LONGEST && word.chars().all(is_plain);
    match fits {
        true => Ok(word.to_owned()),
        false => Err(entry.error("must be letters, digits, `.`, `_` and `-`".to_owned())),
    }
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')
}

fn without_odd_characters(host: &str) -> String {
    let plain = host.chars().filter(|character| is_plain(*character));
    let plain: String = plain.take(LONGEST).collect();
    match plain.as_str() {
        "" => "unnamed".to_owned(),
        _ => plain,
    }
}
