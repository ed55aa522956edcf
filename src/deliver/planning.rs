//! Reads what DHIS2 holds, block by block, and makes the plan of a mapping.

use std::time::Instant;

use super::close_approved::close_approved;
use super::connection::Connection;
use super::later_look::LaterLook;
use super::one_mapping::OneMapping;
use crate::dhis2::blocks::blocks;
use crate::domain::{Desired, Number, Period, PeriodTotals, Scope, Uid};
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

/// Whose totals are compared with those of earlier periods.
struct Compared {
    mapping: String,
    scope: Scope,
    max_spike: u32,
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
                read: units.clone(),
            });
        }
        let desired = planner.desired();
        let compared = Compared {
            mapping: desired.mapping.clone(),
            scope: desired.scope.clone(),
            max_spike: desired.guards.max_spike,
        };
        let mut plan = planner.finish();
        close_approved(self, &mut plan, target)?;
        plan.earlier = self.earlier_totals(&plan, target, &compared, &units)?;
        Ok(plan)
    }

    /// Totals of the periods that tell whether one of this plan stands out. What runs before remember of them is enough: they
    /// are read, once and without the units that have none, only where no run has seen them yet.
    fn earlier_totals(
        &mut self,
        plan: &Plan,
        target: &Target,
        compared: &Compared,
        units: &[Uid],
    ) -> anyhow::Result<PeriodTotals> {
        if compared.max_spike == 0 {
            return Ok(PeriodTotals::default());
        }
        let mut totals = self.memory.totals(&compared.mapping, target.data_set.id);
        let mut periods: Vec<Period> = plan.periods_to_compare_with(target).into_iter().collect();
        periods.retain(|period| !totals.knows(*period));
        if periods.is_empty() || units.is_empty() {
            return Ok(totals);
        }
        for period in &periods {
            totals.know(*period);
        }
        self.dhis2
            .live_of_many(&target.data_set, &periods, units, &mut |row| {
                let element = row.cell.triple.data_element;
                let counts = compared.scope.may_have(&row.cell.triple) && target.is_summed(element);
                let value = row.value.filter(|_| counts && !row.deleted);
                if let Some(value) = value.and_then(|value| Number::parse(value).ok()) {
                    totals.add(row.cell.period, element, value);
                }
            })?;
        Ok(totals)
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
