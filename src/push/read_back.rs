//! Reads what was sent, or is about to be: only what DHIS2 shows is confirmed, and what somebody else did is seen.

use std::collections::BTreeSet;
use std::ops::Range;

use super::compare::{CellNow, needs_no_row, standing, vanished};
use super::task::Task;
use crate::dhis2::Dhis2;
use crate::dhis2::blocks::{PERIODS, UNITS};
use crate::dhis2::error::Dhis2Error;
use crate::domain::{Change, Period, Sent, Uid};

/// Makes those `Unconfirmed` changes `Confirmed` that DHIS2 shows done, and those `Moved` in whose cells somebody else was.
/// After an error the rest stays as it is.
pub(super) fn confirm(
    dhis2: &mut Dhis2,
    task: &Task<'_>,
    sent: &mut [Sent],
) -> Result<(), Dhis2Error> {
    for part in of_few_periods(task.changes) {
        let is_unconfirmed = |index: &usize| sent.get(*index) == Some(&Sent::Unconfirmed);
        let unconfirmed: Vec<usize> = part.filter(is_unconfirmed).collect();
        look(dhis2, task, &unconfirmed, &mut |index, standing| {
            let outcome = match standing {
                CellNow::Done => Sent::Confirmed,
                CellNow::Theirs(moved) => Sent::Moved(moved),
                CellNow::AsFound | CellNow::Ours(_) => return,
            };
            if let Some(sent) = sent.get_mut(index) {
                *sent = outcome;
            }
        })?;
    }
    Ok(())
}

/// Shows how the cells of these changes, of which there are few periods, stand now, each once.
pub(super) fn look(
    dhis2: &mut Dhis2,
    task: &Task<'_>,
    indexes: &[usize],
    visit: &mut dyn FnMut(usize, CellNow),
) -> Result<(), Dhis2Error> {
    let keys = || indexes.iter().filter_map(|index| task.changes.get(*index));
    let cells = indexes
        .iter()
        .filter_map(|index| task.cell_and_change(*index));
    let periods: Vec<Period> = distinct(cells.map(|(cell, _)| cell.period));
    // What keys call the units.
    for numbers in distinct(keys().map(|change| change.key.unit)).chunks(UNITS) {
        let units = numbers.iter().filter_map(|number| {
            let units = task.space.units();
            units.get(*number as usize).copied()
        });
        let units: Vec<Uid> = units.collect();
        let asked = indexes.iter().copied().filter(|index| {
            let change = task.changes.get(*index);
            change.is_some_and(|change| numbers.binary_search(&change.key.unit).is_ok())
        });
        let mut left: BTreeSet<usize> = asked.collect();
        dhis2.live(task.data_set, &periods, &units, &mut |row| {
            let index = task.index_of(&row.cell).filter(|index| left.remove(index));
            let known = index.and_then(|index| Some((index, task.change_and_element(index)?)));
            if let Some((index, (change, element))) = known {
                let theirs = task.others_name(&row);
                visit(
                    index,
                    standing(&row, change, element, (task.engine, theirs)),
                );
            }
        })?;
        for index in left {
            let Some((change, element)) = task.change_and_element(index) else {
                continue;
            };
            let standing = match task.cell_and_change(index) {
                _ if needs_no_row(change, element, task.engine) => CellNow::Done,
                Some((cell, _)) if change.old.is_some() => CellNow::Ours(vanished(cell, change)),
                _ => CellNow::AsFound,
            };
            visit(index, standing);
        }
    }
    Ok(())
}

/// The changes, which are sorted by period, in parts of a few periods, so that units without a change in most of them
/// are not read for all.
fn of_few_periods(changes: &[Change]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    let mut begin = 0;
    for (number, period) in changes
        .chunk_by(|one, two| one.key.period == two.key.period)
        .enumerate()
    {
        let end = begin + period.len();
        match parts.last_mut() {
            Some(last) if number % PERIODS != 0 => last.end = end,
            _ => parts.push(begin..end),
        }
        begin = end;
    }
    parts
}

/// Sorted, each once.
fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}
