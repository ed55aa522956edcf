//! Whether what DHIS2 holds is what was sent, in the form it stores it. Pure.

use crate::domain::{Change, ChangeKind, DataElement, Engine, LiveRow, canonical, reads_as_zero};

/// Whether the row shows the change done, with the comment and the mark that were sent back with it.
pub(super) fn shows(
    row: &LiveRow<'_>,
    change: &Change,
    element: &DataElement,
    engine: Engine,
) -> bool {
    let live = row.value.filter(|_| !row.deleted);
    let kept =
        row.follow_up == change.follow_up && said(row.comment) == said(change.comment.as_deref());
    match live {
        None if change.kind == ChangeKind::Delete => kept,
        // With an insignificant zero DHIS2 deletes the row as it is.
        None => is_dropped(change, element, engine),
        Some(_) if change.kind == ChangeKind::Delete => false,
        Some(live) => kept && are_equal(live, change.value.as_str(), element, engine),
    }
}

/// Whether the change is done where DHIS2 has no row.
pub(super) fn needs_no_row(change: &Change, element: &DataElement, engine: Engine) -> bool {
    change.kind == ChangeKind::Delete || is_dropped(change, element, engine)
}

/// DHIS2 ≤ 2.42 does not store a zero that is not significant.
fn is_dropped(change: &Change, element: &DataElement, engine: Engine) -> bool {
    engine == Engine::Old
        && change.kind != ChangeKind::Delete
        && element.value_type.is_numeric()
        && !element.keeps_zero()
        && reads_as_zero(change.value.as_str())
}

/// An empty comment says as much as none.
fn said(comment: Option<&str>) -> Option<&str> {
    comment.filter(|comment| !comment.is_empty())
}

fn are_equal(live: &str, sent: &str, element: &DataElement, engine: Engine) -> bool {
    let stored = element.value_type.stored_form(sent, engine);
    if live == stored {
        return true;
    }
    // Numbers keep their spelling, so one that was there before may be another spelling of the same.
    element.value_type.is_numeric()
        && matches!((canonical(live), canonical(&stored)), (Ok(live), Ok(sent)) if live == sent)
}
