//! The value of a query parameter, as the mapping file or the run gives it.

/// A value bound to `:'name'` in a query, never spliced into its text. Each kind has one declared PostgreSQL type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Parameter {
    Text(String),
    BigInt(i64),
    Boolean(bool),
    Date(jiff::civil::Date),
    Timestamptz(jiff::Timestamp),
}
