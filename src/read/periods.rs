//! Which periods each mapping's run is about, and the sequences in which its queries are asked for them.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::cli::{BackfillArgs, PeriodArgs};
use crate::domain::Period;
use crate::exit::{Exit, Problem};
use crate::history::{Past, RegularLook};
use crate::mapping::Mapping;
use crate::report;
use crate::watchdog::Work;

/// Periods that are read, compared and sent together; a longer run is cut, so that memory stays bounded. A year and a
/// quarter of months, as an hourly run looks back, is one part.
const TOGETHER: usize = 15;
/// A longer run is cut into smaller parts, so that an hourly run gets its turn soon.
const PART: usize = 6;
/// The most periods that a run adds to its look-back after an outage; of more, the latest.
const MOST_MISSED: usize = 36;

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
        let current = current(mapping, as_of, time_zone);
        look(mapping).periods(current).collect()
    } else {
        asked(mapping, args)
    };
    periods.retain(|period| mapping.start.is_none_or(|start| start <= *period));
    periods.sort_unstable();
    periods.dedup();
    periods
}

/// The periods, ordered, that a run of one mapping looks at, with those that earlier runs missed unless a person says which.
pub(crate) fn of_run(
    mapping: &Mapping,
    args: &PeriodArgs,
    past: Option<&Past>,
    as_of: Timestamp,
    time_zone: &TimeZone,
) -> Result<Vec<Period>, Problem> {
    let mut periods = of_mapping(mapping, args, as_of, time_zone);
    if args.periods.is_empty() {
        let missed = missed(mapping, past, as_of, time_zone)?;
        periods.splice(0..0, missed);
    }
    Ok(periods)
}

/// The periods, ordered, that runs would have looked at since one last confirmed all that it was due to, had they not failed
/// or been missing; without those of the look-back.
pub(crate) fn missed(
    mapping: &Mapping,
    past: Option<&Past>,
    as_of: Timestamp,
    time_zone: &TimeZone,
) -> Result<Vec<Period>, Problem> {
    let look = look(mapping);
    let last = past.map(|past| past.last_regular_look(look, time_zone));
    let Some(last) = last.transpose()?.flatten() else {
        return Ok(Vec::new());
    };
    let current = current(mapping, as_of, time_zone);
    let usual = look.periods(current).count();
    let oldest = look.periods(last).last().unwrap_or(last);
    let missed = (0..).map(|ago| current.plus(-ago)).skip(usual);
    let mut missed: Vec<Period> = missed
        .take_while(|period| *period >= oldest && look.start.is_none_or(|start| start <= *period))
        .take(MOST_MISSED)
        .collect();
    missed.reverse();
    Ok(missed)
}

fn current(mapping: &Mapping, as_of: Timestamp, time_zone: &TimeZone) -> Period {
    let today = time_zone.to_datetime(as_of).date();
    mapping.period_type.containing(today)
}

fn look(mapping: &Mapping) -> RegularLook<'_> {
    RegularLook {
        mapping: &mapping.name,
        period_type: mapping.period_type,
        look_back: mapping.look_back,
        start: mapping.start,
    }
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

/// Periods as people write them: `202603`, `202603..202606`, several with commas.
pub(crate) fn shown(periods: &[Period]) -> Vec<String> {
    let sequences = sequences(periods).into_iter();
    let shown = sequences.filter_map(|sequence| {
        let (first, last) = (sequence.first()?, sequence.last()?);
        Some(match first == last {
            true => first.to_string(),
            false => format!("{first}..{last}"),
        })
    });
    shown.collect()
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
