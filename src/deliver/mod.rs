//! Brings one mapping's desired values to DHIS2: compare, plan, send, read back, account. DHIS2 is asked only once there is
//! something to compare, and not again once it has refused.

mod account;
mod approvals;
mod completeness;
mod connection;
mod find;
mod guarding;
mod named_objects;
mod overlap;
mod planning;
mod recheck;
mod remember;
mod rights;
mod server_dry_run;

pub(crate) use account::not_sent;
pub(crate) use connection::Connection;
pub(crate) use find::{Object, one};
pub(crate) use named_objects::names_of_data_set;
pub(crate) use recheck::{apply, hold, nothing_sent};

use named_objects::names_of_target;

use crate::domain::{Blocked, Desired, Sent};
use crate::exit::{Exit, Problem};
use crate::mapping::Mapping;
use crate::plan::{MappingScope, Plan, SourceCounts, Target};
use crate::push::{self, Budget, EXTRA_REQUESTS, Task};
use crate::read::ensure_balanced;
use crate::report::{MappingReport, Report};
use crate::session::{Mode, Orders, Record, Session};
use crate::site::{Dhis2Access, Memory, Site};

/// The way to DHIS2, for all mappings of a run.
pub(crate) struct Delivery {
    state: Dhis2State,
    /// Every mapping of the site, to tell which values of ours none answers for.
    site_scopes: Vec<MappingScope>,
    budget: Budget,
}

enum Dhis2State {
    Unasked(Box<(Dhis2Access, Memory)>),
    Open(Box<Connection>),
    Refused,
}

/// What is told of a part of a mapping beside its values.
#[derive(Clone, Copy)]
pub(crate) struct PartOf {
    /// No part of the mapping comes after this one.
    pub(crate) is_last: bool,
    /// How old a document is that is pushed, in seconds.
    pub(crate) age: Option<u64>,
}

impl Delivery {
    pub(crate) fn new(
        access: Dhis2Access,
        memory: Memory,
        site_scopes: Vec<MappingScope>,
    ) -> Delivery {
        Delivery {
            state: Dhis2State::Unasked(Box::new((access, memory))),
            site_scopes,
            budget: Budget {
                extra_requests: EXTRA_REQUESTS,
            },
        }
    }

    /// Whether DHIS2 is not asked any more.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.state, Dhis2State::Refused)
    }

    /// What earlier runs found is read again, after another run.
    pub(crate) fn renew_memory(&mut self, site: &Site) -> Result<(), Problem> {
        if let Dhis2State::Open(connection) = &mut self.state {
            connection.memory = connection.memory.renewed(&site.state)?;
        }
        Ok(())
    }

    /// Compares, sends and reads back; everything that happens ends in the report of the mapping or of the run.
    pub(crate) fn deliver(
        &mut self,
        desired: Desired,
        part: PartOf,
        session: &mut Session<'_>,
        report: &mut MappingReport,
    ) {
        session.watch.doing("asking DHIS2");
        self.connect(session);
        let Dhis2State::Open(connection) = &mut self.state else {
            report.absorb_cells(&not_sent(&desired));
            report.absorb_rows(desired.rows);
            return;
        };
        let mut delivering = Delivering {
            connection,
            orders: &session.orders,
            budget: &mut self.budget,
            record: &mut session.record,
            report,
        };
        let delivered = delivering.deliver(desired, part);
        session.report.requests = connection.dhis2.requests;
        if let Err(problem) = &delivered {
            log::debug!("ends here: {problem}");
        }
        if delivered.is_err() || connection.dhis2.patience.has_given_up() {
            self.state = Dhis2State::Refused;
        }
    }

    /// Opens DHIS2 if nobody has yet; that it refuses is a problem of the run.
    fn connect(&mut self, session: &mut Session<'_>) {
        let state = std::mem::replace(&mut self.state, Dhis2State::Refused);
        self.state = match state {
            Dhis2State::Unasked(access) => {
                let (access, memory) = *access;
                match open(access, memory, session) {
                    Ok(mut connection) => {
                        connection.site_scopes = std::mem::take(&mut self.site_scopes);
                        Dhis2State::Open(Box::new(connection))
                    }
                    Err(error) => {
                        session.report.problems.push(Problem::of(&error));
                        Dhis2State::Refused
                    }
                }
            }
            state => state,
        };
    }
}

/// Opens DHIS2; the report tells who answered.
pub(crate) fn open(
    access: Dhis2Access,
    memory: Memory,
    session: &mut Session<'_>,
) -> anyhow::Result<Connection> {
    let url = access.url.clone();
    let allowed = access.allow_overprivileged;
    let connection = Connection::open(access, memory)?;
    if allowed {
        session.may_do_more(&connection.account);
    }
    session.dhis2_answered(url, &connection.server, &connection.account);
    Ok(connection)
}

/// Every mapping of the site, whatever this run is about.
pub(crate) fn site_scopes(site: &Site, report: &mut Report) -> Vec<MappingScope> {
    match site.mappings(&[]) {
        Ok(mappings) => mappings.iter().map(mapping_scope).collect(),
        Err(error) => {
            report.notes.push(format!(
                "values that no mapping answers for were not looked for: {error:#}"
            ));
            Vec::new()
        }
    }
}

pub(crate) fn mapping_scope(mapping: &Mapping) -> MappingScope {
    MappingScope {
        data_set: mapping.data_set,
        period_type: mapping.period_type,
        scope: mapping.scope(),
    }
}

/// One mapping on its way.
struct Delivering<'d, 'o> {
    connection: &'d mut Connection,
    orders: &'d Orders<'o>,
    budget: &'d mut Budget,
    record: &'d mut Record,
    report: &'d mut MappingReport,
}

impl Delivering<'_, '_> {
    /// An error means that no other mapping will fare better.
    fn deliver(&mut self, mut desired: Desired, part: PartOf) -> Result<(), Problem> {
        self.report.data_set = Some(desired.data_set);
        self.report.period_type = Some(desired.period_type);
        self.report.max_age = desired.guards.max_age;
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
        let (plan, target) = match planned {
            Ok(planned) => planned,
            Err(error) => {
                self.report.absorb_cells(&untouched);
                return self.give_up(Problem::of(&error));
            }
        };
        self.report.names.extend(names_of_target(&target));
        self.report.codes.extend(target.data_set.codes.clone());
        let held = self.is_held(&source, &plan, &target, part);
        let sent = match self.orders.mode {
            Mode::DryRun => vec![Sent::Confirmed; plan.changes.len()],
            Mode::Send | Mode::AskServer if held => vec![Sent::NotSent; plan.changes.len()],
            Mode::AskServer => self.ask_server(&plan, &target),
            Mode::Send => match self.send(&plan, &target) {
                Ok(sent) => sent,
                Err(problem) => {
                    let unsent = vec![Sent::NotSent; plan.changes.len()];
                    self.account(plan, unsent, held);
                    return Err(problem);
                }
            },
        };
        let candidates = plan.candidates(&sent, &target, held);
        let recorded = self.record.part(&self.report.name, &plan, &sent, held);
        self.account(plan, sent, held);
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
    fn send(&mut self, plan: &Plan, target: &Target) -> Result<Vec<Sent>, Problem> {
        remember::before(self.connection, plan)
            .and_then(|()| self.record.sending(&self.report.name, plan.changes.len()))
            .inspect_err(|problem| self.report.problems.push(problem.clone()))?;
        let task = task(plan, target, self.connection.chunk);
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
        let mut reasons = self.report.blocked_by.keys();
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
fn task<'p>(plan: &'p Plan, target: &'p Target, chunk: usize) -> Task<'p> {
    Task {
        data_set: &target.data_set,
        engine: target.engine(),
        space: &plan.space,
        changes: &plan.changes,
        chunk,
    }
}
