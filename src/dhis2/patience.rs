//! When something is tried again, on which status, after how long, and when no more: the one policy behind reads and
//! imports.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::fmt::rfc2822;

use super::error::{Dhis2Error, Kind};

/// Before a request is tried again.
pub(crate) const WAIT: Duration = Duration::from_secs(2);
/// How often a request is tried, the first time included.
pub(crate) const ATTEMPTS: u32 = 5;

/// A run may try again so often, whatever it is.
const RETRIES: u32 = 20;
/// After so many imports in a row that failed to the end, no more is sent.
const IN_A_ROW: u32 = 3;
/// Waits grow to this many times the shortest one: 60 s for 2 s.
const LONGEST: u32 = 30;
/// Where nobody knows what became of an import, DHIS2 may still be at it: 30 s for 2 s.
const SETTLING: u32 = 15;
/// No server is waited for longer than this, whatever it asks for.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// Whether a server that answers so may do better by itself.
pub(super) fn may_pass(status: u16) -> bool {
    matches!(status, 408 | 409 | 425 | 429 | 500 | 502..=504 | 506..=599)
}

/// Whether a server that answers so has not begun with the request.
fn is_told_before_it_begins(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 503)
}

impl Dhis2Error {
    /// Whether nobody knows if the request had an effect. A server that is overloaded says so before it begins.
    pub(crate) fn leaves_open(&self) -> bool {
        let is_refused = self.status.is_some_and(is_told_before_it_begins);
        self.kind
            == Kind::Temporary {
                nothing_sent: false,
            }
            && !is_refused
    }
}

/// What a run may still try.
#[derive(Debug)]
pub(crate) struct Patience {
    attempts: u32,
    wait: Duration,
    ends_at: Option<Instant>,
    retries: u32,
    failed_in_a_row: u32,
}

impl Patience {
    pub(crate) fn new(attempts: u32, wait: Duration, ends_at: Option<Instant>) -> Patience {
        Patience {
            attempts,
            wait,
            ends_at,
            retries: RETRIES,
            failed_in_a_row: 0,
        }
    }

    /// How long to wait before what was tried so often, and failed so last, is tried again; None: not at all. Each time
    /// it is asked, it takes what it grants.
    pub(super) fn next(&mut self, tried: u32, error: &Dhis2Error) -> Option<Duration> {
        if !error.is_temporary() || error.ends_run || tried >= self.attempts || self.is_over() {
            return None;
        }
        let wait = self.backoff(tried).max(match error.retry_after {
            Some(asked) => asked.min(LONGEST_ASKED),
            None if error.leaves_open() => self.wait.saturating_mul(SETTLING),
            None => Duration::ZERO,
        });
        if !self.is_in_time(wait) {
            return None;
        }
        self.retries = self.retries.checked_sub(1)?;
        Some(wait)
    }

    /// How long to wait for a server that is getting well; None: not at all.
    pub(super) fn settling(&self) -> Option<Duration> {
        let wait = self.wait.saturating_mul(SETTLING);
        self.is_in_time(wait).then_some(wait)
    }

    fn is_in_time(&self, wait: Duration) -> bool {
        let in_time = |end: Instant| wait < end.saturating_duration_since(Instant::now());
        self.ends_at.is_none_or(in_time)
    }

    /// An import got through.
    pub(crate) fn succeeded(&mut self) {
        self.failed_in_a_row = 0;
    }

    /// An import failed as often as it may.
    pub(crate) fn exhausted(&mut self) {
        self.failed_in_a_row += 1;
    }

    /// Whether no more is to be sent in this run.
    pub(crate) fn is_over(&self) -> bool {
        let is_late = self.ends_at.is_some_and(|end| end <= Instant::now());
        self.has_given_up() || is_late
    }

    /// Whether too many imports in a row failed.
    pub(crate) fn has_given_up(&self) -> bool {
        self.failed_in_a_row >= IN_A_ROW
    }

    /// A wait is of random length between nothing and a bound that doubles each time: many sites begin at the same minute.
    fn backoff(&self, tried: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(tried).min(LONGEST);
        // The waits are only less well spread without random numbers.
        let chance = f64::from(getrandom::u32().unwrap_or(u32::MAX)) / f64::from(u32::MAX);
        self.wait.saturating_mul(doubled).mul_f64(chance)
    }
}

/// What `Retry-After` asks for (RFC 9110, section 10.2.3: seconds, or a date); None for anything else.
pub(super) fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if !header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(header.parse().unwrap_or(u64::MAX)));
    }
    let date = rfc2822::DateTimeParser::new()
        .parse_timestamp(header)
        .ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Patience, RETRIES, WAIT, retry_after};
    use crate::dhis2::error::{Dhis2Error, Kind};

    fn temporary(nothing_sent: bool) -> Dhis2Error {
        Dhis2Error::new(Kind::Temporary { nothing_sent }, "a failure".to_owned())
    }

    fn patience() -> Patience {
        Patience::new(5, WAIT, None)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_anything_else_is_ignored() {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let seconds = |header: &str| retry_after(header, now).map(|wait| wait.as_secs());
        assert_eq!(seconds("7"), Some(7));
        assert_eq!(seconds(" 120 "), Some(120));
        assert_eq!(seconds("1000000000"), Some(1_000_000_000));
        assert_eq!(seconds(&"9".repeat(40)), Some(u64::MAX));
        assert_eq!(seconds("Tue, 24 Nov 2026 10:01:30 GMT"), Some(90));
        // It is over.
        assert_eq!(seconds("Tue, 24 Nov 2026 09:00:00 GMT"), Some(0));
        for junk in ["", "soon", "-1", "1e9", "1.5", "7 s", "Tue, 99 Nov 2026"] {
            assert_eq!(seconds(junk), None, "{junk:?}");
        }
    }

    #[test]
    fn waits_are_random_double_and_stay_below_a_minute() {
        let mut longest = [Duration::ZERO; 5];
        let mut different = 0;
        for _ in 0..200 {
            let mut patience = patience();
            let waits: Vec<Duration> = (1..5)
                .map(|tried| patience.next(tried, &temporary(true)).unwrap())
                .collect();
            assert_eq!(patience.next(5, &temporary(true)), None);
            for (tried, wait) in (1..).zip(&waits) {
                assert!(*wait <= WAIT * 2_u32.pow(tried), "{tried}: {wait:?}");
                longest[tried as usize] = longest[tried as usize].max(*wait);
            }
            different += usize::from(waits[0] != waits[1]);
        }
        assert!(longest[4] > Duration::from_secs(16), "{longest:?}");
        assert!(different > 190, "{different}");
        let mut stubborn = Patience::new(100, WAIT, None);
        let wait = stubborn.next(20, &temporary(true)).unwrap();
        assert!(wait <= Duration::from_secs(60));
    }

    #[test]
    fn an_import_that_may_still_go_on_is_given_half_a_minute() {
        let wait = patience().next(1, &temporary(false)).unwrap();
        assert!(wait >= Duration::from_secs(30), "{wait:?}");
        let busy = Dhis2Error {
            status: Some(503),
            ..temporary(false)
        };
        assert!(patience().next(1, &busy).unwrap() < Duration::from_secs(30));
    }

    #[test]
    fn a_server_is_waited_for_as_it_asks_but_no_longer_than_five_minutes_or_the_deadline() {
        let asks = |seconds| Dhis2Error {
            retry_after: Some(Duration::from_secs(seconds)),
            ..temporary(true)
        };
        let wait = |seconds| patience().next(1, &asks(seconds)).unwrap().as_secs();
        assert_eq!((wait(7), wait(1_000_000_000)), (7, 300));
        let end = Instant::now() + Duration::from_secs(100);
        let mut hurried = Patience::new(5, WAIT, Some(end));
        assert_eq!(hurried.next(1, &asks(101)), None);
        assert!(hurried.next(1, &asks(7)).is_some());
    }

    #[test]
    fn a_run_tries_again_twenty_times_in_all_and_what_cannot_pass_never() {
        let mut patience = patience();
        let granted = (0..100).filter(|_| patience.next(1, &temporary(true)).is_some());
        assert_eq!(granted.count(), RETRIES as usize);
        for kind in [Kind::Credentials, Kind::Target] {
            let error = Dhis2Error::new(kind, "a failure".to_owned());
            assert_eq!(self::patience().next(1, &error), None);
        }
    }

    #[test]
    fn three_imports_in_a_row_that_fail_to_the_end_end_the_sending() {
        let mut patience = patience();
        for fails in [true, true, false, true, true] {
            match fails {
                true => patience.exhausted(),
                false => patience.succeeded(),
            }
            assert!(!patience.is_over());
        }
        patience.exhausted();
        assert!(patience.is_over());
        assert_eq!(patience.next(1, &temporary(true)), None);
    }
}
