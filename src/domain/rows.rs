//! The accounting of rows: every row of a query ends in exactly one outcome, and the numbers in them add up.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Number, Period, ShownKey, Uid};

/// The dimensions in the order in which a row's first one without an answer is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Dimension {
    DataElement,
    CategoryOptionCombo,
    AttributeOptionCombo,
    OrgUnit,
}

impl Dimension {
    pub(crate) const ALL: [Dimension; 4] = [
        Dimension::DataElement,
        Dimension::CategoryOptionCombo,
        Dimension::AttributeOptionCombo,
        Dimension::OrgUnit,
    ];

    /// The name of its table in a mapping file.
    pub(crate) fn table(self) -> &'static str {
        match self {
            Dimension::DataElement => "data-element",
            Dimension::CategoryOptionCombo => "category-option-combo",
            Dimension::AttributeOptionCombo => "attribute-option-combo",
            Dimension::OrgUnit => "org-unit",
        }
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Dimension::DataElement => "data element",
            Dimension::CategoryOptionCombo => "category option combo",
            Dimension::AttributeOptionCombo => "attribute option combo",
            Dimension::OrgUnit => "organisation unit",
        })
    }
}

/// What became of a row, in the order in which the outcomes are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RowOutcome {
    Excluded,
    Unmapped,
    Empty,
    Invalid,
    Mapped,
}

impl RowOutcome {
    pub(crate) const ALL: [RowOutcome; 5] = [
        RowOutcome::Excluded,
        RowOutcome::Unmapped,
        RowOutcome::Empty,
        RowOutcome::Invalid,
        RowOutcome::Mapped,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            RowOutcome::Excluded => "excluded",
            RowOutcome::Unmapped => "unmapped",
            RowOutcome::Empty => "empty",
            RowOutcome::Invalid => "invalid",
            RowOutcome::Mapped => "mapped",
        }
    }
}

/// Rows by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RowCounts {
    pub(crate) rows: u64,
    pub(crate) excluded: u64,
    pub(crate) unmapped: u64,
    pub(crate) empty: u64,
    pub(crate) invalid: u64,
    pub(crate) mapped: u64,
}

impl RowCounts {
    pub(crate) fn count(&mut self, outcome: RowOutcome) {
        *match outcome {
            RowOutcome::Excluded => &mut self.excluded,
            RowOutcome::Unmapped => &mut self.unmapped,
            RowOutcome::Empty => &mut self.empty,
            RowOutcome::Invalid => &mut self.invalid,
            RowOutcome::Mapped => &mut self.mapped,
        } += 1;
    }

    pub(crate) fn add(&mut self, other: &RowCounts) {
        self.rows += other.rows;
        self.excluded += other.excluded;
        self.unmapped += other.unmapped;
        self.empty += other.empty;
        self.invalid += other.invalid;
        self.mapped += other.mapped;
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (RowOutcome, u64)> + '_ {
        RowOutcome::ALL
            .into_iter()
            .map(|outcome| (outcome, self.of(outcome)))
    }

    pub(crate) fn of(&self, outcome: RowOutcome) -> u64 {
        match outcome {
            RowOutcome::Excluded => self.excluded,
            RowOutcome::Unmapped => self.unmapped,
            RowOutcome::Empty => self.empty,
            RowOutcome::Invalid => self.invalid,
            RowOutcome::Mapped => self.mapped,
        }
    }

    pub(crate) fn balances(&self) -> bool {
        // Wider than the counts, which may come from somebody's document.
        let outcomes = self.iter().map(|(_, rows)| u128::from(rows));
        u128::from(self.rows) == outcomes.sum::<u128>()
    }
}

/// Rows of one period that reached no cell for one and the same key: it had no answer, or a rule leaves it out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct KeyGroup {
    pub(crate) outcome: RowOutcome,
    pub(crate) dimension: Dimension,
    pub(crate) key: ShownKey,
    pub(crate) period: Period,
    pub(crate) rows: u64,
}

/// The sums of the numbers of one data element whose rows are added up; exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    /// Over every row that is a number, as it came.
    pub(crate) rows: Number,
    /// Over the cells made of them.
    pub(crate) desired: Number,
    pub(crate) excluded: Number,
    pub(crate) unmapped: Number,
    /// A sum did not fit; nothing can be said of this data element's sums.
    pub(crate) overflowed: bool,
}

impl Sums {
    /// Adds a number to one of the sums.
    pub(crate) fn add(&mut self, sum: impl FnOnce(&mut Sums) -> &mut Number, number: Number) {
        let sum = sum(self);
        match sum.checked_add(number) {
            Some(total) => *sum = total,
            None => self.overflowed = true,
        }
    }

    pub(crate) fn balances(&self) -> bool {
        let parts = self
            .desired
            .checked_add(self.excluded)
            .and_then(|parts| parts.checked_add(self.unmapped));
        self.overflowed || parts == Some(self.rows)
    }
}

/// All that is known of the rows of a mapping's run.
#[derive(Clone, Debug, Default)]
pub(crate) struct RowAccount {
    pub(crate) periods: BTreeMap<Period, RowCounts>,
    /// Excluded and unmapped rows by key; ordered, and bounded.
    pub(crate) keys: Vec<KeyGroup>,
    /// Rows whose key no longer found a place in `keys`.
    pub(crate) rows_of_other_keys: u64,
    /// Rows by query; a query without any is there too.
    pub(crate) queries: BTreeMap<String, u64>,
    /// Per data element with `combine = sum`; None: rows without a data element.
    pub(crate) sums: BTreeMap<Option<Uid>, Sums>,
}

impl RowAccount {
    pub(crate) fn total(&self) -> RowCounts {
        let mut total = RowCounts::default();
        for counts in self.periods.values() {
            total.add(counts);
        }
        total
    }

    pub(crate) fn balances(&self) -> bool {
        self.periods.values().all(RowCounts::balances) && self.sums.values().all(Sums::balances)
    }
}

#[cfg(test)]
mod tests {
    use super::{RowCounts, RowOutcome, Sums};
    use crate::domain::Number;

    #[test]
    fn rows_balance_when_each_has_one_outcome() {
        for outcome in RowOutcome::ALL {
            let mut counts = RowCounts::default();
            counts.rows += 1;
            assert!(!counts.balances());
            counts.count(outcome);
            assert!(counts.balances());
            counts.count(outcome);
            assert!(!counts.balances());
        }
        // Counts that somebody wrote into a document do not overflow.
        let counts = RowCounts {
            excluded: u64::MAX,
            mapped: 1,
            ..RowCounts::default()
        };
        assert!(!counts.balances());
    }

    #[test]
    fn sums_balance_to_the_last_decimal() {
        let number = |text: &str| Number::parse(text).unwrap();
        let mut sums = Sums {
            rows: number("0.6"),
            desired: number("0.1"),
            excluded: number("0.2"),
            unmapped: number("0.3"),
            overflowed: false,
        };
        assert!(sums.balances());
        sums.desired = number("0.10000000000000000001");
        assert!(!sums.balances());
        sums.overflowed = true;
        assert!(sums.balances());
    }
}
