//! The record of all runs, opened to be read; what is asked of it stands in the files beside this one.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::chain::{self, Broken, Checked};
use super::file::{self, FILE, Fault};
use crate::exit::Problem;

/// The record of all runs.
pub(crate) struct Past {
    pub(super) connection: Connection,
    file: PathBuf,
    /// The processes whose runs go on.
    pub(super) alive: Vec<u32>,
}

impl Past {
    /// None where nothing was recorded. `alive`: the processes whose runs go on.
    pub(crate) fn open(state: &Path, alive: Vec<u32>) -> Result<Option<Past>, Problem> {
        let connection = file::open_to_read(state)?;
        Ok(connection.map(|connection| Past {
            connection,
            file: state.join(FILE),
            alive,
        }))
    }

    /// Goes over the whole chain.
    pub(crate) fn verify(&self) -> Result<Checked, Broken> {
        chain::verify(&self.connection)
    }

    /// Whether an entry of this number has this hash.
    pub(crate) fn has(&self, seq: i64, hash: &str) -> Result<bool, Problem> {
        self.read(|| {
            let found: Option<String> = self
                .connection
                .query_row("SELECT hash FROM entry WHERE seq = ?", [seq], |row| {
                    row.get(0)
                })
                .optional()?;
            Ok(found.as_deref() == Some(hash))
        })
    }

    pub(super) fn read<T>(&self, read: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, Problem> {
        read().map_err(|error| file::unreadable(&self.file, &Fault::of(&self.file, &error)))
    }
}
