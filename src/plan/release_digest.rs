//! The name of what guards hold of a plan: a digest of every change in it. Another change, or another value, is another name.

use super::Plan;
use crate::domain::{Fingerprint, Text, Trip, Uid};

/// Hex digits of a digest that people copy.
const SHOWN: usize = 12;

impl Plan {
    /// The digest that `--release` takes: of the changes that these guards hold, so that it stays the same once the others
    /// are sent.
    pub(crate) fn digest(&self, mapping: &str, data_set: Uid, trips: &[Trip]) -> String {
        let mut fingerprint = Fingerprint::default();
        fingerprint.add(format!("{mapping}\n{data_set}\n").as_bytes());
        for change in &self.changes {
            let cell = self.space.cell(change.key);
            let Some(cell) = cell.filter(|cell| trips.iter().any(|trip| trip.holds(cell))) else {
                continue;
            };
            // Lengths first, so that no two lists of changes read the same.
            let old = change.old.as_ref().map_or("-", Text::as_str);
            let new = change.value.as_str();
            let line = format!(
                "{cell} {} {:?} {} {old} {} {new}\n",
                cell.triple.attribute_option_combo,
                change.kind,
                old.len(),
                new.len()
            );
            fingerprint.add(line.as_bytes());
        }
        let mut digest = fingerprint.hex();
        digest.truncate(SHOWN);
        digest
    }
}
