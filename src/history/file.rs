//! The database file: made for its owner only, refused untouched where a newer program wrote it, brought up to date in
//! one transaction where an older one did.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

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
    let unusable = |why: &str| unusable(&path, why);
    make_private(&path).map_err(|error| unusable(&site::reason(&error)))?;
    let broken = |error: rusqlite::Error| unusable(&reason(&error));
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
        Err(error) => return Err(unreadable(&path, &site::reason(&error))),
        Ok(_) => {}
    }
    ensure_ours(&path)?;
    let broken = |error: rusqlite::Error| unreadable(&path, &reason(&error));
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

pub(super) fn unusable(path: &Path, why: &str) -> Problem {
    Problem::new(
        Exit::State,
        format!(
            "the history {} cannot be written ({why}); nothing was sent; make room, mend it, or take it away: then a new one begins",
            path.display()
        ),
    )
}

pub(super) fn unreadable(path: &Path, why: &str) -> Problem {
    Problem::new(
        Exit::State,
        format!(
            "the history {} cannot be read ({why}); put back a copy of it, or take it away: then a new one begins with the next run",
            path.display()
        ),
    )
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
        Ok(()) => Err(unreadable(path, "it is no history of pg2dhis2")),
    }
}

fn ensure_known(connection: &Connection, path: &Path) -> Result<(), Problem> {
    let version = version(connection).map_err(|error| unreadable(path, &reason(&error)))?;
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
