//! What each day of the last weeks was like: how its runs ended, and how many values they changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;

use super::chain::moment;
use super::entry::{CHANGED, body};
use super::past::Past;
use crate::exit::Problem;

/// A day of the site's time zone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RunsOfDay {
    pub(crate) runs: u64,
    /// Runs by how they went.
    pub(crate) went: BTreeMap<Went, u64>,
    /// Values that were created, updated, zeroed or deleted.
    pub(crate) changed: u64,
}

/// How a run went, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Went {
    /// Exit code 0.
    Well,
    /// 3: something is open.
    Open,
    /// 5: something passing; the next run goes on.
    Passing,
    /// A person must look, or nobody knows: every other exit code, and interrupted runs.
    Badly,
}

impl RunsOfDay {
    /// The worst of its runs.
    pub(crate) fn worst(&self) -> Option<Went> {
        self.went.keys().next_back().copied()
    }
}

impl Past {
    /// Days on which a run began, from that day on.
    pub(crate) fn days(
        &self,
        from: Date,
        zone: &TimeZone,
    ) -> Result<BTreeMap<Date, RunsOfDay>, Problem> {
        let begin = zone.to_timestamp(from.to_datetime(Time::midnight()));
        let begin = begin.unwrap_or(Timestamp::UNIX_EPOCH);
        let begin = moment(begin);
        let day = |at: &str| {
            let at: Option<Timestamp> = at.parse().ok();
            at.map(|at| zone.to_datetime(at).date())
        };
        self.read(|| {
            let mut days: BTreeMap<Date, RunsOfDay> = BTreeMap::new();
            let mut runs = self.connection.prepare(
                "SELECT s.at, json_extract(f.body, '$.exit'), EXISTS (SELECT 1 FROM entry i WHERE i.run = s.run AND i.kind = 'interrupted')
                 FROM entry s LEFT JOIN entry f ON f.run = s.run AND f.kind = 'finished'
                 WHERE s.kind = 'started' AND s.at >= ?",
            )?;
            let mut rows = runs.query([&begin])?;
            while let Some(row) = rows.next()? {
                let went = match (row.get::<_, Option<u8>>(1)?, row.get(2)?) {
                    (Some(0), _) => Some(Went::Well),
                    (Some(3), _) => Some(Went::Open),
                    (Some(5), _) => Some(Went::Passing),
                    (Some(_), _) | (None, true) => Some(Went::Badly),
                    // It goes on.
                    (None, false) => None,
                };
                if let Some(date) = day(&row.get::<_, String>(0)?) {
                    let day = days.entry(date).or_default();
                    day.runs += 1;
                    went.into_iter().for_each(|went| *day.went.entry(went).or_default() += 1);
                }
            }
            let mut mappings = self.connection.prepare(
                "SELECT at, json_extract(body, '$.cells') FROM entry WHERE kind = 'mapping' AND at >= ?",
            )?;
            let mut rows = mappings.query([&begin])?;
            while let Some(row) = rows.next()? {
                let cells: Option<String> = row.get(1)?;
                let cells: BTreeMap<String, u64> = body(&cells.unwrap_or_default());
                if let Some(date) = day(&row.get::<_, String>(0)?) {
                    let changed = CHANGED.iter().filter_map(|outcome| cells.get(*outcome));
                    days.entry(date).or_default().changed += changed.sum::<u64>();
                }
            }
            Ok(days)
        })
    }
}
