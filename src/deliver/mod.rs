//! Brings desired values to DHIS2: compare, plan, send, read back, account.

mod account;
mod apply_plan;
mod ask_server;
mod close_approved;
mod completeness;
mod connection;
mod delivery;
mod find;
mod guarding;
mod later_look;
mod named_objects;
mod not_sent;
mod one_mapping;
mod planning;
mod remember;
mod rights;
mod scopes;

pub(crate) use apply_plan::{apply, hold, nothing_sent};
pub(crate) use connection::Connection;
pub(crate) use delivery::{Delivery, mapping_scope, site_scopes};
pub(crate) use find::{Object, one};
pub(crate) use named_objects::names_of_data_set;
pub(crate) use one_mapping::PartOf;
