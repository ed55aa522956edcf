//! PostgreSQL: one read-only snapshot of the source, queried as psql would, read as text. The only module that names `postgres`.

mod connect;
mod cursor;
mod error;
mod passfile;
mod privileges;
mod query_error;
mod server_facts;
mod session_settings;
mod settings;
mod settings_error;
mod snapshot;
mod sslmode;
mod tls;
mod tls_pin;
mod url;

#[cfg(test)]
mod tests;

pub(crate) use connect::Source;
pub(crate) use cursor::ResultColumn;
pub(crate) use error::{ExtractError, ExtractErrorKind};
pub(crate) use settings::SourceSettings;
pub(crate) use snapshot::Snapshot;
pub(crate) use tls_pin::TlsPin;
