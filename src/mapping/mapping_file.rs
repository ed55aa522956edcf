//! A mapping file as it was read, with all that it names.

use std::collections::BTreeMap;

use super::dimension::DimensionMapping;
use super::object_in_file::ObjectInFile;
use super::sql::{ParameterValues, Sql};
use super::values::Values;
use crate::domain::{Dimension, GuardLimits, Period, PeriodType, Policies, Uid};

/// A mapping file with all that it names: which rows of which queries are which cells of which data set. It has many
/// fields because the file has many keys.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// The file's stem.
    pub(crate) name: String,
    pub(crate) file: String,
    pub(crate) data_set: Uid,
    pub(crate) queries: Vec<Sql>,
    pub(crate) parameters: ParameterValues,
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
    pub(crate) named: Vec<ObjectInFile>,
    /// SHA-256 of every file the mapping is made of, by its path as written, in hex.
    pub(crate) digests: BTreeMap<String, String>,
}
