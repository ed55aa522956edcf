//! The old engine's checks that are asked for by flags, E7630 – E7636, and the length of `storedBy`, E7637.

use super::import_options::ImportOptions;
use super::model::DataSet;
use super::old_checks::{Entry, refused, shown};
use super::payload::Given;
use super::properties::View;
use super::summary::Conflict;
use super::value_types::sentence;

pub(crate) struct Strict<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) options: &'a ImportOptions,
    /// The data set of the payload.
    pub(crate) data_set: Option<&'a str>,
}

type Verdict = Result<(), Vec<Conflict>>;

impl Strict<'_> {
    pub(crate) fn check(&self, entry: &Entry, given: &Given) -> Verdict {
        self.period_and_element(entry, given)?;
        self.combos(entry, given)?;
        self.unit(entry, given)?;
        let name = given.stored_by.as_deref().unwrap_or_default();
        if name.encode_utf16().count() > 255 {
            let reason = "stored_by_length_greater_than_max_length";
            let text = format!("Invalid storedBy: {}", sentence(reason));
            let objects = [("storedBy", Some(reason))];
            return refused("E7637", Some("storedBy"), text, &objects);
        }
        Ok(())
    }

    /// E7630 and E7631.
    pub(crate) fn required(&self, given: &Given) -> Verdict {
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

    /// E7632 and E7633.
    fn period_and_element(&self, entry: &Entry, given: &Given) -> Verdict {
        let element = shown(&given.element);
        let about_element = ("dataElement", given.element.as_deref());
        let kind = entry.period.kind;
        let known = self.any_set(entry, |set| set.period_type == kind);
        if self.options.strict_periods && !known {
            let period = shown(&given.period);
            let text = format!(
                "Period type of period: `{period}` not valid for data element: `{element}`"
            );
            return refused(
                "E7632",
                None,
                text,
                &[("period", given.period.as_deref()), about_element],
            );
        }
        let held = match self.data_set {
            Some(set) => entry.described.data_sets.contains(set),
            None => !entry.described.data_sets.is_empty(),
        };
        if self.options.strict_elements && !held {
            // Without a data set DHIS2 lists those of the element, of which there are none.
            let set = self.data_set.unwrap_or_default();
            let text = format!("Data element: `{element}` is not part of dataset: `{set}`");
            let objects = [about_element, ("dataSet", Some(set))];
            return refused("E7633", Some("dataElement"), text, &objects);
        }
        Ok(())
    }

    /// E7634 and E7635.
    fn combos(&self, entry: &Entry, given: &Given) -> Verdict {
        let model = self.view.model();
        let element = shown(&given.element);
        let about_element = ("dataElement", given.element.as_deref());
        let own = model.combo_has(&entry.described.combo, entry.combo)
            || self.any_set(entry, |set| {
                model.takes_combo(set, entry.element, entry.combo)
            });
        if self.options.strict_combos && !own {
            let combo = shown(&given.combo);
            let text = format!(
                "Category option combo: `{combo}` must be part of category combo of data element: `{element}`"
            );
            let objects = [
                ("categoryOptionCombo", given.combo.as_deref()),
                about_element,
            ];
            return refused("E7634", Some("categoryOptionCombo"), text, &objects);
        }
        let own = self.any_set(entry, |set| {
            model.combo_has(&set.combo, entry.attribute_combo)
        });
        if self.options.strict_attribute_combos && !own {
            let combo = shown(&given.attribute_combo);
            let text = format!(
                "Attribute option combo: `{combo}` must be part of category combo of data sets of data element: `{element}`"
            );
            let objects = [
                ("categoryOptionCombo", given.attribute_combo.as_deref()),
                about_element,
            ];
            return refused("E7635", Some("attributeOptionCombo"), text, &objects);
        }
        Ok(())
    }

    /// E7636.
    fn unit(&self, entry: &Entry, given: &Given) -> Verdict {
        let assigned = self.any_set(entry, |set| set.units.contains(entry.unit));
        if !self.options.strict_units || assigned {
            return Ok(());
        }
        let element = shown(&given.element);
        let unit = shown(&given.unit);
        let text = format!(
            "Data element: `{element}` must be assigned through data sets to organisation unit: `{unit}`"
        );
        let objects = [
            ("organisationUnit", given.unit.as_deref()),
            ("dataElement", given.element.as_deref()),
        ];
        refused("E7636", Some("orgUnit"), text, &objects)
    }

    /// Whether it holds for any data set with the element.
    fn any_set(&self, entry: &Entry, holds: impl Fn(&DataSet) -> bool) -> bool {
        let sets = &self.view.model().data_sets;
        let mut own = entry
            .described
            .data_sets
            .iter()
            .filter_map(|id| sets.get(id));
        own.any(holds)
    }
}
