//! Whether a desired and a live value are the same statement to DHIS2.

use super::Target;
use crate::domain::{DataElement, canonical, reads_as_zero};

/// Values are compared as numbers where the value type is numeric, else in the form DHIS2 stores.
pub(super) fn same(
    element: Option<&DataElement>,
    desired: &str,
    live: &str,
    target: &Target,
) -> bool {
    let Some(element) = element else {
        return desired == live;
    };
    if element.value_type.is_numeric()
        && let (Ok(desired), Ok(live)) = (canonical(desired), canonical(live))
    {
        return desired == live;
    }
    let engine = target.engine();
    let stored = |value| element.value_type.stored_form(value, engine);
    stored(desired).trim() == stored(live).trim()
}

/// Whether a value is as good as none: a zero of an element that does not keep zeros.
pub(super) fn is_nothing(element: Option<&DataElement>, value: &str) -> bool {
    element.is_some_and(|element| {
        element.value_type.is_numeric() && !element.keeps_zero() && reads_as_zero(value)
    })
}
