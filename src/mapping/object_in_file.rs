//! The objects of DHIS2 that a mapping's files name.

use super::file_error::FileError;
use super::source_key::SourceKey;
use crate::domain::{ObjectKind, Uid};

/// An object with the place it is named at.
#[derive(Clone, Debug)]
pub(crate) struct ObjectInFile {
    pub(crate) kind: ObjectKind,
    pub(crate) uid: Uid,
    pub(crate) file: String,
    /// Line and column, both from 1.
    pub(crate) place: (usize, usize),
    /// Its place in the mapping is that of a root of the scope: it need not be assigned to the data set.
    pub(crate) is_root: bool,
    /// What it is the answer for; none: it stands alone.
    pub(crate) key: Option<SourceKey>,
}

impl ObjectInFile {
    pub(super) fn error(&self, message: String) -> FileError {
        FileError {
            file: self.file.clone(),
            place: Some(self.place),
            message,
        }
    }
}
