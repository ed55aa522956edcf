//! Faults of the source.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
