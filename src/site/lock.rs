//! One run at a time: the lock is on the state folder itself, so it dies with the process and no file is left behind.
//!
//! A backfill holds it part by part. From its beginning to its end it holds a mark, and a run that waits for its turn
//! another: both are locks on files of the state folder, so that they die with the process too.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::{files, machine, state};
use crate::exit::{Exit, Problem};

/// Held as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _folder: File,
}

/// A backfill that goes on, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct Backfill {
    state: PathBuf,
    _mark: File,
}

/// The place of the run that goes next, while a backfill goes on.
#[derive(Debug)]
pub(crate) struct Next {
    _mark: File,
}

/// The processes whose runs go on, as far as can be told without touching the lock: the one that holds it, and a
/// backfill that gave way to it.
pub(crate) fn alive(state: &Path) -> Vec<u32> {
    let pid = |file: &str| {
        let text = fs::read_to_string(state.join(file)).ok()?;
        let pid = text.strip_prefix("pid ")?.split(',').next()?;
        pid.parse().ok().filter(|pid| machine::is_alive(*pid))
    };
    let pids = [pid(HOLDER), pid(BACKFILL).filter(|_| goes_on(state))];
    pids.into_iter().flatten().collect()
}

/// The file in the state folder tells who holds the lock, for the message of the one who does not.
const HOLDER: &str = "holder";
const BACKFILL: &str = "backfill";
const NEXT: &str = "next";

impl Lock {
    /// Takes the lock on the state folder, which is made if it does not exist.
    pub(crate) fn take(state: &Path, started: jiff::Timestamp) -> Result<Lock, Problem> {
        let shown = state.display();
        let unusable = |error: io::Error| {
            Problem::new(
                Exit::State,
                format!(
                    "the state folder {shown} cannot be used ({}); nothing was sent; make it, owned by the user who runs pg2dhis2, mode 0700",
                    files::reason(&error)
                ),
            )
        };
        if !state.exists() {
            state::make(state).map_err(unusable)?;
        }
        let folder = File::open(state).map_err(unusable)?;
        state::ensure_ours(state, &folder.metadata().map_err(unusable)?)?;
        match folder.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(state)),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        files::remove_leftovers(state);
        let text = signature(started);
        files::write_private(&state.join(HOLDER), |file| file.write_all(text.as_bytes()))
            .map_err(unusable)?;
        Ok(Lock { _folder: folder })
    }
}

impl Backfill {
    /// Begins one; the caller holds the lock. Between its parts another backfill may try to begin.
    pub(crate) fn begin(state: &Path, started: jiff::Timestamp) -> Result<Backfill, Problem> {
        let unusable = |error: io::Error| {
            Problem::new(
                Exit::State,
                format!(
                    "the state folder {} cannot be used ({}); nothing was sent; make room there",
                    state.display(),
                    files::reason(&error)
                ),
            )
        };
        let mark = mark(state, BACKFILL).map_err(unusable)?;
        let Some(mark) = mark else {
            return Err(busy(state));
        };
        // Written in place, for the mark is on this very file.
        fs::write(state.join(BACKFILL), signature(started)).map_err(unusable)?;
        Ok(Backfill {
            state: state.to_owned(),
            _mark: mark,
        })
    }

    /// Whether a run waits for its turn.
    pub(crate) fn is_awaited(&self) -> bool {
        is_held(&self.state, NEXT)
    }
}

impl Next {
    /// The place is there only while a backfill goes on, and for one.
    pub(crate) fn take(state: &Path) -> Option<Next> {
        let mark = goes_on(state).then(|| mark(state, NEXT));
        mark?.ok().flatten().map(|mark| Next { _mark: mark })
    }
}

/// Whether a backfill goes on.
fn goes_on(state: &Path) -> bool {
    is_held(state, BACKFILL)
}

/// Whether somebody holds a mark.
fn is_held(state: &Path, name: &str) -> bool {
    let file = File::open(state.join(name));
    file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Takes a mark, if nobody holds it.
fn mark(state: &Path, name: &str) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(state.join(name))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Tells people which process holds something.
fn signature(started: jiff::Timestamp) -> String {
    format!("pid {}, since {started}\n", std::process::id())
}

fn busy(state: &Path) -> Problem {
    let read = |name: &str| fs::read_to_string(state.join(name)).unwrap_or_default();
    let holder = read(HOLDER);
    let holder = match holder.trim() {
        "" => "unknown".to_owned(),
        holder if goes_on(state) && holder == read(BACKFILL).trim() => {
            format!("{holder}, a backfill")
        }
        holder => holder.to_owned(),
    };
    Problem::new(
        Exit::Busy,
        format!("another run is active ({holder}); this one did nothing"),
    )
}
