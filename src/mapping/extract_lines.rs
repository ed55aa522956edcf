//! The lines between `extract` and `map`: a header, each result with its rows, an end that tells how many there were.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Dimension, Period};

/// The version of the format; another one is refused.
const VERSION: &str = "extract/1";

/// The first line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExtractHeader {
    pg2dhis2: String,
    pub(crate) mapping: String,
    pub(crate) periods: Vec<Period>,
    pub(crate) as_of: Timestamp,
    pub(crate) server_version: String,
    /// SHA-256 of every file the mapping is made of.
    pub(crate) digests: BTreeMap<String, String>,
}

/// The line before the rows of a result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum ResultLine {
    Rules {
        rules: Dimension,
        columns: Vec<String>,
        types: Vec<String>,
    },
    Rows {
        query: String,
        /// The one period the query ran for; None where its rows tell theirs.
        period: Option<Period>,
        columns: Vec<String>,
        types: Vec<String>,
    },
}

/// The last line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndLine {
    pub(crate) end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    /// Rows of all results, rules included.
    pub(crate) rows: u64,
}

/// Any line after the first.
#[derive(Debug)]
pub(crate) enum ExtractLine<'l> {
    Result(ResultLine),
    Row(Vec<Option<Cow<'l, str>>>),
    End(End),
}

/// Input that `extract` did not write. Never holds a part of the line, which may be anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LineError(&'static str);

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for LineError {}

impl ExtractHeader {
    pub(crate) fn new(
        mapping: &str,
        periods: &[Period],
        as_of: Timestamp,
        server_version: String,
        digests: BTreeMap<String, String>,
    ) -> ExtractHeader {
        ExtractHeader {
            pg2dhis2: VERSION.to_owned(),
            mapping: mapping.to_owned(),
            periods: periods.to_vec(),
            as_of,
            server_version,
            digests,
        }
    }

    /// Reads the first line.
    pub(crate) fn parse(line: &str) -> Result<ExtractHeader, LineError> {
        let value: serde_json::Value = serde_json::from_str(line)
            .map_err(|_| LineError("it does not begin with the header that `extract` writes"))?;
        match value.get("pg2dhis2").and_then(serde_json::Value::as_str) {
            Some(VERSION) => {}
            Some(_) => {
                return Err(LineError(
                    "it is of another version than this program reads; run `extract` again",
                ));
            }
            None => {
                return Err(LineError(
                    "it does not begin with the header that `extract` writes",
                ));
            }
        }
        let header: ExtractHeader = serde_json::from_value(value)
            .map_err(|_| LineError("its header is not of the form that `extract` writes"))?;
        if header.periods.is_empty() || !header.periods.is_sorted() {
            return Err(LineError("its header names no periods, or not in order"));
        }
        Ok(header)
    }
}

impl<'l> ExtractLine<'l> {
    pub(crate) fn parse(line: &'l str) -> Result<ExtractLine<'l>, LineError> {
        if line.starts_with('[') {
            return serde_json::from_str::<Vec<Option<Borrowed<'l>>>>(line)
                .map(|row| {
                    ExtractLine::Row(
                        row.into_iter()
                            .map(|cell| cell.map(|cell| cell.0))
                            .collect(),
                    )
                })
                .map_err(|_| LineError("it is not a row of texts and nulls"));
        }
        if let Ok(EndLine { end }) = serde_json::from_str(line) {
            return Ok(ExtractLine::End(end));
        }
        serde_json::from_str(line)
            .map(ExtractLine::Result)
            .map_err(|_| LineError("it is not a line that `extract` writes"))
    }
}

/// A text that is copied only if it is escaped in the line.
#[derive(Deserialize)]
struct Borrowed<'l>(#[serde(borrow)] Cow<'l, str>);
