//! The database file: made for its owner only, refused untouched where a newer program wrote it, brought up to date in
//! one transaction where an older one did.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::exit::{Exit, Problem};
use crate::site;

/// The file's name in the state folder.
pub(super) const FILE: &str = "history.db";

/// The version of the tables below, in SQLite's `user_version`.
pub(super) const SCHEMA: u32 = 2;

/// Tells our files from others, in SQLite's `application_id`: "pg2d".
const APPLICATION: u32 = 0x7067_3264;

/// A reader may wait so long for a writer that is just ending.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the two numbers stand in the file's header (SQLite, "Database File Format", 1.3).
const HEADER: usize = 100;
const VERSION_AT: usize = 60;
const APPLICATION_AT: usize = 68;

/// `entry` is only ever added to, but for months that are removed whole. `head` is its last hash, so that an end that
/// was cut off shows. `problem` is what is open now: it is rewritten by every run, and what opened it is an entry.
const TABLES: &str = "
    CREATE TABLE entry (
        seq     INTEGER PRIMARY KEY,
        run     INTEGER NOT NULL,
        at      TEXT NOT NULL,
        kind    TEXT NOT NULL,
        mapping TEXT NOT NULL,
        period  TEXT NOT NULL,
        subject TEXT NOT NULL,
        body    TEXT NOT NULL,
        hash    TEXT NOT NULL
    ) STRICT;
    CREATE INDEX entry_by_run ON entry (run, kind);
    CREATE INDEX entry_by_kind ON entry (kind, mapping, run) WHERE kind = 'started' OR kind = 'finished'
        OR kind = 'interrupted' OR kind = 'mapping' OR kind = 'removed';
    CREATE INDEX entry_by_problem ON entry (kind, mapping, period, subject) WHERE kind = 'opened' OR kind = 'closed';
    CREATE TRIGGER entry_is_never_edited BEFORE UPDATE ON entry
        BEGIN SELECT RAISE(ABORT, 'entries are never edited'); END;
    CREATE TABLE head (one INTEGER PRIMARY KEY CHECK (one = 1), seq INTEGER NOT NULL, hash TEXT NOT NULL) STRICT;
    CREATE TABLE problem (
        mapping    TEXT NOT NULL,
        period     TEXT NOT NULL,
        subject    TEXT NOT NULL,
        opened     INTEGER NOT NULL,
        first_seen TEXT NOT NULL,
        last_seen  TEXT NOT NULL,
        PRIMARY KEY (mapping, period, subject)
    ) STRICT, WITHOUT ROWID;
";

/// What each later schema adds, from the second on.
const LATER: [&str; 1] = [
    // How often a problem was met, and the changes of one cell without reading all.
    "ALTER TABLE problem ADD COLUMN tries INTEGER NOT NULL DEFAULT 1;
     CREATE INDEX entry_by_subject ON entry (subject, period) WHERE kind = 'change';",
];

/// Opens the history to write in it; makes it if there is none.
pub(super) fn open(state: &Path) -> Result<Connection, Problem> {
    let path = state.join(FILE);
    ensure_ours(&path)?;
    make_private(&path).map_err(|error| unusable(&path, &Fault::of_file(&error)))?;
    let broken = |error: rusqlite::Error| unusable(&path, &Fault::of(&path, &error));
    let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(broken)?;
    ensure_known(&connection, &path)?;
    bring_up_to_date(&mut connection).map_err(broken)?;
    Ok(connection)
}

/// Opens the history to read it; None if there is none. One that an older program wrote is brought up to date.
pub(super) fn open_to_read(state: &Path) -> Result<Option<Connection>, Problem> {
    let path = state.join(FILE);
    match fs::metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&path, &Fault::of_file(&error))),
        Ok(_) => {}
    }
    ensure_ours(&path)?;
    let broken = |error: rusqlite::Error| unreadable(&path, &Fault::of(&path, &error));
    let mut connection = connect(&path, OpenFlags::SQLITE_OPEN_READ_WRITE).map_err(broken)?;
    ensure_known(&connection, &path)?;
    bring_up_to_date(&mut connection).map_err(broken)?;
    Ok(Some(connection))
}

/// SQLite's words.
pub(super) fn reason(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqliteFailure(_, Some(words)) => words.clone(),
        rusqlite::Error::SqliteFailure(code, None) => code.to_string(),
        error => error.to_string(),
    }
}

/// What is wrong with the history, and what helps.
pub(super) struct Fault {
    why: String,
    helps: &'static str,
}

/// What helps where the file itself is broken, and only there.
const BROKEN: &str =
    "put back a copy of it, or take it away: then a new one begins with the next run";

impl Fault {
    /// A healthy file on a disk that is full, or where we may not write, must never be taken for a broken one.
    pub(super) fn of(path: &Path, error: &rusqlite::Error) -> Fault {
        let code = error.sqlite_error_code();
        if matches!(
            code,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ) {
            return Fault {
                why: reason(error),
                helps: BROKEN,
            };
        }
        let beside = path.parent().map_or(Ok(()), site::ensure_room);
        match beside {
            Err(error) => Fault::of_file(&error),
            Ok(()) if code == Some(ErrorCode::DiskFull) => Fault {
                why: "the disk is full".to_owned(),
                helps: FULL,
            },
            Ok(()) => Fault {
                why: reason(error),
                helps: "look at the disk and at the rights of the file; it is left as it is",
            },
        }
    }

    pub(super) fn of_file(error: &io::Error) -> Fault {
        let helps = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FULL,
            io::ErrorKind::ReadOnlyFilesystem => {
                "let it be written there again; the history itself is left as it is"
            }
            io::ErrorKind::PermissionDenied => {
                "the state folder and all that is in it must belong to the user that runs pg2dhis2; the history itself is left as it is"
            }
            _ => "mend the state folder; the history itself is left as it is",
        };
        Fault {
            why: site::reason(error),
            helps,
        }
    }
}

const FULL: &str = "make room there; the history itself is left as it is";

pub(super) fn unusable(path: &Path, Fault { why, helps }: &Fault) -> Problem {
    let shown = path.display();
    let message =
        format!("the history {shown} cannot be written ({why}); nothing was sent; {helps}");
    Problem::new(Exit::State, message)
}

pub(super) fn unreadable(path: &Path, Fault { why, helps }: &Fault) -> Problem {
    let shown = path.display();
    let message = format!("the history {shown} cannot be read ({why}); nothing was sent; {helps}");
    Problem::new(Exit::State, message)
}

/// The end of a run cannot be written.
pub(super) fn without_end(path: &Path, Fault { why, helps }: &Fault) -> Problem {
    let shown = path.display();
    let message = format!(
        "the end of this run cannot be written in the history {shown} ({why}); what it did stands; {helps}"
    );
    Problem::new(Exit::State, message)
}

/// The history cannot be written any more after something was sent, or may have been.
pub(super) fn stopped(path: &Path, Fault { why, helps }: &Fault) -> Problem {
    let shown = path.display();
    let message = format!(
        "the history {shown} cannot be written ({why}); nothing more was sent; {helps}, and the next run sends what is left"
    );
    Problem::new(Exit::State, message)
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    // A record that a power cut takes away again is none.
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

/// Looks at the file itself first: SQLite would write beside it.
fn ensure_ours(path: &Path) -> Result<(), Problem> {
    let mut header = [0; HEADER];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    let number = |at: usize| {
        let bytes = header
            .get(at..at + 4)
            .and_then(|bytes| bytes.try_into().ok());
        u32::from_be_bytes(bytes.unwrap_or_default())
    };
    match read {
        // None, an empty one, or one that was cut short: SQLite tells.
        Err(_) => Ok(()),
        Ok(()) if number(APPLICATION_AT) == APPLICATION => {
            ensure_not_newer(path, number(VERSION_AT))
        }
        // The first transaction may not have come down from its log yet.
        Ok(()) if number(APPLICATION_AT) == 0 && number(VERSION_AT) == 0 => Ok(()),
        Ok(()) => Err(unreadable(
            path,
            &Fault {
                why: "it is no history of pg2dhis2".to_owned(),
                helps: BROKEN,
            },
        )),
    }
}

fn ensure_known(connection: &Connection, path: &Path) -> Result<(), Problem> {
    let version =
        version(connection).map_err(|error| unreadable(path, &Fault::of(path, &error)))?;
    ensure_not_newer(path, version)
}

fn ensure_not_newer(path: &Path, version: u32) -> Result<(), Problem> {
    if version <= SCHEMA {
        return Ok(());
    }
    Err(Problem::new(
        Exit::State,
        format!(
            "the history {} was written by a newer pg2dhis2 (schema {version}, this one knows {SCHEMA}); it was left as it is and \
             nothing was sent; install the newer program again",
            path.display()
        ),
    ))
}

fn version(connection: &Connection) -> rusqlite::Result<u32> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// 0600 whatever the umask; SQLite gives its log the mode of the file.
fn make_private(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

fn bring_up_to_date(connection: &mut Connection) -> rusqlite::Result<()> {
    let version = version(connection)?;
    if version == SCHEMA {
        return Ok(());
    }
    if version == 0 {
        connection.pragma_update(None, "journal_mode", "WAL")?;
    }
    let transaction = connection.transaction()?;
    if version == 0 {
        transaction.execute_batch(TABLES)?;
        transaction.pragma_update(None, "application_id", APPLICATION)?;
    }
    let done = version.saturating_sub(1);
    for later in LATER
        .iter()
        .skip(usize::try_from(done).unwrap_or(usize::MAX))
    {
        transaction.execute_batch(later)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::Path;

    use rusqlite::ffi::{self, Error};

    use super::{Fault, unreadable};

    #[test]
    fn only_a_file_that_is_broken_is_told_to_be_taken_away() {
        let state = tempfile::tempdir().unwrap();
        let path = state.path().join("history.db");
        let told = |code| {
            let error = rusqlite::Error::SqliteFailure(Error::new(code), None);
            unreadable(&path, &Fault::of(&path, &error)).message
        };
        for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB] {
            assert!(told(code).contains("take it away"), "{}", told(code));
        }
        for code in [
            ffi::SQLITE_FULL,
            ffi::SQLITE_IOERR,
            ffi::SQLITE_IOERR_SHMSIZE,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_PERM,
            ffi::SQLITE_BUSY,
        ] {
            let told = told(code);
            assert!(!told.contains("take it away"), "{told}");
            assert!(told.contains("left as it is"), "{told}");
        }
        assert!(told(ffi::SQLITE_FULL).contains("the disk is full"));
        for (kind, words) in [
            (io::ErrorKind::StorageFull, "make room there"),
            (io::ErrorKind::ReadOnlyFilesystem, "read-only"),
            (io::ErrorKind::PermissionDenied, "must belong to the user"),
        ] {
            let told = unreadable(Path::new("x"), &Fault::of_file(&kind.into())).message;
            assert!(
                told.contains(words) && told.contains("left as it is"),
                "{told}"
            );
        }
    }
}
