//! Reading DHIS2's ISO period strings, and what is wrong with the ones it would refuse or misread.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::kind::{PeriodType, Rhythm};
use super::{FIRST_YEAR, Period};

/// Text that is no period, or no range of periods. `Display` says why, and repeats the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeriodError {
    /// No period type of DHIS2 is written so.
    Unreadable(String),
    /// Named after a year before 1900, or reaching beyond 9999.
    Year(String),
    /// A day that the calendar does not have.
    NoSuchDay(String),
    /// A number that the year does not have; the last that it has. Also DHIS2's trap `2021BiW27`, which every
    /// server silently takes for the first biweek of 2022.
    NoSuchNumber {
        text: String,
        period_type: PeriodType,
        year: i32,
        last: i32,
    },
    /// A range whose ends are of different types.
    MixedTypes { first: Period, last: Period },
    /// A range that ends before it begins.
    Reversed { first: Period, last: Period },
}

impl FromStr for Period {
    type Err = PeriodError;

    /// Takes what DHIS2 takes (`DateUnitType`): the canonical spelling, `2023-04-01`, `2023-04`, and weeks with a
    /// leading zero, `2023W01`.
    fn from_str(text: &str) -> Result<Period, PeriodError> {
        let unreadable = || PeriodError::Unreadable(text.to_string());
        let (year, rest) = text.split_at_checked(4).ok_or_else(unreadable)?;
        let year = digits(year).ok_or_else(unreadable)?;
        if let Some((month, day)) = month_and_day(rest) {
            return daily(text, year, month, day);
        }
        let (period_type, number) = type_and_number(rest).ok_or_else(unreadable)?;
        if year < FIRST_YEAR {
            return Err(PeriodError::Year(text.to_string()));
        }
        let last = period_type.periods_in(year);
        if !(1..=last).contains(&number) {
            return Err(PeriodError::NoSuchNumber {
                text: text.to_string(),
                period_type,
                year,
                last,
            });
        }
        period_type
            .numbered(year, number)
            .ok_or_else(|| PeriodError::Year(text.to_string()))
    }
}

/// `0401` and `-04-01` after the year.
fn month_and_day(rest: &str) -> Option<(i32, i32)> {
    let (month, day) = match rest.len() {
        4 => rest.split_at_checked(2)?,
        6 => rest.strip_prefix('-')?.split_once('-')?,
        _ => return None,
    };
    (month.len() == 2).then_some(())?;
    Some((digits(month)?, digits(day)?))
}

fn daily(text: &str, year: i32, month: i32, day: i32) -> Result<Period, PeriodError> {
    if year < FIRST_YEAR {
        return Err(PeriodError::Year(text.to_string()));
    }
    let part = |number: i32| i8::try_from(number).ok();
    let date = i16::try_from(year)
        .ok()
        .zip(part(month).zip(part(day)))
        .and_then(|(year, (month, day))| jiff::civil::Date::new(year, month, day).ok());
    date.map(|date| PeriodType::Daily.containing(date))
        .ok_or_else(|| PeriodError::NoSuchDay(text.to_string()))
}

/// What follows the year, for all types but Daily: letters and one or two digits, in the order of the type.
fn type_and_number(rest: &str) -> Option<(PeriodType, i32)> {
    if let Some(month) = rest.strip_prefix('-') {
        return two_digits(month).map(|number| (PeriodType::Monthly, number));
    }
    let letters = rest.trim_matches(|c: char| c.is_ascii_digit());
    PeriodType::all()
        .iter()
        .filter(|period_type| period_type.marker() == letters)
        .find_map(|&period_type| {
            let after = || rest.strip_prefix(letters);
            let number = match period_type.rhythm() {
                Rhythm::Days => None,
                Rhythm::Weeks { .. } | Rhythm::BiWeeks => {
                    after().filter(|text| text.len() <= 2).and_then(digits)
                }
                Rhythm::Months { length: 12, .. } => (rest == letters).then_some(1),
                Rhythm::Months { length: 1 | 2, .. } => {
                    rest.strip_suffix(letters).and_then(two_digits)
                }
                Rhythm::Months { .. } => after().filter(|text| text.len() == 1).and_then(digits),
            };
            number.map(|number| (period_type, number))
        })
}

fn two_digits(text: &str) -> Option<i32> {
    digits(text).filter(|_| text.len() == 2)
}

/// ASCII digits only, and at least one; `i32::from_str` alone would take a sign.
fn digits(text: &str) -> Option<i32> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

impl fmt::Display for PeriodError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeriodError::Unreadable(text) => {
                write!(
                    f,
                    "{text:?} is not a period of DHIS2, such as 202503, 2025Q1, 2025W9, 20250331 or 2025"
                )
            }
            PeriodError::Year(text) => write!(
                f,
                "{text:?} is not a period: it must lie within 1900 to 9999"
            ),
            PeriodError::NoSuchDay(text) => {
                write!(f, "{text:?} is not a period: there is no such day")
            }
            PeriodError::NoSuchNumber {
                text,
                period_type,
                year,
                last,
            } => {
                write!(
                    f,
                    "{text:?} is not a period: {period_type} periods of {year} are numbered 1 to {last}"
                )
            }
            PeriodError::MixedTypes { first, last } => write!(
                f,
                "{first}..{last} is not a range: {first} is {}, {last} is {}",
                first.period_type(),
                last.period_type()
            ),
            PeriodError::Reversed { first, last } => {
                write!(
                    f,
                    "{first}..{last} is not a range: it ends before it begins; write {last}..{first}"
                )
            }
        }
    }
}

impl std::error::Error for PeriodError {}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Period, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
