//! The document between `map` and `push`: a body that DHIS2 would take, after one member that only `push` reads.

mod data_value;
mod header;
mod read;
mod whole;
mod write;

pub(crate) use header::DocumentError;
pub(crate) use read::read;
pub(crate) use write::Document;
