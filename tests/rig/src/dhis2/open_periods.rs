//! How far the current date opens periods, for both engines.

use jiff::ToSpan;
use jiff::civil::Date;

use super::model::DataSet;
use super::period::Period;

/// The latest period a data set takes: with none open in the future, the one before the current.
pub(crate) fn latest_open(set: &DataSet, today: Date) -> Option<Period> {
    Period::containing(&set.period_type, today)?.step(set.open_future_periods - 1)
}

/// A date moved by whole periods, at the same distance from the period's first day.
pub(crate) fn shifted(period_type: &str, date: Date, periods: i64) -> Date {
    let moved = || {
        let period = Period::containing(period_type, date)?;
        let target = period.step(periods)?;
        let days = date.since(period.start).ok()?.get_days();
        let moved = target.start.checked_add(i64::from(days).days()).ok()?;
        Some(moved.min(target.end))
    };
    if periods == 0 {
        date
    } else {
        moved().unwrap_or(date)
    }
}
