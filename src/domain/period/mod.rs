//! A reporting period: its first and last day, its neighbours, its place among the periods of its type.

mod kind;
mod parse;
mod range;
#[cfg(test)]
mod tests;

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::{Date, date};

pub(crate) use kind::PeriodType;
pub(crate) use range::PeriodRange;

use kind::Rhythm;

/// A period of DHIS2, 1900 to 9999; eight bytes. Ordered by type, then by time. Read with `FromStr` from any ISO
/// string that DHIS2 takes, written with `Display` in DHIS2's canonical spelling.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Period {
    period_type: PeriodType,
    ordinal: i32,
}

/// The first year a period can be named after. Older ones are typing errors, and before 1582 servers disagree with
/// PostgreSQL about the calendar.
pub(super) const FIRST_YEAR: i32 = 1900;

/// 9999-12-31 in days since 1970-01-01; no period ends later.
const LAST_DAY: i32 = 2_932_896;

/// 1970-01-05, a Monday, in days since 1970-01-01. Week 0 of the ordinals begins here.
const A_MONDAY: i32 = 4;

impl PeriodType {
    /// The period a day lies in; for a day before 1900 the first of the type, for one near the end of 9999 the last.
    /// Days of a second week of a 27th biweek, which lie in two biweeks, count to the later (as in DHIS2).
    pub(crate) fn containing(self, day: Date) -> Period {
        self.nearest(self.ordinal_at(day))
    }

    /// The period that is number `number` of a year, from 1; `None` where the year has fewer or the years end.
    pub(super) fn numbered(self, year: i32, number: i32) -> Option<Period> {
        if number < 1 || number > self.periods_in(year) {
            return None;
        }
        let ordinal = match self.rhythm() {
            Rhythm::Days => first_day_of_month(12 * year) + number - 1,
            Rhythm::Weeks { after_monday } => {
                (week_one(year, after_monday) - after_monday - A_MONDAY).div_euclid(7) + number - 1
            }
            Rhythm::BiWeeks => biweeks_before(year) + number - 1,
            Rhythm::Months { length, .. } => year * (12 / length) + number - 1,
        };
        Period::from_ordinal(self, ordinal)
    }

    /// How many periods are named after a year.
    pub(super) fn periods_in(self, year: i32) -> i32 {
        match self.rhythm() {
            Rhythm::Days => first_day_of_month(12 * (year + 1)) - first_day_of_month(12 * year),
            Rhythm::Weeks { after_monday } => {
                (week_one(year + 1, after_monday) - week_one(year, after_monday)) / 7
            }
            Rhythm::BiWeeks => biweeks_before(year + 1) - biweeks_before(year),
            Rhythm::Months { length, .. } => 12 / length,
        }
    }

    /// The ordinal of the period that holds a day, whether or not that period is one of ours.
    fn ordinal_at(self, day: Date) -> i32 {
        let months = 12 * i32::from(day.year()) + i32::from(day.month()) - 1;
        let days = first_day_of_month(months) + i32::from(day.day()) - 1;
        match self.rhythm() {
            Rhythm::Days => days,
            Rhythm::Weeks { after_monday } => (days - A_MONDAY - after_monday).div_euclid(7),
            Rhythm::BiWeeks => {
                let monday = days - (days - A_MONDAY).rem_euclid(7);
                let (year, week) = year_and_week(monday, 0);
                biweeks_before(year) + (week - 1) / 2
            }
            Rhythm::Months { length, shift } => (months - shift).div_euclid(length),
        }
    }

    /// The first and the last ordinal of our years.
    fn bounds(self) -> (i32, i32) {
        let first = match self.rhythm() {
            Rhythm::Months { length, .. } => FIRST_YEAR * (12 / length),
            Rhythm::BiWeeks => 0,
            Rhythm::Days => first_day_of_month(12 * FIRST_YEAR),
            // 4 January lies in week 1, whatever its first day is.
            Rhythm::Weeks { .. } => self.ordinal_at(date(1900, 1, 4)),
        };
        let last = self.ordinal_at(Date::MAX);
        let whole = Period {
            period_type: self,
            ordinal: last,
        }
        .last_day()
            <= LAST_DAY;
        (first, if whole { last } else { last - 1 })
    }

    fn nearest(self, ordinal: i32) -> Period {
        let (first, last) = self.bounds();
        Period {
            period_type: self,
            ordinal: ordinal.clamp(first, last),
        }
    }
}

impl Period {
    pub(crate) fn period_type(self) -> PeriodType {
        self.period_type
    }

    /// The first day.
    pub(crate) fn start(self) -> Date {
        to_date(self.first_day())
    }

    /// The last day, which still belongs to the period.
    pub(crate) fn end(self) -> Date {
        to_date(self.last_day())
    }

    /// The period after this one; at the end of the years itself.
    pub(crate) fn next(self) -> Period {
        self.plus(1)
    }

    /// The period before this one; at the beginning of the years itself.
    pub(crate) fn previous(self) -> Period {
        self.plus(-1)
    }

    /// The period `n` later (earlier if negative), but none outside 1900 to 9999.
    pub(crate) fn plus(self, n: i32) -> Period {
        self.period_type.nearest(self.ordinal.saturating_add(n))
    }

    /// The place among the periods of its type: periods in unbroken sequence have consecutive ordinals.
    pub(crate) fn ordinal(self) -> i32 {
        self.ordinal
    }

    /// The period with an ordinal; `None` outside 1900 to 9999.
    pub(crate) fn from_ordinal(period_type: PeriodType, ordinal: i32) -> Option<Period> {
        let (first, last) = period_type.bounds();
        (first..=last).contains(&ordinal).then_some(Period {
            period_type,
            ordinal,
        })
    }

    /// The first DHIS2 that takes the period, as the minor version. That is since its type exists, but 2.38 and
    /// 2.39 refuse a 53rd week of a type that does not begin on Monday, unless the ISO year, or the one before it,
    /// has 53 weeks.
    pub(crate) fn since(self) -> u8 {
        let since = self.period_type.since();
        if let Rhythm::Weeks { after_monday: 1.. } = self.period_type.rhythm() {
            let (year, week) = self.year_and_number();
            let long = |year| PeriodType::Weekly.periods_in(year) == 53;
            if week == 53 && !long(year) && !long(year - 1) {
                return since.max(40);
            }
        }
        since
    }

    /// The year the period is named after and its number in it, from 1; of a day, the number in its year.
    fn year_and_number(self) -> (i32, i32) {
        match self.period_type.rhythm() {
            Rhythm::Days => {
                let day = self.start();
                (i32::from(day.year()), i32::from(day.day_of_year()))
            }
            Rhythm::Weeks { after_monday } => year_and_week(self.first_day(), after_monday),
            Rhythm::BiWeeks => {
                let year = year_of_biweek(self.ordinal);
                (year, self.ordinal - biweeks_before(year) + 1)
            }
            Rhythm::Months { length, .. } => {
                let in_year = 12 / length;
                (
                    self.ordinal.div_euclid(in_year),
                    self.ordinal.rem_euclid(in_year) + 1,
                )
            }
        }
    }

    /// It is counted in days since 1970-01-01, as all days below.
    fn first_day(self) -> i32 {
        match self.period_type.rhythm() {
            Rhythm::Days => self.ordinal,
            Rhythm::Weeks { after_monday } => A_MONDAY + after_monday + 7 * self.ordinal,
            Rhythm::BiWeeks => {
                let year = year_of_biweek(self.ordinal);
                week_one(year, 0) + 14 * (self.ordinal - biweeks_before(year))
            }
            Rhythm::Months { length, shift } => first_day_of_month(self.ordinal * length + shift),
        }
    }

    fn last_day(self) -> i32 {
        match self.period_type.rhythm() {
            Rhythm::Days => self.ordinal,
            Rhythm::Weeks { .. } => self.first_day() + 6,
            Rhythm::BiWeeks => self.first_day() + 13,
            Rhythm::Months { length, shift } => {
                first_day_of_month((self.ordinal + 1) * length + shift) - 1
            }
        }
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let marker = self.period_type.marker();
        let (year, number) = self.year_and_number();
        let text = match self.period_type.rhythm() {
            Rhythm::Days => self.start().strftime("%Y%m%d").to_string(),
            Rhythm::Weeks { .. } | Rhythm::BiWeeks => format!("{year}{marker}{number}"),
            Rhythm::Months { length: 12, .. } => format!("{year}{marker}"),
            Rhythm::Months { length: 1 | 2, .. } => format!("{year}{number:02}{marker}"),
            Rhythm::Months { .. } => format!("{year}{marker}{number}"),
        };
        f.pad(&text)
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {self}", self.period_type)
    }
}

/// The first day of a month, counted from January of year 0, in the Gregorian calendar without end. (jiff's dates
/// end with 9999, where some periods must be seen to reach beyond.)
fn first_day_of_month(months: i32) -> i32 {
    // A year that begins in March has its leap day at its end, and 30.6 days to a month until then.
    let from_march = months - 2;
    let (year, month) = (from_march.div_euclid(12), from_march.rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 0000-03-01 is 719,468 days before 1970-01-01.
    365 * year + leap_days + (153 * month + 2) / 5 - 719_468
}

/// The first day of the week that holds 4 January: week 1 of the year, for weeks beginning on Monday as ISO 8601 has it.
fn week_one(year: i32, after_monday: i32) -> i32 {
    let fourth_of_january = first_day_of_month(12 * year) + 3;
    fourth_of_january - (fourth_of_january - A_MONDAY - after_monday).rem_euclid(7)
}

/// The year a week is named after and its number, from its first day. Its fourth day always lies in that year.
fn year_and_week(first_day: i32, after_monday: i32) -> (i32, i32) {
    let year = i32::from(to_date(first_day + 3).year());
    (year, (first_day - week_one(year, after_monday)) / 7 + 1)
}

/// How many biweeks come before a year, from 1900: 26 for each, and one for each 53rd week.
fn biweeks_before(year: i32) -> i32 {
    let years = year - FIRST_YEAR;
    (week_one(year, 0) - week_one(FIRST_YEAR, 0)) / 7 - 26 * years
}

fn year_of_biweek(ordinal: i32) -> i32 {
    // 400 years have 10,471 biweeks; 71 of them have a 53rd week.
    let mut year = FIRST_YEAR + ordinal * 400 / 10_471;
    while biweeks_before(year) > ordinal {
        year -= 1;
    }
    while biweeks_before(year + 1) <= ordinal {
        year += 1;
    }
    year
}

/// A day beyond the dates of jiff becomes the last of them.
fn to_date(day: i32) -> Date {
    date(1970, 1, 1).saturating_add(SignedDuration::from_hours(24 * i64::from(day)))
}
