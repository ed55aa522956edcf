//! Faults of the target.

use super::Fault;

pub(super) const FAULTS: &[Fault] = &[];
