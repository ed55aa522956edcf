//! The state folder must be ours alone to write: what it holds decides what is taken for ours in DHIS2.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::machine;
use crate::exit::{Exit, Problem};

/// Makes the folder and those above it, for us alone whatever the umask.
pub(super) fn make(state: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(state)?;
    fs::set_permissions(state, Permissions::from_mode(0o700))
}

/// Whether something may be kept in the folder, which is made if it does not exist.
pub(crate) fn make_usable(state: &Path) -> bool {
    (state.exists() || make(state).is_ok()) && is_usable(state)
}

/// Whether something may be kept in the folder.
pub(crate) fn is_usable(state: &Path) -> bool {
    fs::metadata(state).is_ok_and(|found| ensure_ours(state, &found).is_ok())
}

/// Refuses a folder that others may write to. That they may list it tells them nothing: every file in it is 0600.
pub(super) fn ensure_ours(state: &Path, found: &Metadata) -> Result<(), Problem> {
    let shown = state.display();
    let refused = |why: String| {
        Err(Problem::new(
            Exit::State,
            format!("the state folder {shown} {why}; nothing was sent"),
        ))
    };
    let us = machine::user();
    if found.uid() != us {
        return refused(
            "belongs to somebody else; chown it to the user who runs pg2dhis2, or name another as `state`"
                .to_owned(),
        );
    }
    let mode = found.mode() & 0o7777;
    if mode & 0o022 != 0 {
        return refused(format!(
            "is open to others, who may write to it ({mode:04o}); run: chmod 700 {shown}"
        ));
    }
    Ok(())
}
