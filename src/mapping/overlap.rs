//! Whether two mappings of a site answer for the same cell, as far as their files show it.

use super::mapping_file::Mapping;
use crate::domain::{OrgUnitScope, Scope};

/// The first pair of mappings that would both write one cell, by name. Those that only DHIS2 can tell apart pass.
pub(crate) fn overlap(mappings: &[Mapping]) -> Option<(&Mapping, &Mapping)> {
    let pairs = mappings.iter().enumerate().flat_map(|(index, first)| {
        let others = mappings.get(index + 1..).unwrap_or_default();
        others.iter().map(move |second| (first, second))
    });
    overlap_of(pairs)
}

/// The first of these pairs that would both write one cell.
pub(crate) fn overlap_of<'m>(
    mut pairs: impl Iterator<Item = (&'m Mapping, &'m Mapping)>,
) -> Option<(&'m Mapping, &'m Mapping)> {
    pairs.find(|(first, second)| meet(first, second))
}

fn meet(first: &Mapping, second: &Mapping) -> bool {
    first.period_type == second.period_type
        && triples_meet(&first.scope(), &second.scope())
        && units_meet(first, second)
}

fn triples_meet(first: &Scope, second: &Scope) -> bool {
    let others = || second.triples.iter().flatten();
    first
        .triples
        .iter()
        .flatten()
        .any(|triples| others().any(|other| triples.overlaps(other)))
}

/// Units that come from rules are those of the data set: the same for both where neither is narrowed.
fn units_meet(first: &Mapping, second: &Mapping) -> bool {
    match (first.scope().org_units, second.scope().org_units) {
        (OrgUnitScope::Listed(units), OrgUnitScope::Listed(others)) => !units.is_disjoint(&others),
        (OrgUnitScope::OfDataSet { below }, OrgUnitScope::OfDataSet { below: other }) => {
            let one_set = first.data_set == second.data_set;
            let same = below.iter().any(|unit| other.contains(unit));
            one_set && (below.is_empty() || other.is_empty() || same)
        }
        _ => false,
    }
}
