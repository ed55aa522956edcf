//! What is live in a mapping's cells, counted while it is compared: what the guards measure changes against.

use std::collections::BTreeMap;

use crate::domain::{Cell, Number, Period, Uid, reads_as_zero};

#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Every live cell was counted.
    pub(super) is_whole: bool,
    /// Live cells, whoever stored them.
    pub(super) live: BTreeMap<Period, u64>,
    /// Our live cells.
    pub(super) ours: BTreeMap<Period, u64>,
    pub(super) by_unit: BTreeMap<(Period, Uid), u64>,
    pub(super) by_element: BTreeMap<(Period, Uid), u64>,
    /// Our live cells by data element that are not zero.
    pub(super) counted: BTreeMap<Uid, u64>,
    /// The live totals of data elements that are summed up, whoever stored the values; None: one does not fit.
    pub(super) totals: BTreeMap<(Period, Uid), Option<Number>>,
}

impl Tally {
    /// Takes in a live value.
    pub(super) fn note(&mut self, cell: &Cell, value: &str, ours: bool, is_summed: bool) {
        let element = (cell.period, cell.triple.data_element);
        *self.live.entry(cell.period).or_default() += 1;
        if ours {
            *self.ours.entry(cell.period).or_default() += 1;
            let unit = (cell.period, cell.org_unit);
            *self.by_unit.entry(unit).or_default() += 1;
            // A zero is nothing that a query would have to return.
            let counts = !reads_as_zero(value);
            *self.by_element.entry(element).or_default() += 1;
            *self.counted.entry(cell.triple.data_element).or_default() += u64::from(counts);
        }
        if is_summed {
            let total = self.totals.entry(element).or_insert(Some(Number::ZERO));
            let number = Number::parse(value).ok();
            *total = total
                .zip(number)
                .and_then(|(total, number)| total.checked_add(number));
        }
    }
}
