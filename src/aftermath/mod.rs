//! What those are told who watch runs from elsewhere: a heartbeat, metrics, a summary in DHIS2's data store, and DHIS2's
//! analytics tables. Only of runs that send, after they are recorded; what fails is kept in the history, tried again by
//! the next run, and changes neither the exit code nor what DHIS2 holds.

pub(crate) mod alerts;
mod analytics;
mod data_store;
mod heartbeat;
pub(crate) mod mapping_status;
mod metrics;
mod page;

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::domain::{CellOutcome, RowOutcome};
use crate::exit::{Exit, Problem};
use crate::history::{After, Concern, Recorder};
use crate::report::{self, MappingReport, Report};
use crate::site::Site;
use heartbeat::Signal;

/// The time that is spent on DHIS2 before the end of a run, and again after it.
const TIME: Duration = Duration::from_secs(10);

/// A run that sends has begun.
pub(crate) fn begun(site: &Site, recorder: &mut Recorder) {
    report::log_run(recorder.run);
    let line = format!("run {}: begun", recorder.run);
    let sent = beat(site, Signal::Begun, &recorder.id, &line);
    note(recorder, Concern::Heartbeat, sent, Exit::Ok);
}

/// Looks what happened in DHIS2 since the last run; what people should know of it becomes a note of the report.
pub(crate) fn noticed(site: &Site, recorder: &mut Recorder, report: &mut Report) {
    // Who did not answer the run does not answer this either.
    if report.dhis2.is_none() {
        return;
    }
    let end = until(site.ends_at);
    for (concern, found) in [
        (
            Concern::DataStore,
            data_store::notice(site, recorder, report, end),
        ),
        (Concern::Analytics, analytics::notice(site, recorder, end)),
    ] {
        match found {
            Ok(notes) => report.notes.extend(notes),
            // What comes after the run meets the same, and keeps it.
            Err(error) => log::info!("{}: {error:#}", concern.name()),
        }
    }
}

/// A run has ended, and its record and report say how.
pub(crate) fn ended(site: &Site, recorder: &mut Recorder, report: &Report) {
    let exit = report.exit();
    let kept = data_store::keep(site, recorder, until(None));
    note(recorder, Concern::DataStore, kept, exit);
    let begun = analytics::refresh(site, recorder, report, until(None));
    note(recorder, Concern::Analytics, begun, exit);
    let written = metrics::write(site, recorder, report);
    note(recorder, Concern::Metrics, written, exit);
    let written = page::write(site, report);
    note(recorder, Concern::Page, written, exit);
    // The last one: the hash it tells is that of the last entry.
    let sent = recorder.last().map_err(anyhow::Error::from);
    let sent = sent.and_then(|last| {
        let line = line(recorder.run, report, &last);
        beat(site, signal_of(report), &recorder.id, &line)
    });
    note(recorder, Concern::Heartbeat, sent, exit);
}

/// A run of which DHIS2 accepted nothing of what was due is no success, whatever its exit code.
fn signal_of(report: &Report) -> Signal {
    let mut mappings = report.mappings.iter();
    match (
        signal(report.exit()),
        mappings.any(MappingReport::is_nothing_accepted),
    ) {
        (Signal::Succeeded, true) => Signal::Failed(Exit::Partial.code()),
        (signal, _) => signal,
    }
}

/// A command that was to send ended before its record began: a wrong file, say. Only the heartbeat can tell.
pub(crate) fn never_begun(site: &Site, exit: Exit) {
    let line = format!("exit {} ({}): nothing was begun", exit.code(), exit.name());
    if let Err(error) = beat(site, signal(exit), "", &line) {
        report::warning(&told(Concern::Heartbeat, &format!("{error:#}")));
    }
}

/// Ten seconds from now, or when the run has to end.
fn until(end: Option<Instant>) -> Instant {
    let ours = Instant::now() + TIME;
    end.map_or(ours, |end| end.min(ours))
}

/// 0 and 3 are well: what is open under 3 may stay so for weeks, and must not hide that a run fails.
fn signal(exit: Exit) -> Signal {
    match exit {
        Exit::Ok | Exit::Partial => Signal::Succeeded,
        exit => Signal::Failed(exit.code()),
    }
}

fn beat(site: &Site, signal: Signal, run: &str, line: &str) -> anyhow::Result<()> {
    match site.heartbeat()? {
        None => Ok(()),
        Some(address) => heartbeat::send(&address, signal, run, line).map_err(anyhow::Error::msg),
    }
}

/// Keeps a failure in the history. A person hears of it at once only where there is something to hear anyway: cron mails
/// every line.
fn note(recorder: &mut Recorder, concern: Concern, done: anyhow::Result<()>, exit: Exit) {
    let Err(error) = done else { return };
    let text = format!("{error:#}");
    let kept = recorder.after(concern, &After::failed(text.clone()));
    let speaks = exit != Exit::Ok || log::log_enabled!(log::Level::Info);
    if speaks {
        report::warning(&told(concern, &text));
        if let Err(Problem { message, .. }) = kept {
            report::warning(&message);
        }
    }
}

fn told(concern: Concern, text: &str) -> String {
    let name = concern.name();
    format!("{name}: {text}; the outcome of the run stands, and the next run tries again")
}

/// The run in one line, with the end of the history: a witness outside, should somebody shorten it.
fn line(run: i64, report: &Report, last: &(i64, String)) -> String {
    let exit = report.exit();
    let seconds = report.ended.duration_since(report.started).as_secs();
    let mut line = format!(
        "run {run}: exit {} ({}), {seconds} s",
        exit.code(),
        exit.name()
    );
    for mapping in &report.mappings {
        // Writing to a String does not fail.
        let _ = write!(line, "; {}: {}", mapping.name, totals(mapping));
    }
    let (entry, hash) = last;
    line + &format!("; history {entry} {hash}")
}

fn totals(mapping: &MappingReport) -> String {
    let (rows, cells) = (mapping.rows.total(), mapping.cells.account.total());
    let mut of_rows = rows
        .iter()
        .filter(|(outcome, _)| *outcome != RowOutcome::Mapped)
        .map(|(outcome, count)| (outcome.name(), count));
    let mut of_cells = cells
        .iter()
        .filter(|(outcome, _)| *outcome != CellOutcome::Unchanged)
        .map(|(outcome, count)| (outcome.name(), count));
    let some = |counts: &mut dyn Iterator<Item = (&'static str, u64)>| -> String {
        counts
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!(", {count} {name}"))
            .collect()
    };
    format!(
        "{} rows{}, {} cells{}",
        rows.rows,
        some(&mut of_rows),
        cells.cells,
        some(&mut of_cells)
    )
}
