//! What this server would refuse, found before anything is sent.

use super::{Reach, Target};
use crate::domain::{Blocked, Cell, Engine};

/// Why a cell cannot be written to, whatever the value.
pub(super) fn cell_fault(cell: &Cell, target: &Target, reach: &Reach) -> Option<Blocked> {
    if !reach.period_type_fits() {
        return Some(Blocked::WrongPeriodType);
    }
    if u32::from(cell.period.since()) > target.server.version.minor {
        return Some(Blocked::UnknownPeriod);
    }
    let Some(element) = target.element(cell.triple.data_element) else {
        let known = target
            .other_elements
            .contains_key(&cell.triple.data_element);
        return Some(match known {
            true => Blocked::DataElementNotInDataSet,
            false => Blocked::UnknownDataElement,
        });
    };
    if let Some(fault) = reach.unit_fault(cell.org_unit, target) {
        return Some(fault);
    }
    if !element
        .category_option_combos
        .contains_key(&cell.triple.category_option_combo)
    {
        return Some(Blocked::ComboNotOfDataElement);
    }
    if !reach.has_attribute_option_combo(cell.triple.attribute_option_combo) {
        return Some(Blocked::ComboNotOfDataSet);
    }
    if is_closed(cell, target) {
        return Some(Blocked::OrgUnitClosed);
    }
    let triple = &cell.triple;
    let objects = [
        triple.data_element,
        triple.category_option_combo,
        triple.attribute_option_combo,
    ];
    let changed = |uid| target.changed_since_pin.contains(uid);
    objects
        .iter()
        .any(changed)
        .then_some(Blocked::ChangedSincePin)
}

/// Why a value cannot be stored in its data element.
pub(super) fn value_fault(cell: &Cell, value: &str, target: &Target) -> Option<Blocked> {
    let element = target.element(cell.triple.data_element)?;
    if element.value_type.check(value, target.engine()).is_err() {
        return Some(Blocked::ValueType);
    }
    let options = element.options.as_ref()?;
    (!options.contains(value)).then_some(Blocked::NotAnOption)
}

/// DHIS2 2.43 asks whether the unit was open on the first day of the period (E8031).
fn is_closed(cell: &Cell, target: &Target) -> bool {
    let Some(unit) = target.data_set.org_units.get(&cell.org_unit) else {
        return false;
    };
    let first = cell.period.start();
    let open = unit.opened.is_none_or(|opened| opened <= first)
        && unit.closed.is_none_or(|closed| first <= closed);
    target.engine() == Engine::New && !open
}
