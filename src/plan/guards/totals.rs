//! Guards on the total of a data element over all organisation units: it falls, it rises, or it stands out.

use std::collections::BTreeSet;

use jiff::ToSpan;

use super::Measure;
use super::counts::{ChangeCounts, Difference};
use crate::domain::{
    Concerns, FEWEST, LEAST_TOTAL, Number, Period, PeriodTotals, Sent, Share, Trip, Uid,
};
use crate::plan::{Plan, Target};

/// Periods before one that may stand out.
const BEFORE: i32 = 12;
/// So many of them must have a total, or nothing is usual.
const FEWEST_BEFORE: usize = 6;

/// What the changes do to one total.
#[derive(Clone, Copy)]
struct Movement {
    period: Period,
    data_element: Uid,
    /// The live total, whoever stored its values.
    live: Number,
    difference: Difference,
}

impl Measure<'_> {
    pub(super) fn decreased(&self) -> Vec<Trip> {
        let share = self.source.guards.max_decrease;
        let falls = |each: Movement| {
            let (before, after) = (each.difference.before, each.difference.after);
            let fall = before.distance(after);
            let trips = after < before
                && each.difference.falling >= FEWEST
                && each.moves_more(fall, share)?;
            trips.then(|| {
                let words = format!(
                    "the total of {} would fall by {fall} from {}, and max-decrease allows {share}; look for what is gone from the source",
                    self.name(each.data_element),
                    each.live
                );
                each.trip("max-decrease", words)
            })
        };
        self.movements().filter_map(falls).collect()
    }

    /// Looks only at periods that are over: one that has begun grows from nothing.
    pub(super) fn increased(&self) -> Vec<Trip> {
        let share = self.source.guards.max_increase;
        let rises = |each: Movement| {
            let (before, after) = (each.difference.before, each.difference.after);
            let rise = after.distance(before);
            let trips = after > before
                && each.difference.rising >= FEWEST
                && self.is_over(each.period)
                && each.moves_more(rise, share)?;
            trips.then(|| {
                let words = format!(
                    "the total of {} would rise by {rise} from {}, and max-increase allows {share} of a period that is over; look for rows that are counted twice",
                    self.name(each.data_element),
                    each.live
                );
                each.trip("max-increase", words)
            })
        };
        self.movements().filter_map(rises).collect()
    }

    /// PeriodTotals beyond anything usual: those that hold a period that is over, and what is told of one that is not.
    pub(super) fn spikes(&self) -> (Vec<Trip>, Vec<String>) {
        let (mut trips, mut told) = (Vec::new(), Vec::new());
        let times = self.source.guards.max_spike;
        let rising = self.movements().filter(Movement::may_stand_out);
        for each in rising.filter(|_| times > 0) {
            let Some(usual) = self.exceeded(&each, times) else {
                continue;
            };
            let words = format!(
                "the total of {} would be {}, more than {times} times {usual}",
                self.name(each.data_element),
                each.total()
            );
            if self.is_over(each.period) {
                let words = format!(
                    "{words}, which is all that max-spike allows; look for rows that are counted twice, or release it if it was a campaign"
                );
                trips.push(each.trip("max-spike", words));
            } else {
                told.push(format!(
                    "{}: {words}; the period is not over, and nothing is held",
                    each.period
                ));
            }
        }
        (trips, told)
    }

    /// What is usual, in words, where a total is beyond it.
    fn exceeded(&self, each: &Movement, times: u32) -> Option<String> {
        let total = |period| self.total_of(period, each.data_element);
        let mut before: Vec<Number> = before(each.period).filter_map(total).collect();
        before.retain(|total| !total.is_zero());
        if before.len() < FEWEST_BEFORE {
            return None;
        }
        before.sort_unstable();
        let at = |place: usize| before.get(place).copied().unwrap_or_default();
        let (low, high) = (at((before.len() - 1) / 2), at(before.len() / 2));
        // Both sides twice: half of a sum may not be exact.
        let twice_the_median = low.checked_add(high)?;
        let a_year_ago = a_year_ago(each.period).and_then(total).unwrap_or_default();
        let is_beyond = each.total().checked_times(2)? > twice_the_median.checked_times(times)?
            && each.total() > a_year_ago.checked_times(times)?;
        is_beyond.then(|| {
            let median = match low == high {
                true => low.to_string(),
                false => format!("{low} to {high}"),
            };
            format!("the median of the periods before ({median}) and the same period a year ago ({a_year_ago})")
        })
    }

    /// The total of a period: of this plan's own once it is done, of others as far as they are known.
    fn total_of(&self, period: Period, data_element: Uid) -> Option<Number> {
        if !self.plan.account.periods.contains_key(&period) {
            return self.plan.earlier.of(period, data_element);
        }
        let key = (period, data_element);
        let live = self.plan.tally.elements.get(&key)?.total?;
        let difference = self.moved.totals.get(&key).copied();
        Some(difference.unwrap_or_default().applied_to(live))
    }

    fn movements(&self) -> impl Iterator<Item = Movement> + '_ {
        movements(self.plan, &self.moved)
    }
}

fn movements<'m>(plan: &'m Plan, counts: &'m ChangeCounts) -> impl Iterator<Item = Movement> + 'm {
    let totals = counts.totals.iter();
    totals.filter_map(|((period, data_element), difference)| {
        let counted = plan.tally.elements.get(&(*period, *data_element));
        Some(Movement {
            period: *period,
            data_element: *data_element,
            // Where no value is live yet there is no count.
            live: counted.map_or(Some(Number::ZERO), |counted| counted.total)?,
            difference: *difference,
        })
    })
}

impl Movement {
    fn total(&self) -> Number {
        self.difference.applied_to(self.live)
    }

    /// Whether a total that is worth guarding moves by more than the share; None where that does not fit.
    fn moves_more(&self, by: Number, share: Share) -> Option<bool> {
        let allowed = self
            .live
            .checked_times(share.in_hundredths_of_a_percent())?;
        Some(self.live >= least_total() && by.checked_times(Share::WHOLE)? > allowed)
    }

    fn may_stand_out(&self) -> bool {
        self.difference.after > self.difference.before && self.total() >= least_total()
    }

    fn trip(&self, guard: &'static str, words: String) -> Trip {
        Trip {
            guard,
            period: Some(self.period),
            concerns: Concerns::DataElement(self.data_element),
            words,
        }
    }
}

impl Plan {
    /// Periods beside its own whose totals tell whether one of this plan stands out. A run that raises no total of some
    /// size needs none.
    pub(crate) fn periods_to_compare_with(&self, target: &Target) -> BTreeSet<Period> {
        let counts = ChangeCounts::of(self, self.changes.iter(), target);
        let rising = movements(self, &counts).filter(Movement::may_stand_out);
        let periods: BTreeSet<Period> = rising.map(|each| each.period).collect();
        let earlier = periods
            .iter()
            .flat_map(|period| before(*period).chain(a_year_ago(*period)));
        let others = earlier.filter(|period| !self.account.periods.contains_key(period));
        others.collect()
    }

    /// The totals that are known once the changes ended as told: of the periods that were compared, and of those that they
    /// were held against.
    pub(crate) fn totals(&self, target: &Target, sent: &[Sent]) -> PeriodTotals {
        let mut totals = self.earlier.clone();
        if !self.tally.is_whole {
            return totals;
        }
        let each = self.changes.iter().zip(sent);
        let confirmed = each.filter(|(_, sent)| **sent == Sent::Confirmed);
        let confirmed = confirmed.map(|(change, _)| change);
        let counts = ChangeCounts::of(self, confirmed, target);
        let is_held = |period: &Period| self.held_periods.contains(period);
        for period in self
            .account
            .periods
            .keys()
            .filter(|period| !is_held(period))
        {
            totals.know(*period).clear();
        }
        let live = self.tally.elements.iter();
        for ((period, data_element), counted) in live.filter(|((period, _), _)| !is_held(period)) {
            if target.is_summed(*data_element) {
                totals.add(*period, *data_element, counted.total.unwrap_or_default());
            }
        }
        for ((period, data_element), difference) in &counts.totals {
            totals.add(*period, *data_element, difference.after);
            totals.add(*period, *data_element, difference.before.negative());
        }
        totals
    }
}

fn least_total() -> Number {
    Number::parse(LEAST_TOTAL).unwrap_or(Number::ZERO)
}

/// The twelve periods before one, the last first.
fn before(period: Period) -> impl Iterator<Item = Period> {
    (1..=BEFORE).map(move |distance| period.plus(-distance))
}

/// The period in which the middle day of this one lies, a year earlier.
fn a_year_ago(period: Period) -> Option<Period> {
    let days = (period.end() - period.start()).get_days();
    let middle = period.start().checked_add((days / 2).days()).ok()?;
    let then = middle.checked_sub(1.year()).ok()?;
    Some(period.period_type().containing(then))
}
