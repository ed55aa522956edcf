//! Finds two rows of the same keys, which are a broken query.

use std::collections::HashMap;

use super::fault::MapFault;
use crate::domain::Period;

/// A fingerprint of every row's keys, by period.
#[derive(Default)]
pub(super) struct SeenRows(HashMap<Period, Vec<u128>>);

impl SeenRows {
    pub(super) fn add(&mut self, period: Period, fingerprint: u128) {
        self.0.entry(period).or_default().push(fingerprint);
    }

    pub(super) fn ensure_none_twice(self) -> Result<(), MapFault> {
        let mut repeated: Vec<Period> = Vec::new();
        for (period, mut fingerprints) in self.0 {
            fingerprints.sort_unstable();
            if fingerprints
                .windows(2)
                .any(|pair| pair.first() == pair.last())
            {
                repeated.push(period);
            }
        }
        match repeated.into_iter().min() {
            Some(period) => Err(MapFault::RepeatedRow { period }),
            None => Ok(()),
        }
    }
}
