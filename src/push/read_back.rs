//! Reads back what was sent: only what DHIS2 shows is confirmed.

use std::collections::BTreeSet;

use super::Task;
use super::compare::{needs_no_row, shows};
use crate::dhis2::Dhis2;
use crate::dhis2::error::Dhis2Error;
use crate::domain::{Cell, Change, DataElement, Key, Period, Sent, Uid};

/// Read together: a few periods, so that units without a change in most of them are not read for all.
const PERIODS: usize = 24;
const UNITS: usize = 50;

/// Makes those `Unconfirmed` changes `Confirmed` that DHIS2 shows done. After an error the rest stays as it is.
pub(super) fn confirm(
    dhis2: &mut Dhis2,
    task: &Task<'_>,
    sent: &mut [Sent],
) -> Result<(), Dhis2Error> {
    for block in blocks(task, sent) {
        let mut seen = BTreeSet::new();
        dhis2.live(task.data_set.id, &block.periods, &block.units, &mut |row| {
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
            if !seen.contains(&index) && needs_no_row(change, element, task.engine) {
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

/// One read and the changes it shows.
struct Block {
    periods: Vec<Period>,
    units: Vec<Uid>,
    changes: Vec<usize>,
}

/// As few reads as hold all unconfirmed changes.
fn blocks(task: &Task<'_>, sent: &[Sent]) -> Vec<Block> {
    let waiting: Vec<(usize, Key)> = (0..)
        .zip(task.changes)
        .zip(sent)
        .filter(|(_, outcome)| **outcome == Sent::Unconfirmed)
        .map(|((index, change), _)| (index, change.key))
        .collect();
    let mut blocks = Vec::new();
    for periods in distinct(waiting.iter().map(|(_, key)| key.period)).chunks(PERIODS) {
        let mut in_periods = waiting.clone();
        in_periods.retain(|(_, key)| periods.binary_search(&key.period).is_ok());
        for units in distinct(in_periods.iter().map(|(_, key)| key.unit)).chunks(UNITS) {
            let here = || {
                let keys = in_periods.iter().copied();
                keys.filter(|(_, key)| units.binary_search(&key.unit).is_ok())
            };
            let cells = || here().filter_map(|(_, key)| task.space.cell(key));
            blocks.push(Block {
                periods: distinct(cells().map(|cell| cell.period)),
                units: distinct(cells().map(|cell| cell.org_unit)),
                changes: here().map(|(index, _)| index).collect(),
            });
        }
    }
    blocks
}

/// Sorted, each once.
fn distinct<T: Ord>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect::<BTreeSet<T>>().into_iter().collect()
}
