//! Makes one value of the rows that meet in a cell.

use std::collections::BTreeMap;

use super::fault::MapFault;
use crate::domain::{Combine, DesiredCell, Key, Number, Policies, Space, Text, Uid};

/// The cells, each once and in order, and what they add up to.
pub(super) struct Combined {
    pub(super) cells: Vec<DesiredCell>,
    /// Per data element whose rows are added up; None: the sum does not fit.
    pub(super) sums: BTreeMap<Uid, Option<Number>>,
    /// Cells whose own sum does not fit; they have the value of one of their rows, which must not be sent.
    pub(super) overflowed: Vec<Key>,
}

pub(super) fn combine(
    mut rows: Vec<DesiredCell>,
    space: &Space,
    policies: &Policies,
) -> Result<Combined, MapFault> {
    rows.sort_unstable_by_key(|row| row.key);
    let mut combined = Combined {
        cells: Vec::new(),
        sums: BTreeMap::new(),
        overflowed: Vec::new(),
    };
    let mut last: Option<(DesiredCell, bool)> = None;
    for row in rows.drain(..) {
        match &mut last {
            Some((cell, overflowed)) if cell.key == row.key => {
                meet(cell, overflowed, row, space, policies)?;
            }
            _ => {
                if let Some((cell, overflowed)) = last.replace((row, false)) {
                    combined.close(cell, overflowed, space, policies);
                }
            }
        }
    }
    if let Some((cell, overflowed)) = last {
        combined.close(cell, overflowed, space, policies);
    }
    combined.cells.shrink_to_fit();
    Ok(combined)
}

/// Another row of the same cell.
fn meet(
    cell: &mut DesiredCell,
    overflowed: &mut bool,
    row: DesiredCell,
    space: &Space,
    policies: &Policies,
) -> Result<(), MapFault> {
    let Some(whole) = space.cell(cell.key) else {
        return Ok(());
    };
    let one = Number::parse(cell.value.as_str()).ok();
    let two = Number::parse(row.value.as_str()).ok();
    let both = one.zip(two);
    let together = match policies.combine(whole.triple.data_element) {
        Combine::Refuse => return Err(MapFault::Meet { cell: whole }),
        Combine::Sum => both.and_then(|(one, two)| one.checked_add(two)),
        Combine::Max => both.map(|(one, two)| one.max(two)),
        Combine::Min => both.map(|(one, two)| one.min(two)),
    };
    match together {
        Some(together) => cell.value = Text::from(together.to_string().as_str()),
        None => *overflowed = true,
    }
    Ok(())
}

impl Combined {
    fn close(&mut self, cell: DesiredCell, overflowed: bool, space: &Space, policies: &Policies) {
        let whole = space.cell(cell.key);
        if overflowed {
            self.overflowed.push(cell.key);
        }
        if let Some(whole) = whole
            && policies.combine(whole.triple.data_element) == Combine::Sum
        {
            let number = Number::parse(cell.value.as_str()).ok();
            let sum = self
                .sums
                .entry(whole.triple.data_element)
                .or_insert(Some(Number::ZERO));
            *sum = match (overflowed, *sum, number) {
                (false, Some(sum), Some(number)) => sum.checked_add(number),
                _ => None,
            };
        }
        self.cells.push(cell);
    }
}
