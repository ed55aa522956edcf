//! One run at a time: the lock is on the state folder itself, so it dies with the process and no file is left behind.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::machine;
use crate::exit::{Exit, Problem};

/// Held as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    _folder: File,
}

/// The process that holds the lock, as far as can be told without touching it.
pub(crate) fn holder(state: &Path) -> Option<u32> {
    let holder = fs::read_to_string(state.join(HOLDER)).ok()?;
    let pid = holder.strip_prefix("pid ")?.split(',').next()?;
    pid.parse().ok().filter(|pid| machine::is_alive(*pid))
}

/// In the state folder: who holds the lock, for the message of the one who does not.
const HOLDER: &str = "holder";

impl Lock {
    /// Takes the lock on the state folder, which is made if it does not exist.
    pub(crate) fn take(state: &Path, started: jiff::Timestamp) -> Result<Lock, Problem> {
        let shown = state.display();
        let unusable = |error: std::io::Error| {
            Problem::new(
                Exit::State,
                format!(
                    "the state folder {shown} cannot be used ({}); nothing was sent; make it, owned by the user who runs pg2dhis2, mode 0700",
                    super::reason(&error)
                ),
            )
        };
        if !state.exists() {
            super::state::make(state).map_err(unusable)?;
        }
        let folder = File::open(state).map_err(unusable)?;
        super::state::ensure_ours(state, &folder.metadata().map_err(unusable)?)?;
        match folder.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(busy(state)),
            Err(TryLockError::Error(error)) => return Err(unusable(error)),
        }
        super::files::remove_leftovers(state);
        let holder = format!("pid {}, since {started}\n", std::process::id());
        super::write_private(&state.join(HOLDER), |file| {
            file.write_all(holder.as_bytes())
        })
        .map_err(unusable)?;
        Ok(Lock { _folder: folder })
    }
}

fn busy(state: &Path) -> Problem {
    let holder = fs::read_to_string(state.join(HOLDER)).unwrap_or_default();
    let holder = match holder.trim() {
        "" => "unknown",
        holder => holder,
    };
    Problem::new(
        Exit::Busy,
        format!("another run is active ({holder}); this one did nothing"),
    )
}
