//! What becomes of a batch whose import failed: sent again as it is, as what is still missing of it, or in halves.

use super::refused::Batch;
use super::{Sending, read_back};
use crate::dhis2::error::{Dhis2Error, Kind};
use crate::dhis2::import::Purpose;
use crate::domain::{Period, Sent};

/// DHIS2 ≤ 2.42 says so of periods that another import is just creating; those that a version does not know are never
/// sent.
pub(super) const PERIOD_NOT_VALID: &str = "E7611";

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
            self.read_back(&mut batch)?;
        }
        Ok(match batch.changes.len() {
            0 => Vec::new(),
            2.. if batch.unknown >= UNKNOWN => halves(batch),
            _ => vec![batch],
        })
    }

    /// Takes out of a batch what DHIS2 shows to be stored.
    fn read_back(&mut self, batch: &mut Batch) -> Result<(), Dhis2Error> {
        if self.purpose != Purpose::Store {
            return Ok(());
        }
        let mut seen = vec![Sent::NotSent; self.sent.len()];
        for index in &batch.changes {
            if let Some(seen) = seen.get_mut(*index) {
                *seen = Sent::Unconfirmed;
            }
        }
        read_back::confirm(self.dhis2, self.task, &mut seen)?;
        let confirmed = |index: &usize| seen.get(*index) == Some(&Sent::Confirmed);
        let changes = std::mem::take(&mut batch.changes).into_iter();
        let (stored, missing): (Vec<usize>, Vec<usize>) = changes.partition(confirmed);
        self.set(&stored, &Sent::Confirmed);
        log::info!("{} are stored, {} are not", stored.len(), missing.len());
        batch.changes = missing;
        Ok(())
    }
}

/// The values are in a period that DHIS2 says is none.
pub(super) fn period_not_there(values: usize, period: Option<Period>) -> Dhis2Error {
    let period = period.map(|period| format!(" {period}"));
    Dhis2Error::new(
        Kind::Temporary {
            nothing_sent: false,
        },
        format!(
            "importing {values} values: DHIS2 says that period{} is not valid ({PERIOD_NOT_VALID}), as it does while another import creates it; the next run compares again",
            period.unwrap_or_default()
        ),
    )
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
