//! Whether what DHIS2 holds is what was sent, in the form it stores it. Pure.

use crate::domain::{
    Author, Cell, Change, ChangeKind, DataElement, Engine, LiveRow, MovedCell, Text, canonical,
    reads_as_zero,
};

/// How the cell of a change stands in DHIS2.
pub(super) enum CellNow {
    /// It shows the change done.
    Done,
    /// It is as it was when the change was planned.
    AsFound,
    /// Neither, and somebody else stored or deleted something there.
    Theirs(Box<MovedCell>),
    /// Neither, and it is our account that DHIS2 names, or it is gone.
    Ours(Box<MovedCell>),
}

/// How a cell stands that has a row; `theirs`: who stored it, where that is somebody else.
pub(super) fn standing(
    row: &LiveRow<'_>,
    change: &Change,
    element: &DataElement,
    (engine, theirs): (Engine, Option<&str>),
) -> CellNow {
    if shows(row, change, element, engine) {
        return CellNow::Done;
    }
    let live = row.value.filter(|_| !row.deleted);
    let author = change.author().map(|author| &*author.user);
    let is_as_found = live == change.old.as_ref().map(Text::as_str)
        && row.follow_up == change.follow_up
        && said(row.comment) == said(change.comment())
        // Nobody's word is in a cell without a value.
        && (live.is_none() || theirs == author);
    if is_as_found {
        return CellNow::AsFound;
    }
    // DHIS2 ≤ 2.42 keeps our name on what a person deleted.
    let is_deleted = row.deleted && change.kind != ChangeKind::Delete;
    let moved = Box::new(MovedCell {
        cell: row.cell,
        expected: change.old.clone(),
        found: live.map(Text::from),
        author: theirs.map(|user| Author {
            user: user.into(),
            when: row.updated(),
        }),
    });
    match theirs.is_some() || is_deleted {
        true => CellNow::Theirs(moved),
        false => CellNow::Ours(moved),
    }
}

/// A cell whose row is no longer there.
pub(super) fn vanished(cell: Cell, change: &Change) -> Box<MovedCell> {
    Box::new(MovedCell {
        cell,
        expected: change.old.clone(),
        found: None,
        author: None,
    })
}

/// Whether the row shows the change done, with the comment and the mark that were sent back with it.
fn shows(row: &LiveRow<'_>, change: &Change, element: &DataElement, engine: Engine) -> bool {
    let live = row.value.filter(|_| !row.deleted);
    let kept = row.follow_up == change.follow_up && said(row.comment) == said(change.comment());
    match live {
        None if change.kind == ChangeKind::Delete => kept,
        // DHIS2 takes an insignificant zero for a deletion, and leaves the row otherwise as it is.
        None => is_dropped(change, element, engine),
        Some(_) if change.kind == ChangeKind::Delete => false,
        Some(live) => kept && are_equal(live, change.value.as_str(), element, engine),
    }
}

/// Whether the change is done where DHIS2 has no row.
pub(crate) fn needs_no_row(change: &Change, element: &DataElement, engine: Engine) -> bool {
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
        && matches!((canonical(live), canonical(sent)), (Ok(live), Ok(sent)) if live == sent)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::{needs_no_row, shows};
    use crate::domain::{
        Cell, Change, ChangeKind, DEFAULT_COMBO, DataElement, Engine, Key, LiveRow, People, Text,
        Triple, ValueType,
    };

    const COUNT: ValueType = ValueType::IntegerZeroOrPositive;

    fn element(value_type: ValueType, aggregation_type: &str) -> DataElement {
        DataElement {
            name: "an element".to_owned(),
            may_read: true,
            value_type,
            zero_is_significant: false,
            aggregation_type: aggregation_type.to_owned(),
            options: None,
            comment_options: None,
            category_option_combos: Rc::default(),
        }
    }

    fn change(kind: ChangeKind, value: &str) -> Change {
        Change {
            key: Key {
                period: 0,
                unit: 0,
                triple: 0,
            },
            kind,
            value: Text::from(value),
            old: None,
            follow_up: false,
            people: None,
        }
    }

    fn row(value: Option<&str>) -> LiveRow<'_> {
        LiveRow {
            cell: Cell {
                period: "202503".parse().expect("a period"),
                org_unit: "VsF9dWr6arv".parse().expect("a UID"),
                triple: Triple {
                    data_element: "M1eFRJpEkoO".parse().expect("a UID"),
                    category_option_combo: DEFAULT_COMBO,
                    attribute_option_combo: DEFAULT_COMBO,
                },
            },
            value,
            comment: None,
            follow_up: false,
            stored_by: None,
            last_updated: None,
            deleted: false,
        }
    }

    #[test]
    fn numbers_are_equal_by_value_and_texts_in_the_form_they_are_stored() {
        let check = |value_type, sent, live, engine| {
            let change = change(ChangeKind::Update, sent);
            shows(
                &row(Some(live)),
                &change,
                &element(value_type, "SUM"),
                engine,
            )
        };
        assert!(check(ValueType::Number, "1.5", "1.50", Engine::Old));
        assert!(!check(ValueType::Number, "1.5", "1.51", Engine::Old));
        assert!(!check(ValueType::Text, "1.5", "1.50", Engine::Old));
        assert!(check(ValueType::Boolean, "TRUE", "true", Engine::Old));
        assert!(check(ValueType::Text, " a ", "a", Engine::Old));
        assert!(!check(ValueType::Text, " a ", "a", Engine::New));
        assert!(check(ValueType::Text, " a ", " a ", Engine::New));
    }

    #[test]
    fn a_comment_or_a_mark_that_is_lost_is_not_as_sent() {
        let element = element(COUNT, "SUM");
        let mut change = change(ChangeKind::Update, "5");
        change.people = Some(Box::new(People {
            comment: Some(Text::from("as told by the nurse")),
            author: None,
        }));
        change.follow_up = true;
        let whole = LiveRow {
            comment: Some("as told by the nurse"),
            follow_up: true,
            ..row(Some("5"))
        };
        assert!(shows(&whole, &change, &element, Engine::New));
        let uncommented = LiveRow {
            comment: None,
            ..whole.clone()
        };
        assert!(!shows(&uncommented, &change, &element, Engine::New));
        let unmarked = LiveRow {
            follow_up: false,
            ..whole
        };
        assert!(!shows(&unmarked, &change, &element, Engine::New));
    }

    #[test]
    fn a_delete_is_done_when_no_live_value_is_left() {
        let element = element(COUNT, "SUM");
        let delete = change(ChangeKind::Delete, "5");
        let deleted = LiveRow {
            deleted: true,
            ..row(Some("5"))
        };
        for engine in [Engine::Old, Engine::New] {
            assert!(shows(&deleted, &delete, &element, engine));
            assert!(shows(&row(None), &delete, &element, engine));
            assert!(needs_no_row(&delete, &element, engine));
            assert!(!shows(&row(Some("5")), &delete, &element, engine));
            assert!(!shows(
                &deleted,
                &change(ChangeKind::Update, "5"),
                &element,
                engine
            ));
            assert!(!needs_no_row(
                &change(ChangeKind::Create, "5"),
                &element,
                engine
            ));
        }
    }

    #[test]
    fn a_zero_that_is_not_significant_leaves_no_row_on_the_old_engine_only() {
        let zero = change(ChangeKind::Zero, "0");
        let deleted = LiveRow {
            deleted: true,
            ..row(Some("5"))
        };
        let sum = element(COUNT, "SUM");
        assert!(needs_no_row(&zero, &sum, Engine::Old));
        assert!(shows(&deleted, &zero, &sum, Engine::Old));
        // Over a row that was deleted before, 2.42 stores it.
        assert!(shows(&row(Some("0")), &zero, &sum, Engine::Old));
        assert!(!needs_no_row(&zero, &sum, Engine::New));
        assert!(!shows(&deleted, &zero, &sum, Engine::New));
        assert!(!shows(&row(Some("5")), &zero, &sum, Engine::Old));
        for kept in [element(COUNT, "AVERAGE"), element(ValueType::Text, "NONE")] {
            assert!(!needs_no_row(&zero, &kept, Engine::Old));
        }
    }
}
