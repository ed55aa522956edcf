//! One moment of the source: queries run in it, and every row arrives as PostgreSQL's own text.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use postgres::Transaction;

use super::cursor::{Cursor, ResultColumn};
use super::error::{self, ExtractError, ExtractErrorKind};
use super::session_settings::SessionSettings;
use crate::mapping::{ParameterValues, PlainStrings, Sql};

/// A REPEATABLE READ, READ ONLY transaction. Dropping it ends it too, without a word.
pub(crate) struct Snapshot<'a> {
    transaction: Transaction<'a>,
    session: &'a SessionSettings,
    plain_strings: PlainStrings,
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(
        transaction: Transaction<'a>,
        session: &'a SessionSettings,
        plain_strings: PlainStrings,
    ) -> Snapshot<'a> {
        Snapshot {
            transaction,
            session,
            plain_strings,
        }
    }

    /// A moment as a parameter: the time in the zone of the session, so that it is also the right day where a query takes it for a date.
    pub(crate) fn moment(&self, moment: Timestamp) -> String {
        let zone = TimeZone::get(&self.session.time_zone).unwrap_or(TimeZone::UTC);
        moment
            .display_with_offset(zone.to_offset(moment))
            .to_string()
    }

    /// Runs one query and gives the number of its rows. `check` sees the columns before a row is read and answers with the most characters
    /// to read of each, or refuses. `row` gets each row, a text or None for NULL per column. Whatever the query sets, and whatever fails
    /// in it, is rolled back, so that the next one begins as it did. Once the connection is lost, every later query fails.
    pub(crate) fn rows(
        &mut self,
        sql: &Sql,
        parameters: &ParameterValues,
        check: impl FnOnce(&[ResultColumn]) -> anyhow::Result<Vec<u32>>,
        row: impl FnMut(&[Option<&str>]) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let statement = sql
            .with(parameters, self.plain_strings)
            .map_err(|error| refused(sql, self.plain_strings, &error.to_string()))?;
        let failed = |error: postgres::Error| {
            let doing = format!("running {} on the source", sql.file);
            error::in_session(&doing, &error)
        };
        let mut inner = self.transaction.savepoint("query").map_err(failed)?;
        let read = Cursor::new(&mut inner, &statement, self.session, parameters).read(check, row);
        match (read, inner.rollback()) {
            (Ok(rows), Ok(())) => Ok(rows),
            (Ok(_), Err(error)) => Err(failed(error).into()),
            // Its own reason says more than a roll-back that fails because the connection is gone; the next query shows that.
            (Err(reason), rolled_back) => {
                if let Err(error) = rolled_back {
                    log::debug!("{}", failed(error));
                }
                Err(reason)
            }
        }
    }

    /// Ends the transaction, so that the source holds nothing for us any more.
    pub(crate) fn close(self) -> Result<(), ExtractError> {
        self.transaction
            .rollback()
            .map_err(|error| error::in_session("closing the snapshot of the source", &error))
    }
}

fn refused(sql: &Sql, plain_strings: PlainStrings, why: &str) -> ExtractError {
    let reading = match plain_strings {
        PlainStrings::Standard => "",
        PlainStrings::Backslashes => {
            "; the database reads a backslash in a string as an escape (standard_conforming_strings = off)"
        }
    };
    let text = format!("{}, {why}{reading}", sql.file);
    ExtractError::new(ExtractErrorKind::Source, text)
}
