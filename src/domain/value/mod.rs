//! DHIS2's value types: which values a server would refuse, and in what form it stores the others.

#[cfg(test)]
mod recording_tests;
#[cfg(test)]
mod tests;
mod validation;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Deserializer};

pub(crate) use validation::reads_as_zero;

use super::{Engine, Uid};
use validation::{
    boolean, integer, is_coordinate, is_date, is_date_time, is_letter, is_number, is_phone_number,
    is_time, is_url, is_username, lies_within, trimmed,
};

/// `dataElement.valueType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ValueType {
    Text,
    LongText,
    MultiText,
    Letter,
    PhoneNumber,
    Email,
    Boolean,
    TrueOnly,
    Date,
    DateTime,
    Time,
    Number,
    UnitInterval,
    Percentage,
    Integer,
    IntegerPositive,
    IntegerNegative,
    IntegerZeroOrPositive,
    TrackerAssociate,
    Username,
    Coordinate,
    OrganisationUnit,
    Reference,
    Age,
    Url,
    FileResource,
    Image,
    GeoJson,
    /// A type that came to DHIS2 after this program; its values are not checked.
    Other,
}

/// Our own reason, beside DHIS2's keys: a blank value is no value. 2.38–2.42 take it for a delete, 2.43 refuses
/// the empty one and stores blanks as they are, in an INTEGER element too.
pub(crate) const BLANK: &str = "value_blank";

/// UTF-16 units, as Java counts (`ValidationUtils.VALUE_MAX_LENGTH`).
const LONGEST: usize = 50_000;

const NAMES: [(ValueType, &str); 28] = [
    (ValueType::Text, "TEXT"),
    (ValueType::LongText, "LONG_TEXT"),
    (ValueType::MultiText, "MULTI_TEXT"),
    (ValueType::Letter, "LETTER"),
    (ValueType::PhoneNumber, "PHONE_NUMBER"),
    (ValueType::Email, "EMAIL"),
    (ValueType::Boolean, "BOOLEAN"),
    (ValueType::TrueOnly, "TRUE_ONLY"),
    (ValueType::Date, "DATE"),
    (ValueType::DateTime, "DATETIME"),
    (ValueType::Time, "TIME"),
    (ValueType::Number, "NUMBER"),
    (ValueType::UnitInterval, "UNIT_INTERVAL"),
    (ValueType::Percentage, "PERCENTAGE"),
    (ValueType::Integer, "INTEGER"),
    (ValueType::IntegerPositive, "INTEGER_POSITIVE"),
    (ValueType::IntegerNegative, "INTEGER_NEGATIVE"),
    (ValueType::IntegerZeroOrPositive, "INTEGER_ZERO_OR_POSITIVE"),
    (ValueType::TrackerAssociate, "TRACKER_ASSOCIATE"),
    (ValueType::Username, "USERNAME"),
    (ValueType::Coordinate, "COORDINATE"),
    (ValueType::OrganisationUnit, "ORGANISATION_UNIT"),
    (ValueType::Reference, "REFERENCE"),
    (ValueType::Age, "AGE"),
    (ValueType::Url, "URL"),
    (ValueType::FileResource, "FILE_RESOURCE"),
    (ValueType::Image, "IMAGE"),
    (ValueType::GeoJson, "GEOJSON"),
];

impl ValueType {
    /// The types whose values DHIS2 compares and aggregates as numbers (`ValueType.NUMERIC_TYPES`).
    pub(crate) fn is_numeric(self) -> bool {
        self.is_integer()
            || matches!(
                self,
                ValueType::Number | ValueType::UnitInterval | ValueType::Percentage
            )
    }

    /// Whether a server takes the value; if not, DHIS2's key of the reason (`value_not_integer`), or [`BLANK`].
    /// Servers look at the value as it is sent, without trimming it. Where we cannot know (e-mail addresses, the
    /// path of a URL, values of an option set, whether a unit exists), the value passes.
    pub(crate) fn check(self, value: &str, engine: Engine) -> Result<(), &'static str> {
        if trimmed(value).is_empty() {
            return Err(BLANK);
        }
        if value.len() > LONGEST && value.encode_utf16().count() > LONGEST {
            return Err("value_length_greater_than_max_length");
        }
        let stored = self.normalised(value, engine);
        let (taken, reason) = self.rule(stored.unwrap_or(value), engine);
        if taken { Ok(()) } else { Err(reason) }
    }

    /// What a server stores for a value it takes: `true` or `false` for any spelling of a boolean; on 2.43 integers
    /// without `.0`, the rest as sent; up to 2.42 the rest without surrounding blanks. Numbers keep their spelling.
    pub(crate) fn stored_form(self, value: &str, engine: Engine) -> &str {
        match (self.normalised(value, engine), engine) {
            (Some(normalised), _) => normalised,
            (None, Engine::Old) => trimmed(value),
            (None, Engine::New) => value,
        }
    }

    /// Whether a value that fits its type is one of the codes of an option set, or several of them where the type takes
    /// several. DHIS2 ≤ 2.42 looks at the value as it is sent, 2.43 at what it will store.
    pub(crate) fn is_option(self, value: &str, codes: &BTreeSet<String>, engine: Engine) -> bool {
        let value = match engine {
            Engine::Old => value,
            Engine::New => self.stored_form(value, engine),
        };
        let each = || value.split(',').all(|code| codes.contains(code));
        codes.contains(value) || (self == ValueType::MultiText && each())
    }

    fn is_integer(self) -> bool {
        matches!(
            self,
            ValueType::Integer
                | ValueType::IntegerPositive
                | ValueType::IntegerNegative
                | ValueType::IntegerZeroOrPositive
        )
    }

    /// What the value becomes before it is looked at, where that is something else.
    fn normalised(self, value: &str, engine: Engine) -> Option<&str> {
        match (self, engine) {
            (ValueType::Boolean, _) => {
                boolean(value, engine).map(|yes| if yes { "true" } else { "false" })
            }
            (ValueType::TrueOnly, _) => boolean(value, engine).filter(|&yes| yes).map(|_| "true"),
            (_, Engine::New) if self.is_integer() => value
                .split_once('.')
                .filter(|(_, zeros)| !zeros.is_empty() && zeros.bytes().all(|zero| zero == b'0'))
                .map(|(whole, _)| whole),
            _ => None,
        }
    }

    /// Whether a normalised value is taken, and DHIS2's reason if it is not (`ValidationUtils.valueIsValid`,
    /// `MathUtils`).
    fn rule(self, value: &str, engine: Engine) -> (bool, &'static str) {
        match self {
            ValueType::Number => (is_number(value), "value_not_numeric"),
            ValueType::UnitInterval => (
                is_number(value) && lies_within(value, 0.0, 1.0),
                "value_not_unit_interval",
            ),
            ValueType::Percentage => (
                is_number(value) && lies_within(value, 0.0, 100.0),
                "value_not_percentage",
            ),
            ValueType::Integer => (integer(value).is_some(), "value_not_integer"),
            ValueType::IntegerPositive => (
                integer(value).is_some_and(|n| n > 0),
                "value_not_positive_integer",
            ),
            ValueType::IntegerNegative => (
                integer(value).is_some_and(|n| n < 0),
                "value_not_negative_integer",
            ),
            ValueType::IntegerZeroOrPositive => (
                integer(value).is_some_and(|n| n >= 0),
                "value_not_zero_or_positive_integer",
            ),
            // The old engine only then asks for `true` or `false` in any letters, and stores `tRUE` as it is.
            ValueType::Boolean => (
                ["true", "false"]
                    .iter()
                    .any(|word| word.eq_ignore_ascii_case(value)),
                "value_not_bool",
            ),
            ValueType::TrueOnly => (value.eq_ignore_ascii_case("true"), "value_not_true_only"),
            ValueType::Letter => (is_letter(value), "value_not_valid_letter"),
            ValueType::Date => (is_date(value), "value_not_valid_date"),
            ValueType::Age => (is_date(value), "value_not_valid_age"),
            ValueType::DateTime => (is_date_time(value, engine), "value_not_valid_datetime"),
            ValueType::Time => (is_time(value), "value_not_valid_time"),
            ValueType::PhoneNumber => (is_phone_number(value), "value_not_phone_number"),
            ValueType::Username => (is_username(value), "value_not_valid_username"),
            ValueType::Coordinate => (is_coordinate(value), "value_not_coordinate"),
            ValueType::Url => (is_url(value), "value_not_url"),
            ValueType::FileResource | ValueType::Image => (
                value.parse::<Uid>().is_ok(),
                "value_not_valid_file_resource_uid",
            ),
            ValueType::OrganisationUnit => (value.parse::<Uid>().is_ok(), "value_not_valid_uid"),
            ValueType::Text
            | ValueType::LongText
            | ValueType::MultiText
            | ValueType::Email
            | ValueType::TrackerAssociate
            | ValueType::Reference
            | ValueType::GeoJson
            | ValueType::Other => (true, ""),
        }
    }
}

impl From<&str> for ValueType {
    fn from(name: &str) -> ValueType {
        let found = NAMES.iter().find(|(_, known)| *known == name);
        found.map_or(ValueType::Other, |&(value_type, _)| value_type)
    }
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = NAMES.iter().find(|(value_type, _)| value_type == self);
        f.pad(found.map_or("of a type unknown to us", |&(_, name)| name))
    }
}

impl<'de> Deserialize<'de> for ValueType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ValueType, D::Error> {
        String::deserialize(deserializer).map(|name| ValueType::from(name.as_str()))
    }
}
