//! How the latest runs ended, in few words: what decides whether somebody is to be told.

use rusqlite::params;

use super::entry::{Finished, RecordedProblem, Refused, Tripped, body};
use super::past::Past;
use crate::exit::Problem;

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ending {
    /// Its place in the history.
    seq: i64,
    pub(crate) at: String,
    pub(crate) how: How,
}

#[derive(Debug)]
pub(crate) enum How {
    Finished {
        exit: u8,
        message: String,
        mappings: Vec<MappingEnding>,
    },
    /// Before it began.
    Refused(Refused),
    /// It never came to its end; a later run noticed.
    Died { run: i64 },
}

#[derive(Debug)]
pub(crate) struct MappingEnding {
    pub(crate) name: String,
    pub(crate) exit: u8,
    /// What went wrong; empty: nothing, or what went wrong for all.
    pub(crate) message: String,
}

impl Past {
    /// How the latest so many runs of each kind ended; the latest last.
    pub(crate) fn endings(&self, last: u32) -> Result<Vec<Ending>, Problem> {
        self.read(|| {
            let mut endings = self.finished(last)?;
            endings.extend(self.refused(last)?);
            endings.extend(self.died(last)?);
            endings.sort_by_key(|ending| ending.seq);
            Ok(endings)
        })
    }

    fn finished(&self, last: u32) -> rusqlite::Result<Vec<Ending>> {
        let mut statement = self.connection.prepare(
            "SELECT seq, at, run, body FROM entry WHERE kind = 'finished' AND mapping = '' ORDER BY run DESC LIMIT ?",
        )?;
        let mut rows = statement.query([last])?;
        let mut endings = Vec::new();
        while let Some(row) = rows.next()? {
            let run: i64 = row.get(2)?;
            let finished: Finished = body(row.get_ref(3)?.as_str()?);
            endings.push(Ending {
                seq: row.get(0)?,
                at: row.get(1)?,
                how: How::Finished {
                    exit: finished.exit,
                    mappings: self.mapping_endings(run)?,
                    message: finished.message,
                },
            });
        }
        Ok(endings)
    }

    /// What is long in their bodies is not read.
    fn mapping_endings(&self, run: i64) -> rusqlite::Result<Vec<MappingEnding>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT mapping, json_extract(body, '$.exit'), json_extract(body, '$.problems'), json_extract(body, '$.guards')
             FROM entry WHERE run = ? AND kind = 'mapping' ORDER BY seq",
        )?;
        let endings = statement.query_map([run], |row| {
            let exit: u8 = row.get::<_, Option<u8>>(1)?.unwrap_or_default();
            let problems: Option<String> = row.get(2)?;
            let guards: Option<String> = row.get(3)?;
            let problems: Vec<RecordedProblem> = body(&problems.unwrap_or_default());
            let guards: Vec<Tripped> = body(&guards.unwrap_or_default());
            let mut told = problems.into_iter().filter(|told| told.exit == exit);
            let told = told.next().map(|told| told.message);
            let guard = guards.into_iter().next().map(|guard| guard.text);
            Ok(MappingEnding {
                name: row.get(0)?,
                exit,
                message: told.or(guard).unwrap_or_default(),
            })
        })?;
        endings.collect()
    }

    fn refused(&self, last: u32) -> rusqlite::Result<Vec<Ending>> {
        let mut statement = self.connection.prepare(
            "SELECT seq, at, body FROM entry WHERE run = 0 AND kind = 'refused' ORDER BY seq DESC LIMIT ?",
        )?;
        let endings = statement.query_map(params![last], |row| {
            Ok(Ending {
                seq: row.get(0)?,
                at: row.get(1)?,
                how: How::Refused(body(row.get_ref(2)?.as_str()?)),
            })
        })?;
        endings.collect()
    }

    fn died(&self, last: u32) -> rusqlite::Result<Vec<Ending>> {
        let mut statement = self.connection.prepare(
            "SELECT seq, at, run FROM entry WHERE kind = 'interrupted' AND mapping = '' ORDER BY run DESC LIMIT ?",
        )?;
        let endings = statement.query_map(params![last], |row| {
            Ok(Ending {
                seq: row.get(0)?,
                at: row.get(1)?,
                how: How::Died { run: row.get(2)? },
            })
        })?;
        endings.collect()
    }
}
