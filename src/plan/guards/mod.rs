//! Guards: whether the source went wrong rather than changed. Each says what it expected and what it found, and holds what
//! it concerns.

mod counts;
mod totals;

use std::collections::{BTreeMap, BTreeSet};

use super::{Plan, Target};
use crate::domain::{Concerns, Desired, FEWEST, GuardLimits, Period, RowCounts, Share, Trip, Uid};
use counts::ChangeCounts;

/// What the guards must know of the source beside the plan.
pub(crate) struct SourceCounts {
    guards: GuardLimits,
    periods: BTreeMap<Period, RowCounts>,
    queries: BTreeMap<String, u64>,
    /// Data elements that some row is about.
    elements: BTreeSet<Uid>,
}

impl SourceCounts {
    pub(crate) fn of(desired: &Desired) -> SourceCounts {
        let mut elements: BTreeSet<Uid> = desired.rows.sums.keys().copied().flatten().collect();
        let triples = desired.space.triples().iter();
        elements.extend(triples.map(|triple| triple.data_element));
        let unplaced = desired.unplaced.iter();
        elements.extend(unplaced.filter_map(|unplaced| unplaced.place.data_element));
        SourceCounts {
            guards: desired.guards.clone(),
            periods: desired.rows.periods.clone(),
            queries: desired.rows.queries.clone(),
            elements,
        }
    }
}

/// The whole run, of which a plan may be a part.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunSoFar<'a> {
    /// Rows of this part and those before it.
    pub(crate) rows: u64,
    /// No part comes after this one.
    pub(crate) is_last: bool,
    /// The age of the document that is pushed, in seconds.
    pub(crate) age: Option<u64>,
    /// Values of ours that the last run confirmed, by period.
    pub(crate) confirmed: &'a BTreeMap<Period, u64>,
    /// Periods that were not over when they were confirmed last: what came to them since was only late.
    pub(crate) unfinished: &'a BTreeSet<Period>,
}

/// What the guards say of a plan.
pub(crate) struct Guarded {
    /// Those that hold something, in the order of their periods.
    pub(crate) trips: Vec<Trip>,
    /// What people are told of a period that is not over, and that holds nothing.
    pub(crate) told: Vec<String>,
}

/// Asks every guard about a plan.
pub(crate) fn trips(
    source: &SourceCounts,
    plan: &Plan,
    target: &Target,
    run: RunSoFar<'_>,
) -> Guarded {
    let measure = Measure {
        source,
        plan,
        target,
        run,
        moved: ChangeCounts::of(plan, plan.changes.iter(), target),
        ours: plan.tally.ours(),
    };
    let mut trips = measure.rows();
    trips.extend(measure.silent_queries());
    trips.extend(measure.vanished(run.confirmed));
    trips.extend(measure.withdrawn());
    trips.extend(measure.changed());
    trips.extend(measure.decreased());
    trips.extend(measure.increased());
    let (spikes, told) = measure.spikes();
    trips.extend(spikes);
    trips.sort_by_key(|trip| trip.period);
    trips.extend(of_run(&source.guards, plan, run));
    Guarded { trips, told }
}

/// Those that are measured over the whole run.
fn of_run(guards: &GuardLimits, plan: &Plan, run: RunSoFar<'_>) -> Vec<Trip> {
    let mut trips = Vec::new();
    // An early part of a long run may have no rows, as long as nothing rests on that.
    let rests = run.is_last || !plan.changes.is_empty();
    // Nothing expected and nothing there is the first hour of a month; a number that somebody wrote is expected.
    let live: u64 = plan.tally.live().values().sum();
    let expected = guards.min_rows.unwrap_or(u64::from(live >= FEWEST));
    if run.rows < expected && rests {
        trips.push(Trip {
            guard: "min-rows",
            period: None,
            concerns: Concerns::Everything,
            words: format!(
                "the queries returned {} rows, and min-rows expects {}; is this the right database, and is it filled?",
                run.rows, expected
            ),
        });
    }
    if let Some(age) = run.age.filter(|age| *age > guards.max_age) {
        trips.push(Trip {
            guard: "max-age",
            period: None,
            concerns: Concerns::Everything,
            words: format!(
                "the document is {} minutes old, and max-age allows {}; extract and map again",
                age / 60,
                guards.max_age / 60
            ),
        });
    }
    trips
}

struct Measure<'a> {
    source: &'a SourceCounts,
    plan: &'a Plan,
    target: &'a Target,
    run: RunSoFar<'a>,
    moved: ChangeCounts,
    /// Our live cells by period.
    ours: BTreeMap<Period, u64>,
}

impl Measure<'_> {
    /// Too many rows that reach no cell.
    fn rows(&self) -> Vec<Trip> {
        let guards = &self.source.guards;
        let mut trips = Vec::new();
        for (period, rows) in &self.source.periods {
            let measured = [
                (
                    "max-unmapped",
                    guards.max_unmapped,
                    rows.unmapped,
                    rows.rows.saturating_sub(rows.excluded),
                    "rows are unmapped",
                    "add or mend the rules, or the lines of the map file, that they need",
                ),
                (
                    "max-excluded",
                    guards.max_excluded,
                    rows.excluded,
                    rows.rows,
                    "rows are excluded by a rule",
                    "look at the rules that exclude",
                ),
            ];
            for (guard, share, part, whole, what, next) in measured {
                let trip = over(share, part, whole).map(|found| Trip {
                    guard,
                    period: Some(*period),
                    concerns: Concerns::Everything,
                    words: format!(
                        "{part} of {whole} {what} ({found}), and {guard} allows {share}; {next}"
                    ),
                });
                trips.extend(trip);
            }
        }
        trips
    }

    /// A query without any row, while DHIS2 holds values of ours that no row is about.
    fn silent_queries(&self) -> Option<Trip> {
        let silent: Vec<&str> = self
            .source
            .queries
            .iter()
            .filter(|(_, rows)| **rows == 0)
            .map(|(query, _)| query.as_str())
            .collect();
        let mut cells = 0;
        let mut elements = BTreeSet::new();
        for (element, count) in self.plan.tally.not_zero() {
            if count > 0 && !self.source.elements.contains(&element) {
                cells += count;
                elements.insert(element);
            }
        }
        let first = elements.first()?;
        if silent.is_empty() || cells < FEWEST {
            return None;
        }
        Some(Trip {
            guard: "silent-query",
            period: None,
            concerns: Concerns::Everything,
            words: format!(
                "{} returned no row, and DHIS2 holds {cells} values of ours of {} data elements that no row is about, such as {}; look at what the query reads",
                silent.join(", "),
                elements.len(),
                self.name(*first)
            ),
        })
    }

    /// Periods of which DHIS2 shows less than half of the values that were confirmed as ours before.
    fn vanished(&self, confirmed: &BTreeMap<Period, u64>) -> Vec<Trip> {
        let shown = self.plan.tally.live();
        let vanished = self.source.periods.keys().filter_map(|period| {
            let count = confirmed.get(period).copied().filter(|count| *count >= FEWEST)?;
            let live = shown.get(period).copied().unwrap_or_default();
            let missing = count.saturating_sub(live);
            (missing >= FEWEST && missing > live).then(|| Trip {
                guard: "vanished",
                period: Some(*period),
                concerns: Concerns::Everything,
                words: format!(
                    "DHIS2 shows {live} values, and the last run confirmed {count} of ours; is this the right server, may the \
                     account still read them, and did somebody delete them?"
                ),
            })
        });
        vanished.collect()
    }

    fn withdrawn(&self) -> Vec<Trip> {
        let guards = &self.source.guards;
        let tally = &self.plan.tally;
        let next = "look for what is gone from the source, or from the rules";
        let mut trips = Vec::new();
        for (period, part) in &self.moved.withdrawn {
            let whole = self.ours.get(period).copied().unwrap_or_default();
            let share = guards.max_withdrawn;
            let trip = over(share, *part, whole).map(|found| Trip {
                guard: "max-withdrawn",
                period: Some(*period),
                concerns: Concerns::Everything,
                words: format!(
                    "{part} of our {whole} cells would be withdrawn ({found}), and max-withdrawn allows {share}; {next}"
                ),
            });
            trips.extend(trip);
        }
        let units = self.moved.withdrawn_by_unit.iter();
        let units = units.map(|(of, part)| {
            let live = tally.units.get(of).map(|unit| unit.ours);
            (of, Concerns::OrgUnit(of.1), part, live)
        });
        let elements = self.moved.withdrawn_by_element.iter();
        let elements = elements.map(|(of, part)| {
            let live = tally.elements.get(of).map(|element| element.ours);
            (of, Concerns::DataElement(of.1), part, live)
        });
        for ((period, of), concerns, part, live) in units.chain(elements) {
            let whole = live.unwrap_or_default();
            let share = guards.max_withdrawn_of_one;
            let trip = over(share, *part, whole).map(|found| Trip {
                    guard: "max-withdrawn-of-one",
                    period: Some(*period),
                concerns,
                    words: format!(
                        "{part} of our {whole} cells of {} would be withdrawn ({found}), and max-withdrawn-of-one allows {share}; {next}",
                        self.name(*of)
                    ),
                });
            trips.extend(trip);
        }
        trips
    }

    fn changed(&self) -> Vec<Trip> {
        let share = self.source.guards.max_changed;
        let older = self.moved.changed.iter();
        let older = older.filter(|(period, _)| self.is_over(**period));
        older
            .filter_map(|(period, part)| {
                let whole = self.ours.get(period).copied().unwrap_or_default();
                let found = over(share, *part, whole)?;
                Some(Trip {
                    guard: "max-changed",
                    period: Some(*period),
                concerns: Concerns::Everything,
                    words: format!(
                        "{part} of our {whole} cells would change ({found}), and max-changed allows {share} of a period that is over; look for what changed in the source, the queries or the rules"
                    ),
                })
            })
            .collect()
    }

    /// Whether a period is over, and was when it was confirmed last.
    fn is_over(&self, period: Period) -> bool {
        self.target.is_over(period) && !self.run.unfinished.contains(&period)
    }

    fn name(&self, uid: Uid) -> String {
        let unit = self.target.unit(uid).map(|unit| unit.name.as_str());
        let element = self
            .target
            .element(uid)
            .map(|element| element.name.as_str());
        match unit.or(element) {
            Some(name) => format!("{name} ({uid})"),
            None => uid.to_string(),
        }
    }
}

/// The share that was found, if it is more than allowed and not of too few.
fn over(allowed: Share, part: u64, whole: u64) -> Option<Share> {
    let trips = part >= FEWEST && allowed.is_exceeded(part, whole);
    trips.then(|| Share::of(part, whole))
}
