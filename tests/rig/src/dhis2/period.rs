//! Periods as the two servers read them: ISO text to type, first and last day, and back.

use std::sync::Arc;

use jiff::ToSpan;
use jiff::civil::{Date, Weekday};

use super::Dialect;

/// A period; ordered by its type's name and first day, as the rows of the data value table are listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Period {
    /// DHIS2's name of the period type, as in a data set's `periodType`.
    pub(crate) kind: &'static str,
    pub(crate) start: Date,
    pub(crate) end: Date,
    /// The canonical ISO text, with week numbers unpadded.
    pub(crate) iso: Arc<str>,
}

/// How a period type writes its number in the year: text before it, digits, text after it.
struct Spelling {
    kind: &'static str,
    before: &'static str,
    digits: Digits,
    after: &'static str,
    since: Dialect,
}

#[derive(Clone, Copy, PartialEq)]
enum Digits {
    None,
    One,
    Two,
    OneOrTwo,
}

const fn spelling(
    kind: &'static str,
    before: &'static str,
    digits: Digits,
    after: &'static str,
) -> Spelling {
    Spelling {
        kind,
        before,
        digits,
        after,
        since: Dialect::V2_42,
    }
}

const fn new(spelling: Spelling) -> Spelling {
    Spelling {
        since: Dialect::V2_43,
        ..spelling
    }
}

/// All types but Daily (DHIS2: `DateUnitType`, `PeriodTypeEnum`; versions as executed for `dhis2-periods.tsv`).
const SPELLINGS: [Spelling; 23] = [
    spelling("Yearly", "", Digits::None, ""),
    spelling("Monthly", "", Digits::Two, ""),
    spelling("Monthly", "-", Digits::Two, ""),
    spelling("BiMonthly", "", Digits::Two, "B"),
    spelling("Weekly", "W", Digits::OneOrTwo, ""),
    spelling("WeeklyWednesday", "WedW", Digits::OneOrTwo, ""),
    spelling("WeeklyThursday", "ThuW", Digits::OneOrTwo, ""),
    new(spelling("WeeklyFriday", "FriW", Digits::OneOrTwo, "")),
    spelling("WeeklySaturday", "SatW", Digits::OneOrTwo, ""),
    spelling("WeeklySunday", "SunW", Digits::OneOrTwo, ""),
    spelling("BiWeekly", "BiW", Digits::OneOrTwo, ""),
    spelling("Quarterly", "Q", Digits::One, ""),
    spelling("QuarterlyNov", "NovQ", Digits::One, ""),
    spelling("SixMonthly", "S", Digits::One, ""),
    spelling("SixMonthlyApril", "AprilS", Digits::One, ""),
    spelling("SixMonthlyNov", "NovS", Digits::One, ""),
    spelling("FinancialApril", "April", Digits::None, ""),
    spelling("FinancialJuly", "July", Digits::None, ""),
    spelling("FinancialSep", "Sep", Digits::None, ""),
    spelling("FinancialOct", "Oct", Digits::None, ""),
    spelling("FinancialNov", "Nov", Digits::None, ""),
    new(spelling("FinancialFeb", "Feb", Digits::None, "")),
    new(spelling("FinancialAug", "Aug", Digits::None, "")),
];

impl Period {
    /// Reads an ISO period as the server of that version does; `None` where it does not.
    pub(crate) fn parse(text: &str, dialect: Dialect) -> Option<Period> {
        // DHIS2 makes rubbish of the year 0, which is refused here.
        let year = number(text.get(..4)?).filter(|year| *year > 0)?;
        let rest = text.get(4..)?;
        if let Some(day) = day_of(text) {
            return Some(Period::daily(day));
        }
        SPELLINGS.iter().find_map(|spelling| {
            if dialect < spelling.since {
                return None;
            }
            let digits = rest
                .strip_prefix(spelling.before)?
                .strip_suffix(spelling.after)?;
            let fits = match spelling.digits {
                Digits::None => digits.is_empty(),
                Digits::One => digits.len() == 1,
                Digits::Two => digits.len() == 2,
                Digits::OneOrTwo => matches!(digits.len(), 1 | 2),
            };
            let place = match (fits, spelling.digits) {
                (false, _) => return None,
                (true, Digits::None) => 1,
                (true, _) => number(digits)?,
            };
            Period::at(spelling.kind, year, place).or_else(|| twenty_seventh(spelling, year, place))
        })
    }

    /// The period of that type in which `date` lies; `None` for a type without ISO text.
    pub(crate) fn containing(kind: &str, date: Date) -> Option<Period> {
        if kind == "Daily" {
            return Some(Period::daily(date));
        }
        let kind = SPELLINGS.iter().find(|s| s.kind == kind)?.kind;
        let year = i32::from(date.year());
        (year - 1..=year + 1).find_map(|year| {
            (1..=53)
                .map_while(|place| Period::at(kind, year, place))
                .find(|period| period.start <= date && date <= period.end)
        })
    }

    /// The period `steps` later, or earlier when negative.
    pub(crate) fn step(&self, steps: i64) -> Option<Period> {
        let mut period = self.clone();
        for _ in 0..steps.abs() {
            let day = if steps > 0 {
                period.end.tomorrow().ok()?
            } else {
                period.start.yesterday().ok()?
            };
            period = Period::containing(period.kind, day)?;
        }
        Some(period)
    }

    /// Before all others, to begin a search with.
    pub(crate) fn earliest() -> Period {
        Period {
            kind: "",
            start: Date::MIN,
            end: Date::MIN,
            iso: "".into(),
        }
    }

    fn daily(day: Date) -> Period {
        Period {
            kind: "Daily",
            start: day,
            end: day,
            iso: day.strftime("%Y%m%d").to_string().into(),
        }
    }

    /// The `place`-th period of that type in the year it is named after.
    fn at(kind: &'static str, year: i32, place: i32) -> Option<Period> {
        if place < 1 {
            return None;
        }
        let (start, end) = if let Some(weekday) = first_weekday(kind) {
            weeks(weekday, year, place, if kind == "BiWeekly" { 2 } else { 1 })?
        } else {
            months(kind, year, place)?
        };
        let spelling = SPELLINGS.iter().find(|s| s.kind == kind)?;
        let digits = match spelling.digits {
            Digits::None => String::new(),
            Digits::Two => format!("{place:02}"),
            Digits::One | Digits::OneOrTwo => place.to_string(),
        };
        Some(Period {
            kind,
            start,
            end,
            iso: format!("{year:04}{}{digits}{}", spelling.before, spelling.after).into(),
        })
    }
}

/// In a 52-week year after one of 53 weeks, DHIS2 silently reads a 27th biweek as the next year's first.
fn twenty_seventh(spelling: &Spelling, year: i32, place: i32) -> Option<Period> {
    let long = |year| weeks(Weekday::Monday, year, 53, 1).is_some();
    (spelling.kind == "BiWeekly" && place == 27 && !long(year) && long(year - 1))
        .then(|| Period::at("BiWeekly", year + 1, 1))
        .flatten()
}

/// What the new server says about text that is no period (seen at `GET /api/dataValueSets`).
pub(crate) fn complaint(text: &str) -> String {
    let length = text.chars().count();
    if !(4..=11).contains(&length) {
        return format!("Period must be have between 4 and 11 characters but got: `{text}`");
    }
    if let Some((at, found)) = text
        .chars()
        .take(4)
        .enumerate()
        .find(|(_, c)| !c.is_ascii_digit())
    {
        return format!(
            "Invalid Period `{text}`, expected a digit at position {at} but found: `{found}`"
        );
    }
    let infixes = match length {
        6 => "W, Q, S",
        7 => "W, -",
        9 => "WedW, ThuW, FriW, SatW, SunW, NovS",
        10 => "WedW, ThuW, FriW, SatW, SunW",
        5 | 11 => "AprilS",
        _ => return format!("Invalid Period `{text}`, failed to create date interval"),
    };
    let rest: String = text.chars().skip(4).collect();
    let named = rest.trim_end_matches(|c: char| c.is_ascii_digit());
    if infixes.split(", ").any(|infix| infix == named) || named.is_empty() {
        return format!("Invalid Period `{text}`, failed to create date interval");
    }
    format!(
        "Invalid Period `{text}`, expected one of [{infixes}] at index 4 for a ISO period of length {length} but found: `{rest}`"
    )
}

fn number(digits: &str) -> Option<i32> {
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

fn day_of(text: &str) -> Option<Date> {
    let compact = match text.len() {
        8 => text.to_owned(),
        10 if text.get(4..5) == Some("-") && text.get(7..8) == Some("-") => text.replace('-', ""),
        _ => return None,
    };
    number(&compact)?;
    let part = |from, to| compact.get(from..to).and_then(number);
    let year = i16::try_from(part(0, 4)?).ok()?;
    let month = i8::try_from(part(4, 6)?).ok()?;
    let day = i8::try_from(part(6, 8)?).ok()?;
    Date::new(year, month, day).ok()
}

fn first_weekday(kind: &str) -> Option<Weekday> {
    Some(match kind {
        "Weekly" | "BiWeekly" => Weekday::Monday,
        "WeeklyWednesday" => Weekday::Wednesday,
        "WeeklyThursday" => Weekday::Thursday,
        "WeeklyFriday" => Weekday::Friday,
        "WeeklySaturday" => Weekday::Saturday,
        "WeeklySunday" => Weekday::Sunday,
        _ => return None,
    })
}

/// Week 1 begins on the one such weekday between 29 December and 4 January.
fn first_week(weekday: Weekday, year: i32) -> Option<Date> {
    let earliest = Date::new(i16::try_from(year - 1).ok()?, 12, 29).ok()?;
    earliest.yesterday().ok()?.nth_weekday(1, weekday).ok()
}

fn weeks(weekday: Weekday, year: i32, place: i32, length: i32) -> Option<(Date, Date)> {
    let first = first_week(weekday, year)?;
    let start = first
        .checked_add(i64::from(7 * length * (place - 1)).days())
        .ok()?;
    if start >= first_week(weekday, year + 1)? {
        return None;
    }
    let end = start.checked_add(i64::from(7 * length - 1).days()).ok()?;
    Some((start, end))
}

/// Types made of whole months: how many, in how many places, and the month (from January) where the first begins.
fn months(kind: &str, year: i32, place: i32) -> Option<(Date, Date)> {
    let (length, places, first) = match kind {
        "Monthly" => (1, 12, 0),
        "BiMonthly" => (2, 6, 0),
        "Quarterly" => (3, 4, 0),
        "QuarterlyNov" => (3, 4, -2),
        "SixMonthly" => (6, 2, 0),
        "SixMonthlyApril" => (6, 2, 3),
        "SixMonthlyNov" => (6, 2, -2),
        "Yearly" => (12, 1, 0),
        "FinancialFeb" => (12, 1, 1),
        "FinancialApril" => (12, 1, 3),
        "FinancialJuly" => (12, 1, 6),
        "FinancialAug" => (12, 1, 7),
        "FinancialSep" => (12, 1, 8),
        "FinancialOct" => (12, 1, 9),
        // Named after the year it ends in, unlike the other financial years.
        "FinancialNov" => (12, 1, -2),
        _ => return None,
    };
    if place > places {
        return None;
    }
    let january = Date::new(i16::try_from(year).ok()?, 1, 1).ok()?;
    let start = january
        .checked_add((first + i64::from(length * (place - 1))).months())
        .ok()?;
    let last = start.checked_add(i64::from(length - 1).months()).ok()?;
    let end = last.last_of_month();
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::Period;
    use crate::dhis2::Dialect;

    /// `dhis2-periods.tsv` was made by running DHIS2's own classes.
    #[test]
    fn periods_are_read_as_dhis2_reads_them() {
        let table = include_str!("../../../golden/dhis2-periods.tsv");
        let mut wrong = Vec::new();
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            if cells[0] == "0000" {
                continue;
            }
            let whole = format!("{} {} {} {}", cells[5], cells[6], cells[7], cells[8]);
            for (dialect, verdict) in [(Dialect::V2_42, cells[3]), (Dialect::V2_43, cells[4])] {
                let expected = match verdict {
                    "invalid" => None,
                    "same" | "ok" => Some(whole.clone()),
                    other => panic!("unknown verdict {other}"),
                };
                let found = Period::parse(cells[0], dialect)
                    .map(|p| format!("{} {} {} {}", p.kind, p.start, p.end, p.iso));
                if found != expected {
                    wrong.push(format!(
                        "{dialect:?} {}: {found:?}, not {expected:?}",
                        cells[0]
                    ));
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "{} wrong: {:#?}",
            wrong.len(),
            &wrong[..wrong.len().min(20)]
        );
    }
}
