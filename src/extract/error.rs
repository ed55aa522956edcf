//! What went wrong with the source, in one line that may be shown to anybody: no value of a row is ever in it.

use std::error::Error;
use std::fmt;

use postgres::error::DbError;

use super::tls;

/// A fault of the source. Its text is complete: it keeps no error of the library, whose text may carry patient data.
#[derive(Debug)]
pub(crate) struct ExtractError {
    pub(crate) kind: ExtractErrorKind,
    text: String,
}

/// Which exit code a fault has, and whether the next run may find it gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ExtractErrorKind {
    /// Nothing answers there. Temporary, like the six that follow.
    Unreachable,
    /// The server lacks connections, memory or disk.
    Overloaded,
    /// The connection ended in the middle.
    Lost,
    /// A query ran longer than `statement-timeout`, or was cancelled by hand.
    TimedOut,
    /// A query waited longer than `lock-timeout`.
    Locked,
    /// The server is starting or stopping, or a standby cancelled the query.
    Recovery,
    /// It is a standby or none against `target_session_attrs`, or too far behind.
    NotThisServer,
    /// The server refuses us.
    Credentials,
    NoSuchDatabase,
    /// The server is not who it must be.
    Tls,
    /// The query, its result or the role are not what the mapping promises.
    Source,
}

impl ExtractErrorKind {
    /// Whether it may be gone by itself, so that nobody needs to do anything.
    pub(crate) fn may_pass(self) -> bool {
        match self {
            ExtractErrorKind::Unreachable
            | ExtractErrorKind::Overloaded
            | ExtractErrorKind::Lost
            | ExtractErrorKind::Locked
            | ExtractErrorKind::Recovery
            | ExtractErrorKind::NotThisServer => true,
            // A query that took too long would take as long again.
            ExtractErrorKind::TimedOut
            | ExtractErrorKind::Credentials
            | ExtractErrorKind::NoSuchDatabase
            | ExtractErrorKind::Tls
            | ExtractErrorKind::Source => false,
        }
    }

    /// Whether the next host of the URL may be asked: this one is not there, or is not the one to read.
    pub(super) fn another_server_may_do(self) -> bool {
        self == ExtractErrorKind::Overloaded || self.ends_all()
    }

    /// Whether no other query will fare better now.
    pub(crate) fn ends_all(self) -> bool {
        match self {
            ExtractErrorKind::Unreachable
            | ExtractErrorKind::Lost
            | ExtractErrorKind::Recovery
            | ExtractErrorKind::NotThisServer => true,
            ExtractErrorKind::Overloaded
            | ExtractErrorKind::TimedOut
            | ExtractErrorKind::Locked
            | ExtractErrorKind::Credentials
            | ExtractErrorKind::NoSuchDatabase
            | ExtractErrorKind::Tls
            | ExtractErrorKind::Source => false,
        }
    }
}

/// What was going on when the server refused it; decides how much of its text cannot hold row values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stage {
    /// Connecting, and commands of our own.
    Session,
    /// The query is parsed; no row has been looked at.
    Preparing,
    Running,
}

impl ExtractError {
    pub(super) fn new(kind: ExtractErrorKind, text: impl Into<String>) -> ExtractError {
        ExtractError {
            kind,
            text: one_line(&text.into()),
        }
    }

    /// This and what followed from it or after it, in one line; the kind is that of the last.
    pub(super) fn and(self, next: ExtractError) -> ExtractError {
        ExtractError {
            kind: next.kind,
            text: format!("{}; {}", self.text, next.text),
        }
    }
}

impl fmt::Display for ExtractError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)?;
        if self.kind.may_pass() {
            formatter.write_str("; the next run tries again")?;
        }
        Ok(())
    }
}

impl Error for ExtractError {}

/// A fault while connecting or in a command of our own; `doing` completes "… : what is wrong".
pub(super) fn in_session(doing: &str, error: &postgres::Error) -> ExtractError {
    if let Some(server) = error.as_db_error() {
        let code = server.code().code();
        let kind = match code {
            // A role without the right to connect to the database is refused with this code.
            "42501" => ExtractErrorKind::Credentials,
            _ => kind(server),
        };
        let next = match code {
            // No such role, one that may not log in, or no way in from here.
            "28000" => "; those who run the server must let this role in from here",
            "3D000" => "; correct the database's name in [source] url",
            "08P01" if server.message().ends_with("startup parameter: options") => {
                "; take options out of the url of [source]: the pool in front of the server does not let it pass"
            }
            "08P01" | "08004" if !kind.may_pass() => {
                "; this does not pass by itself: those who run the server, or the pool in front of it, must let us in"
            }
            _ => "",
        };
        let what = match can_be_shown(server, Stage::Session) {
            true => format!("{} ({code})", server.message()),
            false => format!("the server refuses it ({code})"),
        };
        return ExtractError::new(kind, format!("{doing}: {what}{next}"));
    }
    let cause = error.source();
    let text = cause.map(without_number).unwrap_or_default();
    let (kind, what) = match LibraryFault::of(error) {
        LibraryFault::Unreachable => (ExtractErrorKind::Unreachable, text),
        LibraryFault::Lost => (
            ExtractErrorKind::Lost,
            "the server closed the connection".to_owned(),
        ),
        LibraryFault::Tls => match (cause.and_then(tls::explain), text.as_str()) {
            (Some(why), _) => (ExtractErrorKind::Tls, why),
            (None, "server does not support TLS") => (
                ExtractErrorKind::Tls,
                "the server offers no TLS; switch it on there, or write a weaker sslmode"
                    .to_owned(),
            ),
            (None, _) => (
                ExtractErrorKind::Lost,
                format!("the TLS handshake broke off ({text})"),
            ),
        },
        LibraryFault::Password => (
            ExtractErrorKind::Credentials,
            "the server asks for a password; write password-file".to_owned(),
        ),
        LibraryFault::Authentication => (ExtractErrorKind::Credentials, text),
        LibraryFault::Other => (
            ExtractErrorKind::Source,
            "the server does not answer as PostgreSQL does".to_owned(),
        ),
    };
    ExtractError::new(kind, format!("{doing}: {what}"))
}

/// The faults that do not come from PostgreSQL itself. The library keeps their kind to itself and shows it only as a fixed text.
pub(super) enum LibraryFault {
    Unreachable,
    Lost,
    Tls,
    Password,
    Authentication,
    Other,
}

impl LibraryFault {
    pub(super) fn of(error: &postgres::Error) -> LibraryFault {
        match error.to_string().as_str() {
            "error connecting to server" => LibraryFault::Unreachable,
            "error communicating with the server"
            | "connection closed"
            | "timeout waiting for server" => LibraryFault::Lost,
            "error performing TLS handshake" => LibraryFault::Tls,
            "invalid configuration" => LibraryFault::Password,
            "authentication error" => LibraryFault::Authentication,
            _ => LibraryFault::Other,
        }
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
pub(super) fn kind(server: &DbError) -> ExtractErrorKind {
    let code = server.code().code();
    match (code, class(code)) {
        ("08P01" | "08004", _) => refused_by_a_pool(server.message()),
        ("57014", _) => ExtractErrorKind::TimedOut,
        ("55P03", _) => ExtractErrorKind::Locked,
        // Cannot connect now; and what a hot standby does to a query that stands in the way of replay.
        ("57P03", _) | (_, "40") => ExtractErrorKind::Recovery,
        // An administrator's command, a crash of another session, an idle time-out.
        ("57P01" | "57P02" | "57P04" | "57P05" | "25P03", _) | (_, "08") => ExtractErrorKind::Lost,
        (_, "53") => ExtractErrorKind::Overloaded,
        (_, "28") => ExtractErrorKind::Credentials,
        (_, "3D") => ExtractErrorKind::NoSuchDatabase,
        _ => ExtractErrorKind::Source,
    }
}

/// Pools say nearly everything with one code, whether it passes or not.
fn refused_by_a_pool(message: &str) -> ExtractErrorKind {
    const PASSES: [&str; 9] = [
        "shutting down",
        "shutdown",
        "crash",
        "timeout",
        "too many",
        "no more connections",
        "connect",
        "closed",
        "paused",
    ];
    if message.contains("authentication failed") || message.starts_with("no such user") {
        ExtractErrorKind::Credentials
    } else if message.starts_with("no such database") {
        ExtractErrorKind::NoSuchDatabase
    } else if PASSES.iter().any(|word| message.contains(word)) {
        ExtractErrorKind::Lost
    } else {
        ExtractErrorKind::Source
    }
}

pub(super) fn can_be_shown(server: &DbError, stage: Stage) -> bool {
    // A function can raise any code with any text; the server then says in which function it was.
    if server.where_().is_some() {
        return false;
    }
    let code = server.code().code();
    match class(code) {
        "08" | "25" | "28" | "3D" | "40" | "53" | "55" | "57" => true,
        "0A" | "42" => stage != Stage::Running || code == "42501",
        _ => stage == Stage::Session,
    }
}

fn class(code: &str) -> &str {
    code.get(..2).unwrap_or_default()
}

/// The text of a library's error without the system's number for it: "Connection refused (os error 111)".
fn without_number(error: &(dyn Error + 'static)) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next();
    words.unwrap_or_default().to_owned()
}

/// Control characters, line breaks among them, become blanks: a message is one line.
fn one_line(text: &str) -> String {
    text.chars()
        .map(|character| {
            if character.is_control() {
                ' '
            } else {
                character
            }
        })
        .collect()
}
