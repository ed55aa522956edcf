//! Stranded values: ours, in the data set, and outside the scope of every mapping of the site. Nobody would ever
//! change or withdraw them.

use std::collections::BTreeSet;

use super::Target;
use crate::domain::{Cell, LiveRow, OrgUnitScope, Period, PeriodType, Scope, Uid};

/// A mapping of the site, as far as it tells which cells it answers for.
#[derive(Clone, Debug)]
pub(crate) struct MappingScope {
    pub(crate) data_set: Uid,
    pub(crate) period_type: PeriodType,
    pub(crate) scope: Scope,
}

/// Where stranded values are looked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Search {
    /// Every mapping of the site; the one that is planned may be among them.
    pub(crate) site_scopes: Vec<MappingScope>,
    /// Periods in which nobody has looked yet.
    pub(crate) periods: BTreeSet<Period>,
}

impl Search {
    /// The value of a live row that is stranded.
    pub(crate) fn stranded<'r>(&self, row: &LiveRow<'r>, target: &Target) -> Option<&'r str> {
        let value = row.value.filter(|_| !row.deleted)?;
        (target.is_ours(row) && self.is_stranded(&row.cell, target)).then_some(value)
    }

    /// Whether no mapping answers for a cell in which a value of ours is.
    fn is_stranded(&self, cell: &Cell, target: &Target) -> bool {
        self.periods.contains(&cell.period)
            && target.element(cell.triple.data_element).is_some()
            && !self
                .site_scopes
                .iter()
                .any(|each| each.answers(cell, target))
    }
}

impl MappingScope {
    /// Whether the mapping may answer for a cell. What cannot be told without its rows counts as answered.
    fn answers(&self, cell: &Cell, target: &Target) -> bool {
        self.period_type == cell.period.period_type()
            && self.scope.may_have(&cell.triple)
            && self.reaches(cell, target)
    }

    fn reaches(&self, cell: &Cell, target: &Target) -> bool {
        let below = match &self.scope.org_units {
            OrgUnitScope::Listed(units) => return units.contains(&cell.org_unit),
            OrgUnitScope::Seen => return true,
            OrgUnitScope::OfDataSet { below } => below,
        };
        if self.data_set != target.data_set.id {
            return true;
        }
        match target.data_set.org_units.get(&cell.org_unit) {
            Some(unit) => below.is_empty() || unit.is_below_any(below),
            None => false,
        }
    }
}
