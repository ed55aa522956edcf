//! What is kept beside the runs: runs that were refused before they began, what people were told, and what they
//! acknowledged. These entries belong to no run: their run is 0.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};
use serde::{Deserialize, Serialize};

use super::chain::{Entry, append, head, note, now};
use super::past::Past;
use super::since::body;
use super::standing::OpenProblem;
use super::{FILE, file};
use crate::exit::Problem;

/// Nobody waits longer for another process that is writing: what is noted here is never worth a run.
const PATIENCE: Duration = Duration::from_secs(1);

/// A run that was refused before it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Refused {
    pub(crate) exit: u8,
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) command: String,
    /// Those that were asked for by name.
    pub(crate) mappings: Vec<String>,
}

/// Something that was told to a channel, or was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Notified {
    pub(crate) channel: String,
    pub(crate) severity: String,
    /// The run after which it was told; none: it was refused.
    pub(crate) run: Option<i64>,
    pub(crate) delivered: bool,
    /// Why it was not.
    pub(crate) why: Option<String>,
}

/// That a person knows of a problem.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Acknowledged {
    /// A moment.
    pub(crate) until: String,
    pub(crate) why: String,
    /// Of the system's user.
    pub(crate) uid: u32,
}

/// One of these, to be kept.
pub(crate) enum Note<'n> {
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

/// Keeps notes, all of them or none; a run may be going on.
pub(crate) fn keep(state: &Path, notes: &[Note<'_>]) -> Result<(), Problem> {
    let path = state.join(FILE);
    let mut connection = file::open(state)?;
    write(&mut connection, notes).map_err(|error| file::unusable(&path, &file::reason(&error)))
}

fn write(connection: &mut Connection, notes: &[Note<'_>]) -> rusqlite::Result<()> {
    connection.busy_timeout(PATIENCE)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut end = head(&transaction)?;
    for each in notes {
        append(&transaction, &mut end, &each.entry())?;
    }
    note(&transaction, &end)?;
    transaction.commit()
}

impl Note<'_> {
    fn entry(&self) -> Entry {
        let entry = |kind, mapping: &str, subject: &str, body: serde_json::Result<String>| Entry {
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
            Note::Refused(refused) => entry("refused", "", "", serde_json::to_string(refused)),
            Note::Told {
                mapping,
                topic,
                notified,
            } => entry("notice", mapping, topic, serde_json::to_string(notified)),
            Note::Acknowledged {
                mapping,
                subject,
                acknowledged,
            } => entry(
                "acknowledged",
                mapping,
                subject,
                serde_json::to_string(acknowledged),
            ),
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

    /// The latest of each problem, by mapping and subject.
    pub(crate) fn acknowledged(&self) -> Result<Vec<(String, String, Acknowledged)>, Problem> {
        self.read(|| self.acknowledgements())
    }

    pub(super) fn acknowledgements(&self) -> rusqlite::Result<Vec<(String, String, Acknowledged)>> {
        let mut statement = self.connection.prepare(
            "SELECT mapping, subject, body, max(seq) FROM entry WHERE run = 0 AND kind = 'acknowledged' GROUP BY 1, 2",
        )?;
        let all = statement.query_map([], |row| {
            Ok((row.get(0)?, row.get(1)?, body(row.get_ref(2)?.as_str()?)))
        })?;
        all.collect()
    }

    /// Everything that is open, in whatever mapping and period.
    pub(crate) fn all_open(&self) -> Result<Vec<(String, OpenProblem)>, Problem> {
        self.read(|| {
            let mut statement = self
                .connection
                .prepare("SELECT DISTINCT mapping FROM problem ORDER BY mapping")?;
            let mappings = statement.query_map([], |row| row.get::<_, String>(0))?;
            let mut all = Vec::new();
            for mapping in mappings {
                let mapping = mapping?;
                let open = self.open_problems(&mapping)?.into_iter();
                all.extend(open.map(|problem| (mapping.clone(), problem)));
            }
            Ok(all)
        })
    }
}
