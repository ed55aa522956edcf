//! What the runs of a stretch of time come to, and which changes are younger than a moment.

use std::collections::{BTreeMap, BTreeSet};

use super::entry::{CHANGED, Finished, MappingEntry, body};
use super::mapping_state::succeeded;
use super::past::Past;
use crate::exit::Problem;

/// The runs of a month.
#[derive(Debug, Default)]
pub(crate) struct Month {
    pub(crate) runs: u64,
    /// Runs by exit code.
    pub(crate) exits: BTreeMap<u8, u64>,
    /// Runs that never came to their end.
    pub(crate) interrupted: u64,
    pub(crate) mappings: BTreeMap<String, MonthOfMapping>,
}

#[derive(Debug, Default)]
pub(crate) struct MonthOfMapping {
    pub(crate) data_set: Option<String>,
    pub(crate) runs: u64,
    pub(crate) exits: BTreeMap<u8, u64>,
    /// Cells by outcome: those that changed DHIS2.
    pub(crate) changed: BTreeMap<&'static str, u64>,
    /// When its last run ended.
    pub(crate) last_run: Option<String>,
    pub(crate) last_success: Option<String>,
}

/// The newest first, read as they were written, so that a reader may stop and nothing is sorted.
const NEWEST_FIRST: &str = "SELECT kind, mapping, at, body FROM entry NOT INDEXED
    WHERE kind = 'mapping' OR kind = 'finished' OR kind = 'interrupted' ORDER BY seq DESC";

impl Past {
    /// The runs that ended from one moment up to another, as entries have moments.
    pub(crate) fn month(&self, from: &str, to: &str) -> Result<Month, Problem> {
        let mut month = Month::default();
        self.ended(from, |kind, mapping, at, text| {
            if at >= to {
                return;
            }
            match kind {
                "mapping" => {
                    let entry: MappingEntry = body(text);
                    let of = month.mappings.entry(mapping.to_owned()).or_default();
                    of.take(at, &entry);
                }
                "finished" => {
                    let finished: Finished = body(text);
                    month.runs += 1;
                    *month.exits.entry(finished.exit).or_default() += 1;
                }
                _ => {
                    month.runs += 1;
                    month.interrupted += 1;
                }
            }
        })?;
        Ok(month)
    }

    /// The periods of the values that were changed after a moment, also by runs that never came to their end.
    pub(crate) fn changed_after(&self, moment: &str) -> Result<BTreeSet<String>, Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare(
                "SELECT at, period, json_extract(body, '$.outcome') FROM entry NOT INDEXED
                 WHERE kind = 'change' ORDER BY seq DESC",
            )?;
            let mut rows = statement.query([])?;
            let mut periods = BTreeSet::new();
            while let Some(row) = rows.next()? {
                if row.get_ref(0)?.as_str()? <= moment {
                    break;
                }
                let outcome: String = row.get(2)?;
                if CHANGED.contains(&outcome.as_str()) {
                    periods.insert(row.get(1)?);
                }
            }
            Ok(periods)
        })
    }

    /// The last run that had a mapping.
    pub(crate) fn last_of(&self, mapping: &str) -> Result<Option<MappingEntry>, Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare_cached(
                "SELECT body FROM entry WHERE kind = 'mapping' AND mapping = ? ORDER BY run DESC LIMIT 1",
            )?;
            let mut rows = statement.query([mapping])?;
            match rows.next()? {
                Some(row) => Ok(Some(body(row.get_ref(0)?.as_str()?))),
                None => Ok(None),
            }
        })
    }

    /// When DHIS2's analytics tables were last built, and when a run was told so.
    pub(crate) fn analytics(&self) -> Result<Option<(String, String)>, Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare(
                "SELECT at, body FROM entry WHERE kind = 'finished' AND mapping = '' ORDER BY run DESC LIMIT 100",
            )?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let finished: Finished = body(row.get_ref(1)?.as_str()?);
                if let Some(built) = finished.dhis2_analytics {
                    return Ok(Some((built, row.get(0)?)));
                }
            }
            Ok(None)
        })
    }

    /// Goes back through what runs ended with, to a moment.
    fn ended(
        &self,
        from: &str,
        mut take: impl FnMut(&str, &str, &str, &str),
    ) -> Result<(), Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare(NEWEST_FIRST)?;
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let text =
                    |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
                let (kind, mapping, at) = (text(0)?, text(1)?, text(2)?);
                match (kind, at < from) {
                    // The run after it noted it: that may be much later.
                    ("interrupted", true) => {}
                    (_, true) => break,
                    (_, false) => take(kind, mapping, at, text(3)?),
                }
            }
            Ok(())
        })
    }
}

impl MonthOfMapping {
    /// Takes in a run, the latest first.
    fn take(&mut self, at: &str, entry: &MappingEntry) {
        self.runs += 1;
        *self.exits.entry(entry.exit).or_default() += 1;
        for outcome in CHANGED {
            let count = entry.cells.get(outcome).copied().unwrap_or_default();
            *self.changed.entry(outcome).or_default() += count;
        }
        if self.data_set.is_none() {
            self.data_set = entry.data_set.clone();
        }
        if self.last_run.is_none() {
            self.last_run = Some(at.to_owned());
        }
        if self.last_success.is_none() && succeeded(entry) {
            self.last_success = Some(at.to_owned());
        }
    }
}
