//! The account of desired values of which nothing is compared or sent.

use crate::domain::{CellAccount, CellCounts, CellOutcome, Desired};

/// The account of desired values that were never compared.
pub(crate) fn not_sent(desired: &Desired) -> CellAccount {
    let mut account = CellAccount::default();
    for period in &desired.periods {
        account.periods.insert(*period, CellCounts::default());
    }
    for cell in &desired.cells {
        if let Some(cell) = desired.space.cell(cell.key) {
            let counts = account.periods.entry(cell.period).or_default();
            counts.cells += 1;
            counts.count(CellOutcome::NotSent);
        }
    }
    account
}
