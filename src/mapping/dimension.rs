//! How one dimension of a row becomes a UID of DHIS2.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

use super::{Options, SourceKey, Sql};
use crate::domain::Uid;

/// One of the tables `[data-element]`, `[category-option-combo]`, `[attribute-option-combo]`, `[org-unit]`.
#[derive(Debug)]
pub(crate) struct DimensionMapping {
    /// The columns that make its key, in order; declared even where a constant makes them unused.
    pub(crate) columns: Vec<String>,
    pub(crate) uids_from: UidsFrom,
    /// Rows of these keys are meant to be left out.
    pub(crate) excluded: BTreeSet<SourceKey>,
    /// UIDs of map file lines that are marked `retired`: nothing maps to them any more.
    pub(crate) retired: BTreeSet<Uid>,
    /// Keys that match may be shown to anybody.
    pub(crate) show_keys: Option<Regex>,
    /// Organisation units only: the scope lies below these; empty: no narrowing.
    pub(crate) scope_org_units: Vec<Uid>,
}

/// Where the UID comes from.
#[derive(Debug)]
pub(crate) enum UidsFrom {
    Constant(Uid),
    Map(BTreeMap<SourceKey, Uid>),
    /// A query of keys, UIDs and the days they are valid on.
    Rules(Sql),
    /// The columns hold codes or names of category options, which together are those of one combo.
    Options(Options),
    /// The column holds UIDs.
    Column,
}

impl DimensionMapping {
    /// A dimension of which nothing more is written.
    pub(super) fn new(uids_from: UidsFrom) -> DimensionMapping {
        DimensionMapping {
            columns: Vec::new(),
            uids_from,
            excluded: BTreeSet::new(),
            retired: BTreeSet::new(),
            show_keys: None,
            scope_org_units: Vec::new(),
        }
    }
}
