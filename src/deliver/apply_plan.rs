//! Applies a saved plan: whole, if DHIS2 is still as the plan found it, or not at all.

use std::time::Instant;

use super::close_approved::close_approved;
use super::connection::Connection;
use super::named_objects::{NamedObjects, names_of_target};
use super::one_mapping::OneMapping;
use crate::dhis2::blocks::PERIODS;
use crate::domain::{CellAccount, CellOutcome, Sent};
use crate::exit::{Exit, Problem};
use crate::plan::{Plan, Recheck, Rechecked, SavedChange, SavedMapping, SavedPlan, Target};
use crate::push::{Budget, EXTRA_REQUESTS};
use crate::report::MappingReport;
use crate::session::{Mode, Session};
use crate::site::{Dhis2Access, Memory};

/// Applies a plan that nothing holds; what happens ends in the reports of its mappings, or in that of the run.
pub(crate) fn apply(
    plan: &SavedPlan,
    access: Dhis2Access,
    memory: Memory,
    session: &mut Session<'_>,
    reports: &mut [MappingReport],
) {
    session.watch.doing("asking DHIS2");
    match Connection::open_for(session, access, memory) {
        Ok(mut connection) => {
            match recheck_all(&mut connection, plan, reports) {
                Some(rechecked) => send_all(&mut connection, rechecked, session, reports),
                None => nothing_sent(plan, reports, CellOutcome::NotSent),
            }
            session.report.requests = connection.dhis2.requests;
        }
        Err(error) => {
            session.report.problems.push(Problem::of(&error));
            nothing_sent(plan, reports, CellOutcome::NotSent);
        }
    }
}

/// Looks at all mappings before anything is sent; none: one of them cannot be looked at, and its report says why.
fn recheck_all(
    connection: &mut Connection,
    plan: &SavedPlan,
    reports: &mut [MappingReport],
) -> Option<Vec<(Target, Rechecked)>> {
    let mut targets = Vec::new();
    for (saved, report) in plan.mappings.iter().zip(&mut *reports) {
        match connection.target_of_saved(saved) {
            Ok(target) => {
                report.objects.names = names_of_target(&target);
                report.objects.codes = target.data_set.codes.clone();
                targets.push((saved, target));
            }
            Err(error) => report.problems.push(Problem::of(&error)),
        }
    }
    if targets.len() < plan.mappings.len() {
        return None;
    }
    let mut rechecked = Vec::new();
    connection.read_at = Instant::now();
    for ((saved, target), report) in targets.into_iter().zip(reports) {
        match connection.recheck(saved, &target) {
            Ok(each) => rechecked.push((target, each)),
            Err(error) => report.problems.push(Problem::of(&error)),
        }
    }
    (rechecked.len() == plan.mappings.len()).then_some(rechecked)
}

fn send_all(
    connection: &mut Connection,
    rechecked: Vec<(Target, Rechecked)>,
    session: &mut Session<'_>,
    reports: &mut [MappingReport],
) {
    if rechecked.iter().any(|(_, each)| !each.moved.is_empty()) {
        return hold_moved(rechecked, reports);
    }
    let mut budget = Budget {
        extra_requests: EXTRA_REQUESTS,
    };
    let mut goes_on = true;
    for ((target, each), report) in rechecked.into_iter().zip(reports) {
        let plan = each.plan;
        let mut one = OneMapping {
            connection: &mut *connection,
            orders: &session.orders,
            released: &session.released,
            budget: &mut budget,
            record: &mut session.record,
            report,
        };
        let sent = match session.orders.mode {
            _ if !goes_on => vec![Sent::NotSent; plan.changes.len()],
            Mode::DryRun => vec![Sent::Confirmed; plan.changes.len()],
            Mode::AskServer => one.ask_server(&plan, &target),
            // Its problem is in the mapping's report.
            Mode::Send => one.send(&plan, &target).unwrap_or_default(),
        };
        one.conclude(plan, sent);
        goes_on &= report.problems.is_empty();
    }
}

impl OneMapping<'_, '_> {
    fn conclude(&mut self, plan: Plan, sent: Vec<Sent>) {
        let recorded = self.record.part(&self.report.name, &plan, &sent);
        self.report.problems.extend(recorded.err());
        self.account(plan, sent);
    }
}

impl Connection {
    /// What DHIS2 is like for a mapping of the plan.
    fn target_of_saved(&mut self, saved: &SavedMapping) -> anyhow::Result<Target> {
        let named = NamedObjects::of_cells(saved.changes.iter().map(SavedChange::cell));
        let target = self.target_of(saved.data_set, &named)?;
        let (now, then) = (target.data_set.period_type, saved.period_type);
        if now != then {
            let message = format!(
                "data set {} ({}) is {now}, and the plan has {then} periods; nothing was sent; make a new plan",
                target.data_set.name, target.data_set.id
            );
            return Err(Problem::new(Exit::Target, message).into());
        }
        Ok(target)
    }

    /// Compares the cells of the plan with what DHIS2 holds now.
    fn recheck(&mut self, saved: &SavedMapping, target: &Target) -> anyhow::Result<Rechecked> {
        let mut recheck = Recheck::new(saved, target);
        for (periods, units) in recheck.blocks(PERIODS) {
            self.dhis2
                .live(&target.data_set, &periods, &units, &mut |row| {
                    recheck.live(&row);
                })?;
        }
        let mut rechecked = recheck.finish();
        close_approved(self, &mut rechecked.plan, target)?;
        Ok(rechecked)
    }
}

/// Whether a mapping was held when the plan was made; its report says so.
pub(crate) fn hold(plan: &SavedPlan, reports: &mut [MappingReport]) -> bool {
    let each = plan.mappings.iter().zip(reports);
    for (saved, mapping) in each.filter(|(saved, _)| saved.held) {
        let message = format!(
            "{} was held when the plan was made; nothing of the plan is sent; make a new one once nothing is held",
            saved.name
        );
        mapping.problems.push(Problem::new(Exit::Held, message));
    }
    plan.mappings.iter().any(|saved| saved.held)
}

/// Accounts for every cell of the plan where none is sent.
pub(crate) fn nothing_sent(plan: &SavedPlan, reports: &mut [MappingReport], outcome: CellOutcome) {
    for (saved, mapping) in plan.mappings.iter().zip(reports) {
        let mut account = CellAccount::default();
        for change in &saved.changes {
            let counts = account.periods.entry(change.cell().period).or_default();
            counts.cells += 1;
            counts.count(outcome);
        }
        mapping.absorb_cells(&account);
    }
}

/// A cell moved: nothing is sent of any mapping.
fn hold_moved(rechecked: Vec<(Target, Rechecked)>, reports: &mut [MappingReport]) {
    for ((_, each), mapping) in rechecked.into_iter().zip(reports) {
        let held = each.plan.account_with(|_, _| CellOutcome::Held);
        mapping.absorb_cells(&held);
        if each.moved.is_empty() {
            continue;
        }
        let message = format!(
            "held: {} of {} cells are no longer as the plan found them; nothing was sent; look at them and make a new plan",
            each.moved.len(),
            held.total().cells
        );
        mapping.problems.push(Problem::new(Exit::Held, message));
        mapping.cells.moved = each.moved;
    }
}
