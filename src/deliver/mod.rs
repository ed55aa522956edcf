//! Brings desired values to DHIS2: compare, plan, send, read back, account.

mod account;
mod approvals;
mod completeness;
mod connection;
mod delivery;
mod find;
mod guarding;
mod named_objects;
mod one_mapping;
mod overlap;
mod planning;
mod recheck;
mod remember;
mod rights;
mod server_dry_run;

pub(crate) use connection::Connection;
pub(crate) use delivery::{Delivery, mapping_scope, site_scopes};
pub(crate) use find::{Object, one};
pub(crate) use named_objects::names_of_data_set;
pub(crate) use one_mapping::PartOf;
pub(crate) use recheck::{apply, hold, nothing_sent};
