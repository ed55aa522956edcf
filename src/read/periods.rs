//! Which periods each mapping's run is about, and the sequences in which its queries are asked for them.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::{BackfillArgs, PeriodArgs};
use crate::domain::Period;
use crate::exit::{Exit, Problem};
use crate::mapping::Mapping;
use crate::report;
use crate::watchdog::Work;

/// Periods that are read, compared and sent together; a longer run is cut, so that memory stays bounded. A year and a
/// quarter of months, as an hourly run looks back, is one part.
const TOGETHER: usize = 15;
/// A longer run is cut into smaller parts, so that an hourly run gets its turn soon.
const PART: usize = 6;

/// The moment that a command is about.
pub(crate) fn as_of(args: &PeriodArgs, started: Timestamp) -> Timestamp {
    args.as_of.unwrap_or(started)
}

/// Periods that a person asks for may be many, and the person is there to end it.
pub(crate) fn work(args: &PeriodArgs) -> Work {
    match !args.periods.is_empty() && report::is_read_at_terminal() {
        true => Work::BackfillByHand,
        false => Work::Usual,
    }
}

/// The periods of one mapping, ordered; none where nothing that was asked for is the mapping's.
pub(crate) fn of_mapping(
    mapping: &Mapping,
    args: &PeriodArgs,
    as_of: Timestamp,
    time_zone: &TimeZone,
) -> Vec<Period> {
    let mut periods = if args.periods.is_empty() {
        let today = time_zone.to_datetime(as_of).date();
        let current = mapping.period_type.containing(today);
        let back = i32::try_from(mapping.look_back).unwrap_or(i32::MAX);
        (0..=back).map(|ago| current.plus(-ago)).collect()
    } else {
        asked(mapping, args)
    };
    periods.retain(|period| mapping.start.is_none_or(|start| start <= *period));
    periods.sort_unstable();
    periods.dedup();
    periods
}

/// Each range applies to the mappings of its type; where a mapping has none of its type, its periods that begin
/// inside any.
fn asked(mapping: &Mapping, args: &PeriodArgs) -> Vec<Period> {
    let own = args
        .periods
        .iter()
        .filter(|range| range.period_type() == mapping.period_type);
    let own: Vec<Period> = own.flat_map(|range| range.periods()).collect();
    if !own.is_empty() {
        return own;
    }
    args.periods
        .iter()
        .flat_map(|range| range.beginning_inside(mapping.period_type))
        .collect()
}

/// Refuses a command that leaves every mapping without a period.
pub(crate) fn ensure_any(left_without: &[&str], mappings: usize) -> Result<(), Problem> {
    if left_without.len() < mappings {
        return Ok(());
    }
    Err(Problem::new(
        Exit::Usage,
        format!(
            "no mapping has a period in what was asked for ({}); look at --period and at `start`",
            left_without.join(", ")
        ),
    ))
}

/// The parts in which a mapping's periods are worked on, in the order in which they are.
pub(crate) fn parts(periods: &[Period], args: &BackfillArgs) -> VecDeque<Vec<Period>> {
    let whole = |part: &[Period]| part.to_vec();
    match (periods.len() <= TOGETHER, args.oldest_first) {
        (true, _) => periods.chunks(TOGETHER).map(whole).collect(),
        (false, true) => periods.chunks(PART).map(whole).collect(),
        (false, false) => periods.rchunks(PART).map(whole).collect(),
    }
}

/// The unbroken sequences in ordered periods: a query with a period column runs once for each.
pub(crate) fn sequences(periods: &[Period]) -> Vec<Vec<Period>> {
    let mut sequences: Vec<Vec<Period>> = Vec::new();
    for period in periods {
        match sequences.last_mut() {
            Some(sequence) if sequence.last().is_some_and(|last| last.next() == *period) => {
                sequence.push(*period);
            }
            _ => sequences.push(vec![*period]),
        }
    }
    sequences
}
