//! What becomes of a batch whose import failed: sent again as it is, as what is still missing of it, or in halves.

use super::refused::Batch;
use super::sending::Sending;
use crate::dhis2::error::Dhis2Error;
use crate::dhis2::import::Purpose;

/// Imports of one batch after which nobody knew what had become of it, until it is halved.
const UNKNOWN: u32 = 2;

impl Sending<'_, '_> {
    /// The batches to send in its place, in their order, after the wait that is due; the error if it is not to be sent
    /// again.
    pub(super) fn again(
        &mut self,
        batch: Batch,
        error: Dhis2Error,
    ) -> Result<Vec<Batch>, Dhis2Error> {
        if error.is_too_large() && batch.changes.len() > 1 {
            log::info!("{error}; sending its halves");
            return Ok(halves(batch));
        }
        let tried = batch.tried + 1;
        if !self.dhis2.waited(tried, &error) {
            return Err(error);
        }
        let mut batch = Batch { tried, ..batch };
        if error.leaves_open() {
            batch.unknown += 1;
            if self.purpose == Purpose::Store {
                self.look(&mut batch)?;
            }
        }
        Ok(match batch.changes.len() {
            0 => Vec::new(),
            2.. if batch.unknown >= UNKNOWN => halves(batch),
            _ => vec![batch],
        })
    }
}

/// Each of them is a batch of its own, tried as often as the whole was.
fn halves(batch: Batch) -> Vec<Batch> {
    let mut first = batch.changes;
    let second = first.split_off(first.len().div_ceil(2));
    let half = |changes| Batch {
        changes,
        refused_with: batch.refused_with.clone(),
        unknown: 0,
        ..batch
    };
    vec![half(first), half(second)]
}
