//! The stand-in's clock, in UTC: the host's, until a test sets it.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A clock that stands still once it is set, so that a test sees the same answer every time.
#[derive(Default)]
pub(crate) struct Clock {
    fixed: Option<DateTime>,
}

impl Clock {
    pub(crate) fn now(&self) -> DateTime {
        self.fixed
            .unwrap_or_else(|| TimeZone::UTC.to_datetime(Timestamp::now()))
    }

    /// Sets the clock to a date, a date and time (taken as UTC) or a timestamp with an offset.
    pub(crate) fn set(&mut self, text: &str) -> Result<(), String> {
        self.fixed = Some(moment(text).ok_or_else(|| format!("not a timestamp: {text}"))?);
        Ok(())
    }
}

/// Reads any of DHIS2's spellings of a moment; one without an offset is in the server's zone, UTC.
pub(crate) fn moment(text: &str) -> Option<DateTime> {
    let text = text.trim();
    // DHIS2 writes offsets as `+0000`, which is RFC 822 and not ISO 8601.
    let text = text.strip_suffix("+0000").unwrap_or(text);
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Some(TimeZone::UTC.to_datetime(timestamp));
    }
    text.parse::<DateTime>()
        .or_else(|_| text.parse::<Date>().map(|date| date.at(0, 0, 0, 0)))
        .ok()
}

/// A moment as DHIS2 writes it in data values and registrations.
pub(crate) fn with_offset(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3f+0000").to_string()
}

/// A moment as DHIS2 writes it in metadata and system information.
pub(crate) fn without_offset(moment: DateTime) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%S.%3f").to_string()
}

/// The start of the day after `date`, or of a later one.
pub(crate) fn days_after(date: Date, days: i64) -> DateTime {
    date.at(0, 0, 0, 0)
        .checked_add(days.days())
        .unwrap_or(DateTime::MAX)
}
