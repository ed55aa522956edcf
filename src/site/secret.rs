//! Secrets: from files that only we can read, from systemd's credentials, from libpq's variables.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use secrecy::SecretString;

use super::files::{self, variable};
use crate::extract;
use crate::mapping::FileError;

/// The secret in a file, without the line end. Where the file does not exist, systemd's credential of its name.
pub(super) fn read(file: &Path) -> Result<SecretString, FileError> {
    let credential = file
        .file_name()
        .and_then(|name| credential(&name.to_string_lossy()));
    let (path, guarded) = match credential {
        Some(credential) if !file.exists() => (credential, true),
        _ => (file.to_owned(), false),
    };
    let shown = path.display().to_string();
    // systemd guards its own; of others, nobody else may be able to read or replace them.
    if !guarded {
        ensure_private(&path, &shown)?;
    }
    let text = files::read(&path)
        .map_err(|problem| FileError::whole(&shown, format!("the secret file {problem}")))?;
    let secret = text.trim_end_matches(['\r', '\n']);
    if secret.is_empty() {
        return Err(FileError::whole(&shown, "the secret file is empty"));
    }
    Ok(SecretString::from(secret))
}

/// The password for the source: its file, systemd's credential `source.password`, `PGPASSWORD`, or libpq's password file.
pub(super) fn source_password(
    file: Option<&Path>,
    settings: &extract::Settings,
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
    ensure_private(&passfile, &shown)?;
    let text = files::read(&passfile)
        .map_err(|problem| FileError::whole(&shown, format!("the password file {problem}")))?;
    Ok(settings.password_in(&text))
}

/// A credential that systemd passed to the service.
fn credential(name: &str) -> Option<PathBuf> {
    let folder = variable("CREDENTIALS_DIRECTORY")?;
    let path = Path::new(&folder).join(name);
    path.exists().then_some(path)
}

fn ensure_private(path: &Path, shown: &str) -> Result<(), FileError> {
    let metadata = fs::metadata(path).map_err(|error| {
        let problem = files::problem(path, &error);
        FileError::whole(shown, format!("the secret file {problem}"))
    })?;
    if metadata.is_dir() {
        return Err(FileError::whole(
            shown,
            "the secret file is a folder, not a file",
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(FileError::whole(
            shown,
            format!("the secret file is open to others ({mode:04o}); run: chmod 600 {shown}"),
        ));
    }
    let us = rustix::process::geteuid().as_raw();
    if metadata.uid() != us && metadata.uid() != 0 {
        return Err(FileError::whole(
            shown,
            "the secret file belongs to somebody else; chown it to the user who runs pg2dhis2",
        ));
    }
    Ok(())
}
