//! Looks for values of ours that no mapping answers for, in units that no mapping reads. It comes once everything is sent and
//! has a time of its own, because it is worth no value of any mapping.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::dhis2::Dhis2;
use crate::domain::{OrgUnit, Period, Text, Uid};
use crate::plan::{Search, Target};
use crate::report::MappingReport;

/// The time that all these looks of a run have together.
pub(super) const TIME: Duration = Duration::from_secs(120);

/// The most values that are told one by one.
const LISTED: usize = 10_000;

/// What one mapping left to be looked at.
pub(super) struct LaterLook {
    pub(super) search: Search,
    pub(super) target: Target,
    /// The units that were read for the mapping, ordered: in them everything was seen.
    pub(super) read: Vec<Uid>,
}

impl LaterLook {
    /// Looks in all units that the account may see; `hierarchy` has them once somebody has asked.
    pub(super) fn look(
        &self,
        dhis2: &mut Dhis2,
        hierarchy: &mut Option<BTreeMap<Uid, OrgUnit>>,
        report: &mut MappingReport,
    ) -> anyhow::Result<()> {
        let all = match hierarchy {
            Some(all) => all,
            None => {
                let mut units = BTreeMap::new();
                for path in &self.target.account.capture_paths {
                    units.extend(dhis2.org_units_below(path)?);
                }
                hierarchy.insert(units)
            }
        };
        let others = all.iter().filter(|(uid, unit)| {
            self.read.binary_search(uid).is_err() && self.target.is_seen(unit)
        });
        let others: Vec<Uid> = others.map(|(uid, _)| *uid).collect();
        let periods: Vec<Period> = self.search.periods.iter().copied().collect();
        let cells = &mut report.cells;
        dhis2.live_of_many(&self.target.data_set, &periods, &others, &mut |row| {
            if let Some(value) = self.search.stranded(&row, &self.target) {
                cells.stranded_cells += 1;
                if cells.stranded.len() < LISTED {
                    cells.stranded.push((row.cell, Text::from(value)));
                }
            }
        })?;
        cells.stranded.sort_by_key(|(cell, _)| *cell);
        Ok(())
    }
}

/// The looks end then: half of what is left of the time of the run may be needed to tell how it ended.
pub(super) fn ends_at(deadline: Option<Instant>) -> Instant {
    let now = Instant::now();
    let left = deadline.map(|deadline| deadline.saturating_duration_since(now) / 2);
    now + left.map_or(TIME, |left| left.min(TIME))
}
