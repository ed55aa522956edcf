//! Brings one mapping's desired values to DHIS2: compare, plan, send, read back, account. Shared by `run` and `push`.

use super::approvals::close_approved;
use super::complete;
use super::map::ensure_balanced;
use super::mode::Mode;
use super::record::Record;
use super::remember;
use super::server_opinion;
use super::target::{self, Connection};
use crate::domain::{
    Blocked, CellAccount, CellCounts, CellOutcome, Change, Desired, LiveRow, Period, Sent, Trip,
    Uid,
};
use crate::exit::{Exit, Problem};
use crate::plan::{self, Plan, Planner, Run, Source, Target};
use crate::push::{self, Budget, Task};
use crate::report::{ChangeReport, Keep, MappingReport};

/// The live values of so many units and periods are held at a time.
const UNITS: usize = 50;
const PERIODS: usize = 24;

/// How a mapping is delivered.
pub(super) struct Orders<'o> {
    pub(super) mode: Mode,
    pub(super) keep: Keep,
    /// Digests of plans that a person let pass.
    pub(super) releases: &'o [String],
    /// No part of the mapping comes after this one.
    pub(super) is_last: bool,
    /// Of the document that is pushed, in seconds.
    pub(super) age: Option<u64>,
}

/// Compares, sends and reads back; everything that happens ends in the mapping's report. An error means that no
/// other mapping will fare better.
pub(super) fn deliver(
    connection: &mut Connection,
    mut desired: Desired,
    orders: &Orders<'_>,
    budget: &mut Budget,
    record: &mut Record,
    report: &mut MappingReport,
) -> Result<(), Problem> {
    report.data_set = Some(desired.data_set);
    report.period_type = Some(desired.period_type);
    report.max_age = desired.guards.max_age;
    let untouched = not_sent(&desired);
    let balanced = ensure_balanced(&desired);
    let source = Source::of(&desired);
    let recorded = record.keys(&desired);
    report.absorb_rows(std::mem::take(&mut desired.rows));
    let planned = balanced
        .and(recorded)
        .map_err(anyhow::Error::from)
        .and_then(|()| connection.target(&desired))
        .and_then(|mut target| {
            report.absorb_drift(connection.drift(&desired, &mut target));
            Ok((plan(connection, desired, &target)?, target))
        });
    report.notes.append(&mut connection.notes);
    let (plan, target) = match planned {
        Ok(planned) => planned,
        Err(error) => {
            report.absorb_cells(&untouched);
            return give_up(Problem::of(&error), report);
        }
    };
    report.names.extend(target::names(&target));
    report.codes.extend(target.data_set.codes.clone());
    let held = is_held(connection, &source, &plan, &target, orders, report);
    let sent = match orders.mode {
        Mode::DryRun => vec![Sent::Confirmed; plan.changes.len()],
        Mode::Send | Mode::AskServer if held => vec![Sent::NotSent; plan.changes.len()],
        Mode::AskServer => server_opinion::ask(connection, &plan, &target, budget, report),
        Mode::Send => match send(connection, &plan, &target, budget, record, report) {
            Ok(sent) => sent,
            Err(problem) => {
                let unsent = vec![Sent::NotSent; plan.changes.len()];
                account(plan, unsent, held, orders.keep, report);
                return Err(problem);
            }
        },
    };
    let candidates = plan.candidates(&sent, &target, held);
    let recorded = record.part(&report.name, &plan, &sent, held);
    account(plan, sent, held, orders.keep, report);
    recorded.or_else(|problem| give_up(problem, report))?;
    ensure_period_type(&target, report);
    complete::register(connection, candidates, orders.mode, report)
}

/// Whether a guard or somebody else's value holds the plan.
fn is_held(
    connection: &Connection,
    source: &Source,
    plan: &Plan,
    target: &Target,
    orders: &Orders<'_>,
    report: &mut MappingReport,
) -> bool {
    let data_set = target.data_set.id;
    let run = Run {
        rows: report.rows.total().rows,
        is_last: orders.is_last,
        age: orders.age,
        confirmed: &connection.memory.confirmed(&report.name, data_set),
    };
    let trips = plan::trips(source, plan, target, run);
    let guarded = guarded(&trips, plan, data_set, orders, report);
    hold_foreign(plan, report);
    guarded || plan.is_held()
}

/// Whether a guard holds the plan. A person may have let exactly this one pass.
fn guarded(
    trips: &[Trip],
    plan: &Plan,
    data_set: Uid,
    orders: &Orders<'_>,
    report: &mut MappingReport,
) -> bool {
    let Some(first) = trips.first() else {
        return false;
    };
    let digest = plan.digest(&report.name, data_set);
    let released = orders.releases.contains(&digest);
    if !released {
        let period = first.period.map(|period| format!("{period}: "));
        let more = match trips.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        report.problems.push(Problem::new(
            Exit::Held,
            format!(
                "held by a guard, nothing of it is sent: {}{}{more}; then run again{}",
                period.unwrap_or_default(),
                first.words,
                // Other people's values hold it all the same.
                match plan.is_held() {
                    true => String::new(),
                    false => format!(", or let exactly this plan pass with --release {digest}"),
                }
            ),
        ));
    }
    report.guards.extend_from_slice(trips);
    report.digest = Some(digest);
    report.released |= released;
    !released
}

/// Somebody else's values that differ are a person's decision.
fn hold_foreign(plan: &Plan, report: &mut MappingReport) {
    if plan.is_held() {
        report.problems.push(Problem::new(
            Exit::Held,
            format!(
                "held, nothing of it is sent: cells in which what somebody else stored or deleted differs from the source: {}; \
                 compare them, mend the wrong side, or write foreign = \"keep\" or \"overwrite\" in the mapping",
                plan.held_cells
            ),
        ));
    }
}

/// The report keeps the problem; one that every mapping will have ends the run.
fn give_up(problem: Problem, report: &mut MappingReport) -> Result<(), Problem> {
    let ends_all = matches!(
        problem.exit,
        Exit::Credentials | Exit::Temporary | Exit::State
    );
    report.problems.push(problem.clone());
    if ends_all { Err(problem) } else { Ok(()) }
}

fn plan(connection: &mut Connection, desired: Desired, target: &Target) -> anyhow::Result<Plan> {
    let data_set = desired.data_set;
    let search = connection.search(&desired);
    let searched: Vec<Period> = search.periods.iter().copied().collect();
    let mut planner = Planner::new(desired, target, search);
    connection.claim(planner.desired(), planner.scope_units())?;
    ensure_seen(&planner, target)?;
    let periods = planner.periods().to_vec();
    let units = planner.units();
    for units in units.chunks(UNITS) {
        for periods in periods.chunks(PERIODS) {
            connection
                .dhis2
                .live(data_set, periods, units, &mut |row| planner.live(&row))?;
            planner.compare(periods, units);
        }
    }
    if !searched.is_empty() && planner.period_type_fits() {
        let mut visit = |row: LiveRow<'_>| planner.live(&row);
        let looked = strangers(connection, target, &units).and_then(|others| {
            let live = connection
                .dhis2
                .live_of_many(data_set, &searched, &others, &mut visit);
            Ok(live?)
        });
        if let Err(error) = looked {
            // Credentials are not tried again; what else may fail here costs nothing but this look.
            if Exit::of(&error) == Exit::Credentials {
                return Err(error);
            }
            connection.notes.push(format!(
                "not all values that no mapping answers for were looked for: {error:#}"
            ));
        }
    }
    let mut plan = planner.finish();
    close_approved(connection, &mut plan, target)?;
    Ok(plan)
}

/// All units that the account may see but those that are read anyway.
fn strangers(
    connection: &mut Connection,
    target: &Target,
    units: &[Uid],
) -> anyhow::Result<Vec<Uid>> {
    let all = connection.hierarchy()?.iter();
    let others =
        all.filter(|(uid, unit)| units.binary_search(uid).is_err() && target.is_seen(unit));
    Ok(others.map(|(uid, _)| *uid).collect())
}

/// What DHIS2 does not show must not look like nothing.
fn ensure_seen(planner: &Planner<'_>, target: &Target) -> Result<(), Problem> {
    let Some(unit) = planner.unseen() else {
        return Ok(());
    };
    Err(Problem::new(
        Exit::Target,
        format!(
            "the DHIS2 account {} may enter data of organisation unit {unit} and not see it: its data view units lie elsewhere; \
             give it the data view unit at the top of its data",
            target.account.username
        ),
    ))
}

/// Sends the changes of a plan; what ended it early is a problem of the report.
pub(super) fn send(
    connection: &mut Connection,
    plan: &Plan,
    target: &Target,
    budget: &mut Budget,
    record: &mut Record,
    report: &mut MappingReport,
) -> Result<Vec<Sent>, Problem> {
    remember::before(connection, plan)
        .and_then(|()| record.sending(&report.name, plan.changes.len()))
        .inspect_err(|problem| report.problems.push(problem.clone()))?;
    let task = task(plan, target, connection.chunk);
    let pushed = push::push(&mut connection.dhis2, &task, budget);
    let is_done = |sent: &Sent| matches!(sent, Sent::Confirmed | Sent::Rejected { .. });
    let name = report.name.clone();
    if let Err(problem) = remember::after(connection, plan, target, &pushed.sent, &name) {
        report.problems.push(problem);
    }
    match pushed.failure {
        // The answer was lost, and reading back gave it.
        Some(failure) if failure.is_temporary() && pushed.sent.iter().all(is_done) => {
            log::info!("{failure}; but reading back shows that nothing is missing");
        }
        Some(failure) => report
            .problems
            .push(Problem::new(Exit::of_dhis2(&failure), failure.message)),
        None => {}
    }
    Ok(pushed.sent)
}

/// What is to be sent of a plan.
pub(super) fn task<'p>(plan: &'p Plan, target: &'p Target, chunk: usize) -> Task<'p> {
    Task {
        data_set: &target.data_set,
        engine: target.engine(),
        space: &plan.space,
        changes: &plan.changes,
        chunk,
    }
}

/// Gives every change its outcome, and the report everything the plan says.
pub(super) fn account(
    plan: Plan,
    sent: Vec<Sent>,
    held: bool,
    keep: Keep,
    report: &mut MappingReport,
) {
    let outcome = |index: usize, change: &Change| match sent.get(index) {
        _ if held => CellOutcome::Held,
        sent => sent.unwrap_or(&Sent::NotSent).outcome(change.kind),
    };
    report.absorb_cells(&plan.account_with(outcome));
    let changes = plan
        .changes
        .iter()
        .enumerate()
        .filter_map(|(index, change)| {
            Some(ChangeReport {
                cell: plan.space.cell(change.key)?,
                kind: change.kind,
                old: change.old.clone(),
                new: change.value.clone(),
                author: change.author().cloned(),
                outcome: outcome(index, change),
                code: match sent.get(index) {
                    Some(Sent::Rejected { code }) => Some(code.to_string()),
                    _ => None,
                },
            })
        });
    report.absorb_changes(changes, keep);
    for (why, cells) in plan.left {
        *report.left.entry(why).or_default() += cells;
    }
    for (why, cells) in plan.blocked_by {
        *report.blocked_by.entry(why).or_default() += cells;
    }
    report.closed.extend(plan.closed);
    report.blocked.extend(plan.blocked);
    report.held.extend(plan.held);
    report.stranded.extend(plan.stranded);
    report.stranded_cells += plan.stranded_cells;
    for (why, cells) in plan.newer {
        *report.newer.entry(why).or_default() += cells;
    }
}

/// A data set of another period type is a mistake of the whole mapping, though each cell has its outcome.
fn ensure_period_type(target: &Target, report: &mut MappingReport) {
    let wrong = report
        .blocked_by
        .keys()
        .any(|why| *why == Blocked::WrongPeriodType);
    if wrong && report.problems.is_empty() {
        report.problems.push(Problem::new(
            Exit::Target,
            format!(
                "data set {} ({}) is {}; mend `type` in [period], or `data-set`",
                target.data_set.name, target.data_set.id, target.data_set.period_type
            ),
        ));
    }
}

/// The account of desired values that were never compared.
pub(super) fn not_sent(desired: &Desired) -> CellAccount {
    let mut account = CellAccount::default();
    for period in &desired.periods {
        account.periods.insert(*period, CellCounts::default());
    }
    for cell in &desired.cells {
        if let Some(cell) = desired.space.cell(cell.key) {
            let counts = account.periods.entry(cell.period).or_default();
            counts.cells += 1;
            counts.count(CellOutcome::NotSent);
        }
    }
    account
}
