//! PeriodTotals of data elements over all organisation units, by period: what a month is held against that stands out.

use std::collections::BTreeMap;

use super::{Number, Period, Uid};

/// A period that is not there is not known; a data element that is not there has no value in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PeriodTotals(BTreeMap<Period, BTreeMap<Uid, Number>>);

impl PeriodTotals {
    /// The period is known, also if no value is added.
    pub(crate) fn know(&mut self, period: Period) -> &mut BTreeMap<Uid, Number> {
        self.0.entry(period).or_default()
    }

    /// Adds a value; a sum that does not fit stays what it was.
    pub(crate) fn add(&mut self, period: Period, data_element: Uid, value: Number) {
        let total = self.know(period).entry(data_element).or_default();
        *total = total.checked_add(value).unwrap_or(*total);
    }

    pub(crate) fn knows(&self, period: Period) -> bool {
        self.0.contains_key(&period)
    }

    pub(crate) fn of(&self, period: Period, data_element: Uid) -> Option<Number> {
        let totals = self.0.get(&period)?;
        Some(totals.get(&data_element).copied().unwrap_or_default())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Period, &BTreeMap<Uid, Number>)> {
        self.0.iter().map(|(period, totals)| (*period, totals))
    }
}
