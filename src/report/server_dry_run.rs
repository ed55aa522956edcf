//! What DHIS2's own dry run says of a mapping's changes, beside what we predict.

use std::collections::BTreeMap;

use crate::domain::{Cell, ChangeKind, ServerCounts};

/// Rejected cells that are listed one by one.
const LISTED: usize = 10_000;

/// Over all parts of the run.
#[derive(Debug, Default)]
pub(crate) struct ServerDryRun {
    /// The changes that we would send, and see confirmed.
    pub(crate) predicted: BTreeMap<ChangeKind, u64>,
    pub(crate) counted: ServerCounts,
    /// Changes that passed DHIS2's checks.
    pub(crate) accepted: u64,
    pub(crate) rejected: u64,
    /// Changes of which it said nothing.
    pub(crate) unknown: u64,
    /// Rejected cells with DHIS2's error code, as far as they are listed.
    pub(crate) rejects: Vec<(Cell, String)>,
    /// What this version's dry run cannot tell.
    pub(crate) cannot_know: &'static str,
}

impl ServerDryRun {
    /// It would store every change that we would send.
    pub(crate) fn agrees(&self) -> bool {
        self.rejected == 0 && self.unknown == 0
    }

    pub(crate) fn reject(&mut self, cell: Cell, code: &str) {
        self.rejected += 1;
        if self.rejects.len() < LISTED {
            self.rejects.push((cell, code.to_owned()));
        }
    }
}
