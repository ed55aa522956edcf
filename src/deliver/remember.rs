//! Keeps the memory of earlier runs true around the sending of a plan.

use super::connection::Connection;
use crate::domain::{Cell, Change, ChangeKind, Sent};
use crate::exit::Problem;
use crate::plan::{Plan, Target};
use crate::push;
use crate::site::{Confirmed, ConfirmedPeriod};

/// What will hold a value of ours is taken off the list of our deletions before it is sent: should the run die in between,
/// a person is asked once too often rather than overwritten. A value that is updated may be listed too: a person stored
/// it where we had deleted.
pub(crate) fn before(connection: &mut Connection, plan: &Plan) -> Result<(), Problem> {
    let stored = plan.changes.iter();
    let stored = stored.filter(|change| change.kind != ChangeKind::Delete);
    let cells: Vec<Cell> = stored
        .filter_map(|change| plan.space.cell(change.key))
        .filter(|cell| connection.memory.deletions().contains(cell))
        .collect();
    connection.memory.will_be_back(&cells)
}

/// What was confirmed: cells of ours that are gone, and how many values of ours each period has now. What DHIS2 did not
/// take is as gone as before.
pub(crate) fn after(
    connection: &mut Connection,
    plan: &Plan,
    target: &Target,
    sent: &[Sent],
    mapping: &str,
) -> Result<(), Problem> {
    let mut gone = Vec::new();
    // A saved plan knows only its own cells: what was confirmed before goes on from there.
    let before = connection.memory.confirmed(mapping, target.data_set.id);
    let values = || before.iter().map(|(period, each)| (*period, each.values));
    let mut ours = plan.ours().unwrap_or_else(|| values().collect());
    for (change, sent) in plan.changes.iter().zip(sent) {
        let Some(cell) = plan.space.cell(change.key) else {
            continue;
        };
        match sent {
            Sent::Confirmed => {}
            Sent::Rejected { .. } | Sent::NotSent => {
                let was_gone = target.own_deletions.contains(&cell);
                gone.extend((was_gone && change.kind == ChangeKind::Create).then_some(cell));
                continue;
            }
            Sent::Unconfirmed | Sent::Moved(_) => continue,
        }
        let was_ours = change.old.is_some() && change.author().is_none();
        let leaves_nothing = leaves_nothing(target, &cell, change);
        if leaves_nothing {
            gone.push(cell);
        }
        let count = ours.entry(cell.period).or_default();
        *count = (*count + u64::from(!leaves_nothing)).saturating_sub(u64::from(was_ours));
    }
    let scope = |period| ConfirmedPeriod {
        mapping: mapping.to_owned(),
        data_set: target.data_set.id,
        period,
    };
    let confirmed = ours.into_iter().map(|(period, values)| {
        let confirmed = Confirmed {
            values,
            is_unfinished: !target.is_over(period),
        };
        (scope(period), confirmed)
    });
    let totals = plan.totals(target, sent);
    let totals = totals
        .iter()
        .map(|(period, each)| (scope(period), each.clone()));
    let (confirmed, totals) = (confirmed.collect(), totals.collect());
    connection.memory.remember(gone, confirmed, totals)
}

/// Whether DHIS2 has no live value in the cell once the change is done.
fn leaves_nothing(target: &Target, cell: &Cell, change: &Change) -> bool {
    let element = target.element(cell.triple.data_element);
    element.is_some_and(|element| push::needs_no_row(change, element, target.engine()))
}
