//! A short text that costs 16 bytes: up to 14 bytes stand in place, longer ones on the heap.

use std::fmt;

use super::Number;

/// The text of a data value. Nearly all of them are numbers of a few digits, and a run holds millions.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Text(Inner);

#[derive(Clone, PartialEq, Eq)]
enum Inner {
    Short {
        length: u8,
        bytes: [u8; SHORT],
    },
    // The second box keeps the variant at one pointer, and so the whole at 16 bytes.
    #[allow(clippy::redundant_allocation)]
    Long(Box<Box<str>>),
}

const SHORT: usize = 14;

impl Text {
    pub(crate) fn as_str(&self) -> &str {
        match &self.0 {
            // The bytes were copied from a `str` whole, so this cannot fail.
            Inner::Short { length, bytes } => bytes
                .get(..usize::from(*length))
                .and_then(|bytes| std::str::from_utf8(bytes).ok())
                .unwrap_or_default(),
            Inner::Long(text) => text,
        }
    }
}

/// What may be told of a value to anybody: a number whole, of any other text only its length, for it may be about a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShownValue<'t> {
    Number(&'t str),
    Text { characters: usize },
}

impl Text {
    pub(crate) fn shown(&self) -> ShownValue<'_> {
        let value = self.as_str();
        match Number::parse(value) {
            Ok(_) => ShownValue::Number(value),
            Err(_) => ShownValue::Text {
                characters: value.chars().count(),
            },
        }
    }
}

impl fmt::Display for ShownValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ShownValue::Number(number) => f.write_str(number),
            ShownValue::Text { characters } => write!(f, "text of {characters} characters"),
        }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Text {
        let mut bytes = [0; SHORT];
        match (bytes.get_mut(..text.len()), u8::try_from(text.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(text.as_bytes());
                Text(Inner::Short { length, bytes })
            }
            _ => Text(Inner::Long(Box::new(text.into()))),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::Text;

    #[test]
    fn a_number_is_told_whole_and_a_text_by_its_length() {
        for (value, told) in [
            ("12", "12"),
            ("-0.50", "-0.50"),
            ("zwölf", "text of 5 characters"),
            ("", "text of 0 characters"),
        ] {
            assert_eq!(Text::from(value).shown().to_string(), told);
        }
    }

    #[test]
    fn a_text_is_sixteen_bytes_and_keeps_every_byte() {
        assert_eq!(size_of::<Text>(), 16);
        for text in [
            "",
            "0",
            "12345678901234",
            "123456789012345",
            "zwölf",
            "ääääääää",
        ] {
            assert_eq!(Text::from(text).as_str(), text);
        }
    }
}
