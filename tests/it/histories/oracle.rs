//! What must become of every cell, computed a second time and simply: by going through all rows for each cell.

use std::collections::{BTreeMap, BTreeSet};

use rig::dhis2::Dialect;

use super::facts::{Facts, Stored};
use super::steps::{Cell, ELEMENTS, KNOWN_UNITS, Line, PERIODS, RowKey, Rule, UNITS};

/// Where every row ends, tried in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RowOutcome {
    Excluded,
    Unmapped,
    Empty,
    Invalid,
    Mapped,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Unchanged,
    /// Every reason that fits.
    Left(BTreeSet<&'static str>),
    Closed,
    Blocked(&'static str),
    /// Somebody else's value differs.
    Hold,
    Create(f64),
    Update(f64),
    Zero,
    Delete,
}

impl Outcome {
    pub(super) fn is_change(&self) -> bool {
        matches!(
            self,
            Outcome::Create(_) | Outcome::Update(_) | Outcome::Zero | Outcome::Delete
        )
    }
}

/// All that a run must do and tell.
pub(super) struct Expected {
    pub(super) cells: BTreeMap<Cell, Outcome>,
    pub(super) stranded: BTreeSet<Cell>,
    pub(super) rows: BTreeMap<RowOutcome, u64>,
    /// By data element; `None` for rows whose indicator is unknown. Of rows that are numbers: all, those of cells, those
    /// that a rule excludes, and those unmapped.
    pub(super) sums: BTreeMap<Option<usize>, [f64; 4]>,
}

impl Expected {
    pub(super) fn of(facts: &Facts, stored: &BTreeMap<Cell, Stored>) -> Expected {
        let oracle = Oracle { facts, stored };
        let mut expected = Expected {
            cells: BTreeMap::new(),
            stranded: BTreeSet::new(),
            rows: BTreeMap::new(),
            sums: BTreeMap::new(),
        };
        for (key, value) in &facts.rows {
            let outcome = oracle.row(*key, value.as_deref());
            *expected.rows.entry(outcome).or_default() += 1;
            let place = match outcome {
                RowOutcome::Excluded => 2,
                RowOutcome::Unmapped => 3,
                _ => 1,
            };
            if let Some(number) = value.as_deref().and_then(number) {
                let sums = expected.sums.entry(oracle.element(*key)).or_default();
                sums[0] += number;
                sums[place] += number;
            }
        }
        for element in 0..ELEMENTS.len() {
            for unit in 0..UNITS.len() {
                for period in 0..PERIODS.len() {
                    let cell = (element, unit, period);
                    if let Some(outcome) = oracle.cell(cell) {
                        expected.cells.insert(cell, outcome);
                    }
                    if oracle.is_stranded(cell) {
                        expected.stranded.insert(cell);
                    }
                }
            }
        }
        expected
    }

    /// Nothing of the mapping is sent.
    pub(super) fn is_held(&self) -> bool {
        self.cells.values().any(|outcome| *outcome == Outcome::Hold)
    }

    pub(super) fn changes(&self) -> usize {
        let all = self.cells.values();
        all.filter(|outcome| outcome.is_change()).count()
    }
}

/// What the rows of a cell say together.
#[derive(Default)]
struct Statement {
    sum: Option<f64>,
    has_empty: bool,
    has_invalid: bool,
}

struct Oracle<'w> {
    facts: &'w Facts,
    stored: &'w BTreeMap<Cell, Stored>,
}

impl Oracle<'_> {
    fn element(&self, (_, indicator, _): RowKey) -> Option<usize> {
        let line = self.facts.lines.get(indicator)?;
        (*line == Line::InUse).then_some(indicator)
    }

    fn unit(&self, (town, _, period): RowKey) -> Option<usize> {
        match self.facts.rules.get(&(town, period))? {
            Rule::Unit(unit) => Some(*unit),
            Rule::Exclude => None,
        }
    }

    fn row(&self, key: RowKey, value: Option<&str>) -> RowOutcome {
        let (town, _, period) = key;
        if self.facts.rules.get(&(town, period)) == Some(&Rule::Exclude) {
            RowOutcome::Excluded
        } else if self.element(key).is_none() || self.unit(key).is_none() {
            RowOutcome::Unmapped
        } else if value.is_none() {
            RowOutcome::Empty
        } else if value.and_then(number).is_none() {
            RowOutcome::Invalid
        } else {
            RowOutcome::Mapped
        }
    }

    fn statement(&self, cell: Cell) -> Statement {
        let mut statement = Statement::default();
        for (key, value) in &self.facts.rows {
            let place = (self.element(*key), self.unit(*key), key.2);
            if place != (Some(cell.0), Some(cell.1), cell.2) {
                continue;
            }
            match value.as_deref().map(number) {
                None => statement.has_empty = true,
                Some(None) => statement.has_invalid = true,
                Some(Some(number)) => *statement.sum.get_or_insert(0.0) += number,
            }
        }
        statement
    }

    /// Whether a row that has no place in DHIS2 agrees with the cell in all that is known of it.
    fn is_protected(&self, (element, unit, period): Cell) -> bool {
        self.facts.rows.iter().any(|(key, value)| {
            let outcome = self.row(*key, value.as_deref());
            let reached = self.unit(*key).filter(|unit| self.is_assigned(*unit));
            let has_place = outcome == RowOutcome::Mapped && reached.is_some();
            outcome != RowOutcome::Excluded
                && !has_place
                && key.2 == period
                && self.element(*key).is_none_or(|known| known == element)
                && reached.is_none_or(|known| known == unit)
        })
    }

    fn is_assigned(&self, unit: usize) -> bool {
        self.facts.assigned.get(unit) == Some(&true)
    }

    fn is_in_scope(&self, (element, unit, _): Cell) -> bool {
        self.facts.lines[element] != Line::Gone && self.is_assigned(unit)
    }

    fn is_stranded(&self, cell: Cell) -> bool {
        let row = self.stored.get(&cell);
        let ours = row.is_some_and(|row| row.live().is_some() && row.by == "loader");
        ours && !self.is_in_scope(cell)
    }

    /// `None`: no cell of this mapping.
    fn cell(&self, cell: Cell) -> Option<Outcome> {
        let (element, unit, period) = cell;
        // What is not assigned is not read.
        let row = self.stored.get(&cell).filter(|_| self.is_assigned(unit));
        let live = row.and_then(Stored::live);
        let live = live.map(|value| number(value).expect("a number"));
        let theirs = row.is_some_and(|row| match row.live() {
            Some(_) => row.by != "loader",
            None => self.facts.deleted_by_people.contains(&cell),
        });
        let says = self.statement(cell);
        if says.sum.is_none() && (live.is_none() || !self.is_in_scope(cell)) {
            return None;
        }
        let absent = match (self.facts.absent, self.facts.lines[element]) {
            ("leave", Line::Retired) => "delete",
            (absent, _) => absent,
        };
        if self.is_unchanged(element, &says, live, absent == "zero" && !theirs) {
            return Some(Outcome::Unchanged);
        }
        let left = self.reasons_to_leave(cell, &says, theirs, absent);
        if !left.is_empty() {
            return Some(Outcome::Left(left));
        }
        if self.facts.expired && period == 0 {
            return Some(Outcome::Closed);
        }
        let change = match (says.sum, live, absent) {
            (Some(sum), None, _) => Outcome::Create(sum),
            (Some(sum), Some(_), _) => Outcome::Update(sum),
            (None, _, "delete") => Outcome::Delete,
            (None, _, _) => Outcome::Zero,
        };
        Some(match self.refusal(cell, &says, &change) {
            Some(why) => Outcome::Blocked(why),
            None if theirs && self.facts.foreign == "hold" => Outcome::Hold,
            None => change,
        })
    }

    fn is_unchanged(
        &self,
        element: usize,
        says: &Statement,
        live: Option<f64>,
        zero_is_absent: bool,
    ) -> bool {
        let nothing = |number: f64| number == 0.0 && !self.facts.significant[element];
        match (says.sum, live) {
            (Some(sum), Some(live)) => sum == live,
            (Some(sum), None) => nothing(sum),
            (None, Some(live)) => nothing(live) || (zero_is_absent && live == 0.0),
            (None, None) => true,
        }
    }

    fn reasons_to_leave(
        &self,
        cell: Cell,
        says: &Statement,
        theirs: bool,
        absent: &str,
    ) -> BTreeSet<&'static str> {
        let gone = says.sum.is_none();
        let reasons = [
            ("empty-row", says.has_empty),
            (
                "foreign-kept",
                !gone && theirs && self.facts.foreign == "keep",
            ),
            ("foreign", gone && theirs),
            ("absent", gone && absent == "leave"),
            ("unplaced", gone && self.is_protected(cell)),
        ];
        let fitting = reasons.into_iter().filter(|(_, fits)| *fits);
        fitting.map(|(reason, _)| reason).collect()
    }

    /// Why this version of DHIS2 would refuse the change.
    fn refusal(
        &self,
        (element, unit, period): Cell,
        says: &Statement,
        change: &Outcome,
    ) -> Option<&'static str> {
        // INTEGER_POSITIVE.
        let takes = |number: f64| element != 2 || (number >= 1.0 && number.fract() == 0.0);
        if says.sum.is_some() && says.has_invalid {
            return Some("invalid-row");
        }
        if unit >= KNOWN_UNITS {
            return Some("unknown-org-unit");
        }
        if !self.is_assigned(unit) {
            return Some("org-unit-not-in-data-set");
        }
        if self.facts.dialect == Dialect::V2_43 && self.facts.closed[unit] && period == 1 {
            return Some("org-unit-closed");
        }
        match change {
            Outcome::Create(value) | Outcome::Update(value) if !takes(*value) => Some("value-type"),
            Outcome::Zero if !takes(0.0) => Some("zero-refused"),
            _ => None,
        }
    }
}

/// A number as the source and DHIS2 write it here: exact in binary.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok()
}
