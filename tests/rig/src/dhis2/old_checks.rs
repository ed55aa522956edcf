//! The checks of the old engine on each value, in its order; the first that fails ends it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::access::Right;
use super::books::{Approval, ApprovalKey};
use super::id_schemes::{Named, Names};
use super::import_options::{ImportOptions, Strategy};
use super::model::Element;
use super::old_engine::is_usable_combo;
use super::old_timeliness::Timeliness;
use super::payload::Given;
use super::period::Period;
use super::properties::View;
use super::summary::Conflict;
use super::value_types::{misfit, normalised, sentence};

/// An exception in the middle of the import, which ends all of it.
pub(crate) struct Failure(pub(crate) String);

/// A value that passed, with everything looked up.
pub(crate) struct Entry<'a> {
    pub(crate) element: &'a str,
    pub(crate) described: &'a Element,
    pub(crate) period: &'a Period,
    pub(crate) unit: &'a str,
    pub(crate) combo: &'a str,
    pub(crate) attribute_combo: &'a str,
}

impl Entry<'_> {
    /// Whether a zero is a value of the element (DHIS2: `dataValueIsZeroAndInsignificant`).
    pub(crate) fn keeps_zeros(&self) -> bool {
        let averaged = matches!(
            self.described.aggregation_type.as_str(),
            "AVERAGE" | "AVERAGE_SUM_ORG_UNIT"
        );
        self.described.zero_is_significant || averaged
    }
}

pub(crate) struct Checks<'a> {
    view: &'a View<'a>,
    options: &'a ImportOptions,
    strategy: Strategy,
    data_set: Option<String>,
    periods: HashMap<String, Option<Period>>,
    timeliness: Timeliness<'a>,
}

type Verdict = Result<(), Vec<Conflict>>;

/// A conflict about `objects`, of which the first is the one it is named after; missing ones are left out.
pub(crate) fn conflict(
    code: &'static str,
    property: Option<&'static str>,
    text: String,
    objects: &[(&'static str, Option<&str>)],
) -> Conflict {
    let named = |(name, id): &(&'static str, Option<&str>)| Some((*name, (*id)?.to_owned()));
    Conflict {
        code: Some(code),
        object: objects.first().and_then(|(_, id)| id.map(str::to_owned)),
        objects: Some(objects.iter().filter_map(named).collect()),
        property,
        text,
        indexes: Vec::new(),
    }
}

impl<'a> Checks<'a> {
    pub(crate) fn new(
        view: &'a View<'a>,
        options: &'a ImportOptions,
        data_set: Option<String>,
        strategy: Strategy,
    ) -> Checks<'a> {
        Checks {
            view,
            options,
            strategy,
            timeliness: Timeliness::new(view, options, data_set.clone()),
            data_set,
            periods: HashMap::new(),
        }
    }

    /// Checks one value; the inner error holds its conflicts, with the index.
    pub(crate) fn run<'g>(
        &'g mut self,
        approvals: &BTreeMap<ApprovalKey, Approval>,
        lock_exceptions: &BTreeSet<(String, Period, String)>,
        names: &'g Names,
        index: usize,
        given: &'g Given,
    ) -> Result<Result<Entry<'g>, Vec<Conflict>>, Failure> {
        let text = given.period.clone().unwrap_or_default();
        let dialect = self.view.dialect;
        self.periods
            .entry(text.clone())
            .or_insert_with(|| Period::parse(&text, dialect));
        let period = self.periods.get(&text).and_then(Option::as_ref);
        let numbered = |mut conflicts: Vec<Conflict>| {
            for conflict in &mut conflicts {
                conflict.indexes = vec![index as i64];
            }
            conflicts
        };
        let entry = match self.existing(names, given, period) {
            Ok(entry) => entry,
            Err(conflicts) => return Ok(Err(numbered(conflicts))),
        };
        if let Err(conflicts) = self.content(&entry, given)? {
            return Ok(Err(numbered(conflicts)));
        }
        let checked = self
            .required(given)
            .and_then(|()| self.strict(&entry, given));
        let checked = checked.and_then(|()| {
            self.timeliness
                .check(approvals, lock_exceptions, &entry, given)
        });
        Ok(checked.map(|()| entry).map_err(numbered))
    }

    /// E7610 – E7617: everything named exists and may be used.
    fn existing<'g>(
        &'g self,
        names: &'g Names,
        given: &'g Given,
        period: Option<&'g Period>,
    ) -> Result<Entry<'g>, Vec<Conflict>> {
        let model = self.view.model();
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
        let id_of = |what, text: &'g Option<String>| names.id_of(what, text.as_deref()?);
        let element = id_of(Named::Element, &given.element);
        let described = element.and_then(|id| model.elements.get(id));
        let readable = described.filter(|e| e.sharing.allows(self.view.account, Right::Read));
        let (Some(element), Some(described)) = (element, readable) else {
            let text = format!(
                "Data element not found or not accessible: `{}`",
                shown(&given.element)
            );
            let objects = [("dataElement", given.element.as_deref())];
            return refused("E7610", Some("dataElement"), text, &objects);
        };
        let Some(period) = period else {
            let text = format!("Period not valid: `{}`", shown(&given.period));
            return refused(
                "E7611",
                Some("period"),
                text,
                &[("period", given.period.as_deref())],
            );
        };
        let unit = id_of(Named::Unit, &given.unit).filter(|id| model.units.contains_key(*id));
        let Some(unit) = unit else {
            let text = format!(
                "Organisation unit not found or not accessible: `{}`",
                shown(&given.unit)
            );
            let objects = [("organisationUnit", given.unit.as_deref())];
            return refused("E7612", Some("orgUnit"), text, &objects);
        };
        let combo = self
            .combo(names, Named::Combo, &given.combo)
            .map_err(|name| {
                let text = format!(
                    "Category option combo not found or not accessible for writing data: `{name}`"
                );
                let objects = [("categoryOptionCombo", Some(name))];
                vec![conflict(
                    "E7613",
                    Some("categoryOptionCombo"),
                    text,
                    &objects,
                )]
            })?;
        let attribute_combo = self.combo(names, Named::AttributeCombo, &given.attribute_combo);
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
        // Superusers are not exempt.
        if !model.is_within(unit, &self.view.account.organisation_units) {
            let (name, user) = (shown(&given.unit), &self.view.account.id);
            let text =
                format!("Organisation unit: `{name}` not in hierarchy of current user: `{user}`");
            let objects = [
                ("organisationUnit", Some(name.as_str())),
                ("user", Some(user.as_str())),
            ];
            return refused("E7617", Some("orgUnit"), text, &objects);
        }
        Ok(Entry {
            element,
            described,
            period,
            unit,
            combo,
            attribute_combo,
        })
    }

    /// The option combo meant, the default where none is given; the error is the name that means none.
    fn combo<'g>(
        &'g self,
        names: &'g Names,
        what: Named,
        given: &'g Option<String>,
    ) -> Result<&'g str, &'g str> {
        let Some(name) = given.as_deref().filter(|name| !name.trim().is_empty()) else {
            return Ok(&self.view.model().default_combo);
        };
        let id = names.id_of(what, name);
        id.filter(|id| is_usable_combo(self.view, id)).ok_or(name)
    }

    /// E7618 – E7621: value and comment themselves.
    fn content(&self, entry: &Entry, given: &Given) -> Result<Verdict, Failure> {
        let element = given.element.as_deref();
        let shown = element.unwrap_or_default();
        let absent = |text: &Option<String>| text.as_deref().is_none_or(str::is_empty);
        let deletes = given.deleted == Some(true) || self.strategy == Strategy::Delete;
        if absent(&given.value) && absent(&given.comment) && !deletes {
            let text = format!("Data value or comment not specified for data element: `{shown}`");
            return Ok(refused(
                "E7618",
                Some("value"),
                text,
                &[("dataElement", element)],
            ));
        }
        let kind = &entry.described.value_type;
        let value = given.value.as_deref();
        let value = value.map(|value| normalised(value, kind, self.view.dialect));
        if let Some(reason) = value.and_then(|value| misfit(&value, kind, self.view.dialect)) {
            let why = sentence(reason);
            let text = format!("Value must match value type of data element `{shown}`: `{why}`");
            let objects = [("dataElement", element), ("value", Some(reason))];
            return Ok(refused("E7619", Some("value"), text, &objects));
        }
        let comment = given.comment.as_deref().unwrap_or_default();
        if comment.chars().count() > 50_000 {
            let reason = "comment_length_greater_than_max_length";
            let text = format!("Invalid comment: {}", sentence(reason));
            return Ok(refused(
                "E7620",
                Some("comment"),
                text,
                &[("comment", Some(reason))],
            ));
        }
        let Some(options) = &entry.described.options else {
            return Ok(Ok(()));
        };
        // `List.of(null)` in DHIS2's own code.
        let value = given
            .value
            .as_deref()
            .ok_or_else(|| Failure("null".to_owned()))?;
        let multiple = kind == "MULTI_TEXT";
        let known = options.contains(value)
            || (multiple && value.split(',').all(|part| options.contains(part)));
        if !known {
            let text = format!(
                "Data value is not a valid option of the data element option set: `{shown}`"
            );
            return Ok(refused(
                "E7621",
                Some("value"),
                text,
                &[("dataElement", element)],
            ));
        }
        Ok(Ok(()))
    }

    /// E7630 and E7631.
    fn required(&self, given: &Given) -> Verdict {
        let missing =
            |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
        if self.options.require_combo && missing(&given.combo) {
            let text = "Category option combo is required but is not specified".to_owned();
            return refused("E7630", Some("categoryOptionCombo"), text, &[]);
        }
        if self.options.require_attribute_combo && missing(&given.attribute_combo) {
            let text = "Attribute option combo is required but is not specified".to_owned();
            return refused("E7631", Some("attributeOptionCombo"), text, &[]);
        }
        Ok(())
    }

    /// E7632 – E7637.
    fn strict(&self, entry: &Entry, given: &Given) -> Verdict {
        let model = self.view.model();
        let sets = || {
            entry
                .described
                .data_sets
                .iter()
                .filter_map(|id| model.data_sets.get(id))
        };
        let name = |text: &'_ Option<String>| text.clone().unwrap_or_default();
        let (element, unit) = (name(&given.element), name(&given.unit));
        let about_element = ("dataElement", Some(element.as_str()));
        if self.options.strict_periods && !sets().any(|set| set.period_type == entry.period.kind) {
            let period = name(&given.period);
            let text = format!(
                "Period type of period: `{period}` not valid for data element: `{element}`"
            );
            return refused(
                "E7632",
                None,
                text,
                &[("period", Some(&period)), about_element],
            );
        }
        let targets = self.timeliness.target_sets(entry);
        if self.options.strict_elements
            && !targets
                .iter()
                .any(|set| set.elements.contains_key(entry.element))
        {
            let set = self.data_set.as_deref().unwrap_or("null");
            let text = format!("Data element: `{element}` is not part of dataset: `{set}`");
            let objects = [about_element, ("dataSet", self.data_set.as_deref())];
            return refused("E7633", Some("dataElement"), text, &objects);
        }
        let own = model.combo_has(&entry.described.combo, entry.combo);
        if self.options.strict_combos
            && !own
            && !sets().any(|set| model.takes_combo(set, entry.element, entry.combo))
        {
            let combo = given
                .combo
                .clone()
                .unwrap_or_else(|| entry.combo.to_owned());
            let text = format!(
                "Category option combo: `{combo}` must be part of category combo of data element: `{element}`"
            );
            let objects = [("categoryOptionCombo", Some(combo.as_str())), about_element];
            return refused("E7634", Some("categoryOptionCombo"), text, &objects);
        }
        if self.options.strict_attribute_combos
            && !sets().any(|set| model.combo_has(&set.combo, entry.attribute_combo))
        {
            let combo = given
                .attribute_combo
                .clone()
                .unwrap_or_else(|| entry.attribute_combo.to_owned());
            let text = format!(
                "Attribute option combo: `{combo}` must be part of category combo of data sets of data element: `{element}`"
            );
            let objects = [("categoryOptionCombo", Some(combo.as_str())), about_element];
            return refused("E7635", Some("attributeOptionCombo"), text, &objects);
        }
        if self.options.strict_units && !sets().any(|set| set.units.contains(entry.unit)) {
            let text = format!(
                "Data element: `{element}` must be assigned through data sets to organisation unit: `{unit}`"
            );
            let objects = [("organisationUnit", Some(unit.as_str())), about_element];
            return refused("E7636", Some("orgUnit"), text, &objects);
        }
        if given
            .stored_by
            .as_deref()
            .is_some_and(|name| name.chars().count() > 255)
        {
            let reason = "stored_by_length_greater_than_max_length";
            let text = format!("Invalid storedBy: {}", sentence(reason));
            return refused(
                "E7637",
                Some("storedBy"),
                text,
                &[("storedBy", Some(reason))],
            );
        }
        Ok(())
    }
}

/// A verdict of one conflict.
pub(crate) fn refused<T>(
    code: &'static str,
    property: Option<&'static str>,
    text: String,
    objects: &[(&'static str, Option<&str>)],
) -> Result<T, Vec<Conflict>> {
    Err(vec![conflict(code, property, text, objects)])
}
