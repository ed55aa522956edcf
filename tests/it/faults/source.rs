//! Faults of the source: it cannot be reached, is interrupted, breaks a promise, or holds what cannot be stored.

mod contents;
mod interrupted;
mod promises;
mod reaching;
mod site;

use std::panic::catch_unwind;
use std::sync::LazyLock;

use super::Fault;

pub(super) static FAULTS: LazyLock<Vec<Fault>> = LazyLock::new(|| {
    let faults = reaching::FAULTS.into_iter().chain(interrupted::FAULTS);
    faults
        .chain(promises::FAULTS)
        .chain(contents::FAULTS)
        .collect()
});

/// All are tried, so that one that fails does not hide the next.
fn each_ends_as_documented(faults: &[Fault]) {
    let failed = faults
        .iter()
        .filter(|fault| catch_unwind(|| fault.check()).is_err());
    assert_eq!(failed.map(|fault| fault.what).collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_source_that_cannot_be_reached_ends_as_documented() {
    each_ends_as_documented(&reaching::FAULTS);
}

#[test]
fn a_source_that_is_interrupted_ends_as_documented() {
    each_ends_as_documented(&interrupted::FAULTS);
}

#[test]
fn a_source_that_breaks_a_promise_ends_as_documented() {
    each_ends_as_documented(&promises::FAULTS);
}

#[test]
fn a_source_that_holds_what_cannot_be_stored_ends_as_documented() {
    each_ends_as_documented(&contents::FAULTS);
}
