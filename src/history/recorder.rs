//! Writes the record of one run while it goes on: a beginning before DHIS2 is written to, what changed after each part
//! was read back, an end.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use serde::Serialize;

use super::chain::{ChainEntry, Head, append, head, note, now};
use super::differences::differences;
use super::entry::{
    AboutToSend, After, CellChange, Concern, Finished, MappingEntry, RunStart, body,
};
use super::file::{self, FILE, Fault};
use super::problems::{self, Found, LookedAt, ProblemKind};
use super::retention::{self, Cutoff};
use crate::domain::{Cell, Period};
use crate::exit::Problem;

/// The record of a run that is going on.
pub(crate) struct Recorder {
    file: PathBuf,
    connection: Connection,
    /// The run's number.
    pub(crate) run: i64,
    /// The hash of its first entry, which no other run of any host has.
    pub(crate) id: String,
}

/// A run that never came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct InterruptedRun {
    pub(crate) run: i64,
    pub(crate) started: String,
}

impl Recorder {
    /// Begins the record of a run. The caller holds the lock, so that every run without an end has died, but for a backfill
    /// that gave way and is `alive`: it is noted as interrupted, for ever.
    pub(crate) fn begin(
        state: &Path,
        started: &RunStart,
        alive: &[u32],
    ) -> Result<(Recorder, Vec<InterruptedRun>), Problem> {
        let connection = file::open(state)?;
        let mut recorder = Recorder {
            file: state.join(FILE),
            connection,
            run: 0,
            id: String::new(),
        };
        let body = json_text(started);
        let written = recorder.write(|transaction, head, _| {
            let died = without_end(transaction, alive)?;
            for each in &died {
                append(transaction, head, &entry(each.run, "interrupted", "", "{}"))?;
            }
            let run = 1 + transaction.query_row(
                "SELECT coalesce(max(run), 0) FROM entry",
                [],
                |row| row.get::<_, i64>(0),
            )?;
            append(transaction, head, &entry(run, "started", "", &body))?;
            Ok((died, run))
        });
        let (died, run) = written
            .map_err(|error| file::unusable(&recorder.file, &Fault::of(&recorder.file, &error)))?;
        recorder.run = run;
        recorder.id = recorder.last()?.1;
        Ok((recorder, died))
    }

    /// What is not as it was in the run before: SQL, mappings, servers; a sentence each.
    pub(crate) fn differences(&self) -> Result<Vec<String>, Problem> {
        let differences = differences(&self.connection, self.run);
        differences.map_err(|error| self.stopped(&error))
    }

    /// That so many changes of a mapping are about to be sent: should the run die, they may have been made.
    pub(crate) fn sending(&mut self, mapping: &str, sending: &AboutToSend) -> Result<(), Problem> {
        let body = json_text(sending);
        let written = self.write(|transaction, head, run| {
            append(transaction, head, &entry(run, "sending", mapping, &body))
        });
        written.map_err(|error| self.stopped(&error))
    }

    /// What was sent of a part of a mapping, after it was read back.
    pub(crate) fn changed(
        &mut self,
        mapping: &str,
        changes: impl Iterator<Item = (Cell, CellChange)>,
    ) -> Result<(), Problem> {
        let written = self.write(|transaction, head, run| {
            for (cell, change) in changes {
                let entry = ChainEntry {
                    period: cell.period.to_string(),
                    subject: problems::subject(&cell),
                    ..entry(run, "change", mapping, &json_text(&change))
                };
                append(transaction, head, &entry)?;
            }
            Ok(())
        });
        written.map_err(|error| self.stopped(&error))
    }

    /// The problems of a kind that a part of a mapping has. In the `whole` periods all of them are there, so that others
    /// are over.
    pub(crate) fn found(
        &mut self,
        mapping: &str,
        what: ProblemKind,
        whole: &[Period],
        found: &[Found],
    ) -> Result<(), Problem> {
        let written = self.write(|transaction, head, run| {
            let now = now();
            let look = LookedAt {
                run,
                now: &now,
                mapping,
                what,
            };
            problems::take(transaction, head, &look, found)?;
            problems::close(transaction, head, &look, whole, found)
        });
        written.map_err(|error| self.stopped(&error))
    }

    /// Ends the record, and removes months that are old enough; none: nobody knows which are.
    pub(crate) fn finish(
        &mut self,
        mappings: &[(String, MappingEntry)],
        finished: &Finished,
        cutoff: Option<Cutoff>,
    ) -> Result<(), Problem> {
        let written = self.write(|transaction, head, run| {
            for (name, mapping) in mappings {
                let entry = entry(run, "mapping", name, &json_text(mapping));
                append(transaction, head, &entry)?;
            }
            append(
                transaction,
                head,
                &entry(run, "finished", "", &json_text(finished)),
            )?;
            match cutoff {
                Some(cutoff) => retention::remove(transaction, head, run, cutoff),
                None => Ok(()),
            }
        });
        written.map_err(|error| file::without_end(&self.file, &Fault::of(&self.file, &error)))
    }

    /// Notes what was done after the run had ended.
    pub(crate) fn after(&mut self, concern: Concern, after: &After) -> Result<(), Problem> {
        let written = self.write(|transaction, head, run| {
            let entry = ChainEntry {
                subject: concern.name().to_owned(),
                ..entry(run, "after", "", &json_text(after))
            };
            append(transaction, head, &entry)
        });
        written.map_err(|error| self.stopped(&error))
    }

    /// The number and the hash of the last entry.
    pub(crate) fn last(&self) -> Result<(i64, String), Problem> {
        let end = head(&self.connection);
        let end =
            end.map_err(|error| file::unreadable(&self.file, &Fault::of(&self.file, &error)))?;
        Ok((end.seq, end.hash))
    }

    /// One transaction; the chain goes on from where the last one ended.
    fn write<T>(
        &mut self,
        entries: impl FnOnce(&Transaction<'_>, &mut Head, i64) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let run = self.run;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut end = head(&transaction)?;
        let value = entries(&transaction, &mut end, run)?;
        note(&transaction, &end)?;
        transaction.commit()?;
        Ok(value)
    }

    fn stopped(&self, error: &rusqlite::Error) -> Problem {
        file::stopped(&self.file, &Fault::of(&self.file, error))
    }
}

fn without_end(
    transaction: &Transaction<'_>,
    alive: &[u32],
) -> rusqlite::Result<Vec<InterruptedRun>> {
    let mut statement = transaction.prepare(
        "SELECT run, at, body FROM entry s WHERE kind = 'started' AND NOT EXISTS
             (SELECT 1 FROM entry e WHERE e.run = s.run AND e.kind IN ('finished', 'interrupted')) ORDER BY run",
    )?;
    let mut rows = statement.query([])?;
    let mut died = Vec::new();
    while let Some(row) = rows.next()? {
        let started: RunStart = body(row.get_ref(2)?.as_str()?);
        if !alive.contains(&started.pid) {
            died.push(InterruptedRun {
                run: row.get(0)?,
                started: row.get(1)?,
            });
        }
    }
    Ok(died)
}

fn entry(run: i64, kind: &'static str, mapping: &str, body: &str) -> ChainEntry {
    ChainEntry {
        run,
        at: now(),
        kind,
        mapping: mapping.to_owned(),
        body: body.to_owned(),
        ..ChainEntry::default()
    }
}

/// Bodies are made of texts, numbers and lists, so that this cannot fail.
fn json_text(body: &impl Serialize) -> String {
    serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned())
}
