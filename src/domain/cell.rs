//! What a data value is about: DHIS2's five dimensions, whole (`Cell`) and packed to 12 bytes (`Key` within a `Space`).

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;

use super::{DEFAULT_COMBO, Period, PeriodType, Uid};

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
        if self.triple.attribute_option_combo != DEFAULT_COMBO {
            write!(f, " {}", self.triple.attribute_option_combo)?;
        }
        Ok(())
    }
}

/// One form as DHIS2 shows it to people: what it approves as one, and what is registered as complete as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Form {
    pub(crate) period: Period,
    pub(crate) org_unit: Uid,
    pub(crate) attribute_option_combo: Uid,
}

impl Cell {
    /// The form that the cell stands in.
    pub(crate) fn form(&self) -> Form {
        Form {
            period: self.period,
            org_unit: self.org_unit,
            attribute_option_combo: self.triple.attribute_option_combo,
        }
    }
}

/// A cell as three small integers, which stand for something only within a `Space`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key {
    /// The period's ordinal within the period type of the space.
    pub(crate) period: i32,
    pub(crate) unit: u32,
    pub(crate) triple: u32,
}

/// The units and triples that the keys of one mapping's run stand for.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    period_type: PeriodType,
    units: Interned<Uid>,
    triples: Interned<Triple>,
}

/// What the numbers of a space become when it is sorted: the new number at the place of the old.
pub(crate) struct Renumbered {
    units: Vec<u32>,
    triples: Vec<u32>,
}

impl Space {
    pub(crate) fn new(period_type: PeriodType) -> Space {
        Space {
            period_type,
            units: Interned::default(),
            triples: Interned::default(),
        }
    }

    /// The key of a cell, which takes its unit and triple in if they are new. The period must be of the space's type.
    pub(crate) fn intern(&mut self, cell: &Cell) -> Key {
        Key {
            period: cell.period.ordinal(),
            unit: self.units.intern(cell.org_unit),
            triple: self.triples.intern(cell.triple),
        }
    }

    /// The key of a cell, if the space has its unit and triple and its period is of the space's type.
    pub(crate) fn key(&self, cell: &Cell) -> Option<Key> {
        if cell.period.period_type() != self.period_type {
            return None;
        }
        Some(Key {
            period: cell.period.ordinal(),
            unit: self.units.number(&cell.org_unit)?,
            triple: self.triples.number(&cell.triple)?,
        })
    }

    /// The cell of a key made by this space; `None` only for a key of another space.
    pub(crate) fn cell(&self, key: Key) -> Option<Cell> {
        Some(Cell {
            period: Period::from_ordinal(self.period_type, key.period)?,
            org_unit: self.units.get(key.unit)?,
            triple: self.triples.get(key.triple)?,
        })
    }

    /// The number of a unit in this space's keys.
    pub(crate) fn unit(&self, unit: Uid) -> Option<u32> {
        self.units.number(&unit)
    }

    pub(crate) fn units(&self) -> &[Uid] {
        &self.units.items
    }

    pub(crate) fn triples(&self) -> &[Triple] {
        &self.triples.items
    }

    /// Numbers units and triples in their own order, so that keys order as their cells do.
    pub(crate) fn sort(&mut self) -> Renumbered {
        Renumbered {
            units: self.units.sort(),
            triples: self.triples.sort(),
        }
    }
}

impl Renumbered {
    /// A key from before the sorting, as it is called now.
    pub(crate) fn key(&self, old: Key) -> Key {
        let number = |numbers: &[u32], old: u32| numbers.get(old as usize).copied().unwrap_or(old);
        Key {
            period: old.period,
            unit: number(&self.units, old.unit),
            triple: number(&self.triples, old.triple),
        }
    }
}

/// Things numbered in the order in which they were first met.
#[derive(Clone, Debug)]
struct Interned<T> {
    items: Vec<T>,
    numbers: HashMap<T, u32>,
}

impl<T> Default for Interned<T> {
    fn default() -> Interned<T> {
        Interned {
            items: Vec::new(),
            numbers: HashMap::new(),
        }
    }
}

impl<T: Copy + Ord + Hash> Interned<T> {
    fn intern(&mut self, item: T) -> u32 {
        if let Some(number) = self.numbers.get(&item) {
            return *number;
        }
        // A run of four thousand million different units or triples does not fit into memory long before.
        let number = u32::try_from(self.items.len()).unwrap_or(u32::MAX);
        self.items.push(item);
        self.numbers.insert(item, number);
        number
    }

    fn number(&self, item: &T) -> Option<u32> {
        self.numbers.get(item).copied()
    }

    fn get(&self, number: u32) -> Option<T> {
        self.items.get(number as usize).copied()
    }

    fn sort(&mut self) -> Vec<u32> {
        let before = std::mem::take(&mut self.items);
        self.numbers.clear();
        let mut sorted = before.clone();
        sorted.sort_unstable();
        for item in sorted {
            self.intern(item);
        }
        before
            .iter()
            .map(|item| self.number(item).unwrap_or_default())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Space, Triple};
    use crate::domain::{DEFAULT_COMBO, PeriodType, Uid};

    fn uid(text: &str) -> Uid {
        text.parse().unwrap()
    }

    fn cell(period: &str, unit: &str, combo: Uid) -> Cell {
        Cell {
            period: period.parse().unwrap(),
            org_unit: uid(unit),
            triple: Triple {
                data_element: uid("ElementAaa0"),
                category_option_combo: combo,
                attribute_option_combo: DEFAULT_COMBO,
            },
        }
    }

    #[test]
    fn a_sorted_space_orders_keys_as_it_orders_cells_and_forgets_none() {
        let mut cells = Vec::new();
        for unit in ["UnitAaaaaa2", "UnitAaaaaa0", "UnitAaaaaa1"] {
            for combo in [uid("ComboAaaaa1"), uid("ComboAaaaa0")] {
                cells.extend(["202502", "202501"].map(|period| cell(period, unit, combo)));
            }
        }
        let mut space = Space::new(PeriodType::Monthly);
        let before: Vec<_> = cells.iter().map(|cell| space.intern(cell)).collect();
        let renumbered = space.sort();
        let mut keys: Vec<_> = before.into_iter().map(|key| renumbered.key(key)).collect();
        let back: Vec<Cell> = keys.iter().map(|key| space.cell(*key).unwrap()).collect();
        assert_eq!(back, cells);
        let known: Vec<_> = cells.iter().map(|cell| space.key(cell).unwrap()).collect();
        assert_eq!(known, keys);
        keys.sort_unstable();
        cells.sort_unstable();
        let ordered: Vec<Cell> = keys.iter().map(|key| space.cell(*key).unwrap()).collect();
        assert_eq!(ordered, cells);
    }

    #[test]
    fn a_space_knows_only_what_it_took_in() {
        let mut space = Space::new(PeriodType::Monthly);
        let known = cell("202501", "UnitAaaaaa0", DEFAULT_COMBO);
        space.intern(&known);
        assert!(
            space
                .key(&cell("202502", "UnitAaaaaa0", DEFAULT_COMBO))
                .is_some()
        );
        assert_eq!(
            space.key(&cell("202501", "UnitAaaaaa1", DEFAULT_COMBO)),
            None
        );
        assert_eq!(
            space.key(&cell("202501", "UnitAaaaaa0", uid("ComboAaaaa0"))),
            None
        );
        assert_eq!(space.key(&cell("2025", "UnitAaaaaa0", DEFAULT_COMBO)), None);
    }

    #[test]
    fn a_cell_is_told_without_the_default_attribute_option_combo() {
        let mut told = cell("202501", "UnitAaaaaa0", DEFAULT_COMBO);
        assert_eq!(
            told.to_string(),
            "ElementAaa0 202501 UnitAaaaaa0 HllvX50cXC0"
        );
        told.triple.attribute_option_combo = uid("ComboAaaaa1");
        assert_eq!(
            told.to_string(),
            "ElementAaa0 202501 UnitAaaaaa0 HllvX50cXC0 ComboAaaaa1"
        );
    }
}
