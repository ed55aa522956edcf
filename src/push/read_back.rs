//! Reads back what was sent: only what DHIS2 shows is confirmed.

use std::collections::BTreeSet;
use std::ops::Range;

use super::Task;
use super::compare::{needs_no_row, shows};
use crate::dhis2::Dhis2;
use crate::dhis2::blocks::{PERIODS, UNITS};
use crate::dhis2::error::Dhis2Error;
use crate::domain::{Cell, Change, DataElement, Period, Sent, Uid};

/// Makes those `Unconfirmed` changes `Confirmed` that DHIS2 shows done. After an error the rest stays as it is.
pub(super) fn confirm(
    dhis2: &mut Dhis2,
    task: &Task<'_>,
    sent: &mut [Sent],
) -> Result<(), Dhis2Error> {
    for block in blocks(task, sent) {
        let mut seen = BTreeSet::new();
        dhis2.live(task.data_set, &block.periods, &block.units, &mut |row| {
            let Some((index, change, element)) = found(task, &row.cell) else {
                return;
            };
            seen.insert(index);
            if shows(&row, change, element, task.engine) {
                confirmed(sent, index);
            }
        })?;
        for index in block.changes {
            let Some((change, element)) = change_and_element(task, index) else {
                continue;
            };
            let asked = block.numbers.binary_search(&change.key.unit).is_ok();
            let unseen = asked && !seen.contains(&index);
            if unseen && needs_no_row(change, element, task.engine) {
                confirmed(sent, index);
            }
        }
    }
    Ok(())
}

fn confirmed(sent: &mut [Sent], index: usize) {
    if let Some(outcome @ Sent::Unconfirmed) = sent.get_mut(index) {
        *outcome = Sent::Confirmed;
    }
}

/// The change of a cell, if there is one.
fn found<'t>(task: &Task<'t>, cell: &Cell) -> Option<(usize, &'t Change, &'t DataElement)> {
    let key = task.space.key(cell)?;
    let index = task
        .changes
        .binary_search_by_key(&key, |change| change.key)
        .ok()?;
    let (change, element) = change_and_element(task, index)?;
    Some((index, change, element))
}

fn change_and_element<'t>(task: &Task<'t>, index: usize) -> Option<(&'t Change, &'t DataElement)> {
    let change = task.changes.get(index)?;
    let triple = task.space.triples().get(change.key.triple as usize)?;
    Some((change, task.data_set.elements.get(&triple.data_element)?))
}

/// One read and the changes among which are those it shows.
struct Block {
    periods: Vec<Period>,
    units: Vec<Uid>,
    /// What keys call the units; ordered.
    numbers: Vec<u32>,
    changes: Range<usize>,
}

/// As few reads as hold all unconfirmed changes. Nothing is kept per change: there may be a million.
fn blocks(task: &Task<'_>, sent: &[Sent]) -> Vec<Block> {
    let unconfirmed = |range: Range<usize>| {
        let changes = task.changes.get(range.clone()).unwrap_or_default();
        let sent = sent.get(range).unwrap_or_default();
        let both = changes.iter().zip(sent);
        both.filter(|(_, sent)| **sent == Sent::Unconfirmed)
            .map(|(change, _)| change.key)
    };
    let mut blocks = Vec::new();
    for range in of_few_periods(task.changes) {
        let periods = distinct(unconfirmed(range.clone()).filter_map(|key| {
            let cell = task.space.cell(key)?;
            Some(cell.period)
        }));
        for numbers in distinct(unconfirmed(range.clone()).map(|key| key.unit)).chunks(UNITS) {
            let units = numbers.iter().filter_map(|number| {
                let units = task.space.units();
                units.get(*number as usize).copied()
            });
            blocks.push(Block {
                periods: periods.clone(),
                units: units.collect(),
                numbers: numbers.to_vec(),
                changes: range.clone(),
            });
        }
    }
    blocks
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
