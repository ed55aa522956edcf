//! When a mapping was last looked at as an hourly run looks at it, so that the periods which an outage left out are looked at
//! again.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::entry::{MappingEntry, RunStart, body};
use super::mapping_state::{confirmed, succeeded};
use super::past::Past;
use crate::domain::{Period, PeriodType};
use crate::exit::Problem;

/// What an hourly run of a mapping looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RegularLook<'m> {
    pub(crate) mapping: &'m str,
    pub(crate) period_type: PeriodType,
    pub(crate) look_back: u32,
    pub(crate) start: Option<Period>,
}

impl RegularLook<'_> {
    /// The periods of a run that begins in this one, the latest first.
    pub(crate) fn periods(&self, current: Period) -> impl Iterator<Item = Period> {
        let back = i32::try_from(self.look_back).unwrap_or(i32::MAX);
        let start = self.start;
        let all = (0..=back).map(move |ago| current.plus(-ago));
        all.take_while(move |period| start.is_none_or(|start| start <= *period))
    }
}

impl Past {
    /// The period that was the current one when a run last confirmed everything that it was to look at by itself; where none
    /// did, the one of the first run. None: the mapping was never run.
    pub(crate) fn last_regular_look(
        &self,
        look: RegularLook<'_>,
        time_zone: &TimeZone,
    ) -> Result<Option<Period>, Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare(
                "SELECT m.body, s.body FROM entry m JOIN entry s ON s.run = m.run AND s.kind = 'started'
                 WHERE m.kind = 'mapping' AND m.mapping = ? ORDER BY m.run DESC",
            )?;
            let mut rows = statement.query([look.mapping])?;
            let mut first = None;
            while let Some(row) = rows.next()? {
                let started: RunStart = body(row.get_ref(1)?.as_str()?);
                let Ok(as_of) = started.as_of.parse::<Timestamp>() else {
                    continue;
                };
                let day = time_zone.to_datetime(as_of).date();
                let current = look.period_type.containing(day);
                first = Some(current);
                let entry: MappingEntry = body(row.get_ref(0)?.as_str()?);
                if !succeeded(&entry) {
                    continue;
                }
                let periods = entry.periods.iter().filter(|period| confirmed(period));
                let done: BTreeSet<&str> = periods.map(|period| period.period.as_str()).collect();
                let mut due = look.periods(current);
                if due.all(|period| done.contains(period.to_string().as_str())) {
                    break;
                }
            }
            Ok(first)
        })
    }
}
