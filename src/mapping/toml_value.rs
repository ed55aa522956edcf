//! One value of a TOML file, read as what it should be.

use std::fmt;

use jiff::SignedDuration;
use jiff::civil::Date;
use toml::Spanned;
use toml::de::DeValue;

use super::file_error::{FileError, place};
use crate::domain::Word;

/// A value with the place it stands at.
pub(crate) struct Entry<'t> {
    pub(super) file: &'t str,
    pub(super) text: &'t str,
    /// Messages call it so: `look-back`, `[org-unit] column`.
    pub(crate) name: String,
    pub(super) value: Spanned<DeValue<'t>>,
}

impl<'t> Entry<'t> {
    pub(crate) fn string(&self) -> Result<&str, FileError> {
        self.value
            .get_ref()
            .as_str()
            .ok_or_else(|| self.expected("text in quotes"))
    }

    pub(crate) fn truth(&self) -> Result<bool, FileError> {
        let written = self.value.get_ref().as_bool();
        written.ok_or_else(|| self.expected("true or false"))
    }

    /// `5m`, `300s`, `50ms`, `1h 30m`; never less than nothing.
    pub(crate) fn duration(&self) -> Result<SignedDuration, FileError> {
        let parsed: Option<SignedDuration> = self.string()?.parse().ok();
        let duration = parsed.filter(|duration| !duration.is_negative());
        duration.ok_or_else(|| self.expected("a time such as \"30s\" or \"5m\""))
    }

    pub(crate) fn date(&self) -> Result<Date, FileError> {
        let written = self.value.get_ref().as_datetime().map(ToString::to_string);
        let parsed = written.and_then(|text| text.parse().ok());
        parsed.ok_or_else(|| self.expected("a date such as 2026-06-30, without quotes"))
    }

    pub(crate) fn integer(&self) -> Result<i64, FileError> {
        let integer = self.value.get_ref().as_integer();
        let integer = integer.ok_or_else(|| self.expected("a whole number"))?;
        i64::from_str_radix(integer.as_str(), integer.radix())
            .map_err(|_| self.error("is too large".to_owned()))
    }

    /// A whole number within bounds, both included.
    pub(crate) fn count(&self, bounds: std::ops::RangeInclusive<u32>) -> Result<u32, FileError> {
        let count = self.integer()?;
        match u32::try_from(count) {
            Ok(count) if bounds.contains(&count) => Ok(count),
            _ => {
                let (low, high) = bounds.into_inner();
                Err(self.error(format!("must be from {low} to {high}")))
            }
        }
    }

    /// Text that a type's own `FromStr` reads.
    pub(crate) fn parse<T>(&self) -> Result<T, FileError>
    where
        T: std::str::FromStr,
        T::Err: fmt::Display,
    {
        let parsed = self.string()?.parse();
        parsed.map_err(|error: T::Err| self.at(error.to_string()))
    }

    /// One of a few words.
    pub(crate) fn word<W: Word>(&self) -> Result<W, FileError> {
        let text = self.string()?;
        match W::WORDS.iter().find(|(word, _)| *word == text) {
            Some((_, choice)) => Ok(*choice),
            None => Err(self.error(one_of::<W>())),
        }
    }

    pub(crate) fn list(self) -> Result<Vec<Entry<'t>>, FileError> {
        let expected = self.expected("a list in [ ]");
        let Entry {
            file,
            text,
            name,
            value,
        } = self;
        let DeValue::Array(items) = value.into_inner() else {
            return Err(expected);
        };
        let item = |value| Entry {
            file,
            text,
            name: name.clone(),
            value,
        };
        Ok(items.into_iter().map(item).collect())
    }

    /// The values of a list of texts.
    pub(crate) fn strings(self) -> Result<Vec<String>, FileError> {
        let items = self.list()?;
        items
            .iter()
            .map(|item| item.string().map(str::to_owned))
            .collect()
    }

    pub(crate) fn value(&self) -> &DeValue<'t> {
        self.value.get_ref()
    }

    /// An error about this value: `name` and what is wrong with it.
    pub(crate) fn error(&self, what: String) -> FileError {
        self.at(format!("`{}` {what}", self.name))
    }

    /// An error at this place.
    pub(crate) fn at(&self, message: String) -> FileError {
        FileError {
            file: self.file.to_owned(),
            place: Some(self.place()),
            message,
        }
    }

    /// Line and column, both from 1.
    pub(crate) fn place(&self) -> (usize, usize) {
        place(self.text, self.value.span().start)
    }

    pub(super) fn expected(&self, what: &str) -> FileError {
        self.error(format!("must be {what}"))
    }
}

/// The message for a word that is none of the choices.
pub(crate) fn one_of<W: Word>() -> String {
    let words: Vec<&str> = W::WORDS.iter().map(|(word, _)| *word).collect();
    format!("must be one of {}", words.join(", "))
}
