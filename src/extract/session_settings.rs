//! The settings that every query of ours runs under.

use std::time::Duration;

use super::settings::SourceSettings;

/// What a query must find set, whatever the one before it did.
pub(super) struct SessionSettings {
    /// `set …; set …`
    pub(super) commands: String,
    pub(super) statement_timeout: Duration,
    pub(super) lock_timeout: Duration,
}

/// Text forms that do not depend on the role or the server, UTF-8, nothing written, and no row hidden in silence
/// (`row_security = off` turns a filtered result into an error).
const FIXED: &str = "set client_encoding = 'UTF8'; set standard_conforming_strings = on; set datestyle = 'ISO, YMD'; set timezone = 'UTC'; \
    set intervalstyle = 'postgres'; set extra_float_digits = 3; set bytea_output = 'hex'; set row_security = off; \
    set default_transaction_read_only = on; set idle_in_transaction_session_timeout = '60s'";

impl SessionSettings {
    pub(super) fn new(settings: &SourceSettings) -> SessionSettings {
        let statement_timeout = milliseconds(settings.statement_timeout);
        let lock_timeout = milliseconds(settings.lock_timeout);
        SessionSettings {
            commands: format!(
                "{FIXED}; set statement_timeout = {statement_timeout}; set lock_timeout = {lock_timeout}"
            ),
            statement_timeout: settings.statement_timeout,
            lock_timeout: settings.lock_timeout,
        }
    }
}

/// At least 1: PostgreSQL takes 0 for no limit.
fn milliseconds(duration: Duration) -> u128 {
    duration
        .as_millis()
        .clamp(1, i32::MAX.unsigned_abs().into())
}
