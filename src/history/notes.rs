//! What is kept beside the runs: runs that were refused before they began, what people were told, and what they
//! acknowledged. These entries belong to no run: their run is 0.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::chain::{ChainEntry, append, head, moment, note, now};
use super::entry::{Acknowledged, Notified, Refused, body};
use super::file::{self, FILE, Fault};
use super::past::Past;
use crate::domain::Releasable;
use crate::exit::Problem;

/// Nobody waits longer for another process that is writing: what is noted here is never worth a run.
const PATIENCE: Duration = Duration::from_secs(1);

/// One of these, to be kept.
pub(crate) enum NoteEntry<'n> {
    Refused(&'n Refused),
    Told {
        /// Empty: runs as a whole.
        mapping: &'n str,
        topic: String,
        notified: &'n Notified,
    },
    Acknowledged {
        mapping: &'n str,
        /// What, why, and of which cell or key.
        subject: &'n str,
        acknowledged: &'n Acknowledged,
    },
    /// A person lets something pass that is held.
    Released {
        /// The name of the problem.
        problem: &'n str,
        released: &'n Acknowledged,
    },
}

/// When a channel was last told of a topic, with the number of the entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastTold {
    pub(crate) channel: String,
    /// Empty: runs as a whole.
    pub(crate) mapping: String,
    pub(crate) topic: String,
    pub(crate) delivered: bool,
    pub(crate) seq: i64,
    pub(crate) at: String,
}

/// Something that was told after a run.
pub(crate) struct ToldOfRun {
    /// Empty: the run as a whole.
    pub(crate) mapping: String,
    pub(crate) topic: String,
    pub(crate) at: String,
    pub(crate) notified: Notified,
}

/// That a person knows of a problem, and which one.
pub(crate) struct Acknowledgement {
    pub(crate) mapping: String,
    /// What, why, and of which cell or key.
    pub(crate) subject: String,
    pub(crate) acknowledged: Acknowledged,
}

/// Keeps notes, all of them or none; a run may be going on.
pub(crate) fn keep(state: &Path, notes: &[NoteEntry<'_>]) -> Result<(), Problem> {
    let path = state.join(FILE);
    let mut connection = file::open(state)?;
    write(&mut connection, notes).map_err(|error| file::unusable(&path, &Fault::of(&path, &error)))
}

fn write(connection: &mut Connection, notes: &[NoteEntry<'_>]) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut end = head(&transaction)?;
    for each in notes {
        append(&transaction, &mut end, &each.entry())?;
    }
    note(&transaction, &end)?;
    transaction.commit()
}

impl NoteEntry<'_> {
    fn entry(&self) -> ChainEntry {
        let entry =
            |kind, mapping: &str, subject: &str, body: serde_json::Result<String>| ChainEntry {
                run: 0,
                at: now(),
                kind,
                mapping: mapping.to_owned(),
                period: String::new(),
                subject: subject.to_owned(),
                // Bodies are made of texts and numbers, so that this cannot fail.
                body: body.unwrap_or_default(),
            };
        match self {
            NoteEntry::Refused(refused) => entry("refused", "", "", serde_json::to_string(refused)),
            NoteEntry::Told {
                mapping,
                topic,
                notified,
            } => entry("notice", mapping, topic, serde_json::to_string(notified)),
            NoteEntry::Acknowledged {
                mapping,
                subject,
                acknowledged,
            } => entry(
                "acknowledged",
                mapping,
                subject,
                serde_json::to_string(acknowledged),
            ),
            NoteEntry::Released { problem, released } => {
                entry("released", "", problem, serde_json::to_string(released))
            }
        }
    }
}

impl Past {
    /// The latest of each channel, mapping and topic, delivered or not.
    pub(crate) fn last_told(&self) -> Result<Vec<LastTold>, Problem> {
        self.read(|| {
            // SQLite takes the other columns from the row that has the maximum.
            let mut statement = self.connection.prepare(
                "SELECT json_extract(body, '$.channel'), mapping, subject, json_extract(body, '$.delivered'), max(seq), at
                 FROM entry WHERE run = 0 AND kind = 'notice' GROUP BY 1, 2, 3, 4",
            )?;
            let told = statement.query_map([], |row| {
                Ok(LastTold {
                    channel: row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                    mapping: row.get(1)?,
                    topic: row.get(2)?,
                    delivered: row.get::<_, Option<bool>>(3)?.unwrap_or_default(),
                    seq: row.get(4)?,
                    at: row.get(5)?,
                })
            })?;
            told.collect()
        })
    }

    /// What a run led to.
    pub(super) fn told_of(&self, run: i64) -> rusqlite::Result<Vec<ToldOfRun>> {
        let mut statement = self.connection.prepare(
            "SELECT mapping, subject, at, body FROM entry WHERE run = 0 AND kind = 'notice'
             AND json_extract(body, '$.run') = ? ORDER BY seq",
        )?;
        let told = statement.query_map([run], |row| {
            Ok(ToldOfRun {
                mapping: row.get(0)?,
                topic: row.get(1)?,
                at: row.get(2)?,
                notified: body(row.get_ref(3)?.as_str()?),
            })
        })?;
        told.collect()
    }

    /// What a person lets pass at this moment.
    pub(crate) fn released(&self, now: Timestamp) -> Result<BTreeSet<Releasable>, Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare(
                "SELECT subject, body, max(seq) FROM entry WHERE run = 0 AND kind = 'released' GROUP BY 1",
            )?;
            let all = statement.query_map([], |row| {
                let name: String = row.get(0)?;
                let released: Acknowledged = body(row.get_ref(1)?.as_str()?);
                Ok((name.parse().ok(), released.until))
            })?;
            let now = moment(now);
            let mut valid = BTreeSet::new();
            for each in all {
                let (released, until) = each?;
                valid.extend(released.filter(|_| until > now));
            }
            Ok(valid)
        })
    }

    /// The latest of each problem, by mapping and subject.
    pub(crate) fn acknowledged(&self) -> Result<Vec<Acknowledgement>, Problem> {
        self.read(|| self.acknowledgements())
    }

    pub(super) fn acknowledgements(&self) -> rusqlite::Result<Vec<Acknowledgement>> {
        let mut statement = self.connection.prepare(
            "SELECT mapping, subject, body, max(seq) FROM entry WHERE run = 0 AND kind = 'acknowledged' GROUP BY 1, 2",
        )?;
        let all = statement.query_map([], |row| {
            Ok(Acknowledgement {
                mapping: row.get(0)?,
                subject: row.get(1)?,
                acknowledged: body(row.get_ref(2)?.as_str()?),
            })
        })?;
        all.collect()
    }
}
