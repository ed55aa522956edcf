//! Which cells DHIS2 would refuse, as far as its pin tells without asking it.

use std::collections::BTreeMap;

use crate::domain::{Blocked, Cell, Desired, Pin};

/// The cells of a data set that the pinned DHIS2 would refuse, by reason.
pub(crate) fn foreseen(pin: &Pin, desired: &Desired) -> BTreeMap<Blocked, u64> {
    let mut blocked = BTreeMap::new();
    for cell in &desired.cells {
        let Some(whole) = desired.space.cell(cell.key) else {
            continue;
        };
        if let Some(why) = fault(pin, desired, &whole, cell.value.as_str()) {
            *blocked.entry(why).or_default() += 1;
        }
    }
    blocked
}

/// The order is the one in which a plan looks for it.
fn fault(pin: &Pin, desired: &Desired, cell: &Cell, value: &str) -> Option<Blocked> {
    let set = pin.data_sets.get(&desired.data_set)?;
    if set.period_type != desired.period_type.name() {
        return Some(Blocked::WrongPeriodType);
    }
    let element = pin.data_elements.get(&cell.triple.data_element);
    let of_set = element.and_then(|element| {
        let combo = element.data_sets.get(&desired.data_set)?;
        Some((element, combo))
    });
    let Some((element, category_combo)) = of_set else {
        return Some(Blocked::DataElementNotInDataSet);
    };
    if !pin.has_unit(cell.org_unit, desired.data_set) {
        return Some(Blocked::OrgUnitNotInDataSet);
    }
    let mut combos = pin.combos_of(category_combo);
    if !combos.any(|combo| *combo == cell.triple.category_option_combo) {
        return Some(Blocked::ComboNotOfDataElement);
    }
    let mut combos = pin.combos_of(&set.category_combo);
    if !combos.any(|combo| *combo == cell.triple.attribute_option_combo) {
        return Some(Blocked::ComboNotOfDataSet);
    }
    if element.value_type.check(value, pin.engine()).is_err() {
        return Some(Blocked::ValueType);
    }
    let options = element.options.as_ref()?;
    let fits = element.value_type.is_option(value, options, pin.engine());
    (!fits).then_some(Blocked::NotAnOption)
}
