//! Why the `[source]` of a site cannot be used.

use std::fmt;

/// A sentence that names what is wrong in `[source]`, and never what could be a password.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct SettingsError(String);

impl SettingsError {
    pub(super) fn new(message: impl Into<String>) -> SettingsError {
        SettingsError(message.into())
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for SettingsError {}
