//! Brings one mapping's desired values to DHIS2: compare, plan, send, read back, account. Shared by `run` and `push`.

use super::map::ensure_balanced;
use super::target::{self, Connection};
use crate::cli::{Format, SendArgs};
use crate::domain::{
    Blocked, CellAccount, CellCounts, CellOutcome, Change, ChangeKind, Desired, Sent,
};
use crate::exit::{Exit, Problem};
use crate::plan::{Plan, Planner, Target};
use crate::push::{self, Budget, Task};
use crate::report::{ChangeReport, Keep, MappingReport};

/// Whether DHIS2 is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Send,
    DryRun,
}

impl SendArgs {
    pub(super) fn mode(&self) -> Mode {
        if self.dry_run {
            Mode::DryRun
        } else {
            Mode::Send
        }
    }

    /// Scripts get every change, people the ones worth looking at.
    pub(super) fn keep(&self) -> Keep {
        match self.format {
            Format::Json => Keep::Everything,
            Format::Text => Keep::Highlights,
        }
    }
}

/// The live values of so many units and periods are held at a time.
const UNITS: usize = 50;
const PERIODS: usize = 24;

/// Compares, sends and reads back; everything that happens ends in the mapping's report. An error means that no
/// other mapping will fare better.
pub(super) fn deliver(
    connection: &mut Connection,
    mut desired: Desired,
    mode: Mode,
    budget: &mut Budget,
    keep: Keep,
    report: &mut MappingReport,
) -> Result<(), Problem> {
    report.data_set = Some(desired.data_set);
    let untouched = not_sent(&desired);
    let balanced = ensure_balanced(&desired);
    report.absorb_rows(std::mem::take(&mut desired.rows));
    let planned = balanced
        .map_err(anyhow::Error::from)
        .and_then(|()| connection.target(&desired))
        .and_then(|mut target| {
            report.absorb_drift(connection.drift(&desired, &mut target));
            Ok((plan(connection, desired, &target)?, target))
        });
    let (plan, target) = match planned {
        Ok(planned) => planned,
        Err(error) => {
            report.absorb_cells(&untouched);
            return give_up(Problem::of(&error), report);
        }
    };
    report.names.extend(target::names(&target));
    let sent = match mode {
        Mode::DryRun => vec![Sent::Confirmed; plan.changes.len()],
        Mode::Send if plan.is_held() => vec![Sent::NotSent; plan.changes.len()],
        Mode::Send => send(connection, &plan, &target, budget, report)?,
    };
    account(plan, sent, keep, report);
    ensure_period_type(&target, report);
    Ok(())
}

/// The report keeps the problem; one that every mapping will have ends the run.
fn give_up(problem: Problem, report: &mut MappingReport) -> Result<(), Problem> {
    let ends_all = matches!(problem.exit, Exit::Credentials | Exit::Temporary);
    report.problems.push(problem.clone());
    if ends_all { Err(problem) } else { Ok(()) }
}

fn plan(connection: &mut Connection, desired: Desired, target: &Target) -> anyhow::Result<Plan> {
    let data_set = desired.data_set;
    let mut planner = Planner::new(desired, target);
    connection.claim(planner.desired(), planner.scope_units())?;
    let periods = planner.periods().to_vec();
    for units in planner.units().chunks(UNITS) {
        for periods in periods.chunks(PERIODS) {
            connection
                .dhis2
                .live(data_set, periods, units, &mut |row| planner.live(&row))?;
            planner.compare(periods, units);
        }
    }
    Ok(planner.finish())
}

fn send(
    connection: &mut Connection,
    plan: &Plan,
    target: &Target,
    budget: &mut Budget,
    report: &mut MappingReport,
) -> Result<Vec<Sent>, Problem> {
    let task = Task {
        data_set: &target.data_set,
        engine: target.engine(),
        space: &plan.space,
        changes: &plan.changes,
        chunk: connection.chunk,
    };
    let pushed = push::push(&mut connection.dhis2, &task, budget);
    let is_done = |sent: &Sent| matches!(sent, Sent::Confirmed | Sent::Rejected { .. });
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

/// Gives every change its outcome, and the report everything the plan says.
fn account(plan: Plan, sent: Vec<Sent>, keep: Keep, report: &mut MappingReport) {
    let held = plan.is_held();
    let outcome = |index: usize, change: &Change| match sent.get(index) {
        _ if held => CellOutcome::Held,
        Some(Sent::Confirmed) => match change.kind {
            ChangeKind::Create => CellOutcome::Created,
            ChangeKind::Update => CellOutcome::Updated,
            ChangeKind::Zero => CellOutcome::Zeroed,
            ChangeKind::Delete => CellOutcome::Deleted,
        },
        Some(Sent::Rejected { .. }) => CellOutcome::Rejected,
        Some(Sent::Unconfirmed) => CellOutcome::Unconfirmed,
        Some(Sent::NotSent) | None => CellOutcome::NotSent,
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
                foreign: change.foreign,
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
