//! Reading and writing files, with problems in words.

use std::env;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::mapping::{FileError, Unreadable};

/// Where a site file is looked for, after `--config` and `$PG2DHIS2_CONFIG`.
const PLACES: [&str; 2] = ["pg2dhis2.toml", "/etc/pg2dhis2/pg2dhis2.toml"];

/// Bytes that must find room in a folder: more than one entry of a history.
const ROOM: usize = 65_536;

/// What the names of temporary files begin with.
const TEMPORARY: &str = ".pg2dhis2-";

/// The site file: the one that was named, or the first that exists.
pub(super) fn site_file(named: Option<&Path>) -> Result<PathBuf, FileError> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let found = PLACES
        .iter()
        .map(PathBuf::from)
        .find(|place| place.exists());
    found.ok_or_else(|| {
        FileError::whole(
            "pg2dhis2.toml",
            format!(
                "there is no site file: neither {} nor {}; write one, or name it with --config",
                PLACES[0], PLACES[1]
            ),
        )
    })
}

/// The text of a file; the error ends a sentence about it.
pub(super) fn read(path: &Path) -> Result<String, Unreadable> {
    let bytes = fs::read(path).map_err(|error| Unreadable {
        place: None,
        problem: problem(path, &error),
    })?;
    Unreadable::decode(bytes)
}

/// The text of a file that a key of the site file names.
pub(super) fn read_for(key: &str, path: &Path) -> Result<String, FileError> {
    let shown = path.display().to_string();
    read(path).map_err(|error| FileError {
        file: shown,
        place: error.place,
        message: format!("{key} {}", error.problem),
    })
}

/// The file that a key `ca-file` names.
pub(super) fn certificates(path: &Path) -> Result<Vec<u8>, FileError> {
    read_for("`ca-file`", path).map(String::into_bytes)
}

/// What is wrong with a path, to end a sentence about it.
pub(super) fn problem(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "cannot be read by the user who runs pg2dhis2 (permission denied)".to_owned()
        }
        _ if path.is_dir() => "is a folder, not a file".to_owned(),
        _ => format!("cannot be read ({})", reason(error)),
    }
}

/// An error of the operating system in words, without its number and without the name of a temporary file.
pub(crate) fn reason(error: &io::Error) -> String {
    let words = match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder",
        io::ErrorKind::PermissionDenied => "permission denied",
        io::ErrorKind::StorageFull => "the disk is full",
        io::ErrorKind::QuotaExceeded => "the disk quota is used up",
        io::ErrorKind::ReadOnlyFilesystem => "the file system is read-only",
        io::ErrorKind::NotADirectory => "it is not a folder",
        io::ErrorKind::IsADirectory => "it is a folder",
        _ => {
            let text = error.to_string();
            let words = text.split(" (os error").next();
            return words.unwrap_or_default().to_owned();
        }
    };
    words.to_owned()
}

/// Whether there is room for more in a folder, and leave to use it.
pub(crate) fn ensure_room(folder: &Path) -> io::Result<()> {
    let mut probe = tempfile::tempfile_in(folder)?;
    probe.write_all(&[0; ROOM])?;
    probe.sync_all()
}

/// Writes a file whole or not at all, readable by its owner only.
pub(crate) fn write_private(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    write_whole(path, 0o600, write)
}

/// Writes a file that is made to be published, whole or not at all.
pub(crate) fn write_published(path: &Path, text: &str) -> io::Result<()> {
    write_whole(path, 0o644, |file| file.write_all(text.as_bytes()))
}

fn write_whole(
    path: &Path,
    mode: u32,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = beside(path, mode)?;
    let mut buffered = io::BufWriter::new(file.as_file_mut());
    write(&mut buffered)?;
    buffered.flush()?;
    drop(buffered);
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // A new name in a folder lasts only once the folder is on the disk.
    fs::File::open(folder(path))?.sync_all()
}

/// Fails where `write_private` would, as far as that can be seen beforehand. Leaves nothing behind.
pub(crate) fn ensure_writable(path: &Path) -> io::Result<()> {
    beside(path, 0o600).map(drop)
}

/// Removes the temporary files of runs that were killed while they wrote into this folder. Only for a folder in which
/// nobody else writes now.
pub(super) fn remove_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(TEMPORARY) {
            // One that stays is in nobody's way.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// A temporary file that can take the place of `path`. A device such as /dev/null must not be replaced.
fn beside(path: &Path, mode: u32) -> io::Result<NamedTempFile> {
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if !found.is_file() => return Err(io::Error::other("it is not a file")),
        _ => {}
    }
    tempfile::Builder::new()
        .prefix(TEMPORARY)
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(folder(path))
}

/// The folder that relative paths in a file are relative to.
pub(super) fn folder(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// An environment variable that is set and not empty.
pub(super) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}
