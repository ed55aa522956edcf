//! What a report says, as entries of the history have it.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{CellCounts, CellOutcome, Drift, Period, RowCounts};
use crate::exit::{Exit, Problem};
use crate::history::{
    Finished, MappingEntry, PeriodEntry, RecordedProblem, Setting, SumEntry, Tripped,
};
use crate::report::{MappingReport, Report};

/// What a mapping ended with. What ended the run early is its own where it was not done yet.
pub(crate) fn exit(mapping: &MappingReport, planned: usize, of_all: Exit) -> Exit {
    let is_done = mapping.cells.account.periods.len() >= planned
        && mapping.cells.account.total().of(CellOutcome::NotSent) == 0;
    match is_done {
        true => mapping.exit(),
        false => mapping.exit().graver(of_all),
    }
}

pub(crate) fn entry(mapping: &MappingReport, exit: Exit) -> MappingEntry {
    let sums = mapping.rows.sums.iter().map(|(element, sums)| SumEntry {
        data_element: element.map(|element| element.to_string()),
        rows: sums.rows.to_string(),
        desired: sums.desired.to_string(),
        excluded: sums.excluded.to_string(),
        unmapped: sums.unmapped.to_string(),
    });
    let mut closed: BTreeMap<String, u64> = BTreeMap::new();
    for ((_, why), count) in &mapping.cells.closed {
        *closed.entry(word(why)).or_default() += count;
    }
    let completed = mapping.complete.as_ref();
    MappingEntry {
        exit: exit.code(),
        data_set: mapping.plan.data_set.map(|data_set| data_set.to_string()),
        rows: rows(&mapping.rows.total()),
        cells: cells(&mapping.cells.account.total()),
        periods: periods(mapping),
        sums: sums.collect(),
        left: words(&mapping.cells.left),
        closed,
        blocked: words(&mapping.cells.blocked_by),
        guards: mapping
            .hold
            .guards
            .iter()
            .map(|trip| Tripped {
                guard: trip.guard.to_owned(),
                period: trip.period.map(|period| period.to_string()),
                text: trip.words.clone(),
            })
            .collect(),
        digest: mapping.hold.digest.clone(),
        released: mapping.hold.released,
        nothing_accepted: mapping.is_nothing_accepted(),
        drift: mapping.server.drift.iter().map(Drift::sentence).collect(),
        notes: mapping.notes.clone(),
        stranded: mapping.cells.stranded_cells,
        completed: completed.map_or(0, |complete| complete.registered.len() as u64),
        problems: mapping.all_problems().map(told).collect(),
    }
}

/// Each period that has rows or cells.
fn periods(mapping: &MappingReport) -> Vec<PeriodEntry> {
    let all = mapping
        .rows
        .periods
        .keys()
        .chain(mapping.cells.account.periods.keys());
    let all: BTreeSet<&Period> = all.collect();
    let periods = all.into_iter().map(|period| PeriodEntry {
        period: period.to_string(),
        rows: mapping
            .rows
            .periods
            .get(period)
            .map(rows)
            .unwrap_or_default(),
        cells: mapping
            .cells
            .account
            .periods
            .get(period)
            .map(cells)
            .unwrap_or_default(),
    });
    periods.collect()
}

fn words<K: serde::Serialize>(counts: &BTreeMap<K, u64>) -> BTreeMap<String, u64> {
    counts
        .iter()
        .map(|(why, count)| (word(why), *count))
        .collect()
}

fn rows(counts: &RowCounts) -> BTreeMap<String, u64> {
    let outcomes = counts
        .iter()
        .map(|(outcome, count)| (outcome.name(), count));
    some([("rows", counts.rows)].into_iter().chain(outcomes))
}

fn cells(counts: &CellCounts) -> BTreeMap<String, u64> {
    let each = counts
        .iter()
        .map(|(outcome, count)| (outcome.name(), count));
    some(each.chain([("cells", counts.cells)]))
}

/// Those that are not 0, by their names in the report for scripts.
fn some<'n>(counts: impl Iterator<Item = (&'n str, u64)>) -> BTreeMap<String, u64> {
    counts
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| (name.replace(' ', "-"), count))
        .collect()
}

fn told(problem: &Problem) -> RecordedProblem {
    RecordedProblem {
        exit: problem.exit.code(),
        message: problem.message.clone(),
    }
}

pub(crate) fn finished(report: &Report) -> Finished {
    let exit = report.exit();
    let of_mappings = report.mappings.iter().flat_map(|mapping| {
        mapping
            .all_problems()
            .map(|problem| (Some(&mapping.name), problem))
    });
    let mut all = report
        .problems
        .iter()
        .map(|problem| (None, problem))
        .chain(of_mappings);
    let gravest = all.find(|(_, problem)| problem.exit == exit);
    let message = match gravest {
        Some((Some(name), problem)) => format!("{name}: {problem}"),
        Some((None, problem)) => problem.message.clone(),
        None if exit == Exit::Ok => String::new(),
        None => exit.meaning().to_owned(),
    };
    let dhis2 = report.dhis2.as_ref();
    let relaxed = report.relaxed.iter().map(|relaxed| Setting {
        setting: relaxed.setting.to_owned(),
        text: relaxed.text.clone(),
    });
    let elapsed = report.ended.duration_since(report.started).as_millis();
    Finished {
        exit: exit.code(),
        name: exit.name().to_owned(),
        message,
        milliseconds: u64::try_from(elapsed).unwrap_or_default(),
        requests: report.requests,
        source_version: report.source.as_ref().map(|server| server.version.clone()),
        dhis2_version: dhis2.map(|dhis2| dhis2.version.clone()),
        dhis2_user: dhis2.map(|dhis2| dhis2.user.clone()),
        dhis2_system_id: dhis2.and_then(|dhis2| dhis2.system_id.clone()),
        dhis2_time_zone: dhis2.map(|dhis2| dhis2.time_zone.clone()),
        dhis2_analytics: dhis2.and_then(|dhis2| Some(dhis2.analytics?.to_string())),
        source_clock_ahead: report.clocks.source.map(|ahead| ahead.as_secs()),
        dhis2_clock_ahead: report.clocks.dhis2.map(|ahead| ahead.as_secs()),
        relaxed: relaxed.collect(),
        notes: report.notes.clone(),
        problems: report.problems.iter().map(told).collect(),
    }
}

/// The word of an outcome or a reason, as in the report for scripts.
pub(crate) fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}
