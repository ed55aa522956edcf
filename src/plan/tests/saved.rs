//! Facts about where the cells of a saved plan stand when it is applied.

use super::Live;
use super::site::{cell, target};
use crate::domain::{Author, CellOutcome, ChangeKind, Engine};
use crate::plan::{Recheck, Rechecked, SavedChange, SavedMapping};

const BOTH: [Engine; 2] = [Engine::Old, Engine::New];

/// The saved change of a cell and the row that DHIS2 has of it now.
fn recheck(engine: Engine, element: &str, change: Change, live: Option<Live>) -> Rechecked {
    let cell = cell(element, "open", "202503");
    let Change(kind, old, new, foreign) = change;
    let author = foreign.then(|| Author {
        user: "nurse".into(),
        when: None,
    });
    let saved = SavedMapping {
        name: "a mapping".to_owned(),
        data_set: "DataSetAaa0".parse().unwrap(),
        period_type: cell.period.period_type(),
        held: false,
        max_age: 1,
        digest: String::new(),
        digests: Default::default(),
        changes: vec![SavedChange::new(&cell, kind, old, new, author.as_ref())],
    };
    let target = target(engine);
    let mut recheck = Recheck::new(&saved, &target);
    if let Some(live) = live {
        recheck.live(&live.row());
    }
    recheck.finish()
}

/// Kind, old value, new value, whether the old one was somebody else's.
#[derive(Clone, Copy)]
struct Change(ChangeKind, Option<&'static str>, &'static str, bool);

/// `done`, `sent` or `moved`.
#[track_caller]
fn check(element: &str, change: Change, live: Option<Live>, expected: &str) {
    for engine in BOTH {
        let rechecked = recheck(engine, element, change, live.clone());
        let unchanged = rechecked.plan.account.total().of(CellOutcome::Unchanged);
        let standing = match (
            unchanged,
            rechecked.plan.changes.len(),
            rechecked.moved.len(),
        ) {
            (1, 0, 0) => "done",
            (0, 1, 0) => "sent",
            (0, 0, 1) => "moved",
            other => panic!("{other:?}"),
        };
        assert_eq!(standing, expected, "{element} on {engine:?}");
        assert_eq!(rechecked.plan.account.total().cells, 1);
    }
}

fn ours(element: &str, value: &str) -> Option<Live> {
    Some(Live::new(cell(element, "open", "202503"), value))
}

fn theirs(element: &str, value: &str) -> Option<Live> {
    ours(element, value).map(|live| Live {
        stored_by: Some("nurse"),
        ..live
    })
}

#[test]
fn a_cell_at_its_new_value_is_done_whoever_stored_it() {
    let update = Change(ChangeKind::Update, Some("5"), "7", false);
    check("count", update, ours("count", "7"), "done");
    check("count", update, theirs("count", "7.0"), "done");
    let flag = Change(ChangeKind::Create, None, "1", false);
    check("flag", flag, ours("flag", "true"), "done");
    let delete = Change(ChangeKind::Delete, Some("5"), "5", false);
    check("count", delete, None, "done");
    // A zero that is not kept is as good as none, and one that is kept is not.
    let zero = Change(ChangeKind::Zero, Some("5"), "0", false);
    check("count", zero, None, "done");
    check("kept", zero, None, "moved");
    check("kept", zero, ours("kept", "0"), "done");
}

#[test]
fn a_cell_at_its_old_value_is_sent_and_any_other_has_moved() {
    let update = Change(ChangeKind::Update, Some("5"), "7", false);
    check("count", update, ours("count", "5.0"), "sent");
    check("count", update, theirs("count", "5"), "moved");
    check("count", update, ours("count", "6"), "moved");
    check("count", update, None, "moved");
    let create = Change(ChangeKind::Create, None, "7", false);
    check("count", create, None, "sent");
    check("count", create, ours("count", "6"), "moved");
    let note = Change(ChangeKind::Update, Some("5"), "7", false);
    check("note", note, ours("note", "5.0"), "moved");
}

#[test]
fn what_somebody_stored_since_is_not_withdrawn_and_what_somebody_deleted_since_not_created() {
    for kind in [ChangeKind::Zero, ChangeKind::Delete] {
        let withdraw = Change(kind, Some("5"), "0", false);
        check("kept", withdraw, ours("kept", "5"), "sent");
        check("kept", withdraw, theirs("kept", "5"), "moved");
    }
    let deleted = theirs("count", "5").map(|live| Live {
        deleted: true,
        ..live
    });
    let create = |foreign| Change(ChangeKind::Create, None, "7", foreign);
    check("count", create(false), deleted.clone(), "moved");
    check("count", create(true), deleted, "sent");
}

#[test]
fn a_change_takes_comment_mark_and_the_value_to_delete_from_the_cell_as_it_is() {
    let live = ours("count", "5.0").map(|live| Live {
        comment: Some("as told by the nurse"),
        follow_up: true,
        ..live
    });
    let delete = Change(ChangeKind::Delete, Some("5"), "5", false);
    let rechecked = recheck(Engine::Old, "count", delete, live);
    let change = &rechecked.plan.changes[0];
    assert_eq!(change.value.as_str(), "5.0");
    let comment = change.comment();
    assert_eq!(comment, Some("as told by the nurse"));
    assert!(change.follow_up);
}
