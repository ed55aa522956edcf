//! Reads the tables of a TOML file key by key, so that every mistake is told with its line, column and nearest word.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file_error::{FileError, place};
use super::nearest;
use super::toml_value::Entry;

/// One table of a TOML file; `finish` refuses the keys that nobody asked for.
pub(crate) struct Section<'t> {
    file: &'t str,
    text: &'t str,
    /// `[org-unit]`, or empty for the top of the file.
    name: String,
    span: Range<usize>,
    entries: Vec<(String, Range<usize>, Spanned<DeValue<'t>>)>,
    asked: Vec<&'static str>,
}

impl<'t> Section<'t> {
    pub(crate) fn parse(file: &'t str, text: &'t str) -> Result<Section<'t>, FileError> {
        let table = DeTable::parse(text).map_err(|error| FileError {
            file: file.to_owned(),
            place: error.span().map(|span| place(text, span.start)),
            message: not_toml(error.message()),
        })?;
        let span = table.span();
        Ok(Section::of(
            file,
            text,
            String::new(),
            span,
            table.into_inner(),
        ))
    }

    fn of(
        file: &'t str,
        text: &'t str,
        name: String,
        span: Range<usize>,
        table: DeTable<'t>,
    ) -> Section<'t> {
        let entries = table
            .into_iter()
            .map(|(key, value)| (key.get_ref().to_string(), key.span(), value))
            .collect();
        Section {
            file,
            text,
            name,
            span,
            entries,
            asked: Vec::new(),
        }
    }

    /// Takes the value of a key out of the section.
    pub(crate) fn take(&mut self, key: &'static str) -> Option<Entry<'t>> {
        self.asked.push(key);
        let position = self.entries.iter().position(|(each, _, _)| each == key)?;
        let (_, _, value) = self.entries.swap_remove(position);
        Some(Entry {
            file: self.file,
            text: self.text,
            name: self.called(key),
            value,
        })
    }

    pub(crate) fn require(&mut self, key: &'static str) -> Result<Entry<'t>, FileError> {
        match self.take(key) {
            Some(entry) => Ok(entry),
            None => {
                let name = self.called(key);
                Err(self.missing(&[key], format!("`{name}` is missing")))
            }
        }
    }

    /// The error that none of `keys` is there; where one of them was mistyped, that it was.
    pub(crate) fn missing(&self, keys: &[&'static str], message: String) -> FileError {
        let mistyped = self
            .entries
            .iter()
            .filter(|(key, _, _)| !self.asked.contains(&key.as_str()))
            .filter(|(key, _, _)| nearest(key, keys.iter().copied()).is_some())
            .min_by_key(|(_, span, _)| span.start);
        match mistyped {
            Some((key, span, _)) => self.unknown(key, span, keys),
            None => self.error(message),
        }
    }

    /// Takes every entry that is left, under the names a person chose for them, in the order of the file.
    pub(crate) fn take_all(&mut self) -> Vec<(String, Entry<'t>)> {
        let mut entries = std::mem::take(&mut self.entries);
        entries.sort_by_key(|(_, span, _)| span.start);
        entries
            .into_iter()
            .map(|(key, _, value)| {
                let name = self.called(&key);
                let entry = Entry {
                    file: self.file,
                    text: self.text,
                    name,
                    value,
                };
                (key, entry)
            })
            .collect()
    }

    /// Refuses the first key that nobody asked for, naming the nearest that somebody did.
    pub(crate) fn finish(mut self) -> Result<(), FileError> {
        self.entries.sort_by_key(|(_, span, _)| span.start);
        match self.entries.first() {
            Some((key, span, _)) => Err(self.unknown(key, span, &self.asked)),
            None => Ok(()),
        }
    }

    /// An error about the section as a whole.
    pub(crate) fn error(&self, message: String) -> FileError {
        // The top of a file has no place of its own.
        let whole = self.name.is_empty();
        FileError {
            file: self.file.to_owned(),
            place: (!whole).then(|| place(self.text, self.span.start)),
            message,
        }
    }

    fn unknown(&self, key: &str, span: &Range<usize>, known: &[&'static str]) -> FileError {
        let known = hint(key, known.iter().copied());
        FileError {
            file: self.file.to_owned(),
            place: Some(place(self.text, span.start)),
            message: format!("unknown key `{}`{known}", self.called(key)),
        }
    }

    fn called(&self, key: &str) -> String {
        if self.name.is_empty() {
            key.to_owned()
        } else {
            format!("{} {key}", self.name)
        }
    }
}

impl<'t> Entry<'t> {
    /// A table under this key; `name` is how messages call it.
    pub(crate) fn section(self) -> Result<Section<'t>, FileError> {
        let expected = self.expected("a table");
        let span = self.value.span();
        let name = format!("[{}]", self.name.replace("] ", ".").trim_start_matches('['));
        let DeValue::Table(table) = self.value.into_inner() else {
            return Err(expected);
        };
        Ok(Section::of(self.file, self.text, name, span, table))
    }
}

/// The parser's commonest complaints in words for people who do not write TOML every day.
fn not_toml(complaint: &str) -> String {
    let plain = match complaint {
        "duplicate key" => "this key stands in the file twice; remove one",
        text if text.starts_with("string values must be quoted") => {
            "a text must stand in \"quotes\""
        }
        text if text.starts_with("key with no value") => "a key needs `=` and a value behind it",
        text if text.starts_with("invalid basic string") => {
            "the text before this place lacks its closing quote, or holds a character that must be escaped"
        }
        text => return format!("not TOML: {text}"),
    };
    plain.to_owned()
}

/// ", did you mean `x`?" or ", expected one of …", to end a message about an unknown word.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.into_iter().collect();
    match nearest(word, known.iter().copied()) {
        Some(near) => format!(", did you mean `{near}`?"),
        None if known.is_empty() => String::new(),
        None => format!(", expected one of {}", known.join(", ")),
    }
}
