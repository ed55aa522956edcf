//! Reads what DHIS2 holds, block by block, and makes the plan of a mapping.

use super::close_approved::close_approved;
use super::connection::Connection;
use super::one_mapping::OneMapping;
use crate::dhis2::blocks::blocks;
use crate::domain::{Desired, LiveRow, Period, Uid};
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
        let searched: Vec<Period> = search.periods.iter().copied().collect();
        let mut planner = Planner::new(desired, target, search);
        self.scopes
            .ensure_no_overlap(planner.desired(), planner.scope_units())?;
        ensure_seen(&planner, target)?;
        let periods = planner.periods().to_vec();
        let units = planner.units();
        let data_set = &target.data_set;
        for (periods, units) in blocks(&periods, &units) {
            self.dhis2
                .live(data_set, periods, units, &mut |row| planner.live(&row))?;
            planner.compare(periods, units);
        }
        if !searched.is_empty() && planner.period_type_fits() {
            let mut visit = |row: LiveRow<'_>| planner.live(&row);
            let looked = self.other_units(target, &units).and_then(|others| {
                let live = self
                    .dhis2
                    .live_of_many(data_set, &searched, &others, &mut visit);
                Ok(live?)
            });
            if let Err(error) = looked {
                // Credentials are not tried again; what else may fail here costs nothing but this look.
                if Exit::of(&error) == Exit::Credentials {
                    return Err(error);
                }
                self.notes.push(format!(
                    "not all values that no mapping answers for were looked for: {error:#}"
                ));
            }
        }
        let mut plan = planner.finish();
        close_approved(self, &mut plan, target)?;
        Ok(plan)
    }

    /// All units that the account may see but those that are read anyway.
    fn other_units(&mut self, target: &Target, units: &[Uid]) -> anyhow::Result<Vec<Uid>> {
        let all = self.hierarchy()?.iter();
        let others =
            all.filter(|(uid, unit)| units.binary_search(uid).is_err() && target.is_seen(unit));
        Ok(others.map(|(uid, _)| *uid).collect())
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
