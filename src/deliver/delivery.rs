//! The way to DHIS2 for all mappings of a run. DHIS2 is asked only once there is something to compare, and not again once it
//! has refused.

use super::connection::Connection;
use super::later_look;
use super::not_sent::not_sent;
use super::one_mapping::{OneMapping, PartOf};
use crate::domain::Desired;
use crate::exit::Problem;
use crate::mapping::Mapping;
use crate::plan::MappingScope;
use crate::push::{Budget, EXTRA_REQUESTS};
use crate::report::{MappingReport, Report};
use crate::session::Session;
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
        if let Some(problem) = session.forbidden(desired.period_type) {
            report.problems.push(problem);
            report.absorb_cells(&not_sent(&desired));
            report.absorb_rows(desired.rows);
            return;
        }
        let mut one = OneMapping {
            connection,
            orders: &session.orders,
            released: &session.released,
            budget: &mut self.budget,
            record: &mut session.record,
            report,
        };
        let delivered = one.deliver(desired, part);
        session.report.requests = connection.dhis2.requests;
        if let Err(problem) = &delivered {
            log::debug!("ends here: {problem}");
        }
        if delivered.is_err() || connection.dhis2.patience.has_given_up() {
            self.state = Dhis2State::Refused;
        }
    }

    /// Once everything is sent, looks for values of ours that no mapping answers for. What fails here costs nothing but the
    /// look, and is told.
    pub(crate) fn look_for_stranded(
        &mut self,
        session: &mut Session<'_>,
        reports: &mut [MappingReport],
    ) {
        let Dhis2State::Open(connection) = &mut self.state else {
            return;
        };
        let looks = std::mem::take(&mut connection.later_looks);
        if looks.is_empty() || session.watch.ensure_time().is_err() {
            return;
        }
        session
            .watch
            .doing("looking for values that no mapping answers for");
        let ends_at = later_look::ends_at(session.site.ends_at);
        let mut dhis2 = match session.site.dhis2_until(ends_at) {
            Ok(dhis2) => dhis2,
            Err(error) => return session.report.notes.push(not_looked(&error)),
        };
        let mut hierarchy = None;
        for look in looks {
            let data_set = Some(look.target.data_set.id);
            let mut reports = reports.iter_mut();
            let Some(report) = reports.find(|report| report.plan.data_set == data_set) else {
                continue;
            };
            if let Err(error) = look.look(&mut dhis2, &mut hierarchy, report) {
                report.notes.push(not_looked(&error));
            }
        }
        session.report.requests += dhis2.requests;
    }

    /// Opens DHIS2 if nobody has yet; that it refuses is a problem of the run.
    fn connect(&mut self, session: &mut Session<'_>) {
        let state = std::mem::replace(&mut self.state, Dhis2State::Refused);
        self.state = match state {
            Dhis2State::Unasked(access) => {
                let (access, memory) = *access;
                match Connection::open_for(session, access, memory) {
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

fn not_looked(error: &anyhow::Error) -> String {
    format!("not all values that no mapping answers for were looked for: {error:#}")
}
