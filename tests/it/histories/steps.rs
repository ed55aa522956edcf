//! What may happen to a registry and its DHIS2 between two runs, and how histories of it are made at random.

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::prop_oneof;

/// Towns of the source. Nothing happens to the last one, so that no query is ever silent.
pub(super) const TOWNS: [&str; 5] = ["a", "b", "c", "d", "constant"];
/// Indicators of the source; the map file never has the last one, and it always has the second.
pub(super) const INDICATORS: [&str; 4] = ["num", "zero", "pos", "odd"];
/// The data elements of the first three: NUMBER, NUMBER whose zeros are significant, INTEGER_POSITIVE.
pub(super) const ELEMENTS: [&str; 3] = ["M1eFRJpEkoO", "GpADfrMrRcc", "M3wMVRRlXQs"];
/// Units; DHIS2 does not have the last one, and the second stays assigned and open.
pub(super) const UNITS: [&str; 4] = ["VsF9dWr6arv", "iztChCalPg5", "OaNvCC56gXc", "UnitUnknow0"];
/// Units that DHIS2 has.
pub(super) const KNOWN_UNITS: usize = 3;
pub(super) const PERIODS: [&str; 2] = ["202609", "202610"];

/// Town, indicator and period.
pub(super) type RowKey = (usize, usize, usize);
/// Data element, unit and period.
pub(super) type Cell = (usize, usize, usize);

/// What becomes of a town's rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    Unit(usize),
    Exclude,
}

/// A line of the map file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    InUse,
    Retired,
    Gone,
}

/// What a person does to a live value.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    Comment,
    Mark,
    Delete,
}

#[derive(Clone, Debug)]
pub(super) enum Step {
    /// Inserts or updates.
    Put(RowKey, Option<&'static str>),
    /// One of the rows there are, by number.
    Remove(usize),
    /// Types a value with or without a comment.
    Type(Cell, &'static str, bool),
    /// Does something to one of the live values there are, by number.
    Touch(usize, Act),
    /// The rule of a town in one period, or none.
    Rule(usize, usize, Option<Rule>),
    /// The same in both periods.
    Move(usize, Option<Rule>),
    Line(usize, Line),
    Assigned(usize, bool),
    /// Closed in the middle of the first period, or open again.
    Closed(usize, bool),
    Significant(usize, bool),
    /// The first period is over for good, or open again.
    Expired(bool),
    /// From 2.42 to 2.43.
    Upgrade,
    /// A unit is taken off the data set just before values are posted.
    UnassignedWhilePosting(usize),
    /// A person decides: what others stored is overwritten in this one run.
    OverwriteOnce,
}

/// The choices of a mapping, its first rows, and what happens before each run.
#[derive(Clone, Debug)]
pub(super) struct History {
    pub(super) starts_as_2_43: bool,
    pub(super) absent: &'static str,
    pub(super) rows: Vec<(RowKey, Option<&'static str>)>,
    pub(super) runs: Vec<Vec<Step>>,
}

pub(super) fn history() -> impl Strategy<Value = History> {
    (
        prop::bool::weighted(0.25),
        prop::sample::select(vec!["zero", "delete", "delete", "leave"]),
        prop::collection::vec((row_key(), value()), 12..24),
        prop::collection::vec(prop::collection::vec(step(), 1..6), 4..7),
    )
        .prop_map(|(starts_as_2_43, absent, rows, runs)| History {
            starts_as_2_43,
            absent,
            rows,
            runs,
        })
}

/// Numbers, zeros among them; seldom none, or what is no number.
fn value() -> impl Strategy<Value = Option<&'static str>> {
    let numbers = vec!["0", "1", "2", "5", "12", "2.5", "-1"];
    prop_oneof![
        18 => prop::sample::select(numbers).prop_map(Some),
        1 => Just(None),
        1 => Just(Some("many")),
    ]
}

/// Rows of keys that nobody knows are few: they protect whatever they may belong to.
fn row_key() -> impl Strategy<Value = RowKey> {
    let indicator = prop_oneof![30 => 0..3_usize, 1 => Just(3)];
    (0..TOWNS.len() - 1, indicator, 0..PERIODS.len())
}

fn cell() -> impl Strategy<Value = Cell> {
    (0..ELEMENTS.len(), 0..KNOWN_UNITS, 0..PERIODS.len())
}

fn rule() -> impl Strategy<Value = Option<Rule>> {
    prop_oneof![
        9 => (0..KNOWN_UNITS).prop_map(|unit| Some(Rule::Unit(unit))),
        1 => Just(Some(Rule::Unit(KNOWN_UNITS))),
        1 => Just(Some(Rule::Exclude)),
        1 => Just(None),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop::sample::select(vec![Act::Comment, Act::Mark, Act::Delete, Act::Delete])
}

fn step() -> impl Strategy<Value = Step> {
    let town = || 0..TOWNS.len() - 1;
    let line = prop::sample::select(vec![Line::InUse, Line::InUse, Line::Retired, Line::Gone]);
    let first_or_last = || prop::sample::select(vec![0, 2_usize]);
    let typed = prop::sample::select(vec!["0", "1", "5", "7"]);
    let mostly = || prop::bool::weighted(0.7);
    let seldom = || prop::bool::weighted(0.3);
    prop_oneof![
        8 => (row_key(), value()).prop_map(|(key, value)| Step::Put(key, value)),
        10 => any::<usize>().prop_map(Step::Remove),
        5 => (cell(), typed, seldom()).prop_map(|(cell, value, commented)| Step::Type(cell, value, commented)),
        6 => (any::<usize>(), act()).prop_map(|(number, act)| Step::Touch(number, act)),
        2 => (town(), 0..PERIODS.len(), rule()).prop_map(|(town, period, rule)| Step::Rule(town, period, rule)),
        2 => (town(), rule()).prop_map(|(town, rule)| Step::Move(town, rule)),
        1 => (first_or_last(), line).prop_map(|(element, line)| Step::Line(element, line)),
        2 => (first_or_last(), mostly()).prop_map(|(unit, assigned)| Step::Assigned(unit, assigned)),
        1 => (first_or_last(), seldom()).prop_map(|(unit, closed)| Step::Closed(unit, closed)),
        1 => (0..2_usize, any::<bool>()).prop_map(|(element, significant)| Step::Significant(element, significant)),
        1 => seldom().prop_map(Step::Expired),
        1 => Just(Step::Upgrade),
        2 => first_or_last().prop_map(Step::UnassignedWhilePosting),
        1 => Just(Step::OverwriteOnce),
    ]
}
