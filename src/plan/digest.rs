//! The name of a plan: a digest of every change in it. Another change, or another value, is another name.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::Plan;
use crate::domain::{Text, Uid};

/// Hex digits of a digest that people copy.
const SHOWN: usize = 12;

impl Plan {
    /// The digest that `--release` takes.
    pub(crate) fn digest(&self, mapping: &str, data_set: Uid) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("{mapping}\n{data_set}\n"));
        for change in &self.changes {
            let Some(cell) = self.space.cell(change.key) else {
                continue;
            };
            // Lengths first, so that no two lists of changes read the same.
            let old = change.old.as_ref().map_or("-", Text::as_str);
            let new = change.value.as_str();
            hash.update(format!(
                "{cell} {} {:?} {} {old} {} {new}\n",
                cell.triple.attribute_option_combo,
                change.kind,
                old.len(),
                new.len()
            ));
        }
        let mut digest = String::new();
        for byte in hash.finalize() {
            // Writing to a String does not fail.
            let _ = write!(digest, "{byte:02x}");
        }
        digest.truncate(SHOWN);
        digest
    }
}
