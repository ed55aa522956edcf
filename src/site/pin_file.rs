//! The pin of a site: where it lies, reading it, writing it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::files::{self, folder};
use super::tables::Site;
use crate::domain::Pin;
use crate::mapping::{FileError, PIN, PinFile, digest};

impl Site {
    /// Where the pin lies: with the mappings, or beside the site file where the mappings lie in several folders.
    pub(crate) fn pin_path(&self) -> PathBuf {
        let mappings = self.mapping_files().unwrap_or_default();
        let folders: BTreeSet<&Path> = mappings.iter().map(|file| folder(file)).collect();
        let beside = match (folders.first(), folders.len()) {
            (Some(only), 1) => only,
            _ => folder(&self.file),
        };
        beside.join(PIN)
    }

    /// The pin, where the site has one.
    pub(crate) fn pin(&self) -> Result<Option<PinFile>, FileError> {
        let path = self.pin_path();
        if !path.exists() {
            return Ok(None);
        }
        let shown = path.display().to_string();
        let text = files::read_for("the pin", &path)?;
        let pin = Pin::parse(&text).map_err(|(place, message)| FileError {
            file: shown.clone(),
            place,
            message,
        })?;
        Ok(Some(PinFile {
            shown,
            pin,
            digest: digest(&text),
        }))
    }
}
