//! Old months are removed whole. What the first entry left follows is told by an entry of its own, so that the chain
//! still holds.

use jiff::civil::Date;
use rusqlite::{OptionalExtension, Transaction, params};

use super::chain::{Anchor, ChainEntry, Head, append, now};

/// Removes the runs that began in a month before that of `cutoff`, and what belongs to no run and is as old.
pub(super) fn remove(
    transaction: &Transaction<'_>,
    head: &mut Head,
    run: i64,
    cutoff: Date,
) -> rusqlite::Result<()> {
    let first_kept: Option<i64> = transaction.query_row(
        "SELECT min(seq) FROM entry WHERE (kind = 'started' OR run = 0) AND at >= ?",
        [month(cutoff)],
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

/// How the moments of a month and all later ones begin at the earliest: `2021-03`.
fn month(day: Date) -> String {
    format!("{:04}-{:02}", day.year(), day.month())
}
