//! Holds what a run did and told against what it had to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::facts::{Stored, place};
use super::oracle::{Expected, Outcome, RowOutcome, number};
use super::steps::{Cell, ELEMENTS, PERIODS, UNITS};

/// Every outcome's name in a report.
const OUTCOMES: [&str; 12] = [
    "unchanged",
    "left",
    "closed",
    "blocked",
    "held",
    "created",
    "updated",
    "zeroed",
    "deleted",
    "rejected",
    "unconfirmed",
    "not-sent",
];

/// The counts of the report, which balance whatever happened.
pub(super) fn balances(mapping: &Value) {
    let rows = &mapping["rows"];
    let outcomes = ["excluded", "unmapped", "empty", "invalid", "mapped"];
    let sum: u64 = outcomes.iter().map(|name| count(rows, name)).sum();
    assert_eq!(sum, count(rows, "rows"), "{rows}");
    let cells = &mapping["cells"];
    let sum: u64 = OUTCOMES.iter().map(|name| count(cells, name)).sum();
    assert_eq!(sum, count(cells, "cells"), "{cells}");
    for sums in mapping["sums"].as_array().expect("sums") {
        let [rows, desired, excluded, unmapped] = four(sums);
        assert_eq!(rows, desired + excluded + unmapped, "{sums}");
    }
}

/// The report tells exactly what was expected of a run in which nothing went wrong.
pub(super) fn tells(mapping: &Value, expected: &Expected) {
    rows(mapping, expected);
    let mut counts: BTreeMap<&str, u64> = OUTCOMES.iter().map(|name| (*name, 0)).collect();
    for outcome in expected.cells.values() {
        *counts.entry(name(outcome)).or_default() += 1;
    }
    for (name, wanted) in counts {
        let told = count(&mapping["cells"], name);
        assert_eq!(told, wanted, "{name}: {:?}", expected.cells);
    }
    let blocked: BTreeMap<Cell, &str> = listed(mapping, "blocked", |each| {
        each["reason"].as_str().expect("a reason")
    });
    let wanted = expected
        .cells
        .iter()
        .filter_map(|(cell, outcome)| match outcome {
            Outcome::Blocked(why) => Some((*cell, *why)),
            _ => None,
        });
    assert_eq!(blocked, wanted.collect());
    let foreign = expected.cells.iter();
    let foreign = foreign.filter(|(_, outcome)| **outcome == Outcome::Hold);
    let told: Vec<Cell> = listed(mapping, "held", |_| ()).into_keys().collect();
    assert_eq!(
        told,
        foreign.map(|(cell, _)| *cell).collect::<Vec<_>>(),
        "held"
    );
    let told: BTreeSet<Cell> = listed(mapping, "stranded", |_| ()).into_keys().collect();
    assert_eq!(told, expected.stranded, "stranded");
    left(mapping, expected);
    for closed in mapping["closed"].as_array().expect("closed") {
        assert_eq!(closed["reason"], "expired");
        assert_eq!(closed["period"], PERIODS[0]);
    }
}

/// The exit code of a run in which nothing went wrong: held, partial or fine.
pub(super) fn exit_code(expected: &Expected) -> i32 {
    let blocked = |outcome: &Outcome| matches!(outcome, Outcome::Blocked(_));
    let lost = [RowOutcome::Unmapped, RowOutcome::Invalid];
    if expected.is_held() {
        4
    } else if lost
        .iter()
        .any(|outcome| expected.rows.contains_key(outcome))
        || expected.cells.values().any(blocked)
    {
        3
    } else {
        0
    }
}

/// DHIS2 holds what was expected, and all else as it was.
pub(super) fn did(
    before: &BTreeMap<Cell, Stored>,
    after: &BTreeMap<Cell, Stored>,
    expected: &Expected,
) {
    let cells: BTreeSet<&Cell> = before
        .keys()
        .chain(after.keys())
        .chain(expected.cells.keys())
        .collect();
    for cell in cells {
        let outcome = expected.cells.get(cell);
        let change = outcome.filter(|outcome| outcome.is_change());
        let fits = match change {
            None => before.get(cell) == after.get(cell),
            Some(change) => is_done(after.get(cell), change),
        };
        assert!(
            fits,
            "{cell:?} {outcome:?}: {:?} → {:?}",
            before.get(cell),
            after.get(cell)
        );
    }
}

/// Each cell is as it was, or as it was expected to be: all that can be said where DHIS2 changed in between.
pub(super) fn did_no_harm(
    before: &BTreeMap<Cell, Stored>,
    after: &BTreeMap<Cell, Stored>,
    expected: &Expected,
) {
    for cell in before.keys().chain(after.keys()) {
        let change = expected
            .cells
            .get(cell)
            .filter(|outcome| outcome.is_change());
        let same = before.get(cell) == after.get(cell);
        let done = change.is_some_and(|change| is_done(after.get(cell), change));
        assert!(
            same || done,
            "{cell:?}: {:?} → {:?}",
            before.get(cell),
            after.get(cell)
        );
    }
}

/// Comments and marks are what they were.
pub(super) fn keeps_comments(before: &BTreeMap<Cell, Stored>, after: &BTreeMap<Cell, Stored>) {
    for (cell, old) in before {
        let new = after
            .get(cell)
            .unwrap_or_else(|| panic!("{cell:?} is gone"));
        assert_eq!(
            (&new.comment, new.marked),
            (&old.comment, old.marked),
            "{cell:?}"
        );
    }
    for (cell, new) in after {
        let is_new = !before.contains_key(cell);
        assert!(
            !is_new || (new.comment.is_none() && !new.marked),
            "{cell:?}: {new:?}"
        );
    }
}

/// A zero may be stored or, where zeros are not kept, be no value; which, differs by version.
fn is_done(row: Option<&Stored>, change: &Outcome) -> bool {
    let live = row.and_then(|row| number(row.live()?));
    let ours = row.is_none_or(|row| row.by == "loader");
    ours && match change {
        Outcome::Create(value) | Outcome::Update(value) => {
            live == Some(*value) || (*value == 0.0 && live.is_none())
        }
        Outcome::Zero => live.is_none_or(|live| live == 0.0),
        _ => live.is_none(),
    }
}

fn rows(mapping: &Value, expected: &Expected) {
    let names = [
        ("excluded", RowOutcome::Excluded),
        ("unmapped", RowOutcome::Unmapped),
        ("empty", RowOutcome::Empty),
        ("invalid", RowOutcome::Invalid),
        ("mapped", RowOutcome::Mapped),
    ];
    for (name, outcome) in names {
        let wanted = expected.rows.get(&outcome).copied().unwrap_or_default();
        assert_eq!(count(&mapping["rows"], name), wanted, "{name} rows");
    }
    let told = mapping["sums"].as_array().expect("sums").iter();
    let told = told.map(|sums| {
        let element = &sums["data-element"];
        let element = (!element.is_null()).then(|| place(&ELEMENTS, element));
        (element, four(sums))
    });
    // A data element without a number among its rows may be told as 0 or not at all.
    let told: BTreeMap<_, _> = told.filter(|(_, sums)| *sums != [0.0; 4]).collect();
    let wanted = expected.sums.clone().into_iter();
    let wanted: BTreeMap<_, _> = wanted.filter(|(_, sums)| *sums != [0.0; 4]).collect();
    assert_eq!(told, wanted, "sums");
}

/// As many cells as expected are left, and each reason fits as many as it is told of.
fn left(mapping: &Value, expected: &Expected) {
    for told in mapping["left"].as_array().expect("left") {
        let reason = told["reason"].as_str().expect("a reason");
        let fitting = expected.cells.values().filter(|outcome| match outcome {
            Outcome::Left(reasons) => reasons.contains(reason),
            _ => false,
        });
        let fitting = fitting.count() as u64;
        assert!(
            count(told, "cells") <= fitting,
            "{reason}: {:?}",
            expected.cells
        );
    }
}

fn name(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Unchanged => "unchanged",
        Outcome::Left(_) => "left",
        Outcome::Closed => "closed",
        Outcome::Blocked(_) => "blocked",
        Outcome::Hold => "held",
        Outcome::Create(_) => "created",
        Outcome::Update(_) => "updated",
        Outcome::Zero => "zeroed",
        Outcome::Delete => "deleted",
    }
}

/// The cells of a list, each once.
fn listed<'m, T>(
    mapping: &'m Value,
    list: &str,
    what: impl Fn(&'m Value) -> T,
) -> BTreeMap<Cell, T> {
    let list = mapping[list].as_array().expect("a list");
    let cells = list.iter().map(|each| {
        let cell = (
            place(&ELEMENTS, &each["dataElement"]),
            place(&UNITS, &each["orgUnit"]),
            place(&PERIODS, &each["period"]),
        );
        (cell, what(each))
    });
    let cells: BTreeMap<Cell, T> = cells.collect();
    assert_eq!(cells.len(), list.len(), "a cell is listed twice");
    cells
}

fn four(sums: &Value) -> [f64; 4] {
    ["rows", "desired", "excluded", "unmapped"]
        .map(|name| number(sums[name].as_str().expect("a text")).expect("a number"))
}

fn count(counts: &Value, name: &str) -> u64 {
    counts[name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {counts}"))
}
