//! What DHIS2 must hold when a run says that all is well, computed from rows and mapping without the program.

use std::collections::{BTreeMap, BTreeSet};

use super::metadata::{ELEMENTS, UNITS, VISITS};
use crate::dhis2::ValueKey;

const DEFAULT_COMBO: &str = "HllvX50cXC0";

/// What becomes of a value of ours that the registry no longer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    Leave,
    Zero,
    Delete,
}

/// How rows become one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Combine {
    Sum,
    Max,
    Min,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    pub absent: Absent,
    pub combine: Combine,
}

/// A mapping: a policy for each data element, in the order of `ELEMENTS`, and the unit that each place reports to.
#[derive(Clone, Debug)]
pub struct Mapping {
    pub policies: [Policy; 3],
    /// Place in the registry to index in `UNITS`. Other places are unmapped.
    pub places: BTreeMap<&'static str, usize>,
}

/// What a row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    Number(i64),
    /// NULL: no statement.
    Null,
    /// No value that DHIS2 could hold.
    NaN,
}

/// One row of the registry; element, place and period are its key.
pub type Rows = BTreeMap<(&'static str, &'static str, String), Value>;

/// What a cell must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Number(i64),
    /// Nothing, or zero where the mapping says so.
    Gone,
    ZeroOrGone,
    AsBefore,
}

/// What must hold in the periods of a run.
#[derive(Debug)]
pub struct Oracle {
    cells: BTreeMap<ValueKey, Wanted>,
    before: BTreeMap<ValueKey, String>,
    /// Rows that no mapping could turn into a data value, so that a run is never wholly well.
    pub unplaced: usize,
    pub rows: usize,
}

impl Oracle {
    /// What a run over `periods` must leave that found `before` in DHIS2.
    pub fn of(
        rows: &Rows,
        mapping: &Mapping,
        periods: &[String],
        before: BTreeMap<ValueKey, String>,
    ) -> Oracle {
        let mut oracle = Oracle {
            cells: BTreeMap::new(),
            before,
            unplaced: 0,
            rows: 0,
        };
        let reported: BTreeSet<usize> = mapping.places.values().copied().collect();
        for ((_, element), policy) in ELEMENTS.iter().zip(mapping.policies) {
            let absent = match policy.absent {
                Absent::Leave => Wanted::AsBefore,
                Absent::Zero => Wanted::ZeroOrGone,
                Absent::Delete => Wanted::Gone,
            };
            for unit in &reported {
                for period in periods {
                    oracle.cells.insert(cell(element, *unit, period), absent);
                }
            }
        }
        let mut met: BTreeMap<ValueKey, Vec<(Value, Combine)>> = BTreeMap::new();
        for ((element, place, period), value) in rows {
            if !periods.contains(period) {
                continue;
            }
            oracle.rows += 1;
            let element = ELEMENTS.iter().position(|(key, _)| key == element);
            match (element, mapping.places.get(place)) {
                (Some(element), Some(unit)) if *value != Value::NaN => {
                    let key = cell(ELEMENTS[element].1, *unit, period);
                    let combine = mapping.policies[element].combine;
                    met.entry(key).or_default().push((*value, combine));
                }
                _ => oracle.unplaced += 1,
            }
        }
        for (key, values) in met {
            oracle.cells.insert(key, combined(&values));
        }
        oracle
    }

    /// The cells that are not as they must be, in words; empty if DHIS2 holds what the registry says.
    pub fn faults(&self, found: &BTreeMap<ValueKey, String>) -> Vec<String> {
        let mut faults = Vec::new();
        for (key, wanted) in &self.cells {
            let live = found.get(key);
            let live_number = live.map(|value| value.parse::<i64>());
            let before = self.before.get(key);
            let right = match (wanted, &live_number) {
                (Wanted::Number(number), Some(Ok(live))) => number == live,
                // DHIS2 does not keep such a zero, so that zero and nothing are one.
                (Wanted::Number(0), None) => key.0 == VISITS,
                (Wanted::ZeroOrGone, None | Some(Ok(0))) | (Wanted::Gone, None) => true,
                (Wanted::AsBefore, _) => live == before,
                _ => false,
            };
            if !right {
                faults.push(format!(
                    "{key:?}: wanted {wanted:?}, was {before:?}, is {live:?}"
                ));
            }
        }
        let outside = |key: &&ValueKey| !self.cells.contains_key(*key);
        let touched = found.keys().chain(self.before.keys()).filter(outside);
        for key in touched.collect::<BTreeSet<_>>() {
            if found.get(key) != self.before.get(key) {
                faults.push(format!(
                    "{key:?} is none of the run's, and is {:?}",
                    found.get(key)
                ));
            }
        }
        faults
    }
}

fn combined(values: &[(Value, Combine)]) -> Wanted {
    let mut numbers = Vec::new();
    for (value, _) in values {
        match value {
            Value::Number(number) => numbers.push(*number),
            // A part is not the whole.
            Value::Null | Value::NaN => return Wanted::AsBefore,
        }
    }
    let number = match values.first().map(|(_, combine)| combine) {
        Some(Combine::Max) => numbers.iter().max().copied(),
        Some(Combine::Min) => numbers.iter().min().copied(),
        Some(Combine::Sum) | None => Some(numbers.iter().sum()),
    };
    Wanted::Number(number.unwrap_or_default())
}

/// The cell of a data element in a unit, by its index in `UNITS`.
pub fn cell(element: &str, unit: usize, period: &str) -> ValueKey {
    let text = str::to_owned;
    let combo = || text(DEFAULT_COMBO);
    (
        text(element),
        text(period),
        text(UNITS[unit]),
        combo(),
        combo(),
    )
}
