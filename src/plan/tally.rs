//! What is live in a mapping's cells, counted while it is compared: what the guards measure changes against.

use std::collections::BTreeMap;

use super::Target;
use super::judge::Case;
use crate::domain::{Number, Period, Uid, reads_as_zero};

#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Every live cell was counted.
    pub(super) is_whole: bool,
    pub(super) units: BTreeMap<(Period, Uid), OfUnit>,
    pub(super) elements: BTreeMap<(Period, Uid), OfElement>,
}

/// Live cells of an organisation unit in a period.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfUnit {
    /// Whoever stored them.
    live: u64,
    pub(super) ours: u64,
}

/// Live cells of a data element in a period.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfElement {
    pub(super) ours: u64,
    /// Those of ours that a query would have to return: a zero is nothing.
    not_zero: u64,
    /// Where DHIS2 adds the values up, whoever stored them; None: it does not fit.
    pub(super) total: Option<Number>,
}

impl Tally {
    /// Takes in the live value of a cell, if there is one.
    pub(super) fn note(&mut self, case: &Case<'_>, target: &Target) {
        let (cell, ours) = (&case.cell, !case.theirs);
        let Some(value) = case.live else {
            return;
        };
        let unit = self.units.entry((cell.period, cell.org_unit)).or_default();
        unit.live += 1;
        unit.ours += u64::from(ours);
        let element = (cell.period, cell.triple.data_element);
        let element = self.elements.entry(element).or_insert(OfElement {
            ours: 0,
            not_zero: 0,
            total: Some(Number::ZERO),
        });
        element.ours += u64::from(ours);
        element.not_zero += u64::from(ours && !reads_as_zero(value));
        if target.is_summed(cell.triple.data_element) {
            let number = Number::parse(value).ok();
            element.total = element
                .total
                .zip(number)
                .and_then(|(total, number)| total.checked_add(number));
        }
    }

    /// Live cells by period, whoever stored them.
    pub(super) fn live(&self) -> BTreeMap<Period, u64> {
        self.by_period(|unit| unit.live)
    }

    /// Our live cells by period.
    pub(super) fn ours(&self) -> BTreeMap<Period, u64> {
        self.by_period(|unit| unit.ours)
    }

    /// Our live cells by data element that are not zero.
    pub(super) fn not_zero(&self) -> BTreeMap<Uid, u64> {
        let mut elements = BTreeMap::new();
        for ((_, element), counts) in &self.elements {
            *elements.entry(*element).or_default() += counts.not_zero;
        }
        elements
    }

    fn by_period(&self, count: impl Fn(&OfUnit) -> u64) -> BTreeMap<Period, u64> {
        let mut periods = BTreeMap::new();
        for ((period, _), unit) in &self.units {
            *periods.entry(*period).or_default() += count(unit);
        }
        periods
    }
}
