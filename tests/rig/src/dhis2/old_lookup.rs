//! The old engine's first checks, E7610 – E7617: everything a value names exists and may be used by the account.

use super::access::Right;
use super::id_schemes::{Named, Names};
use super::model::Element;
use super::old_checks::{Entry, conflict, refused, shown};
use super::old_engine::is_usable_combo;
use super::payload::Given;
use super::period::Period;
use super::properties::View;
use super::summary::Conflict;

/// The value with everything looked up, or the conflict of the first thing that cannot be used; what is looked
/// up is `meant`, with the set-wide fields in place, what conflicts show is `given`, the value as sent.
pub(crate) fn look_up<'g>(
    view: &'g View,
    names: &'g Names,
    meant: &'g Given,
    given: &Given,
    period: Option<&'g Period>,
) -> Result<Entry<'g>, Vec<Conflict>> {
    let (element, described) = element(view, names, meant)?;
    let Some(period) = period else {
        let text = format!("Period not valid: `{}`", shown(&given.period));
        let objects = [("period", given.period.as_deref())];
        return refused("E7611", Some("period"), text, &objects);
    };
    let unit = unit(view, names, meant, given)?;
    let combo = combo(view, names, Named::Combo, &meant.combo).map_err(|name| {
        let text =
            format!("Category option combo not found or not accessible for writing data: `{name}`");
        let objects = [("categoryOptionCombo", Some(name))];
        vec![conflict(
            "E7613",
            Some("categoryOptionCombo"),
            text,
            &objects,
        )]
    })?;
    let attribute_combo = self::combo(view, names, Named::AttributeCombo, &meant.attribute_combo);
    let attribute_combo = attribute_combo.map_err(|name| {
        let text = format!(
            "Attribute option combo not found or not accessible for writing data: `{name}`"
        );
        let objects = [("categoryOptionCombo", Some(name))];
        vec![conflict(
            "E7615",
            Some("attributeOptionCombo"),
            text,
            &objects,
        )]
    })?;
    within_hierarchy(view, unit, given)?;
    Ok(Entry {
        element,
        described,
        period,
        unit,
        combo,
        attribute_combo,
    })
}

fn element<'g>(
    view: &'g View,
    names: &'g Names,
    given: &'g Given,
) -> Result<(&'g str, &'g Element), Vec<Conflict>> {
    let name = given.element.as_deref().map(str::trim);
    let id = name.and_then(|name| names.id_of(Named::Element, name));
    let described = id.and_then(|id| view.model().elements.get(id));
    let readable = described.filter(|held| held.sharing.allows(view.account, Right::Read));
    id.zip(readable).ok_or_else(|| {
        let name = shown(&given.element);
        let text = format!("Data element not found or not accessible: `{name}`");
        let objects = [("dataElement", given.element.as_deref())];
        vec![conflict("E7610", Some("dataElement"), text, &objects)]
    })
}

fn unit<'g>(
    view: &View,
    names: &'g Names,
    meant: &'g Given,
    given: &Given,
) -> Result<&'g str, Vec<Conflict>> {
    let name = meant.unit.as_deref().map(str::trim);
    let id = name.and_then(|name| names.id_of(Named::Unit, name));
    let known = id.filter(|id| view.model().units.contains_key(*id));
    known.ok_or_else(|| {
        let name = shown(&given.unit);
        let text = format!("Organisation unit not found or not accessible: `{name}`");
        let objects = [("organisationUnit", given.unit.as_deref())];
        vec![conflict("E7612", Some("orgUnit"), text, &objects)]
    })
}

/// The option combo meant, the default where none is given; the error is the name that means none.
fn combo<'g>(
    view: &'g View,
    names: &'g Names,
    what: Named,
    given: &'g Option<String>,
) -> Result<&'g str, &'g str> {
    let name = given.as_deref().filter(|name| !name.trim().is_empty());
    let Some(name) = name else {
        return Ok(&view.model().default_combo);
    };
    let id = names.id_of(what, name.trim());
    id.filter(|id| is_usable_combo(view, id)).ok_or(name)
}

/// E7617, from which superusers are not exempt.
fn within_hierarchy(view: &View, unit: &str, given: &Given) -> Result<(), Vec<Conflict>> {
    let account = view.account;
    if view.model().is_within(unit, &account.organisation_units) {
        return Ok(());
    }
    let (name, user) = (shown(&given.unit), account.id.as_str());
    let text = format!("Organisation unit: `{name}` not in hierarchy of current user: `{user}`");
    let objects = [
        ("organisationUnit", given.unit.as_deref()),
        ("user", Some(user)),
    ];
    refused("E7617", Some("orgUnit"), text, &objects)
}
