//! What the source says should be in DHIS2, and all that comparing it with DHIS2 needs to know besides.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    Cell, GuardLimits, Key, Period, PeriodType, Policies, RowAccount, Space, Text, Triple, Uid,
};

/// The outcome of mapping the rows of one mapping for some periods. The fields are many because the plan is made of it alone: all that
/// comparing with DHIS2 needs goes this way, also through the document of `map`.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    /// The mapping's name.
    pub(crate) mapping: String,
    pub(crate) data_set: Uid,
    pub(crate) period_type: PeriodType,
    /// The periods of the run, ordered; those without rows too.
    pub(crate) periods: Vec<Period>,
    /// What the keys of `cells` and `incomplete` stand for.
    pub(crate) space: Space,
    /// Ordered by key, each key once.
    pub(crate) cells: Vec<DesiredCell>,
    /// Cells that a row without a usable value feeds, alone or beside others.
    pub(crate) incomplete: BTreeMap<Key, Incomplete>,
    pub(crate) unplaced: Vec<Unplaced>,
    pub(crate) scope: Scope,
    pub(crate) policies: Policies,
    pub(crate) guards: GuardLimits,
    pub(crate) rows: RowAccount,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DesiredCell {
    pub(crate) key: Key,
    pub(crate) value: Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Incomplete {
    /// A row of the cell had no value: a part is not the sum.
    Empty,
    /// A row of the cell had a value that DHIS2 could not hold.
    Invalid,
}

/// Rows that reached no cell, as far as their dimensions are known; they may belong to any cell that agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct RowPlace {
    pub(crate) period: Period,
    pub(crate) data_element: Option<Uid>,
    pub(crate) category_option_combo: Option<Uid>,
    pub(crate) attribute_option_combo: Option<Uid>,
    pub(crate) org_unit: Option<Uid>,
}

impl RowPlace {
    /// The place of a row that reached its cell.
    pub(crate) fn of(cell: &Cell) -> RowPlace {
        RowPlace {
            period: cell.period,
            data_element: Some(cell.triple.data_element),
            category_option_combo: Some(cell.triple.category_option_combo),
            attribute_option_combo: Some(cell.triple.attribute_option_combo),
            org_unit: Some(cell.org_unit),
        }
    }

    /// The cell, where all dimensions are known.
    pub(crate) fn cell(&self) -> Option<Cell> {
        Some(Cell {
            period: self.period,
            org_unit: self.org_unit?,
            triple: Triple {
                data_element: self.data_element?,
                category_option_combo: self.category_option_combo?,
                attribute_option_combo: self.attribute_option_combo?,
            },
        })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Unplaced {
    #[serde(flatten)]
    pub(crate) place: RowPlace,
    pub(crate) rows: u64,
}

/// The cells a mapping answers for, in the periods of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Scope {
    /// None: a dimension cannot be enumerated, and so nothing may be withdrawn.
    pub(crate) triples: Option<Vec<TripleScope>>,
    pub(crate) org_units: OrgUnitScope,
    /// Objects of map file lines that say so: what is left there of ours is withdrawn.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) retired: BTreeSet<Uid>,
}

/// Every triple of these elements and combos.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct TripleScope {
    pub(crate) data_elements: BTreeSet<Uid>,
    pub(crate) category_option_combos: BTreeSet<Uid>,
    pub(crate) attribute_option_combos: BTreeSet<Uid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OrgUnitScope {
    /// The constant unit, or those of the map.
    Listed(BTreeSet<Uid>),
    /// All units of the data set in the account's hierarchy; below these units, if there are any.
    OfDataSet { below: Vec<Uid> },
    /// UIDs come from the rows: only those seen.
    Seen,
}

impl Scope {
    pub(crate) fn has(&self, triple: &Triple) -> bool {
        self.triples.iter().flatten().any(|scope| scope.has(triple))
    }

    /// Whether the mapping may write a triple: where its triples cannot be listed, it may write any.
    pub(crate) fn may_have(&self, triple: &Triple) -> bool {
        self.triples.is_none() || self.has(triple)
    }

    /// Whether a cell is one of an object that was retired.
    pub(crate) fn is_retired(&self, cell: &Cell) -> bool {
        let triple = cell.triple;
        [
            triple.data_element,
            triple.category_option_combo,
            triple.attribute_option_combo,
            cell.org_unit,
        ]
        .iter()
        .any(|uid| self.retired.contains(uid))
    }
}

impl TripleScope {
    fn has(&self, triple: &Triple) -> bool {
        self.data_elements.contains(&triple.data_element)
            && self
                .category_option_combos
                .contains(&triple.category_option_combo)
            && self
                .attribute_option_combos
                .contains(&triple.attribute_option_combo)
    }

    pub(crate) fn overlaps(&self, other: &TripleScope) -> bool {
        !self.data_elements.is_disjoint(&other.data_elements)
            && !self
                .category_option_combos
                .is_disjoint(&other.category_option_combos)
            && !self
                .attribute_option_combos
                .is_disjoint(&other.attribute_option_combos)
    }
}
