//! Nothing is decided by this host's clock that the source's and DHIS2's contradict.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::domain::{ClockQuestion, PeriodType, Server};
use crate::exit::{Exit, Problem};
use crate::report::Report;
use crate::site::Site;

/// How far DHIS2's clock is ahead of this host's; none: its time zone is one that nobody knows.
pub(super) fn ahead(server: &Server, now: Timestamp) -> Option<SignedDuration> {
    let zone = TimeZone::get(&server.time_zone).ok()?;
    let told = zone.to_timestamp(server.now).ok()?;
    Some(told.duration_since(now))
}

/// Why nothing of a mapping may be sent: its periods were chosen by a clock that others contradict.
pub(super) fn forbid(site: &Site, report: &Report, period_type: PeriodType) -> Option<Problem> {
    if !report.is_led_by_clock {
        return None;
    }
    let why = report.clocks.forbid(ClockQuestion {
        now: report.started,
        max_skew: site.max_clock_skew(),
        time_zone: &site.time_zone,
        period_type,
    })?;
    Some(Problem::new(
        Exit::Held,
        format!("held, nothing of it is sent: {why}; set the clock that is wrong, then run again"),
    ))
}

/// The report tells once that the clocks disagree; it changes no exit code.
pub(super) fn tell(site: &Site, report: &mut Report) {
    let disagreement = report.clocks.disagreement(site.max_clock_skew());
    let Some(told) = disagreement.filter(|_| report.is_led_by_clock) else {
        return;
    };
    let message = format!(
        "{told}, more than max-clock-skew allows; set the one that is wrong: no old run is removed from the history until then"
    );
    let mut known = report.problems.iter();
    if known.all(|problem| problem.message != message) {
        report.problems.push(Problem::new(Exit::Ok, message));
    }
}
