//! One mapping's desired values on their way to DHIS2, from comparing to registering as complete.

use std::collections::BTreeSet;

use super::connection::Connection;
use super::named_objects::names_of_target;
use super::not_sent::not_sent;
use super::remember;
use crate::domain::{Blocked, Desired, Releasable, Sent};
use crate::exit::{Exit, Problem};
use crate::plan::{Plan, SourceCounts, Target};
use crate::push::{self, Budget, Task};
use crate::read::ensure_balanced;
use crate::report::MappingReport;
use crate::session::{Mode, Orders, Record};

/// What is told of a part of a mapping beside its values.
#[derive(Clone, Copy)]
pub(crate) struct PartOf {
    /// No part of the mapping comes after this one.
    pub(crate) is_last: bool,
    /// How old a document is that is pushed, in seconds.
    pub(crate) age: Option<u64>,
}

/// One mapping on its way.
pub(super) struct OneMapping<'d, 'o> {
    pub(super) connection: &'d mut Connection,
    pub(super) orders: &'d Orders<'o>,
    /// What a person lets pass until a day.
    pub(super) released: &'d BTreeSet<Releasable>,
    pub(super) budget: &'d mut Budget,
    pub(super) record: &'d mut Record,
    pub(super) report: &'d mut MappingReport,
}

impl OneMapping<'_, '_> {
    /// An error means that no other mapping will fare better.
    pub(super) fn deliver(&mut self, mut desired: Desired, part: PartOf) -> Result<(), Problem> {
        self.report.plan.data_set = Some(desired.data_set);
        self.report.plan.period_type = Some(desired.period_type);
        self.report.plan.max_age = desired.guards.max_age;
        let untouched = not_sent(&desired);
        let balanced = ensure_balanced(&desired);
        let source = SourceCounts::of(&desired);
        let recorded = self.record.keys(&desired);
        self.report.absorb_rows(std::mem::take(&mut desired.rows));
        let planned = balanced
            .and(recorded)
            .map_err(anyhow::Error::from)
            .and_then(|()| self.plan(desired));
        self.report.notes.append(&mut self.connection.notes);
        let (mut plan, target) = match planned {
            Ok(planned) => planned,
            Err(error) => {
                self.report.absorb_cells(&untouched);
                return self.give_up(Problem::of(&error));
            }
        };
        self.report.objects.names.extend(names_of_target(&target));
        self.report
            .objects
            .codes
            .extend(target.data_set.codes.clone());
        self.hold_back(&source, &mut plan, &target, part);
        let sent = match self.orders.mode {
            Mode::DryRun => vec![Sent::Confirmed; plan.changes.len()],
            Mode::AskServer => self.ask_server(&plan, &target),
            Mode::Send => match self.send(&plan, &target) {
                Ok(sent) => sent,
                Err(problem) => {
                    self.account(plan, Vec::new());
                    return Err(problem);
                }
            },
        };
        let candidates = plan.candidates(&sent, &target);
        let recorded = self.record.part(&self.report.name, &plan, &sent);
        self.account(plan, sent);
        recorded.or_else(|problem| self.give_up(problem))?;
        self.ensure_period_type(&target);
        self.register_complete(candidates)
    }

    /// The report keeps the problem; one that every mapping will have ends the run.
    fn give_up(&mut self, problem: Problem) -> Result<(), Problem> {
        let ends_all = matches!(
            problem.exit,
            Exit::Credentials | Exit::Temporary | Exit::State
        );
        self.report.problems.push(problem.clone());
        if ends_all { Err(problem) } else { Ok(()) }
    }

    /// Sends the changes of a plan; what ended it early is a problem of the report.
    pub(super) fn send(&mut self, plan: &Plan, target: &Target) -> Result<Vec<Sent>, Problem> {
        remember::before(self.connection, plan)
            .and_then(|()| self.record.sending(&self.report.name, plan.changes.len()))
            .inspect_err(|problem| self.report.problems.push(problem.clone()))?;
        let task = task(self.connection, plan, target);
        let pushed = push::push(&mut self.connection.dhis2, &task, self.budget);
        let is_done = |sent: &Sent| matches!(sent, Sent::Confirmed | Sent::Rejected { .. });
        let name = &self.report.name;
        let kept = remember::after(self.connection, plan, target, &pushed.sent, name);
        self.report.problems.extend(kept.err());
        match pushed.failure {
            // The answer was lost, and reading back gave it.
            Some(failure) if failure.is_temporary() && pushed.sent.iter().all(is_done) => {
                log::info!("{failure}; but reading back shows that nothing is missing");
            }
            Some(failure) => self
                .report
                .problems
                .push(Problem::new(Exit::of_dhis2(&failure), failure.message)),
            None => {}
        }
        Ok(pushed.sent)
    }

    /// A data set of another period type is a mistake of the whole mapping, though each cell has its outcome.
    fn ensure_period_type(&mut self, target: &Target) {
        let mut reasons = self.report.cells.blocked_by.keys();
        let wrong = reasons.any(|why| *why == Blocked::WrongPeriodType);
        if wrong && self.report.problems.is_empty() {
            self.report.problems.push(Problem::new(
                Exit::Target,
                format!(
                    "data set {} ({}) is {}; mend `type` in [period], or `data-set`",
                    target.data_set.name, target.data_set.id, target.data_set.period_type
                ),
            ));
        }
    }
}

/// What is to be sent of a plan.
pub(super) fn task<'p>(connection: &Connection, plan: &'p Plan, target: &'p Target) -> Task<'p> {
    Task {
        data_set: &target.data_set,
        engine: target.engine(),
        space: &plan.space,
        changes: &plan.changes,
        chunk: connection.chunk,
        read_at: connection.read_at,
        username: &target.account.username,
        own_users: &target.own_users,
    }
}
