//! From rows to the data values that should be in DHIS2, with every row accounted for. Pure.

mod combine;
mod document;
mod fault;
mod ledger;
mod mapper;
mod repeated;
mod resolve;
mod resolved;
mod row;
mod rules;
#[cfg(test)]
mod tests;
mod trace;

pub(crate) use document::{Document, DocumentError, read};
pub(crate) use fault::MapFault;
pub(crate) use mapper::{Mapper, check_rows, check_rules};
