//! A SQL file: finds the parameters that psql writes `:'name'`, and nothing else, by PostgreSQL's own lexical rules
//! (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html>, with `standard_conforming_strings` on).

mod lexer;
#[cfg(test)]
mod tests;

use std::fmt;

/// One statement, ready to be prepared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sql {
    /// The name that people know, such as `doses_administered.sql`.
    pub(crate) file: String,
    /// The statement with `$1`, `$2` … where the file has `:'name'`; a final `;` is a blank here.
    pub(crate) text: String,
    /// The names of `$1`, `$2` …; a name that occurs twice has one number.
    pub(crate) parameters: Vec<String>,
    replaced: Vec<Replaced>,
}

/// Why a SQL file cannot be used, and where. Line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SqlError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
}

/// A parameter that was replaced: how many characters of `text` stand before it, and how wide it was and is.
#[derive(Debug, Clone, PartialEq)]
struct Replaced {
    at: usize,
    written: usize,
    placeholder: usize,
}

impl Sql {
    /// Reads one statement; `known` are the names that a parameter may have.
    pub(crate) fn parse(file: &str, text: &str, known: &[&str]) -> Result<Sql, SqlError> {
        // psql skips a byte order mark too, and PostgreSQL would take it for a name.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let read = lexer::read(text, known)?;
        Ok(Sql {
            file: file.to_owned(),
            text: read.text,
            parameters: read.parameters,
            replaced: read.replaced,
        })
    }

    /// Line and column in the file of the character of `text` that `before` others precede.
    pub(crate) fn place(&self, before: usize) -> (usize, usize) {
        let mut line = 1;
        let mut line_start = 0;
        let mut seen = 0;
        for (index, character) in self.text.chars().take(before).enumerate() {
            seen = index + 1;
            if character == '\n' {
                line += 1;
                line_start = seen;
            }
        }
        let mut column = seen - line_start + 1;
        for parameter in &self.replaced {
            if parameter.at >= line_start && parameter.at < seen {
                column = column + parameter.written - parameter.placeholder;
            }
        }
        (line, column)
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "line {}, column {}: {}",
            self.line, self.column, self.message
        )
    }
}

impl std::error::Error for SqlError {}
