//! Problems that last from run to run: a blocked or a rejected cell, a key that no mapping knows. Each is opened once,
//! counted while it lasts, and closed by the first run that looks there and does not find it.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::json;

use super::chain::{ChainEntry, Head, append};
use crate::domain::{Cell, Period};

/// Something that keeps values from DHIS2.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    pub(crate) period: Period,
    /// DHIS2's code, a reason of ours, or the dimension of a key.
    pub(crate) reason: String,
    /// A cell without its period, or a key as anybody may see it.
    pub(crate) subject: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ProblemKind {
    Blocked,
    Rejected,
    Unmapped,
}

impl ProblemKind {
    fn name(self) -> &'static str {
        match self {
            ProblemKind::Blocked => "blocked",
            ProblemKind::Rejected => "rejected",
            ProblemKind::Unmapped => "unmapped",
        }
    }
}

/// A cell as entries name it: data element, organisation unit, category and attribute option combo.
pub(super) fn subject(cell: &Cell) -> String {
    let triple = cell.triple;
    format!(
        "{} {} {} {}",
        triple.data_element,
        cell.org_unit,
        triple.category_option_combo,
        triple.attribute_option_combo
    )
}

impl Found {
    pub(crate) fn cell(cell: &Cell, reason: String) -> Found {
        Found {
            period: cell.period,
            reason,
            subject: subject(cell),
        }
    }
}

/// Where and when a run looked.
pub(super) struct LookedAt<'l> {
    pub(super) run: i64,
    pub(super) now: &'l str,
    pub(super) mapping: &'l str,
    pub(super) what: ProblemKind,
}

/// Takes in what a run found of a kind: new ones are opened, known ones counted.
pub(super) fn take(
    connection: &Connection,
    head: &mut Head,
    look: &LookedAt<'_>,
    found: &[Found],
) -> rusqlite::Result<()> {
    for each in found {
        let (period, subject) = (each.period.to_string(), look.subject(each));
        let known = connection
            .prepare_cached("UPDATE problem SET last_seen = ?, tries = tries + 1 WHERE mapping = ? AND period = ? AND subject = ?")?
            .execute(params![look.now, look.mapping, period, subject])?;
        if known > 0 {
            continue;
        }
        append(
            connection,
            head,
            &look.entry("opened", &period, &subject, "{}".to_owned()),
        )?;
        connection
            .prepare_cached("INSERT INTO problem (mapping, period, subject, opened, first_seen, last_seen, tries) VALUES (?, ?, ?, ?, ?, ?, 1)")?
            .execute(params![look.mapping, period, subject, head.seq, look.now, look.now])?;
    }
    Ok(())
}

/// Closes those of a kind that were not found again, in periods that were looked at whole.
pub(super) fn close(
    connection: &Connection,
    head: &mut Head,
    look: &LookedAt<'_>,
    periods: &[Period],
    found: &[Found],
) -> rusqlite::Result<()> {
    let still: HashSet<(String, String)> = found
        .iter()
        .map(|each| (each.period.to_string(), look.subject(each)))
        .collect();
    for period in periods {
        let period = period.to_string();
        for subject in open(connection, look, &period)? {
            if still.contains(&(period.clone(), subject.clone())) {
                continue;
            }
            close_one(connection, head, look, &period, &subject)?;
        }
    }
    Ok(())
}

fn open(
    connection: &Connection,
    look: &LookedAt<'_>,
    period: &str,
) -> rusqlite::Result<Vec<String>> {
    // `!` is the character after the blank: what begins with the word and a blank.
    let (from, to) = (
        format!("{} ", look.what.name()),
        format!("{}!", look.what.name()),
    );
    let mut statement = connection.prepare_cached(
        "SELECT subject FROM problem WHERE mapping = ? AND period = ? AND subject >= ? AND subject < ?",
    )?;
    let subjects =
        statement.query_map(params![look.mapping, period, from, to], |row| row.get(0))?;
    subjects.collect()
}

fn close_one(
    connection: &Connection,
    head: &mut Head,
    look: &LookedAt<'_>,
    period: &str,
    subject: &str,
) -> rusqlite::Result<()> {
    let key = params![look.mapping, period, subject];
    let lasted: Option<(String, String, i64)> = connection
        .prepare_cached("SELECT first_seen, last_seen, tries FROM problem WHERE mapping = ? AND period = ? AND subject = ?")?
        .query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    if let Some((first, last, tries)) = lasted {
        let body = json!({ "first": first, "last": last, "tries": tries }).to_string();
        append(
            connection,
            head,
            &look.entry("closed", period, subject, body),
        )?;
    }
    connection
        .prepare_cached("DELETE FROM problem WHERE mapping = ? AND period = ? AND subject = ?")?
        .execute(params![look.mapping, period, subject])?;
    Ok(())
}

impl LookedAt<'_> {
    fn subject(&self, found: &Found) -> String {
        format!("{} {} {}", self.what.name(), found.reason, found.subject)
    }

    fn entry(&self, kind: &'static str, period: &str, subject: &str, body: String) -> ChainEntry {
        ChainEntry {
            run: self.run,
            at: self.now.to_owned(),
            kind,
            mapping: self.mapping.to_owned(),
            period: period.to_owned(),
            subject: subject.to_owned(),
            body,
        }
    }
}
