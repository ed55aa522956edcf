//! Value types: which text DHIS2 accepts for which, and the reason it gives otherwise.

use jiff::civil::{Date, DateTime};

use super::Dialect;

/// Longest value of any type in UTF-16 units, as Java counts (DHIS2: `ValidationUtils`).
const MAX_LENGTH: usize = 50_000;

/// The reason key of DHIS2 for a value that does not fit its element's type; `None` if it fits.
pub(crate) fn misfit(value: &str, value_type: &str, dialect: Dialect) -> Option<&'static str> {
    // Blank text is no value of any type and is not looked at.
    if value.trim().is_empty() {
        return None;
    }
    if value.encode_utf16().count() > MAX_LENGTH {
        return Some("value_length_greater_than_max_length");
    }
    let (fits, reason) = match value_type {
        "NUMBER" => (is_number(value), "value_not_numeric"),
        "INTEGER" => (is_integer(value), "value_not_integer"),
        "INTEGER_POSITIVE" => (
            is_integer(value) && value.starts_with(|c: char| ('1'..='9').contains(&c)),
            "value_not_positive_integer",
        ),
        "INTEGER_NEGATIVE" => (
            is_integer(value) && value.starts_with('-'),
            "value_not_negative_integer",
        ),
        "INTEGER_ZERO_OR_POSITIVE" => (
            is_integer(value) && !value.starts_with('-'),
            "value_not_zero_or_positive_integer",
        ),
        "UNIT_INTERVAL" => (is_between(value, 1.0), "value_not_unit_interval"),
        "PERCENTAGE" => (is_between(value, 100.0), "value_not_percentage"),
        "BOOLEAN" => (matches!(value, "true" | "false"), "value_not_bool"),
        "TRUE_ONLY" => (value == "true", "value_not_true_only"),
        "DATE" => (is_date(value), "value_not_valid_date"),
        "AGE" => (is_date(value), "value_not_valid_age"),
        "DATETIME" => (is_date_time(value, dialect), "value_not_valid_datetime"),
        "TIME" => (is_time(value), "value_not_valid_time"),
        "LETTER" => (is_letter(value), "value_not_valid_letter"),
        "PHONE_NUMBER" => (is_phone_number(value), "value_not_phone_number"),
        "EMAIL" => (is_email(value), "value_not_valid_email"),
        "URL" => (is_url(value), "value_not_url"),
        "COORDINATE" => (is_coordinate(value), "value_not_coordinate"),
        "USERNAME" => (is_username(value), "value_not_valid_username"),
        "FILE_RESOURCE" | "IMAGE" => (is_uid(value), "value_not_valid_file_resource_uid"),
        "ORGANISATION_UNIT" => (is_uid(value), "value_not_valid_org_unit_uid"),
        _ => (true, ""),
    };
    (!fits).then_some(reason)
}

/// The text as it is checked and stored: true and false in one spelling, and on the new engine whole
/// numbers without a fraction of zeros.
pub(crate) fn normalised(value: &str, value_type: &str, dialect: Dialect) -> String {
    let plain = match (value_type, dialect) {
        ("BOOLEAN" | "TRUE_ONLY", Dialect::V2_42) => match value {
            "true" | "True" | "TRUE" | "t" | "T" | "1" => "true",
            "false" | "False" | "FALSE" | "f" | "F" | "0" => "false",
            other => other,
        },
        ("BOOLEAN" | "TRUE_ONLY", Dialect::V2_43) => match value.to_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" => "true",
            "false" | "f" | "no" | "n" | "0" => "false",
            _ => value,
        },
        (kind, Dialect::V2_43) if kind.starts_with("INTEGER") => match value.split_once('.') {
            Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
            _ => value,
        },
        _ => value,
    };
    plain.to_owned()
}

/// The sentence of the old engine for a reason key; those it has no translation for it shows raw.
pub(crate) fn sentence(reason: &str) -> &str {
    match reason {
        "value_length_greater_than_max_length" => "Data value is greater than max length",
        "value_not_numeric" => "Data value is not numeric",
        "value_not_integer" => "Data value is not an integer",
        "value_not_positive_integer" => "Data value is not a positive integer",
        "value_not_negative_integer" => "Data value is not a negative integer",
        "value_not_unit_interval" => "Data value is not a unit interval",
        "value_not_percentage" => "Data value is not a percentage",
        "value_not_bool" => "Data value is not a boolean",
        "value_not_true_only" => "Data value is not true",
        "value_not_valid_date" => "Data value is not a valid date",
        "comment_length_greater_than_max_length" => "Comment is greater than max length",
        "stored_by_length_greater_than_max_length" => "Stored by is greater than max length",
        other => other,
    }
}

/// Whether values of the type are numbers.
pub(crate) fn is_numeric(value_type: &str) -> bool {
    value_type.starts_with("INTEGER")
        || matches!(value_type, "NUMBER" | "UNIT_INTERVAL" | "PERCENTAGE")
}

/// Zero as DHIS2 recognises it (`ValidationUtils.dataValueIsZeroAndInsignificant`): `-0` is none.
pub(crate) fn is_zero(value: &str) -> bool {
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    whole == "0" && fraction.bytes().all(|b| b == b'0')
}

/// A DHIS2 uid: a letter and ten letters or digits.
pub(crate) fn is_uid(text: &str) -> bool {
    text.len() == 11
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Digits without a leading zero.
fn is_whole(text: &str) -> bool {
    are_digits(text) && (text == "0" || !text.starts_with('0'))
}

fn is_number(value: &str) -> bool {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    let (whole, fraction) = match unsigned.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (unsigned, None),
    };
    value.len() < 250 && is_whole(whole) && fraction.is_none_or(are_digits)
}

fn is_integer(value: &str) -> bool {
    let unsigned = value.strip_prefix('-').unwrap_or(value);
    is_whole(unsigned) && value != "-0" && value.parse::<i32>().is_ok()
}

fn is_between(value: &str, most: f64) -> bool {
    let number = value.parse::<f64>().unwrap_or(-1.0);
    is_number(value) && (0.0..=most).contains(&number)
}

/// A calendar day, with anything after it.
fn is_date(value: &str) -> bool {
    let day = value.get(..10).unwrap_or_default();
    let shaped = day.len() == 10 && day.as_bytes()[4] == b'-' && day.as_bytes()[7] == b'-';
    shaped && day.parse::<Date>().is_ok()
}

fn is_date_time(value: &str, dialect: Dialect) -> bool {
    let plain = value.strip_suffix('Z').unwrap_or(value);
    match plain.split_once('T') {
        Some((day, time)) if time.len() == 2 => is_date(day) && are_digits(time),
        Some((day, _)) => day.len() == 10 && plain.parse::<DateTime>().is_ok(),
        None => dialect == Dialect::V2_43 && plain.len() == 10 && is_date(plain),
    }
}

fn is_time(value: &str) -> bool {
    let Some((hours, minutes)) = value.split_once(':') else {
        return false;
    };
    let below =
        |text: &str, most: u32| are_digits(text) && text.parse::<u32>().is_ok_and(|n| n < most);
    matches!(hours.len(), 1 | 2) && minutes.len() == 2 && below(hours, 24) && below(minutes, 60)
}

fn is_letter(value: &str) -> bool {
    let mut letters = value.chars();
    letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
}

fn is_phone_number(value: &str) -> bool {
    let allowed = |c: char| {
        c.is_ascii_digit()
            || matches!(c, ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c')
            || "+()#./ext-".contains(c)
    };
    (6..=50).contains(&value.chars().count()) && value.chars().all(allowed)
}

fn is_email(value: &str) -> bool {
    let Some((name, host)) = value.rsplit_once('@') else {
        return false;
    };
    let plain = |c: char| !c.is_whitespace() && !"@,;<>()".contains(c);
    !name.is_empty() && name.chars().all(plain) && host.contains('.') && host_is_plain(host)
}

fn host_is_plain(host: &str) -> bool {
    host.split('.')
        .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
}

fn is_url(value: &str) -> bool {
    let rest = ["http://", "https://", "ftp://"]
        .iter()
        .find_map(|scheme| value.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#', ':']).next());
    host.is_some_and(|host| host.contains('.') && host_is_plain(host)) && !value.contains(' ')
}

fn is_coordinate(value: &str) -> bool {
    let inner = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let Some((longitude, latitude)) = inner.and_then(|inner| inner.split_once(',')) else {
        return false;
    };
    let within = |text: &str, most: f64| text.trim().parse::<f64>().is_ok_and(|n| n.abs() <= most);
    within(longitude, 180.0) && within(latitude, 90.0)
}

fn is_username(value: &str) -> bool {
    let mark = |c: char| "-_.@".contains(c);
    let marks_are_single = value
        .as_bytes()
        .windows(2)
        .all(|pair| !(mark(char::from(pair[0])) && mark(char::from(pair[1]))));
    (4..=255).contains(&value.len())
        && value.chars().all(|c| c.is_ascii_alphanumeric() || mark(c))
        && marks_are_single
        && !value.starts_with(mark)
        && !value.ends_with(mark)
}

#[cfg(test)]
mod tests {
    use super::{is_zero, misfit};
    use crate::dhis2::Dialect;

    /// `dhis2-numbers.tsv` was made by running DHIS2's own classes.
    #[test]
    fn values_fit_their_types_as_dhis2_says() {
        let table = include_str!("../../../golden/dhis2-numbers.tsv");
        let types = [
            "NUMBER",
            "INTEGER",
            "INTEGER_POSITIVE",
            "INTEGER_NEGATIVE",
            "INTEGER_ZERO_OR_POSITIVE",
            "UNIT_INTERVAL",
            "PERCENTAGE",
            "",
            "PHONE_NUMBER",
            "TIME",
        ];
        let mut wrong = Vec::new();
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let value = match cells[0].strip_suffix(" digits") {
                Some(count) => "9".repeat(count.parse().expect("a count of digits")),
                None => cells[0][1..cells[0].len() - 1].to_owned(),
            };
            let value = value.as_str();
            for (kind, verdict) in types.iter().zip(&cells[1..]) {
                let fits = match *kind {
                    "" => is_zero(value),
                    kind => misfit(value, kind, Dialect::V2_42).is_none(),
                };
                if fits.to_string() != *verdict {
                    wrong.push(format!("{value} as {kind}: {fits}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }
}
