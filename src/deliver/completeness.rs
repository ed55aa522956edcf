//! Registers units and periods as complete in DHIS2, each once: what a person withdrew is not registered again. Whatever
//! happens here, the values stay as they were accounted for.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::Connection;
use super::one_mapping::OneMapping;
use crate::dhis2::LiveRegistration;
use crate::dhis2::error::{Dhis2Error, Kind};
use crate::domain::Registration;
use crate::exit::{Exit, Problem};
use crate::plan::Candidates;
use crate::report::CompleteReport;
use crate::session::Mode;
use crate::site::RegistrationState;

/// Registrations in one request.
const CHUNK: usize = 500;

impl OneMapping<'_, '_> {
    /// Registers what is due, as long as nothing went wrong before. An error means that no other mapping will fare better.
    pub(super) fn register_complete(
        &mut self,
        candidates: Option<Candidates>,
    ) -> Result<(), Problem> {
        let Some(mut candidates) = candidates else {
            return Ok(());
        };
        if !self.report.problems.is_empty() {
            candidates.lacking += candidates.due.len() as u64;
            candidates.due.clear();
        }
        let mut complete = CompleteReport {
            early: candidates.early,
            lacking: candidates.lacking,
            ..CompleteReport::default()
        };
        let mode = self.orders.mode;
        let done = bring(self.connection, &candidates.due, mode, &mut complete);
        if let Err(problem) = &done {
            complete.problems.push(problem.clone());
        }
        self.report.absorb_complete(complete);
        match done {
            Err(problem) if problem.exit == Exit::Credentials => Err(problem),
            _ => Ok(()),
        }
    }
}

/// Finds out which of those that are due are not registered and never were, and registers them.
fn bring(
    connection: &mut Connection,
    due: &[Registration],
    mode: Mode,
    complete: &mut CompleteReport,
) -> Result<(), Problem> {
    if due.is_empty() {
        return Ok(());
    }
    let live = live(connection, due).map_err(|error| problem(&error))?;
    let mut record = connection.registrations.read()?;
    let recorded = record.clone();
    let mut missing = Vec::new();
    let mut uncertain = 0;
    for registration in due {
        let known = record.get(registration).copied();
        match (live.get(registration), known) {
            (Some(live), _) if live.completed => {
                complete.already += 1;
                // Whoever made it: once it is gone, a person withdrew it.
                record.insert(*registration, RegistrationState::Shown);
            }
            (Some(_), _) | (None, Some(RegistrationState::Shown)) => complete.withdrawn += 1,
            (None, Some(RegistrationState::Asked)) => uncertain += 1,
            (None, None) => missing.push(*registration),
        }
    }
    if uncertain > 0 {
        complete.unconfirmed += uncertain;
        complete.problems.push(of_uncertain(uncertain));
    }
    if mode != Mode::Send {
        complete.registered = missing;
        return Ok(());
    }
    // Before DHIS2 is asked: should we end in between, a withdrawal that comes then is still known as one.
    record.extend(
        missing
            .iter()
            .map(|registration| (*registration, RegistrationState::Asked)),
    );
    if record != recorded {
        connection.registrations.write(&record)?;
    }
    if missing.is_empty() {
        return Ok(());
    }
    make(connection, &missing, record, complete)
}

/// Asks for registrations, reads them back, and keeps in the record what came of it.
fn make(
    connection: &mut Connection,
    missing: &[Registration],
    mut record: BTreeMap<Registration, RegistrationState>,
    complete: &mut CompleteReport,
) -> Result<(), Problem> {
    let asked = ask(connection, missing);
    let shown = match &asked.failure {
        // Never tried again: repeated failures lock the account.
        Some(refused) if refused.kind == Kind::Credentials => Err(refused.clone()),
        _ => live(connection, asked.maybe_made),
    };
    let mut unconfirmed = 0;
    for (index, registration) in missing.iter().enumerate() {
        let may_be_made = index < asked.maybe_made.len();
        match &shown {
            Ok(shown) if shown.get(registration).is_some_and(|live| live.completed) => {
                record.insert(*registration, RegistrationState::Shown);
                complete.registered.push(*registration);
                continue;
            }
            // Not even DHIS2 knows, so that it stays in the record as it is.
            Err(_) if may_be_made => {}
            // It is certain that it was not made, and the next run may ask again.
            _ => _ = record.remove(registration),
        }
        unconfirmed += 1;
    }
    let kept = connection.registrations.write(&record);
    complete.problems.extend(kept.err());
    let failure = asked.failure.or(shown.err());
    if unconfirmed == 0 {
        if let Some(failure) = failure {
            log::info!("{failure}; but reading back shows that all are registered");
        }
        return Ok(());
    }
    complete.unconfirmed += unconfirmed;
    Err(of_unconfirmed(
        unconfirmed,
        failure.as_ref(),
        &asked.conflicts,
    ))
}

/// How asking ended.
struct AskedFor<'m> {
    /// The first of those that were to be asked for: all that DHIS2 may have made.
    maybe_made: &'m [Registration],
    conflicts: Vec<String>,
    failure: Option<Dhis2Error>,
}

fn ask<'m>(connection: &mut Connection, missing: &'m [Registration]) -> AskedFor<'m> {
    let mut asked = AskedFor {
        maybe_made: &[],
        conflicts: Vec::new(),
        failure: None,
    };
    let mut sent = 0;
    for chunk in missing.chunks(CHUNK) {
        let answer = connection.dhis2.complete(chunk);
        let nothing = [Kind::Credentials, Kind::Temporary { nothing_sent: true }];
        match &answer {
            Err(error) if nothing.contains(&error.kind) => {}
            _ => sent += chunk.len(),
        }
        match answer {
            Ok(summary) => {
                log::info!("{} of {} registered", summary.made, chunk.len());
                asked.conflicts.extend(summary.conflicts);
            }
            Err(error) => {
                asked.failure = Some(error);
                break;
            }
        }
    }
    asked.maybe_made = missing.get(..sent).unwrap_or_default();
    asked
}

/// What DHIS2 shows of these; all are of one data set.
fn live(
    connection: &mut Connection,
    of: &[Registration],
) -> Result<BTreeMap<Registration, LiveRegistration>, Dhis2Error> {
    let Some(first) = of.first() else {
        return Ok(BTreeMap::new());
    };
    let periods: BTreeSet<_> = of.iter().map(|each| each.period).collect();
    let units: BTreeSet<_> = of.iter().map(|each| each.org_unit).collect();
    let (periods, units): (Vec<_>, Vec<_>) =
        (periods.into_iter().collect(), units.into_iter().collect());
    let found = connection
        .dhis2
        .registrations(first.data_set, &periods, &units)?;
    let found = found.into_iter();
    Ok(found.map(|live| (live.registration, live)).collect())
}

/// Values were already confirmed, so what is not a matter of time or of who we are is a part that is not done.
fn problem(error: &Dhis2Error) -> Problem {
    let exit = match (error.kind, error.status) {
        (Kind::Temporary { .. }, _) => Exit::Temporary,
        (Kind::Credentials, Some(403)) | (Kind::Target, _) => Exit::Partial,
        (Kind::Credentials, _) => Exit::Credentials,
    };
    Problem::new(exit, &error.message)
}

fn of_unconfirmed(unconfirmed: u64, failure: Option<&Dhis2Error>, conflicts: &[String]) -> Problem {
    let what = format!("{unconfirmed} (unit, period) not registered as complete");
    match (failure, conflicts) {
        (Some(failure), _) => {
            let Problem { exit, message } = problem(failure);
            Problem::new(exit, format!("{what}: {message}"))
        }
        (None, [first, ..]) => Problem::new(
            Exit::Partial,
            format!("{what}: DHIS2 says: {first}; mend that in DHIS2; the next run asks again"),
        ),
        (None, []) => Problem::new(
            Exit::Temporary,
            format!("{what}: DHIS2 took them and does not show them; the next run asks again"),
        ),
    }
}

fn of_uncertain(uncertain: u64) -> Problem {
    Problem::new(
        Exit::Partial,
        format!(
            "{uncertain} (unit, period) were to be registered as complete when a run ended early, and DHIS2 does not show them; \
             a person may have withdrawn them, so they are not asked for again: register them in DHIS2, or take their \
             lines, which end in `asked`, out of complete.tsv in the state folder"
        ),
    )
}
