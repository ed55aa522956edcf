//! Where rows that could not be placed may belong: no cell that agrees with one of them is withdrawn.

use std::collections::{BTreeMap, BTreeSet};

use super::Reach;
use crate::domain::{Cell, Desired, Period, RowPlace};

pub(super) struct Places(BTreeMap<Period, BTreeSet<RowPlace>>);

impl Places {
    /// The places of unmapped, invalid and empty rows, and of rows whose UID we do not reach in DHIS2.
    pub(super) fn forbidden(desired: &Desired, reach: &Reach) -> Places {
        let mut places = Places(BTreeMap::new());
        for unplaced in &desired.unplaced {
            places.insert(reached(unplaced.place, reach));
        }
        for cell in &desired.cells {
            let Some(cell) = desired.space.cell(cell.key) else {
                continue;
            };
            let place = place(&cell);
            let reached = reached(place, reach);
            if reached != place {
                places.insert(reached);
            }
        }
        places
    }

    /// Whether a row that could not be placed may belong to the cell.
    pub(super) fn may_be(&self, cell: &Cell) -> bool {
        let places = self.0.get(&cell.period).into_iter().flatten();
        let agrees = |known: Option<_>, is| known.is_none_or(|known| known == is);
        places.into_iter().any(|place| {
            agrees(place.data_element, cell.triple.data_element)
                && agrees(
                    place.category_option_combo,
                    cell.triple.category_option_combo,
                )
                && agrees(
                    place.attribute_option_combo,
                    cell.triple.attribute_option_combo,
                )
                && agrees(place.org_unit, cell.org_unit)
        })
    }

    fn insert(&mut self, place: RowPlace) {
        self.0.entry(place.period).or_default().insert(place);
    }
}

fn place(cell: &Cell) -> RowPlace {
    RowPlace {
        period: cell.period,
        data_element: Some(cell.triple.data_element),
        category_option_combo: Some(cell.triple.category_option_combo),
        attribute_option_combo: Some(cell.triple.attribute_option_combo),
        org_unit: Some(cell.org_unit),
    }
}

/// A UID that DHIS2 does not have, or that the data set or the account does not reach, is as good as none.
fn reached(place: RowPlace, reach: &Reach) -> RowPlace {
    RowPlace {
        period: place.period,
        data_element: place.data_element.filter(|uid| reach.has_element(*uid)),
        category_option_combo: place
            .category_option_combo
            .filter(|uid| reach.has_category_option_combo(*uid)),
        attribute_option_combo: place
            .attribute_option_combo
            .filter(|uid| reach.has_attribute_option_combo(*uid)),
        org_unit: place.org_unit.filter(|uid| reach.has_unit(*uid)),
    }
}
