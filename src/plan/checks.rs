//! What this server would refuse, found before anything is sent.

use jiff::civil::Date;

use super::{Reach, Target};
use crate::domain::{Blocked, CategoryOption, Cell, Engine, ValueType};

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
    if target.engine() == Engine::Old && !element.may_read {
        return Some(Blocked::DataElementHidden);
    }
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
    if let Some(fault) = option_fault(cell, target) {
        return Some(fault);
    }
    if target.engine() == Engine::New && is_closed(cell, target) {
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

/// What DHIS2 ≥ 2.43 would refuse of a cell that this older server takes.
pub(super) fn newer_fault(cell: &Cell, comment: Option<&str>, target: &Target) -> Option<Blocked> {
    if target.engine() == Engine::New {
        return None;
    }
    if is_closed(cell, target) {
        return Some(Blocked::OrgUnitClosed);
    }
    if !lies_within_dates(cell, target) {
        return Some(Blocked::AttributeOptionOutsideDates);
    }
    comment_fault_of(cell, comment, target, Engine::New)
}

/// Why a value cannot be stored in its data element.
pub(super) fn value_fault(cell: &Cell, value: &str, target: &Target) -> Option<Blocked> {
    let element = target.element(cell.triple.data_element)?;
    let engine = target.engine();
    let is_bare_day = || element.value_type == ValueType::DateTime && !value.contains(['T', ' ']);
    // DHIS2 2.42 wants a time of day; those before and after it take a bare date.
    let lacks_time = target.server.version.minor == 42 && is_bare_day();
    if lacks_time || element.value_type.check(value, engine).is_err() {
        return Some(Blocked::ValueType);
    }
    let options = element.options.as_ref()?;
    let fits = element.value_type.is_option(value, options, engine);
    (!fits).then_some(Blocked::NotAnOption)
}

/// Why a comment cannot go back with its value.
pub(super) fn comment_fault(
    cell: &Cell,
    comment: Option<&str>,
    target: &Target,
) -> Option<Blocked> {
    comment_fault_of(cell, comment, target, target.engine())
}

fn comment_fault_of(
    cell: &Cell,
    comment: Option<&str>,
    target: &Target,
    engine: Engine,
) -> Option<Blocked> {
    // Java counts UTF-16 units.
    let longest = match engine {
        Engine::Old => 50_000,
        Engine::New => 5_000,
    };
    if comment.is_some_and(|comment| comment.encode_utf16().count() > longest) {
        return Some(Blocked::CommentTooLong);
    }
    let codes = target
        .element(cell.triple.data_element)?
        .comment_options
        .as_ref()?;
    // Where there is no comment at all, 2.43 fails on the whole import (recording `comment-options`).
    let fits = comment.is_some_and(|comment| codes.contains(comment));
    (engine == Engine::New && !fits).then_some(Blocked::CommentNotAnOption)
}

/// What the category options behind the combos say against a cell.
fn option_fault(cell: &Cell, target: &Target) -> Option<Blocked> {
    let data_set = &target.data_set;
    let attribute = || data_set.options(cell.triple.attribute_option_combo);
    let mut all = data_set
        .options(cell.triple.category_option_combo)
        .chain(attribute());
    if all.any(|option| !option.may_write) {
        return Some(Blocked::OptionNotWritable);
    }
    let path = target.unit(cell.org_unit).map_or("", |unit| &unit.path);
    let is_for = |option: &CategoryOption| {
        let mut steps = path.split('/').filter_map(|step| step.parse().ok());
        option.org_units.is_empty() || steps.any(|step| option.org_units.contains(&step))
    };
    if !attribute().all(is_for) {
        return Some(Blocked::AttributeOptionNotOfUnit);
    }
    let in_time = match target.engine() {
        Engine::Old => attribute().all(|option| meets_dates(cell, option, target)),
        Engine::New => lies_within_dates(cell, target),
    };
    (!in_time).then_some(Blocked::AttributeOptionOutsideDates)
}

/// DHIS2 ≤ 2.42 is content with a day of the period within the option's dates, the end moved on by the data set's
/// `openPeriodsAfterCoEndDate`.
fn meets_dates(cell: &Cell, option: &CategoryOption, target: &Target) -> bool {
    let extra = target.data_set.open_periods_after_co_end_date;
    let end = option.end.map(|end| moved(end, extra, cell));
    option.start.is_none_or(|start| start <= cell.period.end())
        && end.is_none_or(|end| cell.period.start() <= end)
}

/// DHIS2 ≥ 2.43 wants the whole period within the dates of all options, or the one that lies
/// `openPeriodsAfterCoEndDate` periods before it.
fn lies_within_dates(cell: &Cell, target: &Target) -> bool {
    let options = || target.data_set.options(cell.triple.attribute_option_combo);
    let within = |day: Date| {
        options().all(|option| {
            option.start.is_none_or(|start| start <= day) && option.end.is_none_or(|end| day <= end)
        })
    };
    let extra = target.data_set.open_periods_after_co_end_date;
    let (first, last) = (cell.period.start(), cell.period.end());
    let back = |day| moved(day, -extra, cell);
    (within(first) && within(last)) || (extra != 0 && within(back(first)) && within(back(last)))
}

/// A day moved by whole periods, at the same distance from its period's first day.
fn moved(day: Date, periods: i32, cell: &Cell) -> Date {
    let period = cell.period.period_type().containing(day);
    let to = period.plus(periods);
    let distance = day - period.start();
    to.start()
        .checked_add(distance)
        .unwrap_or(day)
        .min(to.end())
}

/// DHIS2 2.43 asks whether the unit was open on the first day of the period (E8031).
fn is_closed(cell: &Cell, target: &Target) -> bool {
    let Some(unit) = target.unit(cell.org_unit) else {
        return false;
    };
    let first = cell.period.start();
    let open = unit.opened.is_none_or(|opened| opened <= first)
        && unit.closed.is_none_or(|closed| first <= closed);
    !open
}
