//! Secrets: from files that only we can read, from systemd's credentials, from libpq's variables.

use std::fs::{self, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use rustix::process::{Resource, Rlimit, setrlimit};
use secrecy::SecretString;

use super::files::{self, variable};
use super::machine;
use crate::extract;
use crate::mapping::FileError;

/// The secret in a file, without the line end; or in systemd's credential of the same name, where it handed one over.
pub(super) fn read(file: &Path) -> Result<SecretString, FileError> {
    let credential = file
        .file_name()
        .and_then(|name| credential(&name.to_string_lossy()));
    let (path, guarded) = match credential {
        Some(credential) => (credential, true),
        None => (file.to_owned(), false),
    };
    let shown = path.display().to_string();
    // systemd guards its own; of others, nobody else may be able to read or replace them.
    let text = match guarded {
        true => files::read_for("the secret file", &path)?,
        false => private(&path, &shown)?,
    };
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(FileError::whole(&shown, "the secret file is empty"));
    }
    Ok(SecretString::from(secret))
}

/// Keeps what is in memory, secrets among it, out of core files, and lets no later setting bring them back.
pub(crate) fn forbid_core_files() {
    let nothing = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Every process may lower its limits.
    let _ = setrlimit(Resource::Core, nothing);
}

/// The password for the source: its file, systemd's credential `source.password`, `PGPASSWORD`, or libpq's password file.
pub(super) fn source_password(
    file: Option<&Path>,
    settings: &extract::SourceSettings,
) -> Result<Option<SecretString>, FileError> {
    if let Some(file) = file {
        return read(file).map(Some);
    }
    if let Some(credential) = credential("source.password") {
        return read(&credential).map(Some);
    }
    if let Some(password) = variable("PGPASSWORD") {
        return Ok(Some(SecretString::from(password)));
    }
    let named = variable("PGPASSFILE").map(PathBuf::from);
    let usual = variable("HOME").map(|home| Path::new(&home).join(".pgpass"));
    let Some(passfile) = named.or(usual).filter(|path| path.exists()) else {
        return Ok(None);
    };
    let shown = passfile.display().to_string();
    let text = private(&passfile, &shown)?;
    Ok(settings.password_in(&text))
}

/// A credential that systemd passed to the service.
fn credential(name: &str) -> Option<PathBuf> {
    let folder = variable("CREDENTIALS_DIRECTORY")?;
    let path = Path::new(&folder).join(name);
    path.exists().then_some(path)
}

/// The text of a file that is ours alone. It is opened first and judged then, so that nobody puts another in its place between.
fn private(path: &Path, shown: &str) -> Result<String, FileError> {
    let refused = |why: &str| FileError::whole(shown, format!("the secret file {why}"));
    let unreadable = |error: io::Error| refused(&files::problem(path, &error));
    let there = fs::symlink_metadata(path).map_err(unreadable)?;
    if there.is_dir() {
        return Err(refused("is a folder, not a file"));
    }
    if there.is_symlink() {
        return Err(refused(
            "is a link, which may point elsewhere tomorrow; name the file itself",
        ));
    }
    if !there.is_file() {
        return Err(refused("is no file"));
    }
    ensure_folder_is_ours(files::folder(path)).map_err(|why| refused(&why))?;
    let mut options = OpenOptions::new();
    let no_links = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    options
        .read(true)
        .custom_flags(no_links.bits().cast_signed());
    let mut file = options.open(path).map_err(unreadable)?;
    let found = file.metadata().map_err(unreadable)?;
    if found.mode() & 0o077 != 0 {
        let mode = found.mode() & 0o7777;
        return Err(refused(&format!(
            "is open to others ({mode:04o}); run: chmod 600 {shown}"
        )));
    }
    if !is_ours(&found) {
        return Err(refused(
            "belongs to somebody else; chown it to the user who runs pg2dhis2",
        ));
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|_| refused("is not UTF-8; save it as UTF-8"))
}

/// Who may write to a folder may put another file in the place of ours; in one that is sticky, such as /tmp, they may not.
fn ensure_folder_is_ours(folder: &Path) -> Result<(), String> {
    let found = fs::metadata(folder).map_err(|error| files::problem(folder, &error))?;
    let (mode, shown) = (found.mode() & 0o7777, folder.display());
    if mode & 0o002 != 0 && mode & 0o1000 == 0 {
        return Err(format!(
            "stands in a folder to which everybody may write ({mode:04o}); run: chmod o-w {shown}"
        ));
    }
    match is_ours(&found) {
        true => Ok(()),
        false => Err(format!(
            "stands in the folder of somebody else, {shown}; move it to one of the user who runs pg2dhis2, or of root"
        )),
    }
}

fn is_ours(found: &Metadata) -> bool {
    let us = machine::user();
    found.uid() == us || found.uid() == 0
}
