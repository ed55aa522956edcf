//! What is wrong with a SQL file.

use std::fmt;

/// Why a SQL file cannot be used, and where. Line and column count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SqlError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) message: String,
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
