//! DHIS2's identifiers: eleven letters and digits, the first a letter.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The identifier of a DHIS2 object, `^[A-Za-z][A-Za-z0-9]{10}$` (DHIS2: `CodeGenerator`). Eleven bytes, so a
/// cell can hold its four of them in place.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Uid([u8; 11]);

/// The category option combo (and attribute option combo) `default` of most servers; older databases have
/// another one.
pub(crate) const DEFAULT_COMBO: Uid = Uid(*b"HllvX50cXC0");

/// Text that is no UID; `Display` says what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UidError {
    /// Not eleven characters; how many there are.
    Length(usize),
    /// The first character is no ASCII letter.
    FirstCharacter(char),
    /// A character is neither an ASCII letter nor an ASCII digit.
    Character(char),
}

impl FromStr for Uid {
    type Err = UidError;

    fn from_str(text: &str) -> Result<Uid, UidError> {
        let length = text.chars().count();
        if length != 11 {
            return Err(UidError::Length(length));
        }
        if let Some(first) = text.chars().next()
            && !first.is_ascii_alphabetic()
        {
            return Err(UidError::FirstCharacter(first));
        }
        if let Some(odd) = text.chars().find(|c| !c.is_ascii_alphanumeric()) {
            return Err(UidError::Character(odd));
        }
        // Eleven ASCII characters are eleven bytes.
        let bytes = text
            .as_bytes()
            .try_into()
            .map_err(|_| UidError::Length(length))?;
        Ok(Uid(bytes))
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Only ASCII ever comes in, so every byte is a character.
        self.0
            .iter()
            .try_for_each(|&byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for UidError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            UidError::Length(0) => f.write_str("a UID has 11 characters, this is empty"),
            UidError::Length(length) => write!(f, "a UID has 11 characters, this has {length}"),
            UidError::FirstCharacter(c) => write!(f, "a UID begins with a letter, this with {c:?}"),
            UidError::Character(c) => {
                write!(f, "a UID has only letters and digits, this has {c:?}")
            }
        }
    }
}

impl std::error::Error for UidError {}

impl Serialize for Uid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Uid, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|error| serde::de::Error::custom(format!("{text:?}: {error}")))
    }
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_COMBO, Uid, UidError};

    #[test]
    fn a_uid_is_eleven_letters_and_digits_beginning_with_a_letter() {
        for good in ["HllvX50cXC0", "abcdefghijk", "A1234567890"] {
            assert_eq!(
                good.parse::<Uid>().map(|uid| uid.to_string()),
                Ok(good.to_string())
            );
        }
        assert_eq!("HllvX50cXC0".parse(), Ok(DEFAULT_COMBO));
    }

    #[test]
    fn what_is_no_uid_is_told_apart() {
        let refused = |text: &str| text.parse::<Uid>().unwrap_err();
        assert_eq!(refused(""), UidError::Length(0));
        assert_eq!(refused("HllvX50cXC"), UidError::Length(10));
        assert_eq!(refused("HllvX50cXC0 "), UidError::Length(12));
        assert_eq!(refused("1llvX50cXC0"), UidError::FirstCharacter('1'));
        assert_eq!(refused("HllvX50cX-0"), UidError::Character('-'));
        // Eleven bytes that are ten characters, and eleven characters that are not ASCII.
        assert_eq!(refused("HllvX50cXé"), UidError::Length(10));
        assert_eq!(refused("HllvX50cXCé"), UidError::Character('é'));
    }

    #[test]
    fn a_uid_travels_as_a_json_string() {
        assert_eq!(
            serde_json::to_string(&DEFAULT_COMBO).unwrap(),
            "\"HllvX50cXC0\""
        );
        assert_eq!(
            serde_json::from_str::<Uid>("\"HllvX50cXC0\"").unwrap(),
            DEFAULT_COMBO
        );
        let error = serde_json::from_str::<Uid>("\"Hllv\"")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("\"Hllv\": a UID has 11 characters, this has 4"),
            "{error}"
        );
    }
}
