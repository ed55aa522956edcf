//! Entries follow each other by hash: whoever edits, removes or moves one breaks the chain, and it shows where.

use std::fmt;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};

use crate::domain::Fingerprint;

/// One entry, but for its number and hash.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ChainEntry {
    pub(super) run: i64,
    pub(super) at: String,
    pub(super) kind: &'static str,
    pub(super) mapping: String,
    pub(super) period: String,
    /// A cell, or what a problem is about.
    pub(super) subject: String,
    /// JSON.
    pub(super) body: String,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) seq: i64,
    /// Hexadecimal digits; empty before the first entry.
    pub(super) hash: String,
}

/// Entries that were removed because they were old: what the first one left follows.
#[derive(Serialize, Deserialize)]
pub(super) struct Anchor {
    /// The last of them.
    pub(super) through: i64,
    pub(super) hash: String,
}

/// What a look at the whole chain found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Checked {
    pub(crate) entries: u64,
    /// The number and the hash of the last one; it can be held against one that was written down elsewhere.
    pub(crate) head: (i64, String),
}

/// Where the chain does not hold, or the database cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// Entry number so-and-so was edited, or comes after one that was removed, added or moved.
    At(i64),
    /// Entries are gone from the end, or there are more than were written.
    End,
    /// A problem is told as open that no entry opened.
    Problem(String),
    /// SQLite's words.
    Unreadable(String),
}

pub(super) const ENTRIES: &str =
    "SELECT seq, run, at, kind, mapping, period, subject, body, hash FROM entry ORDER BY seq";

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::At(seq) => write!(
                f,
                "at entry {seq}: it was edited, or one before it was removed, added or moved"
            ),
            Broken::End => {
                f.write_str("at its end: the last entries are not those that were written")
            }
            Broken::Problem(subject) => {
                write!(f, "in its open problems: no entry opened {subject:?}")
            }
            Broken::Unreadable(why) => write!(f, "it cannot be read ({why})"),
        }
    }
}

impl From<rusqlite::Error> for Broken {
    fn from(error: rusqlite::Error) -> Broken {
        Broken::Unreadable(super::file::reason(&error))
    }
}

/// The last entry's number and hash, as they were noted beside the entries.
pub(super) fn head(connection: &Connection) -> rusqlite::Result<Head> {
    let head = connection.query_row("SELECT seq, hash FROM head", [], |row| {
        Ok(Head {
            seq: row.get(0)?,
            hash: row.get(1)?,
        })
    });
    Ok(head.optional()?.unwrap_or(Head {
        seq: 0,
        hash: String::new(),
    }))
}

/// Adds an entry; within the transaction of the caller.
pub(super) fn append(
    connection: &Connection,
    head: &mut Head,
    entry: &ChainEntry,
) -> rusqlite::Result<()> {
    let seq = head.seq + 1;
    let fields = [
        &*entry.at,
        entry.kind,
        &entry.mapping,
        &entry.period,
        &entry.subject,
        &entry.body,
    ];
    let hash = hash(&head.hash, seq, entry.run, fields);
    connection
        .prepare_cached("INSERT INTO entry (seq, run, at, kind, mapping, period, subject, body, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")?
        .execute(params![
            seq,
            entry.run,
            entry.at,
            entry.kind,
            entry.mapping,
            entry.period,
            entry.subject,
            entry.body,
            hash
        ])?;
    *head = Head { seq, hash };
    Ok(())
}

/// Notes where the chain ends; the last statement of every transaction.
pub(super) fn note(connection: &Connection, head: &Head) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO head (one, seq, hash) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET seq = excluded.seq, hash = excluded.hash",
        params![head.seq, head.hash],
    )?;
    Ok(())
}

/// Goes over all entries; within one transaction, for a run may be writing.
pub(super) fn verify(connection: &Connection) -> Result<Checked, Broken> {
    let transaction = connection.unchecked_transaction()?;
    let noted = head(&transaction)?;
    let removed = anchor(&transaction)?;
    let mut before = match removed {
        Some(anchor) => Head {
            seq: anchor.through,
            hash: anchor.hash,
        },
        None => Head {
            seq: 0,
            hash: String::new(),
        },
    };
    let first = before.seq;
    let mut entries = 0;
    {
        let mut statement = transaction.prepare(ENTRIES)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            // A number that is no number, a text that is no UTF-8: somebody wrote it.
            let place = before.seq + 1;
            let read = checked(row, &before.hash).map_err(|_| Broken::At(place))?;
            let Some(next) = read.filter(|next| next.seq == place) else {
                return Err(Broken::At(place));
            };
            before = next;
            entries += 1;
        }
    }
    if before != noted {
        return Err(Broken::End);
    }
    ensure_opened(&transaction, first)?;
    Ok(Checked {
        entries,
        head: (before.seq, before.hash),
    })
}

/// The entry as the end of the chain, if its hash is what it must be.
fn checked(row: &Row<'_>, before: &str) -> rusqlite::Result<Option<Head>> {
    let (seq, run, written): (i64, i64, String) = (row.get(0)?, row.get(1)?, row.get(8)?);
    let text = |index: usize| row.get_ref(index)?.as_str().map_err(rusqlite::Error::from);
    let fields = [text(2)?, text(3)?, text(4)?, text(5)?, text(6)?, text(7)?];
    let hash = hash(before, seq, run, fields);
    Ok((hash == written).then_some(Head { seq, hash }))
}

/// What is open was opened by an entry, unless that one was removed with its month.
fn ensure_opened(connection: &Connection, removed: i64) -> Result<(), Broken> {
    let stray: Option<String> = connection
        .query_row(
            "SELECT subject FROM problem p WHERE opened > ? AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.seq = p.opened
             AND e.kind = 'opened' AND e.mapping = p.mapping AND e.period = p.period AND e.subject = p.subject)",
            [removed],
            |row| row.get(0),
        )
        .optional()?;
    match stray {
        Some(subject) => Err(Broken::Problem(subject)),
        None => Ok(()),
    }
}

/// The newest one.
fn anchor(connection: &Connection) -> Result<Option<Anchor>, Broken> {
    let body: Option<String> = connection
        .query_row(
            "SELECT body FROM entry WHERE kind = 'removed' ORDER BY seq DESC LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    let first: Option<i64> =
        connection.query_row("SELECT min(seq) FROM entry", [], |row| row.get(0))?;
    match body.map(|body| serde_json::from_str(&body)) {
        None => Ok(None),
        Some(Ok(anchor)) => Ok(Some(anchor)),
        Some(Err(_)) => Err(Broken::At(first.unwrap_or_default())),
    }
}

/// SHA-256 over the hash before and every column, each with its length, so that no two entries read alike.
fn hash(before: &str, seq: i64, run: i64, fields: [&str; 6]) -> String {
    let mut fingerprint = Fingerprint::default();
    let (seq, run) = (seq.to_string(), run.to_string());
    for field in [before, &seq, &run].into_iter().chain(fields) {
        fingerprint.add(&(field.len() as u64).to_be_bytes());
        fingerprint.add(field.as_bytes());
    }
    fingerprint.hex()
}

/// Now, as entries have it.
pub(super) fn now() -> String {
    moment(Timestamp::now())
}

/// A moment as entries have it: always as many digits, so that texts sort as moments do.
pub(crate) fn moment(moment: Timestamp) -> String {
    format!("{moment:.6}")
}
