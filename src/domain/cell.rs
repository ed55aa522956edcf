//! What a data value is about: DHIS2's five dimensions, whole (`Cell`) and packed to 12 bytes (`Key` within a `Space`).

use std::fmt;

use super::{Period, PeriodType, Uid};

/// The part of a cell that the mapping decides: data element, category option combo, attribute option combo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Triple {
    pub(crate) data_element: Uid,
    pub(crate) category_option_combo: Uid,
    pub(crate) attribute_option_combo: Uid,
}

/// The key of one data value in DHIS2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Cell {
    pub(crate) period: Period,
    pub(crate) org_unit: Uid,
    pub(crate) triple: Triple,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} {} {}",
            self.triple.data_element, self.period, self.org_unit, self.triple.category_option_combo
        )?;
        if self.triple.attribute_option_combo != super::DEFAULT_COMBO {
            write!(f, " {}", self.triple.attribute_option_combo)?;
        }
        Ok(())
    }
}

/// A cell as three small integers. Keys order as their cells do, because a finished `Space` is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// The period's ordinal within the period type of the space.
    pub(crate) period: i32,
    pub(crate) unit: u32,
    pub(crate) triple: u32,
}

/// The units and triples that the keys of one mapping's run stand for; both sorted and without repeats.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    period_type: PeriodType,
    units: Vec<Uid>,
    triples: Vec<Triple>,
}

impl Space {
    pub(crate) fn new(
        period_type: PeriodType,
        units: impl IntoIterator<Item = Uid>,
        triples: impl IntoIterator<Item = Triple>,
    ) -> Space {
        Space {
            period_type,
            units: sorted(units),
            triples: sorted(triples),
        }
    }

    pub(crate) fn units(&self) -> &[Uid] {
        &self.units
    }

    pub(crate) fn triples(&self) -> &[Triple] {
        &self.triples
    }

    /// The key of a cell, if the space has its unit and triple and its period is of the space's type.
    pub(crate) fn key(&self, cell: &Cell) -> Option<Key> {
        if cell.period.period_type() != self.period_type {
            return None;
        }
        Some(Key {
            period: cell.period.ordinal(),
            unit: position(&self.units, &cell.org_unit)?,
            triple: position(&self.triples, &cell.triple)?,
        })
    }

    /// The cell of a key made by this space; `None` only for a key of another space.
    pub(crate) fn cell(&self, key: Key) -> Option<Cell> {
        Some(Cell {
            period: Period::from_ordinal(self.period_type, key.period)?,
            org_unit: *self.units.get(key.unit as usize)?,
            triple: *self.triples.get(key.triple as usize)?,
        })
    }
}

fn sorted<T: Ord>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut sorted: Vec<T> = items.into_iter().collect();
    sorted.sort_unstable();
    sorted.dedup();
    sorted.shrink_to_fit();
    sorted
}

fn position<T: Ord>(sorted: &[T], item: &T) -> Option<u32> {
    let position = sorted.binary_search(item).ok()?;
    u32::try_from(position).ok()
}
