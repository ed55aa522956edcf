//! What a site writes about one mapping, as types that cannot be wrong. Pure: files are read by `site`.

mod code;
mod dimension;
mod entry;
mod extract_lines;
mod file_error;
mod map_file;
mod named_objects;
mod nearest;
mod options;
mod overlap;
mod parameter;
mod parse;
mod parse_dimension;
mod parse_guards;
mod result_columns;
mod scope;
mod section;
mod source_key;
mod sql;
#[cfg(test)]
mod tests;
mod values;

use std::collections::BTreeMap;

pub(crate) use code::{Codes, PIN, PinFile, coded};
pub(crate) use dimension::{DimensionMapping, UidsFrom};
pub(crate) use entry::Entry;
pub(crate) use extract_lines::{End, EndLine, ExtractHeader, ExtractLine, ResultLine};
pub(crate) use file_error::FileError;
pub(crate) use named_objects::NamedObject;
pub(crate) use nearest::nearest;
pub(crate) use options::Options;
pub(crate) use overlap::overlap;
pub(crate) use parameter::Parameter;
pub(crate) use parse::{digest, parse};
pub(crate) use result_columns::{ColumnFault, Columns, RowColumns, ValueColumn};
pub(crate) use section::Section;
pub(crate) use source_key::SourceKey;
pub(crate) use sql::Sql;
pub(crate) use values::{Values, WideColumn};

use crate::domain::{Dimension, GuardLimits, Period, PeriodType, Policies, Uid};

/// A mapping file with all that it names: which rows of which queries are which cells of which data set. It has a field
/// for each key of the file.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// The file's stem.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) data_set: Uid,
    pub(crate) queries: Vec<Sql>,
    pub(crate) parameters: BTreeMap<String, Parameter>,
    pub(crate) period_type: PeriodType,
    /// The column that holds a row's period; None: the queries run once for each period.
    pub(crate) period_column: Option<String>,
    /// Periods before the current one that a run without `--period` recomputes.
    pub(crate) look_back: u32,
    /// Nothing before it is read, sent or withdrawn.
    pub(crate) start: Option<Period>,
    pub(crate) values: Values,
    /// By name, in the order in which rows are resolved; `data-element` only where the values stand in one column.
    pub(crate) dimensions: BTreeMap<Dimension, DimensionMapping>,
    pub(crate) policies: Policies,
    pub(crate) guards: GuardLimits,
    /// Every object of DHIS2 that its files name.
    pub(crate) named: Vec<NamedObject>,
    /// SHA-256 of every file the mapping is made of, by its path as written, in hex.
    pub(crate) digests: BTreeMap<String, String>,
}
