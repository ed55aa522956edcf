//! The sums of a data element: what came in is what went out, what was left out and what found no place.

use super::{RULES, mapped, mapped_as};
use crate::domain::{Desired, Number};

/// The sums of a data element (None: of the rows without one) as `rows = desired + excluded + unmapped`.
fn sums(desired: &Desired, element: Option<&str>) -> Option<String> {
    let element = element.map(|element| element.parse().unwrap());
    let sums = desired.rows.sums.get(&element)?;
    Some(format!(
        "{} = {} + {} + {}",
        sums.rows, sums.desired, sums.excluded, sums.unmapped
    ))
}

#[test]
fn every_number_of_an_added_up_element_is_somewhere() {
    let desired = mapped(&[
        "202501 sum <1 f Castries 1.5",
        "202501 sum <1 f Bexon 2",
        "202502 sum <1 m Castries 0.25",
        "202501 sum <1 f Cruise 100",
        "202501 sum <1 f Nowhere 10",
        "202501 sum x y Castries 20",
        "202501 sum <1 m Bexon -",
        "202503 sum <1 m Bexon NaN",
        "202501 nobody <1 f Castries 1000",
        "202501 nobody <1 f Cruise 2000",
        "202501 max <1 f Castries 7",
        "202501 max <1 f Nowhere 7",
    ]);
    assert!(desired.rows.balances());
    assert_eq!(
        sums(&desired, Some("ElementSum0")).as_deref(),
        Some("133.75 = 3.75 + 100 + 30")
    );
    assert_eq!(
        sums(&desired, None).as_deref(),
        Some("3000 = 0 + 2000 + 1000")
    );
    // Where the larger one counts, sums mean nothing.
    assert_eq!(sums(&desired, Some("ElementMax0")), None);
}

#[test]
fn texts_that_are_numbers_are_added_up_as_such() {
    let rows = [
        "202501 sum <1 f Castries 1e2",
        "202501 sum <1 m Castries 3.0",
        "202501 sum <1 f Nowhere x",
    ];
    let desired = mapped_as("text", &RULES, &rows).unwrap();
    assert_eq!(
        sums(&desired, Some("ElementSum0")).as_deref(),
        Some("103 = 103 + 0 + 0")
    );
    assert!(desired.rows.balances());
}

#[test]
fn an_account_that_does_not_add_up_is_seen() {
    let mut desired = mapped(&["202501 sum <1 f Castries 1", "202501 sum <1 f Nowhere 1"]);
    let element = Some("ElementSum0".parse().unwrap());
    desired.rows.sums.get_mut(&element).unwrap().desired = Number::ZERO;
    assert!(!desired.rows.balances());
    let mut desired = mapped(&["202501 sum <1 f Castries 1"]);
    let period = "202501".parse().unwrap();
    desired.rows.periods.get_mut(&period).unwrap().mapped = 0;
    assert!(!desired.rows.balances());
}
