//! Old months are removed whole. What the first entry left follows is told by an entry of its own, so that the chain
//! still holds. No clock that goes wrong may empty the history: what is old is counted from the moments of several runs, and
//! one run removes one month at most.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rusqlite::{OptionalExtension, Transaction, params};

use super::chain::{Anchor, ChainEntry, Head, append, now};

/// The latest so many runs always stay, and the earliest of them says how far time has come.
const WITNESSES: u32 = 3;

/// What is old today.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutoff {
    /// The day, as the clocks of this host, of the source and of DHIS2 have it.
    pub(crate) today: Date,
    /// Runs that began in a month before that of this day are old.
    pub(crate) before: Date,
}

/// Removes the runs that are old, and what belongs to no run and is as old.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    head: &mut Head,
    run: i64,
    cutoff: Cutoff,
) -> rusqlite::Result<()> {
    let Some(before) = witnessed(transaction, cutoff)? else {
        return Ok(());
    };
    let first_kept: Option<i64> = transaction.query_row(
        "SELECT min(seq) FROM entry WHERE (kind = 'started' OR run = 0) AND at >= ?",
        [month(before)],
        |row| row.get(0),
    )?;
    let Some(first_kept) = first_kept else {
        return Ok(());
    };
    let last: Option<(i64, String)> = transaction
        .query_row(
            "SELECT seq, hash FROM entry WHERE seq < ? ORDER BY seq DESC LIMIT 1",
            [first_kept],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .optional()?;
    let Some((through, hash)) = last else {
        return Ok(());
    };
    transaction.execute("DELETE FROM entry WHERE seq <= ?", params![through])?;
    let body = serde_json::to_string(&Anchor { through, hash });
    append(
        transaction,
        head,
        &ChainEntry {
            run,
            at: now(),
            kind: "removed",
            body: body.unwrap_or_default(),
            ..ChainEntry::default()
        },
    )
}

/// The day before whose month runs are removed now, counted from the earliest moment of the latest runs, and no later than
/// the month after the oldest. None: it is before all time, or nobody knows it.
fn witnessed(transaction: &Transaction<'_>, cutoff: Cutoff) -> rusqlite::Result<Option<Date>> {
    let earliest: Option<String> = transaction.query_row(
        "SELECT min(at) FROM (SELECT at FROM entry WHERE kind = 'started' ORDER BY run DESC LIMIT ?)",
        [WITNESSES],
        |row| row.get(0),
    )?;
    let oldest: Option<String> = transaction
        .query_row(
            "SELECT at FROM entry WHERE kind = 'started' OR run = 0 ORDER BY seq LIMIT 1",
            [],
            |row| row.get(0),
        )
        .optional()?;
    Ok(day(earliest)
        .zip(day(oldest))
        .and_then(|(reached, oldest)| {
            let ahead = (cutoff.today - reached).get_days().max(0);
            let before = cutoff.before.checked_sub(ahead.days()).ok()?;
            let next = oldest.first_of_month().checked_add(1.month()).ok()?;
            Some(before.min(next))
        }))
}

fn day(at: Option<String>) -> Option<Date> {
    let at: Timestamp = at?.parse().ok()?;
    Some(TimeZone::UTC.to_datetime(at).date())
}

/// How the moments of a month and all later ones begin at the earliest: `2021-03`.
fn month(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}
