//! Reads what DHIS2 holds, block by block, and makes the plan of a mapping.

use std::time::Instant;

use super::close_approved::close_approved;
use super::connection::Connection;
use super::later_look::LaterLook;
use super::one_mapping::OneMapping;
use crate::dhis2::blocks::blocks;
use crate::domain::Desired;
use crate::exit::{Exit, Problem};
use crate::plan::{Plan, Planner, Target};

impl OneMapping<'_, '_> {
    /// The plan, and what it was made against.
    pub(super) fn plan(&mut self, desired: Desired) -> anyhow::Result<(Plan, Target)> {
        let mut target = self.connection.target(&desired)?;
        let drift = self.connection.drift(&desired, &mut target);
        self.report.absorb_drift(drift);
        let plan = self.connection.plan(desired, &target)?;
        Ok((plan, target))
    }
}

impl Connection {
    fn plan(&mut self, desired: Desired, target: &Target) -> anyhow::Result<Plan> {
        let search = self.search(&desired);
        let mut planner = Planner::new(desired, target, search.clone());
        self.scopes
            .ensure_no_overlap(planner.desired(), planner.scope_units())?;
        ensure_seen(&planner, target)?;
        let periods = planner.periods().to_vec();
        let units = planner.units();
        let data_set = &target.data_set;
        self.read_at = Instant::now();
        for (periods, units) in blocks(&periods, &units) {
            self.dhis2
                .live(data_set, periods, units, &mut |row| planner.live(&row))?;
            planner.compare(periods, units);
        }
        if !search.periods.is_empty() && planner.period_type_fits() {
            self.later_looks.push(LaterLook {
                search,
                target: target.clone(),
                read: units,
            });
        }
        let mut plan = planner.finish();
        close_approved(self, &mut plan, target)?;
        Ok(plan)
    }
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
