//! What the checks need to know of the metadata, in typed form and indexed; rebuilt whenever metadata is merged.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::civil::{Date, DateTime};
use serde_json::Value;

use super::access::Sharing;
use super::clock::moment;
use super::metadata::{Metadata, Object, flag, reference, references, text};

/// The metadata as the import engines see it, everything by id.
#[derive(Default)]
pub(crate) struct Model {
    pub(crate) elements: HashMap<String, Element>,
    pub(crate) data_sets: BTreeMap<String, DataSet>,
    pub(crate) combos: HashMap<String, OptionCombo>,
    pub(crate) units: HashMap<String, Unit>,
    /// Option combos of each category combo.
    pub(crate) combos_of: HashMap<String, BTreeSet<String>>,
    /// The default category option combo.
    pub(crate) default_combo: String,
    /// Groups each user is in.
    pub(crate) groups_of: HashMap<String, Vec<String>>,
}

pub(crate) struct Element {
    pub(crate) value_type: String,
    pub(crate) aggregation_type: String,
    pub(crate) zero_is_significant: bool,
    pub(crate) combo: String,
    /// Codes a value must be one of.
    pub(crate) options: Option<HashSet<String>>,
    /// Codes a comment must be one of.
    pub(crate) comment_options: Option<HashSet<String>>,
    pub(crate) data_sets: BTreeSet<String>,
    pub(crate) sharing: Sharing,
}

pub(crate) struct DataSet {
    pub(crate) id: String,
    pub(crate) period_type: String,
    pub(crate) combo: String,
    pub(crate) expiry_days: f64,
    pub(crate) open_future_periods: i64,
    pub(crate) open_periods_after_co_end_date: i64,
    pub(crate) no_value_requires_comment: bool,
    pub(crate) workflow: Option<String>,
    pub(crate) input_periods: Vec<InputPeriod>,
    /// Elements, each with the category combo this set uses it with.
    pub(crate) elements: HashMap<String, String>,
    pub(crate) units: HashSet<String>,
    pub(crate) sharing: Sharing,
}

pub(crate) struct InputPeriod {
    pub(crate) period: String,
    opening: Option<DateTime>,
    closing: Option<DateTime>,
}

impl InputPeriod {
    pub(crate) fn includes(&self, now: DateTime) -> bool {
        self.opening.is_none_or(|opening| opening <= now)
            && self.closing.is_none_or(|closing| now <= closing)
    }
}

#[derive(Default)]
pub(crate) struct OptionCombo {
    pub(crate) options: Vec<CategoryOption>,
}

#[derive(Clone)]
pub(crate) struct CategoryOption {
    pub(crate) id: String,
    pub(crate) start: Option<Date>,
    pub(crate) end: Option<Date>,
    /// Units it is bound to, with all below them; none means everywhere.
    pub(crate) units: Vec<String>,
    pub(crate) sharing: Sharing,
}

pub(crate) struct Unit {
    /// Ids from the root to the unit, each after a slash.
    pub(crate) path: String,
    pub(crate) opening: Option<Date>,
    pub(crate) closed: Option<Date>,
}

impl Unit {
    pub(crate) fn level(&self) -> usize {
        self.path.matches('/').count()
    }

    pub(crate) fn ancestors_and_self(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.path.split('/').filter(|id| !id.is_empty())
    }
}

impl Model {
    pub(crate) fn of(metadata: &Metadata) -> Model {
        let mut model = Model {
            units: units(metadata),
            combos: combos(metadata),
            data_sets: metadata
                .all("dataSets")
                .map(|(id, object)| (id.clone(), data_set(id, object)))
                .collect(),
            elements: metadata
                .all("dataElements")
                .map(|(id, object)| (id.clone(), element(metadata, object)))
                .collect(),
            ..Model::default()
        };
        for (id, object) in metadata.all("categoryOptionCombos") {
            if let Some(combo) = reference(object, "categoryCombo") {
                model.combos_of.entry(combo).or_default().insert(id.clone());
            }
            if text(object, "name") == "default" {
                model.default_combo.clone_from(id);
            }
        }
        for (id, set) in &mut model.data_sets {
            for (element, combo) in &mut set.elements {
                if let Some(element) = model.elements.get_mut(element) {
                    element.data_sets.insert(id.clone());
                    if combo.is_empty() {
                        combo.clone_from(&element.combo);
                    }
                }
            }
        }
        for (id, group) in metadata.all("userGroups") {
            for user in references(group, "users") {
                model.groups_of.entry(user).or_default().push(id.clone());
            }
        }
        model
    }

    /// Whether `unit` is one of `roots` or below one; false for an unknown unit.
    pub(crate) fn is_within(&self, unit: &str, roots: &[String]) -> bool {
        let unit = self.units.get(unit);
        unit.is_some_and(|unit| {
            unit.ancestors_and_self()
                .any(|id| roots.iter().any(|root| root == id))
        })
    }

    /// The option combos that may be used with an element in one data set.
    pub(crate) fn takes_combo(&self, set: &DataSet, element: &str, combo: &str) -> bool {
        let combos = set
            .elements
            .get(element)
            .and_then(|c| self.combos_of.get(c));
        combos.is_some_and(|combos| combos.contains(combo))
    }

    /// Whether an option combo belongs to a category combo.
    pub(crate) fn combo_has(&self, category_combo: &str, combo: &str) -> bool {
        let combos = self.combos_of.get(category_combo);
        combos.is_some_and(|combos| combos.contains(combo))
    }
}

fn data_set(id: &str, object: &Object) -> DataSet {
    let number = |field| object.get(field).and_then(Value::as_f64).unwrap_or(0.0);
    let entries = |field| {
        object
            .get(field)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    DataSet {
        id: id.to_owned(),
        period_type: text(object, "periodType"),
        combo: reference(object, "categoryCombo").unwrap_or_else(|| "bjDvmb4bfuf".to_owned()),
        expiry_days: number("expiryDays"),
        open_future_periods: number("openFuturePeriods") as i64,
        open_periods_after_co_end_date: number("openPeriodsAfterCoEndDate") as i64,
        no_value_requires_comment: flag(object, "noValueRequiresComment"),
        workflow: reference(object, "workflow"),
        input_periods: entries("dataInputPeriods")
            .filter_map(Value::as_object)
            .filter_map(|entry| {
                Some(InputPeriod {
                    period: reference(entry, "period")?,
                    opening: moment(&text(entry, "openingDate")),
                    closing: moment(&text(entry, "closingDate")),
                })
            })
            .collect(),
        elements: entries("dataSetElements")
            .filter_map(Value::as_object)
            .filter_map(|entry| {
                let combo = reference(entry, "categoryCombo").unwrap_or_default();
                Some((reference(entry, "dataElement")?, combo))
            })
            .collect(),
        units: references(object, "organisationUnits")
            .into_iter()
            .collect(),
        sharing: Sharing::of(object),
    }
}

fn element(metadata: &Metadata, object: &Object) -> Element {
    let codes = |field| {
        let set = reference(object, field)?;
        let listed = metadata
            .get("optionSets", &set)
            .map(|set| references(set, "options"))
            .unwrap_or_default();
        let codes = metadata.all("options").filter(|(id, option)| {
            listed.contains(id) || reference(option, "optionSet").as_ref() == Some(&set)
        });
        Some(codes.map(|(_, option)| text(option, "code")).collect())
    };
    Element {
        value_type: text(object, "valueType"),
        aggregation_type: text(object, "aggregationType"),
        zero_is_significant: flag(object, "zeroIsSignificant"),
        combo: reference(object, "categoryCombo").unwrap_or_else(|| "bjDvmb4bfuf".to_owned()),
        options: codes("optionSet"),
        comment_options: codes("commentOptionSet"),
        data_sets: BTreeSet::new(),
        sharing: Sharing::of(object),
    }
}

fn combos(metadata: &Metadata) -> HashMap<String, OptionCombo> {
    let day = |object: &Object, field| moment(&text(object, field)).map(|moment| moment.date());
    let options: HashMap<&String, CategoryOption> = metadata
        .all("categoryOptions")
        .map(|(id, object)| {
            let option = CategoryOption {
                id: id.clone(),
                start: day(object, "startDate"),
                end: day(object, "endDate"),
                units: references(object, "organisationUnits"),
                sharing: Sharing::of(object),
            };
            (id, option)
        })
        .collect();
    metadata
        .all("categoryOptionCombos")
        .map(|(id, object)| {
            let ids = references(object, "categoryOptions");
            let options = ids
                .iter()
                .filter_map(|id| options.get(id).cloned())
                .collect();
            (id.clone(), OptionCombo { options })
        })
        .collect()
}

fn units(metadata: &Metadata) -> HashMap<String, Unit> {
    let day = |object: &Object, field| moment(&text(object, field)).map(|moment| moment.date());
    metadata
        .all("organisationUnits")
        .map(|(id, object)| {
            let mut path = format!("/{id}");
            let mut parent = reference(object, "parent");
            // A unit that is its own ancestor would never end; DHIS2 knows no 50 levels either.
            for _ in 0..50 {
                let Some(above) = parent else { break };
                path = format!("/{above}{path}");
                let above = metadata.get("organisationUnits", &above);
                parent = above.and_then(|above| reference(above, "parent"));
            }
            let unit = Unit {
                path,
                opening: day(object, "openingDate"),
                closed: day(object, "closedDate"),
            };
            (id.clone(), unit)
        })
        .collect()
}
