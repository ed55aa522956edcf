//! The objects of DHIS2 that a mapping names, and what people call them.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Cell, DataSet, Desired, OrgUnitScope, Pin, Triple, Uid};
use crate::plan::Target;

/// The objects that a mapping can produce or did produce.
#[derive(Clone, Default)]
pub(super) struct NamedObjects {
    pub(super) data_elements: BTreeSet<Uid>,
    pub(super) category_option_combos: BTreeSet<Uid>,
    pub(super) attribute_option_combos: BTreeSet<Uid>,
    pub(super) org_units: BTreeSet<Uid>,
}

impl NamedObjects {
    pub(super) fn of(desired: &Desired) -> NamedObjects {
        let mut named = NamedObjects::default();
        for triple in desired.space.triples() {
            named.add(triple);
        }
        for scope in desired.scope.triples.iter().flatten() {
            named.data_elements.extend(&scope.data_elements);
            named
                .category_option_combos
                .extend(&scope.category_option_combos);
            named
                .attribute_option_combos
                .extend(&scope.attribute_option_combos);
        }
        named.org_units.extend(desired.space.units());
        if let OrgUnitScope::Listed(units) = &desired.scope.org_units {
            named.org_units.extend(units);
        }
        // Whether their rows may belong to any unit, or to one that is no part of the data set.
        if !desired.policies.complete.is_never() {
            let places = desired.unplaced.iter();
            named
                .org_units
                .extend(places.filter_map(|rows| rows.place.org_unit));
        }
        named
    }

    pub(super) fn of_cells(cells: impl Iterator<Item = Cell>) -> NamedObjects {
        let mut named = NamedObjects::default();
        for cell in cells {
            named.add(&cell.triple);
            named.org_units.insert(cell.org_unit);
        }
        named
    }

    fn add(&mut self, triple: &Triple) {
        self.data_elements.insert(triple.data_element);
        self.category_option_combos
            .insert(triple.category_option_combo);
        self.attribute_option_combos
            .insert(triple.attribute_option_combo);
    }

    /// The objects of the data set when it was pinned, of which some may be elsewhere now.
    pub(super) fn take_pinned(&mut self, pin: &Pin, data_set: Uid) {
        let elements = pin.data_elements.iter();
        let elements = elements.filter(|(_, each)| each.data_sets.contains_key(&data_set));
        self.data_elements.extend(elements.map(|(uid, _)| *uid));
        let units = pin.organisation_units.iter();
        let units = units.filter(|(_, each)| each.data_sets.contains(&data_set));
        self.org_units.extend(units.map(|(uid, _)| *uid));
    }
}

/// What people call the objects of a data set.
pub(crate) fn names_of_data_set(data_set: &DataSet) -> BTreeMap<Uid, String> {
    let units = data_set.org_units.iter();
    let mut names: BTreeMap<Uid, String> =
        units.map(|(uid, unit)| (*uid, unit.name.clone())).collect();
    names.extend(data_set.attribute_option_combos.clone());
    for (uid, element) in &data_set.elements {
        names.insert(*uid, element.name.clone());
        names.extend((*element.category_option_combos).clone());
    }
    names
}

/// What people call the objects that a report may name, those that are elsewhere in DHIS2 too.
pub(super) fn names_of_target(target: &Target) -> BTreeMap<Uid, String> {
    let mut names = target.other_elements.clone();
    let units = target.other_units.iter();
    names.extend(units.map(|(uid, unit)| (*uid, unit.name.clone())));
    names.extend(names_of_data_set(&target.data_set));
    names
}
