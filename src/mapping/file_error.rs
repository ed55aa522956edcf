//! What is wrong in a file that a person wrote, and where.

use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileError {
    pub(crate) file: String,
    /// Line and column, both from 1; None where the whole file is meant.
    pub(crate) place: Option<(usize, usize)>,
    pub(crate) message: String,
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for FileError {}

impl FileError {
    pub(crate) fn whole(file: &str, message: impl fmt::Display) -> FileError {
        FileError {
            file: file.to_owned(),
            place: None,
            message: message.to_string(),
        }
    }
}

/// Line and column, from 1, of a byte offset.
pub(super) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// A text that could not be had from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Where in the file; None where it cannot be read at all.
    pub(crate) place: Option<(usize, usize)>,
    /// The end of a sentence about the file.
    pub(crate) problem: String,
}

impl Unreadable {
    /// The text in bytes that a file holds.
    pub(crate) fn decode(bytes: Vec<u8>) -> Result<String, Unreadable> {
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(Unreadable {
                place: Some((1, 1)),
                problem: "is UTF-16, which some programs call Unicode; save it as UTF-8".to_owned(),
            });
        }
        String::from_utf8(bytes).map_err(|error| {
            let valid = error.as_bytes().get(..error.utf8_error().valid_up_to());
            let valid = String::from_utf8_lossy(valid.unwrap_or_default());
            Unreadable {
                place: Some(place(&valid, valid.len())),
                problem: "is not UTF-8 from here on; save it as UTF-8".to_owned(),
            }
        })
    }

    pub(crate) fn of(self, file: &str) -> FileError {
        FileError {
            file: file.to_owned(),
            place: self.place,
            message: self.problem,
        }
    }
}
