//! Which DHIS2 answers, and who we are there.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Dhis2;
use super::error::{Dhis2Error, Kind};
use crate::domain::{Account, Server, Version};

/// The minor versions this program was written for.
const KNOWN: std::ops::RangeInclusive<u32> = 38..=43;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SystemInfo {
    version: String,
    calendar: String,
    server_date: String,
    server_time_zone_id: String,
    system_id: Option<String>,
    last_analytics_table_success: Option<String>,
    last_analytics_table_partition_success: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Me {
    username: String,
    #[serde(default)]
    authorities: Vec<String>,
    #[serde(default)]
    organisation_units: Vec<Place>,
    #[serde(default)]
    data_view_organisation_units: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    path: String,
}

impl Dhis2 {
    /// Version, clock and time zone; refused where the version or the calendar is none we know how to write for.
    pub(crate) fn server(&mut self) -> Result<Server, Dhis2Error> {
        let doing = "asking DHIS2 for its version";
        let info: SystemInfo = self.document(doing, "system/info", &[])?;
        if info.calendar != "iso8601" {
            let what = format!(
                "the calendar of this DHIS2 is {:?}, not iso8601: its periods have other days",
                info.calendar
            );
            return Err(Dhis2Error::new(Kind::Target, what));
        }
        let version = version(&info.version)?;
        let note = (version.minor > *KNOWN.end()).then(|| {
            format!(
                "DHIS2 {} is newer than this program knows; treated as 2.{}",
                version.text,
                KNOWN.end()
            )
        });
        let now: DateTime = info.server_date.parse().map_err(|_| {
            let what = format!("{doing}: its serverDate {:?} is no time", info.server_date);
            Dhis2Error::new(Kind::Target, what)
        })?;
        let built = [
            info.last_analytics_table_success,
            info.last_analytics_table_partition_success,
        ];
        let built = built.into_iter().flatten();
        let analytics = built
            .filter_map(|at| built_at(&at, &info.server_time_zone_id))
            .max();
        Ok(Server {
            version,
            now,
            time_zone: info.server_time_zone_id,
            system_id: info.system_id,
            analytics,
            note,
        })
    }

    pub(crate) fn account(&mut self) -> Result<Account, Dhis2Error> {
        let fields =
            "id,username,authorities,organisationUnits[id,path],dataViewOrganisationUnits[id,path]";
        let me: Me = self.document("asking DHIS2 for our account", "me", &[("fields", fields)])?;
        let capture_paths = paths(me.organisation_units);
        // DHIS2 ≤ 2.42 falls back on the capture units in the same way.
        let view_paths = match me.data_view_organisation_units.is_empty() {
            true => capture_paths.clone(),
            false => paths(me.data_view_organisation_units),
        };
        Ok(Account {
            username: me.username,
            authorities: me.authorities.into_iter().collect(),
            capture_paths,
            view_paths,
        })
    }
}

/// A moment that DHIS2 writes without an offset, in its own time zone; the beginning of Unix time stands for never.
fn built_at(written: &str, time_zone: &str) -> Option<Timestamp> {
    let local: DateTime = written.parse().ok()?;
    let zone = TimeZone::get(time_zone).ok()?;
    let moment = zone.to_timestamp(local).ok()?;
    (local.year() > 1970).then_some(moment)
}

fn paths(places: Vec<Place>) -> Vec<String> {
    places.into_iter().map(|place| place.path).collect()
}

/// `2.42.5.2`, `2.43.1`, `2.44-SNAPSHOT`.
fn version(text: &str) -> Result<Version, Dhis2Error> {
    let mut numbers = text.split(['.', '-']).map(|part| part.parse::<u32>().ok());
    let known = match (numbers.next().flatten(), numbers.next().flatten()) {
        (Some(2), Some(minor)) if minor >= *KNOWN.start() => Some(minor),
        _ => None,
    };
    let Some(minor) = known else {
        return Err(Dhis2Error::new(
            Kind::Target,
            format!("DHIS2 {text:?} is none this program can write to; it needs 2.38 or later"),
        ));
    };
    Ok(Version {
        minor,
        patch: numbers.next().flatten().unwrap_or(0),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rig::dhis2::{Dialect, StandIn};

    use super::version;
    use crate::dhis2::error::Kind;
    use crate::dhis2::login_session::LoginSession;
    use crate::dhis2::recorded::{answer, answering};
    use crate::dhis2::{Credentials, Dhis2, Settings};
    use crate::domain::Engine;
    use crate::http;

    #[test]
    fn both_servers_tell_their_engine_their_clock_and_who_we_are() {
        let metadata = include_str!("../../examples/st-lucia/dhis2/metadata.json");
        for (dialect, engine) in [(Dialect::V2_42, Engine::Old), (Dialect::V2_43, Engine::New)] {
            let stand_in = StandIn::start(dialect, &[metadata], Some("2026-01-01T04:00:00Z"));
            let settings = Settings {
                url: stand_in.url(),
                credentials: Credentials::Password {
                    username: "regional".to_owned(),
                    password: "Loader-2026!".into(),
                },
                session: LoginSession::default(),
                http: http::HttpSettings::default(),
                attempts: 1,
                wait: Duration::ZERO,
            };
            let mut dhis2 = Dhis2::connect(&settings).expect("settings");
            let server = dhis2.server().expect("a server");
            assert_eq!(server.version.engine(), engine);
            assert_eq!(server.now.to_string(), "2026-01-01T04:00:00");
            assert_eq!((server.time_zone.as_str(), server.note), ("Etc/UTC", None));

            let account = dhis2.account().expect("an account");
            assert_eq!(account.username, "regional");
            assert!(account.authorities.contains("F_DATAVALUE_ADD"));
            let region = ["/sc5rkcvmE6I/VVrMwhxWKKp"];
            assert_eq!(account.capture_paths, region);
            assert_eq!(account.view_paths, region);
        }
    }

    #[test]
    fn another_calendar_is_refused_and_a_newer_version_is_noted() {
        let info = |version: &str, calendar: &str| {
            let body = format!(
                r#"{{"version":"{version}","calendar":"{calendar}","serverDate":"2026-01-01T04:00:00.000","serverTimeZoneId":"Etc/UTC"}}"#
            );
            let answer = answer(200, &[("content-type", "application/json")], &body);
            let (mut dhis2, served) = answering(vec![answer]);
            let server = dhis2.server();
            served.join().expect("asked once");
            server
        };
        let refused = info("2.43.1", "ethiopian").expect_err("another calendar");
        assert_eq!(refused.kind, Kind::Target);
        assert!(refused.message.contains("ethiopian"), "{refused}");
        let newer = info("2.45.0", "iso8601").expect("a server");
        assert_eq!(newer.version.engine(), Engine::New);
        assert!(newer.note.is_some_and(|note| note.contains("2.45.0")));
        assert_eq!(info("2.43.1", "iso8601").expect("a server").note, None);
    }

    #[test]
    fn versions_are_read_and_old_ones_refused() {
        let read = |text| {
            version(text)
                .ok()
                .map(|version| (version.minor, version.patch))
        };
        assert_eq!(read("2.38.7"), Some((38, 7)));
        assert_eq!(read("2.42.5.2"), Some((42, 5)));
        assert_eq!(read("2.43.1"), Some((43, 1)));
        assert_eq!(read("2.44-SNAPSHOT"), Some((44, 0)));
        for text in ["2.37.9", "2", "", "3.1", "Nightly"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
