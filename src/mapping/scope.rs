//! Which cells a mapping answers for, as far as its files tell.

use std::collections::BTreeSet;

use super::dimension::{DimensionMapping, UidsFrom};
use super::mapping_file::Mapping;
use super::values::Values;
use crate::domain::{Dimension, OrgUnitScope, Scope, TripleScope, Uid};

impl Mapping {
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            triples: self.triple_scopes(),
            org_units: self.org_unit_scope(),
            retired: self
                .dimensions
                .values()
                .flat_map(|dimension| dimension.retired.iter().copied())
                .collect(),
        }
    }

    fn triple_scopes(&self) -> Option<Vec<TripleScope>> {
        let category = self.dimensions.get(&Dimension::CategoryOptionCombo)?;
        let attribute = self.dimensions.get(&Dimension::AttributeOptionCombo)?;
        let attribute_option_combos = uids(attribute)?;
        let Values::Wide(columns) = &self.values else {
            let data_element = self.dimensions.get(&Dimension::DataElement)?;
            return Some(vec![TripleScope {
                data_elements: uids(data_element)?,
                category_option_combos: uids(category)?,
                attribute_option_combos,
            }]);
        };
        columns
            .iter()
            .map(|column| {
                let category_option_combos = match column.category_option_combo {
                    Some(uid) => BTreeSet::from([uid]),
                    None => uids(category)?,
                };
                Some(TripleScope {
                    data_elements: BTreeSet::from([column.data_element]),
                    category_option_combos,
                    attribute_option_combos: attribute_option_combos.clone(),
                })
            })
            .collect()
    }

    fn org_unit_scope(&self) -> OrgUnitScope {
        let Some(org_unit) = self.dimensions.get(&Dimension::OrgUnit) else {
            return OrgUnitScope::Seen;
        };
        match (&org_unit.uids_from, uids(org_unit)) {
            (_, Some(uids)) => OrgUnitScope::Listed(uids),
            (UidsFrom::Rules(_), None) => OrgUnitScope::OfDataSet {
                below: org_unit.scope_org_units.clone(),
            },
            (_, None) => OrgUnitScope::Seen,
        }
    }
}

/// Every UID a dimension can have, where its files list them.
fn uids(dimension: &DimensionMapping) -> Option<BTreeSet<Uid>> {
    match &dimension.uids_from {
        UidsFrom::Constant(uid) => Some(BTreeSet::from([*uid])),
        UidsFrom::Map(map) => Some(map.values().chain(&dimension.retired).copied().collect()),
        UidsFrom::Options(options) => Some(options.combos()),
        UidsFrom::Rules(_) | UidsFrom::Column => None,
    }
}
