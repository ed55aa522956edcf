//! How DHIS2 reads a single value, kind by kind (`ValidationUtils`, `MathUtils`, `DateUtils` of 2.38 to 2.43).
//! "Letter", "digit" and "blank" mean what Java means by them.

use std::sync::LazyLock;

use jiff::civil::Date;
use regex::Regex;

use crate::domain::Engine;

/// Whether DHIS2 takes the value for zero, which it does not store where zero is not significant (up to 2.42).
/// `-0` and `00` are none.
pub(crate) fn reads_as_zero(value: &str) -> bool {
    value.strip_prefix('0').is_some_and(|rest| {
        rest.is_empty()
            || rest
                .strip_prefix('.')
                .is_some_and(|zeros| zeros.bytes().all(|b| b == b'0'))
    })
}

/// The text has no blanks at its ends then, as `String.trim` of Java: everything up to the space is blank.
pub(super) fn trimmed(value: &str) -> &str {
    value.trim_matches(|c: char| c <= ' ')
}

/// `^(-?0|-?[1-9]\d*)(\.\d+)?$`, shorter than 250 characters.
pub(super) fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    value.len() < 250
        && are_digits(whole)
        && are_digits(fraction)
        && (whole == "0" || !whole.starts_with('0'))
}

/// `^(0|-?[1-9]\d*)$` within 32 bits; servers whose own locale is Arabic refuse a minus, which nobody can see from
/// outside.
pub(super) fn integer(value: &str) -> Option<i32> {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let plain = are_digits(unsigned) && (value == "0" || !unsigned.starts_with('0'));
    plain.then(|| value.parse().ok()).flatten()
}

/// DHIS2 compares as double precision: `1.00000000000000000001` is a unit interval to it.
pub(super) fn lies_within(value: &str, low: f64, high: f64) -> bool {
    value
        .parse::<f64>()
        .is_ok_and(|number| (low..=high).contains(&number))
}

pub(super) fn boolean(value: &str, engine: Engine) -> Option<bool> {
    const OLD: [(&str, bool); 12] = [
        ("true", true),
        ("True", true),
        ("TRUE", true),
        ("t", true),
        ("T", true),
        ("1", true),
        ("false", false),
        ("False", false),
        ("FALSE", false),
        ("f", false),
        ("F", false),
        ("0", false),
    ];
    const NEW: [(&str, bool); 10] = [
        ("true", true),
        ("t", true),
        ("yes", true),
        ("y", true),
        ("1", true),
        ("false", false),
        ("f", false),
        ("no", false),
        ("n", false),
        ("0", false),
    ];
    let found = match engine {
        Engine::Old => OLD.iter().find(|(word, _)| *word == value),
        Engine::New => NEW
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(value)),
    };
    found.map(|&(_, meaning)| meaning)
}

/// One character of Unicode's letters (`Character.isLetter`) that is one UTF-16 unit.
pub(super) fn is_letter(value: &str) -> bool {
    static LETTER: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[\p{L}--[\x{10000}-\x{10FFFF}]]$").ok());
    LETTER.as_ref().is_none_or(|letter| letter.is_match(value))
}

/// `yyyy-MM-dd`, a day of the calendar, then any one line that ends in a word character.
pub(super) fn is_date(value: &str) -> bool {
    let Some((day, rest)) = value.split_at_checked(10) else {
        return false;
    };
    let [year, month, date] = day.split('-').collect::<Vec<_>>()[..] else {
        return false;
    };
    let widths = year.len() == 4 && month.len() == 2 && date.len() == 2;
    let ends_in_a_word = rest
        .chars()
        .next_back()
        .is_none_or(|c| c == '_' || c.is_alphanumeric());
    let one_line = !rest.contains(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']);
    widths && is_day(year, month, date) && ends_in_a_word && one_line
}

/// `yyyy-MM-dd'T'HH[:mm[:ss[.S…]]][Z]`, or a blank for the T in `yyyy-MM-dd HH:mm:ssZ`; Joda reads one digit where
/// two are due. Servers before 2.42 also take a bare date, month or year, those from 2.43 on a bare date.
pub(super) fn is_date_time(value: &str, engine: Engine) -> bool {
    let (day, time) = match value.split_once(['T', ' ']) {
        Some((day, time)) => (day, Some(time)),
        None => (value, None),
    };
    let day_is_one = match day.split('-').collect::<Vec<_>>()[..] {
        [year, month, date] => is_day(year, month, date),
        [year, month] => time.is_none() && is_day(year, month, "1"),
        [year] => time.is_none() && is_day(year, "1", "1"),
        _ => false,
    };
    let time_is_one = match time {
        None => engine == Engine::Old || value.len() == 10,
        Some(time) if value.contains('T') => is_time_of_day(time),
        // Seconds, no fraction, and an offset must be there.
        Some(time) => {
            is_time_of_day(time)
                && time.matches(':').count() >= 2
                && !time.contains('.')
                && has_offset(time)
        }
    };
    day_is_one && time_is_one
}

/// `^([0-9]|0[0-9]|1[0-9]|2[0-3]):[0-5][0-9]$`; 2.38 takes anything.
pub(super) fn is_time(value: &str) -> bool {
    value.split_once(':').is_some_and(|(hour, minute)| {
        minute.len() == 2 && is_below(minute, 60) && hour.len() <= 2 && is_below(hour, 24)
    })
}

/// `^[0-9+\(\)#\.\s\/ext-]{6,50}$`; 2.38 takes anything.
pub(super) fn is_phone_number(value: &str) -> bool {
    let taken = |c: char| c.is_ascii_digit() || "+()#. \t\n\u{b}\u{c}\r/ext-".contains(c);
    (6..=50).contains(&value.len()) && value.chars().all(taken)
}

/// 4 to 255 letters, digits, `-`, `_`, `.` and `@`, these four neither doubled nor at an end; 2.38 takes anything.
pub(super) fn is_username(value: &str) -> bool {
    let is_mark = |c: char| matches!(c, '-' | '_' | '.' | '@');
    let taken = |c: char| c.is_ascii_alphanumeric() || is_mark(c);
    // Between two marks, before the first and after the last there must be something.
    (4..=255).contains(&value.len())
        && value.chars().all(taken)
        && value.split(is_mark).all(|part| !part.is_empty())
}

/// `[lng,lat]` in degrees, blanks anywhere; DHIS2 looks at the first two numbers only, as Java floats.
pub(super) fn is_coordinate(value: &str) -> bool {
    let dense: String = value
        .chars()
        .filter(|c| !" \t\n\u{b}\u{c}\r".contains(*c))
        .collect();
    let Some(inside) = dense
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    else {
        return false;
    };
    let mut parts = inside.split(',').map(java_float);
    let longitude = parts.next().flatten();
    let latitude = parts.next().flatten();
    dense.len() >= 5
        && !inside.contains(']')
        && longitude.is_some_and(|degrees| (-180.0..=180.0).contains(&degrees))
        && latitude.is_some_and(|degrees| (-90.0..=90.0).contains(&degrees))
}

/// DHIS2 uses commons-validator; what it refuses for sure is another scheme than these, or none.
pub(super) fn is_url(value: &str) -> bool {
    value.split_once("://").is_some_and(|(scheme, rest)| {
        ["http", "https", "ftp"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(scheme))
            && !rest.is_empty()
    })
}

/// `HH[:mm[:ss[.S…]]][Z]`: up to nine decimals with an offset, six without.
fn is_time_of_day(text: &str) -> bool {
    let (clock, offset) = match text.find(['Z', '+', '-']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (clock, decimals) = match clock.split_once('.') {
        Some((clock, decimals)) => (clock, Some(decimals)),
        None => (clock, None),
    };
    let most = if offset.is_empty() { 6 } else { 9 };
    let decimals_fit =
        decimals.is_none_or(|decimals| are_digits(decimals) && decimals.len() <= most);
    let clock_is_one = match clock.split(':').collect::<Vec<_>>()[..] {
        [hour] => decimals.is_none() && is_below(hour, 24),
        [hour, minute] => decimals.is_none() && is_below(hour, 24) && is_below(minute, 60),
        [hour, minute, second] => {
            is_below(hour, 24) && is_below(minute, 60) && is_below(second, 60)
        }
        _ => false,
    };
    clock_is_one && decimals_fit && (offset.is_empty() || has_offset(text))
}

/// Whether it ends in `Z`, `+hh`, `+hhmm` or `+hh:mm`.
fn has_offset(text: &str) -> bool {
    let Some(at) = text.find(['Z', '+', '-']) else {
        return false;
    };
    let (_, offset) = text.split_at(at);
    let digits = offset.get(1..).unwrap_or_default().replacen(':', "", 1);
    let two = |from: usize| digits.get(from..from + 2);
    match digits.len() {
        0 => offset == "Z",
        2 => two(0).is_some_and(|hour| is_below(hour, 24)),
        4 => {
            two(0).is_some_and(|hour| is_below(hour, 24))
                && two(2).is_some_and(|minute| is_below(minute, 60))
        }
        _ => false,
    }
}

fn is_day(year: &str, month: &str, day: &str) -> bool {
    let small = |text: &str| {
        are_digits(text)
            .then(|| text.parse::<i8>().ok())
            .flatten()
            .filter(|_| text.len() <= 2)
    };
    let year = if are_digits(year) && year.len() == 4 {
        year.parse::<i16>().ok()
    } else {
        None
    };
    year.zip(small(month).zip(small(day)))
        .is_some_and(|(year, (month, day))| Date::new(year, month, day).is_ok())
}

/// One or two digits below a bound.
fn is_below(text: &str, bound: u8) -> bool {
    are_digits(text) && text.len() <= 2 && text.parse::<u8>().is_ok_and(|number| number < bound)
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Java allows a type letter after a number; the named values `NaN` and `Infinity` lie in no range.
fn java_float(text: &str) -> Option<f32> {
    text.strip_suffix(['f', 'F', 'd', 'D'])
        .unwrap_or(text)
        .parse()
        .ok()
}
