//! When a mapping says that a data set is complete for a unit and a period, and what is said to DHIS2 then.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{DateTime, Time};
use serde::{Deserialize, Serialize};

use super::{Period, Uid};

/// `complete` of a mapping: `never`, or `after 5d`, `after 12h`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Complete {
    #[default]
    Never,
    /// So many hours after the end of the period's last day.
    After { hours: u32 },
}

/// The longest wait; a year and more is likelier a slip than a wish.
const MOST_HOURS: u32 = 1_000 * 24;

/// Text that is no time to say that something is complete.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoSuchTime;

/// What DHIS2 calls a complete data set registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Registration {
    pub(crate) data_set: Uid,
    pub(crate) period: Period,
    pub(crate) org_unit: Uid,
    pub(crate) attribute_option_combo: Uid,
}

impl Complete {
    /// Whether the time of a period has come; `now` is DHIS2's own clock.
    pub(crate) fn is_due(self, period: Period, now: DateTime) -> bool {
        let Complete::After { hours } = self else {
            return false;
        };
        let end = period.end().checked_add(1.day());
        let due = end.and_then(|day| {
            DateTime::from_parts(day, Time::midnight()).checked_add(i64::from(hours).hours())
        });
        due.is_ok_and(|due| due <= now)
    }

    pub(crate) fn is_never(&self) -> bool {
        *self == Complete::Never
    }
}

impl FromStr for Complete {
    type Err = NoSuchTime;

    fn from_str(text: &str) -> Result<Complete, NoSuchTime> {
        if text == "never" {
            return Ok(Complete::Never);
        }
        let time = text.strip_prefix("after ").ok_or(NoSuchTime)?;
        let (count, hours_each) = match (time.strip_suffix('d'), time.strip_suffix('h')) {
            (Some(days), _) => (days, 24),
            (None, Some(hours)) => (hours, 1),
            (None, None) => return Err(NoSuchTime),
        };
        // `parse` alone would take a plus sign.
        if !count.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NoSuchTime);
        }
        let count: u32 = count.parse().map_err(|_| NoSuchTime)?;
        let hours = count.checked_mul(hours_each);
        match hours {
            Some(hours) if hours <= MOST_HOURS => Ok(Complete::After { hours }),
            _ => Err(NoSuchTime),
        }
    }
}

impl fmt::Display for Complete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Complete::Never => f.write_str("never"),
            Complete::After { hours } if hours % 24 == 0 => write!(f, "after {}d", hours / 24),
            Complete::After { hours } => write!(f, "after {hours}h"),
        }
    }
}

impl TryFrom<String> for Complete {
    type Error = NoSuchTime;

    fn try_from(text: String) -> Result<Complete, NoSuchTime> {
        text.parse()
    }
}

impl From<Complete> for String {
    fn from(complete: Complete) -> String {
        complete.to_string()
    }
}

impl fmt::Display for NoSuchTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "`complete` must be \"never\", or a time after the period's end in days or hours, such as \"after 5d\" or \"after 12h\"",
        )
    }
}

impl std::error::Error for NoSuchTime {}

#[cfg(test)]
mod tests {
    use jiff::civil::DateTime;

    use super::Complete;

    #[test]
    fn a_time_is_written_in_whole_days_or_hours() {
        for (text, expected) in [
            ("never", Some(Complete::Never)),
            ("after 5d", Some(Complete::After { hours: 120 })),
            ("after 0d", Some(Complete::After { hours: 0 })),
            ("after 12h", Some(Complete::After { hours: 12 })),
            ("after 1000d", Some(Complete::After { hours: 24_000 })),
            ("after 1001d", None),
            ("after 4294967295d", None),
            ("after d", None),
            ("after", None),
            ("after 5", None),
            ("after 5m", None),
            ("after +5d", None),
            ("after -5d", None),
            ("after 5 d", None),
            ("after  5d", None),
            ("5d", None),
            ("Never", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for text in ["never", "after 5d", "after 13h", "after 0d"] {
            let read: Complete = text.parse().unwrap();
            assert_eq!(read.to_string(), text);
            let json = serde_json::to_string(&read).unwrap();
            assert_eq!(json, format!("{text:?}"));
            assert_eq!(serde_json::from_str::<Complete>(&json).unwrap(), read);
        }
        assert!(serde_json::from_str::<Complete>("\"soon\"").is_err());
    }

    #[test]
    fn the_time_counts_from_the_end_of_the_last_day() {
        let check = |complete: &str, period: &str, now: &str, due: bool| {
            let complete: Complete = complete.parse().unwrap();
            let now: DateTime = now.parse().unwrap();
            let is_due = complete.is_due(period.parse().unwrap(), now);
            assert_eq!(is_due, due, "{complete} {period} {now}");
        };
        check("after 5d", "202503", "2025-04-05T23:59:59", false);
        check("after 5d", "202503", "2025-04-06T00:00:00", true);
        check("after 12h", "202503", "2025-04-01T11:59:59", false);
        check("after 12h", "202503", "2025-04-01T12:00:00", true);
        check("after 0d", "2024", "2024-12-31T23:59:59", false);
        check("after 0d", "2024", "2025-01-01T00:00:00", true);
        check("never", "202503", "2030-01-01T00:00:00", false);
    }
}
