//! What the source says: the periods of each mapping, and one snapshot of the registry → the desired values of all mappings.

mod lines_in;
mod lines_out;
pub(crate) mod periods;
mod reader;
mod results;
mod source;

pub(crate) use lines_in::WrittenRows;
pub(crate) use reader::{Part, ReadParts, SourceReader};
pub(crate) use results::ensure_balanced;
