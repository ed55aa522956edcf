//! No two mappings of a run may answer for the same cell; some overlaps only DHIS2's units can show.

use std::collections::BTreeSet;

use super::rights::target;
use crate::domain::{Desired, PeriodType, TripleScope, Uid};

/// The scopes of the mappings of a run, as far as they are known.
#[derive(Default)]
pub(super) struct Scopes(Vec<ScopeOfMapping>);

/// The cells that a mapping of this run answers for.
struct ScopeOfMapping {
    mapping: String,
    period_type: PeriodType,
    triples: Vec<TripleScope>,
    org_units: BTreeSet<Uid>,
}

impl Scopes {
    /// Refuses a mapping that answers for a cell of an earlier one, which only DHIS2's units can show.
    pub(super) fn ensure_no_overlap(
        &mut self,
        desired: &Desired,
        org_units: &BTreeSet<Uid>,
    ) -> anyhow::Result<()> {
        let scope = ScopeOfMapping {
            mapping: desired.mapping.clone(),
            period_type: desired.period_type,
            triples: desired.scope.triples.clone().unwrap_or_default(),
            org_units: org_units.clone(),
        };
        if let Some(earlier) = self.0.iter().find(|earlier| earlier.meets(&scope)) {
            return Err(target(format!(
                "answers for cells that mapping {} answers for too: the same data elements and combos in the same organisation \
                 units; narrow one by scope-org-units, or take the elements out of one",
                earlier.mapping
            )));
        }
        if self
            .0
            .iter()
            .all(|earlier| earlier.mapping != scope.mapping)
        {
            self.0.push(scope);
        }
        Ok(())
    }
}

impl ScopeOfMapping {
    /// Whether another mapping has a cell of this one.
    fn meets(&self, other: &ScopeOfMapping) -> bool {
        self.mapping != other.mapping
            && self.period_type == other.period_type
            && !self.org_units.is_disjoint(&other.org_units)
            && self
                .triples
                .iter()
                .any(|triples| other.triples.iter().any(|others| triples.overlaps(others)))
    }
}
