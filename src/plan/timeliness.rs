//! Whether DHIS2 takes values of a unit for a period now: future periods, expiry days, data input periods.

use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, ToSpan};

use super::Target;
use crate::domain::{Blocked, Closed, Engine, Period, Uid};

/// What a data set says to a unit's period.
pub(super) enum Timeliness {
    Open,
    Closed(Closed),
    /// Open, but this version refuses it all the same.
    Refused(Blocked),
}

pub(super) fn timeliness(period: Period, org_unit: Uid, target: &Target) -> Timeliness {
    let data_set = &target.data_set;
    let now = target.server.now;
    if !data_set.input_periods.is_empty() {
        let open = data_set.input_periods.iter().any(|window| {
            window.period == period
                && window.opening.is_none_or(|opening| opening <= now)
                && window.closing.is_none_or(|closing| now <= closing)
        });
        let inverted = target.server.version.minor == 43 && target.server.version.patch <= 1;
        return match (target.engine(), open) {
            (_, false) => Timeliness::Closed(Closed::InputWindow),
            (Engine::New, true) if inverted => Timeliness::Refused(Blocked::InputPeriodsInverted),
            // On 2.43 the windows stand in place of expiry and future periods.
            (Engine::New, true) => Timeliness::Open,
            (Engine::Old, true) => by_calendar(period, org_unit, target),
        };
    }
    by_calendar(period, org_unit, target)
}

fn by_calendar(period: Period, org_unit: Uid, target: &Target) -> Timeliness {
    let current = period.period_type().containing(target.server.now.date());
    // Where 0 future periods are open, the current one is not open yet either.
    let latest = current.plus(target.data_set.open_future_periods - 1);
    let may_edit_expired = target.account.may("F_EDIT_EXPIRED");
    let future_checked = match target.engine() {
        Engine::Old => true,
        Engine::New => !may_edit_expired,
    };
    if future_checked && period > latest {
        return Timeliness::Closed(Closed::Future);
    }
    let excepted = || {
        let exceptions = &target.data_set.lock_exceptions;
        exceptions.contains(&(period, org_unit))
    };
    if !may_edit_expired && is_expired(period, target) && !excepted() {
        return Timeliness::Closed(Closed::Expired);
    }
    Timeliness::Open
}

/// A period stays open to the end of the day that lies `expiry_days` after its last.
fn is_expired(period: Period, target: &Target) -> bool {
    let days = target.data_set.expiry_days;
    // Only 2.42 counts a fraction of a day.
    let days = if target.server.version.minor == 42 {
        days
    } else {
        days.trunc()
    };
    if days <= 0.0 {
        return false;
    }
    let end = period.end().checked_add(1.day());
    let limit = end.ok().and_then(|day| {
        let length = SignedDuration::try_from_secs_f64(days * 86_400.0).ok()?;
        DateTime::from_parts(day, Time::midnight())
            .checked_add(length)
            .ok()
    });
    limit.is_some_and(|limit| target.server.now >= limit)
}
