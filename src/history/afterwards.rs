//! What was done after a run had ended, for those who watch from elsewhere: what failed, and what was found there. Only
//! what somebody may want to know has an entry.

use rusqlite::params;

use super::entry::{After, Concern, body};
use super::past::Past;
use crate::exit::Problem;

/// Entries are looked for in so many runs: weeks of hourly ones.
const RUNS: i64 = 1_000;

/// An entry with its run and moment.
#[derive(Clone, Debug)]
pub(crate) struct Noted {
    pub(crate) run: i64,
    pub(crate) at: String,
    pub(crate) after: After,
}

impl Past {
    /// The last entry about a concern that is wanted, of the runs before one.
    pub(crate) fn last_after(
        &self,
        concern: Concern,
        before: i64,
        wanted: impl Fn(&After) -> bool,
    ) -> Result<Option<Noted>, Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare_cached(
                "SELECT run, at, body FROM entry WHERE run >= ? AND run < ? AND kind = 'after' AND subject = ? ORDER BY seq DESC",
            )?;
            let mut rows = statement.query(params![before - RUNS, before, concern.name()])?;
            while let Some(row) = rows.next()? {
                let after: After = body(row.get_ref(2)?.as_str()?);
                if wanted(&after) {
                    return Ok(Some(Noted {
                        run: row.get(0)?,
                        at: row.get(1)?,
                        after,
                    }));
                }
            }
            Ok(None)
        })
    }

    /// What was done after a run, in its order: the concern, and what is noted of it.
    pub(super) fn after(&self, run: i64) -> rusqlite::Result<Vec<(String, After)>> {
        let mut statement = self.connection.prepare(
            "SELECT subject, body FROM entry WHERE run = ? AND kind = 'after' ORDER BY seq",
        )?;
        let entries = statement.query_map([run], |row| {
            Ok((row.get(0)?, body(row.get_ref(1)?.as_str()?)))
        })?;
        entries.collect()
    }

    /// Whether something failed after a run.
    pub(crate) fn failed_after(&self, concern: Concern, run: i64) -> Result<bool, Problem> {
        let after = self.read(|| self.after(run))?;
        let mut after = after.iter();
        Ok(after.any(|(name, after)| name == concern.name() && after.failed))
    }
}
