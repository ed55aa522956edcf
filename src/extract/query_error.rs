//! What went wrong with a query: its place in the file, and as much of the server's text as cannot hold a row's value.

use std::time::Duration;

use postgres::error::{DbError, ErrorPosition};

use super::error::{ExtractError, ExtractErrorKind, LibraryFault, Stage, can_be_shown, kind};
use super::session_settings::SessionSettings;
use crate::mapping::{ParameterValues, Statement};

/// A query in front of the server.
#[derive(Clone, Copy)]
pub(super) struct Running<'a> {
    pub(super) statement: &'a Statement<'a>,
    pub(super) stage: Stage,
    /// Characters that were written in front of the query's own text.
    pub(super) in_front: usize,
    pub(super) session: &'a SessionSettings,
    pub(super) parameters: &'a ParameterValues,
}

impl Running<'_> {
    /// A fault of this query: its place in the file where the server gives one, and the server's text where that cannot hold row values.
    pub(super) fn failed(self, error: &postgres::Error) -> ExtractError {
        let file = &self.statement.sql.file;
        let Some(server) = error.as_db_error() else {
            return match LibraryFault::of(error) {
                LibraryFault::Lost | LibraryFault::Unreachable => ExtractError::new(
                    ExtractErrorKind::Lost,
                    format!("running {file}: the connection to the source was lost"),
                ),
                // These texts of the library name a column by number and hold no value.
                _ => ExtractError::new(
                    ExtractErrorKind::Source,
                    format!("running {file}: {error}; is the text not UTF-8?"),
                ),
            };
        };
        let code = server.code().code();
        if self.is_no_query(server) {
            let why = "only one plain query can be read (SELECT, VALUES, TABLE, or WITH … SELECT that changes nothing)";
            let text = format!("{}: {why} ({code})", self.place(server));
            return ExtractError::new(ExtractErrorKind::Source, text);
        }
        let kind = kind(server);
        let what = match kind {
            ExtractErrorKind::TimedOut => format!(
                "it ran longer than statement-timeout ({}), or was cancelled on the server ({code}); tune the query or the limit",
                limit(self.session.statement_timeout)
            ),
            ExtractErrorKind::Locked => {
                format!(
                    "a table was locked for longer than lock-timeout ({}) ({code})",
                    limit(self.session.lock_timeout)
                )
            }
            ExtractErrorKind::Lost => format!("the server ended the session ({code})"),
            _ if server.routine() == Some("check_enable_rls") => format!(
                "row-level security would hide rows from this role ({code}); let it read a view that belongs to the table's owner"
            ),
            // Ours is the encoding in which texts leave the server, so that psql may show nothing.
            _ if matches!(code, "22021" | "22P05") => format!(
                "a text cannot be read as UTF-8 ({code}); it is stored in another encoding than the database's own, or the database \
                 is SQL_ASCII: convert_from names the right one"
            ),
            _ if can_be_shown(server, self.stage) => format!("{} ({code})", server.message()),
            _ => format!(
                "the query failed ({code}); the server's text is withheld, as it may contain patient data: to read it, run {}",
                self.psql()
            ),
        };
        ExtractError::new(kind, format!("{}: {what}", self.place(server)))
    }

    /// The server does not understand the first word, which is none that begins a query; or the query would change something.
    fn is_no_query(self, server: &DbError) -> bool {
        let message = server.message();
        match server.code().code() {
            "0A000" => message.contains("DECLARE CURSOR"),
            "42601" => {
                message.contains("INTO is not allowed")
                    || self
                        .before(server)
                        .is_some_and(|before| self.statement.begins_at(before))
            }
            _ => false,
        }
    }

    fn place(self, server: &DbError) -> String {
        let file = &self.statement.sql.file;
        match self.before(server) {
            Some(before) => {
                let (line, column) = self.statement.place(before);
                format!("{file}, line {line}, column {column}")
            }
            None => format!("running {file}"),
        }
    }

    /// How many characters of the statement stand before the place that the server names.
    fn before(self, server: &DbError) -> Option<usize> {
        match server.position() {
            // PostgreSQL counts from 1.
            Some(ErrorPosition::Original(position)) => usize::try_from(*position)
                .ok()?
                .checked_sub(self.in_front + 1),
            Some(ErrorPosition::Internal { .. }) | None => None,
        }
    }

    /// The command that runs the file as it was run here. Values that a shell would read as more than a word are left out.
    fn psql(self) -> String {
        let plain = |value: &str| {
            let is_plain = |one: char| one.is_ascii_alphanumeric() || "-+:._".contains(one);
            if value.chars().all(is_plain) {
                value.to_owned()
            } else {
                "…".to_owned()
            }
        };
        let used = self.parameters.iter();
        let used = used.filter(|(name, _)| self.statement.sql.parameters.contains(name));
        let values: String = used
            .map(|(name, value)| format!(" -v {name}={}", plain(value)))
            .collect();
        let zone = &self.session.time_zone;
        let file = &self.statement.sql.file;
        format!("PGTZ={zone} PGCLIENTENCODING=UTF8 psql -X{values} -f {file}")
    }
}

fn limit(duration: Duration) -> String {
    match duration.subsec_millis() {
        0 => format!("{} s", duration.as_secs()),
        _ => format!("{} ms", duration.as_millis()),
    }
}
