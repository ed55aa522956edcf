//! Counts every row as it gets its outcome, and adds up the numbers in them.

use std::collections::{BTreeMap, HashMap};

use crate::domain::{
    Dimension, KeyGroup, Number, Period, RowAccount, RowCounts, RowOutcome, ShownKey, Sums, Total,
    Uid,
};

/// Different keys without an answer that are kept apart; a broken query can have millions.
const KEYS: usize = 10_000;

#[derive(Default)]
pub(super) struct Ledger {
    periods: BTreeMap<Period, RowCounts>,
    keys: HashMap<LostRow, u64>,
    rows_of_other_keys: u64,
    queries: BTreeMap<String, u64>,
    sums: BTreeMap<Option<Uid>, Totals>,
}

/// What the rows of one data element add up to.
#[derive(Default)]
struct Totals {
    rows: Total,
    excluded: Total,
    unmapped: Total,
}

/// A row without a cell; those of one key are counted together.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct LostRow {
    pub(super) outcome: RowOutcome,
    pub(super) dimension: Dimension,
    pub(super) key: Vec<Option<String>>,
    pub(super) period: Period,
}

impl Ledger {
    /// A result of a query begins.
    pub(super) fn query(&mut self, query: &str) {
        self.queries.entry(query.to_owned()).or_default();
    }

    /// A row of a query.
    pub(super) fn row(&mut self, query: &str) {
        if let Some(rows) = self.queries.get_mut(query) {
            *rows += 1;
        }
    }

    /// A row that a rule leaves out, or a dimension of which has no answer.
    pub(super) fn lost(&mut self, row: LostRow, data_element: Option<Uid>, number: Option<Number>) {
        self.count(row.outcome, row.period);
        if let Some(number) = number {
            let totals = self.sums.entry(data_element).or_default();
            totals.rows.add(number);
            match row.outcome {
                RowOutcome::Excluded => totals.excluded.add(number),
                _ => totals.unmapped.add(number),
            }
        }
        if let Some(rows) = self.keys.get_mut(&row) {
            *rows += 1;
        } else if self.keys.len() < KEYS {
            self.keys.insert(row, 1);
        } else {
            self.rows_of_other_keys += 1;
        }
    }

    /// A row that feeds a cell; `number` where its data element's rows are added up.
    pub(super) fn mapped(
        &mut self,
        period: Period,
        data_element: Option<Uid>,
        number: Option<Number>,
    ) {
        self.count(RowOutcome::Mapped, period);
        if let Some(number) = number {
            self.sums.entry(data_element).or_default().rows.add(number);
        }
    }

    /// The account of all rows. `desired` are the sums over the cells; `show` makes keys fit to be seen.
    pub(super) fn close(
        mut self,
        periods: &[Period],
        desired: BTreeMap<Uid, Option<Number>>,
        show: impl Fn(Dimension, &[Option<String>]) -> ShownKey,
    ) -> RowAccount {
        for period in periods {
            self.periods.entry(*period).or_default();
        }
        let sums = self
            .sums
            .into_iter()
            .map(|(element, totals)| {
                let of_cells = element.and_then(|element| desired.get(&element).copied());
                let sums = totals.close(of_cells.unwrap_or(Some(Number::ZERO)));
                (element, sums)
            })
            .collect();
        let mut keys: Vec<KeyGroup> = self
            .keys
            .into_iter()
            .map(|(lost, rows)| KeyGroup {
                outcome: lost.outcome,
                dimension: lost.dimension,
                key: show(lost.dimension, &lost.key),
                period: lost.period,
                rows,
            })
            .collect();
        keys.sort_unstable();
        RowAccount {
            periods: self.periods,
            keys,
            rows_of_other_keys: self.rows_of_other_keys,
            queries: self.queries,
            sums,
        }
    }

    /// Counts a row; one that is empty or invalid has nothing more to it.
    pub(super) fn count(&mut self, outcome: RowOutcome, period: Period) {
        let counts = self.periods.entry(period).or_default();
        counts.rows += 1;
        counts.count(outcome);
    }
}

impl Totals {
    /// `desired`: of the cells made of the rows; None: it does not fit.
    fn close(self, desired: Option<Number>) -> Sums {
        let sums = || {
            Some(Sums {
                rows: self.rows.sum()?,
                desired: desired?,
                excluded: self.excluded.sum()?,
                unmapped: self.unmapped.sum()?,
                overflowed: false,
            })
        };
        sums().unwrap_or(Sums {
            overflowed: true,
            ..Sums::default()
        })
    }
}
