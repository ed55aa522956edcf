//! Makes one value of the rows that meet in a cell.

use std::collections::{BTreeMap, BTreeSet};

use super::fault::MapFault;
use crate::domain::{
    Cell, Combine, DesiredCell, Key, Number, Policies, Space, Text, Total, Triple, Uid,
};

/// The cells, each once and in order, and what they add up to.
pub(super) struct Combined {
    pub(super) cells: Vec<DesiredCell>,
    /// Per data element whose rows are added up; None: the sum does not fit.
    pub(super) sums: BTreeMap<Uid, Option<Number>>,
    /// Cells whose own sum does not fit; they have the sum of some of their rows, which must not be sent.
    pub(super) overflowed: BTreeSet<Key>,
}

/// `rows` are the rows that have a value, `without_value` the cells of those that have none, each as often as it has
/// such rows; all in any order.
pub(super) fn combine(
    mut rows: Vec<DesiredCell>,
    without_value: Vec<Key>,
    space: &Space,
    policies: &Policies,
) -> Result<Combined, MapFault> {
    // By value too, so that the order in which rows came cannot matter.
    rows.sort_unstable_by(|one, two| {
        (one.key, one.value.as_str()).cmp(&(two.key, two.value.as_str()))
    });
    let hows: Vec<Combine> = space
        .triples()
        .iter()
        .map(|triple: &Triple| policies.combine(triple.data_element))
        .collect();
    let how = |key: Key| hows.get(key.triple as usize).copied();
    if let Some(cell) = refused(&rows, without_value, space, how) {
        return Err(MapFault::Meet { cell });
    }
    let mut overflowed = BTreeSet::new();
    // The sum of the cell that is being put together.
    let mut total: Option<(Key, Total)> = None;
    rows.dedup_by(|row, cell| {
        if row.key != cell.key {
            return false;
        }
        let together = match (how(cell.key), number(cell), number(row)) {
            (Some(Combine::Sum), Some(so_far), Some(more)) => {
                let (_, sum) = match &mut total {
                    Some(open) if open.0 == cell.key => open,
                    _ => total.insert((cell.key, Total::of(so_far))),
                };
                sum.add(more);
                sum.sum()
            }
            (Some(Combine::Max), Some(one), Some(two)) => Some(one.max(two)),
            (Some(Combine::Min), Some(one), Some(two)) => Some(one.min(two)),
            _ => None,
        };
        match together {
            Some(number) => cell.value = Text::from(number.to_string().as_str()),
            None => {
                overflowed.insert(cell.key);
            }
        }
        true
    });
    rows.shrink_to_fit();
    Ok(Combined {
        sums: sums(&rows, &overflowed, space, how),
        cells: rows,
        overflowed,
    })
}

/// The first cell in which rows of different keys meet, with a value or without one, and which does not combine.
fn refused(
    rows: &[DesiredCell],
    mut without_value: Vec<Key>,
    space: &Space,
    how: impl Fn(Key) -> Option<Combine>,
) -> Option<Cell> {
    without_value.sort_unstable();
    let among_rows = rows
        .windows(2)
        .filter_map(|pair| Some((pair.first()?.key, pair.last()?.key)));
    let among_others = without_value
        .windows(2)
        .filter_map(|pair| Some((*pair.first()?, *pair.last()?)));
    let between = without_value.iter().filter_map(|key| {
        let place = rows.binary_search_by_key(key, |row| row.key).ok()?;
        Some((*key, rows.get(place)?.key))
    });
    among_rows
        .chain(among_others)
        .chain(between)
        .filter(|(one, two)| one == two && how(*one) == Some(Combine::Refuse))
        .map(|(key, _)| key)
        .min()
        .and_then(|key| space.cell(key))
}

fn sums(
    cells: &[DesiredCell],
    overflowed: &BTreeSet<Key>,
    space: &Space,
    how: impl Fn(Key) -> Option<Combine>,
) -> BTreeMap<Uid, Option<Number>> {
    let mut totals: BTreeMap<Uid, Option<Total>> = BTreeMap::new();
    for cell in cells {
        if how(cell.key) != Some(Combine::Sum) {
            continue;
        }
        let Some(triple) = space.triples().get(cell.key.triple as usize) else {
            continue;
        };
        let total = totals
            .entry(triple.data_element)
            .or_insert(Some(Total::default()));
        match (number(cell), total.as_mut()) {
            (Some(number), Some(total)) if !overflowed.contains(&cell.key) => total.add(number),
            _ => *total = None,
        }
    }
    totals
        .into_iter()
        .map(|(element, total)| (element, total.and_then(Total::sum)))
        .collect()
}

fn number(cell: &DesiredCell) -> Option<Number> {
    Number::parse(cell.value.as_str()).ok()
}
