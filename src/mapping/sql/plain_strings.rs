//! How a database reads strings.

/// How a string without a letter in front is read: PostgreSQL's `standard_conforming_strings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PlainStrings {
    /// `on`: a backslash is a character like others.
    Standard,
    /// `off`: a backslash takes the next character as it is.
    Backslashes,
}
