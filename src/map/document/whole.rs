//! Whether a document is as `map` wrote it: its values and rows must add up to its own accounting.

use std::collections::BTreeMap;

use super::header::DocumentError;
use crate::domain::{Combine, Desired, Number, Period, Uid};

/// Refuses a document that was cut or edited. A value of a data element whose rows are not added up can be changed
/// unseen.
pub(super) fn ensure_whole(desired: &Desired) -> Result<(), DocumentError> {
    let mut pairs = desired.cells.windows(2);
    if pairs.any(|pair| pair.first().map(|cell| cell.key) == pair.last().map(|cell| cell.key)) {
        return Err(DocumentError("a cell stands in it twice".to_owned()));
    }
    if desired.rows.balances() && sums_fit(desired) && rows_fit(desired) && keys_fit(desired) {
        return Ok(());
    }
    Err(DocumentError(
        "its values do not add up to its own accounting; it was cut or edited: run `map` again"
            .to_owned(),
    ))
}

/// Whether the values of every data element whose rows are added up have the sum that was counted.
fn sums_fit(desired: &Desired) -> bool {
    let mut sums: BTreeMap<Uid, Option<Number>> = BTreeMap::new();
    for cell in &desired.cells {
        let Some(whole) = desired.space.cell(cell.key) else {
            continue;
        };
        let element = whole.triple.data_element;
        if desired.policies.combine(element) == Combine::Sum {
            let sum = sums.entry(element).or_insert(Some(Number::ZERO));
            let number = Number::parse(cell.value.as_str()).ok();
            *sum = sum
                .zip(number)
                .and_then(|(sum, number)| sum.checked_add(number));
        }
    }
    let counted = &desired.rows.sums;
    let all_counted = sums
        .keys()
        .all(|element| counted.contains_key(&Some(*element)));
    let mut each = counted.iter();
    all_counted
        && each.all(|(element, counted)| {
            let found = element.and_then(|element| sums.get(&element).copied());
            counted.overflowed || found.unwrap_or(Some(Number::ZERO)) == Some(counted.desired)
        })
}

/// Whether the rows without a cell are as many as were counted, period by period, and no cell is without a row.
fn rows_fit(desired: &Desired) -> bool {
    let mut unplaced: BTreeMap<Period, u128> = BTreeMap::new();
    for rows in &desired.unplaced {
        *unplaced.entry(rows.place.period).or_default() += u128::from(rows.rows);
    }
    let mut cells: BTreeMap<i32, u64> = BTreeMap::new();
    for cell in &desired.cells {
        *cells.entry(cell.key.period).or_default() += 1;
    }
    let counted = &desired.rows.periods;
    let total: u128 = counted.values().map(|counts| u128::from(counts.rows)).sum();
    let mut each = counted.iter();
    each.all(|(period, counts)| {
        let without_cell = [counts.unmapped, counts.empty, counts.invalid];
        let cells = cells.get(&period.ordinal()).copied().unwrap_or_default();
        unplaced.remove(period).unwrap_or_default()
            == without_cell.into_iter().map(u128::from).sum::<u128>()
            && cells <= counts.mapped
            && (cells == 0) == (counts.mapped == 0)
    }) && unplaced.is_empty()
        && counted.keys().eq(&desired.periods)
        // So that whoever adds them up cannot overflow.
        && u64::try_from(total).is_ok()
}

/// Whether the excluded and unmapped rows are as many as the rows of all keys.
fn keys_fit(desired: &Desired) -> bool {
    let rows = &desired.rows;
    let counted: u128 = rows
        .periods
        .values()
        .flat_map(|counts| [counts.excluded, counts.unmapped])
        .map(u128::from)
        .sum();
    let of_keys: u128 = rows.keys.iter().map(|key| u128::from(key.rows)).sum();
    counted == of_keys + u128::from(rows.rows_of_other_keys)
}
