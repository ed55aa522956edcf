//! Where rows that could not be placed may belong: no cell that agrees with one of them is withdrawn.

use std::collections::{BTreeSet, HashSet};

use super::Reach;
use crate::domain::{Cell, Desired, RowPlace};

/// Looked up by the dimensions that are known of a place, so that the time for a cell does not grow with the places.
#[derive(Default)]
pub(super) struct Places {
    places: HashSet<RowPlace>,
    known: BTreeSet<KnownDimensions>,
}

/// Which dimensions of a place are known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct KnownDimensions {
    data_element: bool,
    category_option_combo: bool,
    attribute_option_combo: bool,
    org_unit: bool,
}

impl Places {
    /// The places of unmapped, invalid and empty rows, and of rows whose UID we do not reach in DHIS2.
    pub(super) fn forbidden(desired: &Desired, reach: &Reach) -> Places {
        let mut places = Places::default();
        for unplaced in &desired.unplaced {
            places.extend(reached(unplaced.place, reach));
        }
        for cell in &desired.cells {
            let Some(cell) = desired.space.cell(cell.key) else {
                continue;
            };
            let place = RowPlace::of(&cell);
            places.extend(reached(place, reach).filter(|reached| *reached != place));
        }
        places
    }

    /// Whether a row that could not be placed may belong to the cell.
    pub(super) fn may_be(&self, cell: &Cell) -> bool {
        let whole = RowPlace::of(cell);
        let mut known = self.known.iter();
        known.any(|known| self.places.contains(&known.of(&whole)))
    }

    fn extend(&mut self, places: impl Iterator<Item = RowPlace>) {
        for place in places {
            self.known.insert(KnownDimensions {
                data_element: place.data_element.is_some(),
                category_option_combo: place.category_option_combo.is_some(),
                attribute_option_combo: place.attribute_option_combo.is_some(),
                org_unit: place.org_unit.is_some(),
            });
            self.places.insert(place);
        }
    }
}

impl KnownDimensions {
    /// A place as far as these dimensions tell it.
    fn of(self, place: &RowPlace) -> RowPlace {
        RowPlace {
            period: place.period,
            data_element: place.data_element.filter(|_| self.data_element),
            category_option_combo: place
                .category_option_combo
                .filter(|_| self.category_option_combo),
            attribute_option_combo: place
                .attribute_option_combo
                .filter(|_| self.attribute_option_combo),
            org_unit: place.org_unit.filter(|_| self.org_unit),
        }
    }
}

/// A UID that DHIS2 does not have, or that the data set or the account does not reach, is as good as none. Where the
/// combo is not the data element's, one of the two is wrong, and nobody can tell which: the row may belong where either
/// is right.
fn reached(place: RowPlace, reach: &Reach) -> impl Iterator<Item = RowPlace> {
    let data_element = place.data_element.filter(|uid| reach.has_element(*uid));
    let combo = place.category_option_combo;
    let combo = combo.filter(|uid| reach.has_category_option_combo(*uid));
    let both = data_element.zip(combo);
    let ways = match both.filter(|(element, combo)| !reach.has_combo_of(*element, *combo)) {
        Some((element, combo)) => [Some((Some(element), None)), Some((None, Some(combo)))],
        None => [Some((data_element, combo)), None],
    };
    let attribute = place.attribute_option_combo;
    let attribute = attribute.filter(|uid| reach.has_attribute_option_combo(*uid));
    let org_unit = place.org_unit.filter(|uid| reach.has_unit(*uid));
    let ways = ways.into_iter().flatten();
    ways.map(move |(data_element, category_option_combo)| RowPlace {
        period: place.period,
        data_element,
        category_option_combo,
        attribute_option_combo: attribute,
        org_unit,
    })
}
