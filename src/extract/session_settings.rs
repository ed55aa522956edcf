//! What holds in the session while queries run: what the database and the role say, but for the settings that are ours.

use std::time::Duration;

use postgres::{SimpleQueryMessage, Transaction};

use super::settings::SourceSettings;
use crate::mapping::PlainStrings;

/// The settings that every transaction of ours begins with, and what the server says to them.
#[derive(Debug, Clone)]
pub(super) struct SessionSettings {
    commands: String,
    pub(super) time_zone: String,
    pub(super) statement_timeout: Duration,
    pub(super) lock_timeout: Duration,
}

/// What a session says of itself once our settings hold.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SessionFacts {
    pub(super) plain_strings: PlainStrings,
    /// How the database writes dates where nobody says otherwise, such as `SQL, DMY`.
    pub(super) date_style: String,
}

/// Back to what the database and the role say, whoever had the connection of a pool before us. All of it, this too, is undone with
/// the transaction.
const RESET: &str = "reset all";

/// Ours: UTF-8, as files are; dates written as ISO and read in the database's own order; no row hidden in silence (`row_security = off`
/// turns a filtered result into an error); plans for all rows, though they are read through a cursor.
const OURS: &str = "set local client_encoding = 'UTF8'; set local datestyle = 'ISO'; set local row_security = off; \
    set local cursor_tuple_fraction = 1; set local idle_in_transaction_session_timeout = '60s'";

/// A temporary table that somebody left on a connection of a pool would stand for the real one of its name.
const TEMPORARY_LAST: &str = "select pg_catalog.set_config('search_path', pg_catalog.concat_ws(', ', \
    nullif(pg_catalog.current_setting('search_path'), ''), 'pg_temp'), true) where pg_catalog.pg_my_temp_schema() <> 0";

/// Frees the server of our query soon after we are gone. Only PostgreSQL 14 and later know it, and not on every system.
const NOTICE_OUR_END: &str = "set local client_connection_check_interval = '5s'";

impl SessionSettings {
    pub(super) fn new(settings: &SourceSettings) -> SessionSettings {
        let commands = format!(
            "set local timezone = '{}'; set local statement_timeout = {}; set local lock_timeout = {}",
            settings.time_zone.replace('\'', "''"),
            milliseconds(settings.statement_timeout),
            milliseconds(settings.lock_timeout)
        );
        SessionSettings {
            commands,
            time_zone: settings.time_zone.clone(),
            statement_timeout: settings.statement_timeout,
            lock_timeout: settings.lock_timeout,
        }
    }

    /// Makes the settings hold in a transaction that has done nothing yet.
    pub(super) fn begin(
        &self,
        transaction: &mut Transaction<'_>,
    ) -> Result<SessionFacts, postgres::Error> {
        transaction.batch_execute(RESET)?;
        let facts = facts(transaction)?;
        transaction.batch_execute(&format!("{OURS}; {}; {TEMPORARY_LAST}", self.commands))?;
        let mut attempt = transaction.savepoint("notice_our_end")?;
        match attempt.batch_execute(NOTICE_OUR_END) {
            Ok(()) => attempt.commit()?,
            Err(error) => {
                attempt.rollback()?;
                log::debug!(
                    "the source does not know client_connection_check_interval ({:?})",
                    error.code().map(|code| code.code())
                );
            }
        }
        Ok(facts)
    }
}

fn facts(transaction: &mut Transaction<'_>) -> Result<SessionFacts, postgres::Error> {
    let mut show = |setting: &str| {
        let answer = transaction.simple_query(&format!("show {setting}"))?;
        let value = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
            _ => None,
        });
        Ok::<_, postgres::Error>(value.unwrap_or_default())
    };
    Ok(SessionFacts {
        plain_strings: match show("standard_conforming_strings")?.as_str() {
            "off" => PlainStrings::Backslashes,
            _ => PlainStrings::Standard,
        },
        date_style: show("datestyle")?,
    })
}

/// At least 1: PostgreSQL takes 0 for no limit.
fn milliseconds(duration: Duration) -> u128 {
    duration
        .as_millis()
        .clamp(1, i32::MAX.unsigned_abs().into())
}
