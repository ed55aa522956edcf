//! PostgreSQL: one read-only snapshot of the source, queried with bound parameters, read as text. The only module that names `postgres`.

mod error;
mod passfile;
mod pin;
mod privileges;
mod session;
mod settings;
mod snapshot;
mod sslmode;
mod tls;
mod url;

#[cfg(test)]
mod tests;

pub(crate) use error::{ExtractError, ExtractErrorKind};
pub(crate) use pin::TlsPin;
pub(crate) use session::Source;
pub(crate) use settings::{Settings, SettingsError};
pub(crate) use snapshot::{Column, Snapshot};
