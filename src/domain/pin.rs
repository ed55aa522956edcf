//! The pin: what DHIS2's objects were like that the mappings of a site name, in a form for version control.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::civil::Date;
use serde::{Deserialize, Serialize, Serializer};

use super::{DataSet, Dimension, Engine, OrgUnit, Uid, ValueType, Version};

/// The version of the format; another one is refused.
const VERSION: &str = "pin/1";

/// What was read of DHIS2, each kind of object by UID. Only codes that an object has are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Pin {
    #[serde(rename = "pg2dhis2")]
    version: String,
    pub(crate) dhis2: PinnedServer,
    pub(crate) data_sets: BTreeMap<Uid, PinnedDataSet>,
    pub(crate) data_elements: BTreeMap<Uid, PinnedElement>,
    pub(crate) category_combos: BTreeMap<Uid, PinnedCategoryCombo>,
    pub(crate) category_option_combos: BTreeMap<Uid, PinnedCombo>,
    pub(crate) category_options: BTreeMap<Uid, PinnedOption>,
    pub(crate) organisation_units: BTreeMap<Uid, PinnedOrgUnit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinnedServer {
    pub(crate) url: String,
    /// The server writes it so.
    pub(crate) version: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinnedDataSet {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) name: String,
    /// DHIS2's name of it.
    pub(crate) period_type: String,
    /// The one whose option combos are its attribute option combos.
    pub(crate) category_combo: Uid,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinnedElement {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) name: String,
    #[serde(serialize_with = "shown")]
    pub(crate) value_type: ValueType,
    pub(crate) aggregation_type: String,
    pub(crate) zero_is_significant: bool,
    /// The option codes, where it has an option set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) options: Option<BTreeSet<String>>,
    /// Its category combo in each of its data sets; an override counts.
    pub(crate) data_sets: BTreeMap<Uid, Uid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinnedCategoryCombo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) name: String,
    pub(crate) category_option_combos: BTreeSet<Uid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinnedCombo {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) name: String,
    pub(crate) category_options: BTreeSet<Uid>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinnedOption {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct PinnedOrgUnit {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<String>,
    pub(crate) name: String,
    pub(crate) path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opening_date: Option<Date>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) closed_date: Option<Date>,
    /// The pinned data sets that it is assigned to.
    pub(crate) data_sets: BTreeSet<Uid>,
}

/// The category combo of a data set or of one of its elements.
#[derive(Clone, Debug)]
pub(crate) struct CategoryCombo {
    pub(crate) id: Uid,
    pub(crate) code: Option<String>,
    pub(crate) name: String,
}

/// An object that a mapping names where a UID or a code may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ObjectKind {
    DataSet,
    Of(Dimension),
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectKind::DataSet => f.write_str("data set"),
            ObjectKind::Of(dimension) => dimension.fmt(f),
        }
    }
}

impl Pin {
    /// A pin without objects. `version` is DHIS2's, as the server writes it.
    pub(crate) fn new(url: &str, version: &str) -> Pin {
        Pin {
            version: VERSION.to_owned(),
            dhis2: PinnedServer {
                url: url.to_owned(),
                version: version.to_owned(),
            },
            data_sets: BTreeMap::new(),
            data_elements: BTreeMap::new(),
            category_combos: BTreeMap::new(),
            category_option_combos: BTreeMap::new(),
            category_options: BTreeMap::new(),
            organisation_units: BTreeMap::new(),
        }
    }

    /// Reads the text of a pin. The error is a place (line and column, where there is one) and what is wrong.
    pub(crate) fn parse(text: &str) -> Result<Pin, (Option<(usize, usize)>, String)> {
        #[derive(Deserialize)]
        struct Versioned {
            pg2dhis2: String,
        }
        let versioned: Result<Versioned, _> = serde_json::from_str(text);
        match versioned {
            Ok(Versioned { pg2dhis2 }) if pg2dhis2 == VERSION => {}
            Ok(Versioned { pg2dhis2 }) => {
                let message = format!(
                    "is a {pg2dhis2}, and this program reads {VERSION}; run `pg2dhis2 pin` again"
                );
                return Err((None, message));
            }
            Err(error) => return Err(not_a_pin(&error)),
        }
        serde_json::from_str(text).map_err(|error| not_a_pin(&error))
    }

    /// The text of the pin: JSON, one object a line, ordered, so that a difference shows what changed.
    pub(crate) fn text(&self) -> Result<String, serde_json::Error> {
        let mut text = format!(
            "{{\n\"pg2dhis2\": {},\n\"dhis2\": {},\n",
            serde_json::to_string(&self.version)?,
            serde_json::to_string(&self.dhis2)?
        );
        let sections = [
            section("dataSets", &self.data_sets)?,
            section("dataElements", &self.data_elements)?,
            section("categoryCombos", &self.category_combos)?,
            section("categoryOptionCombos", &self.category_option_combos)?,
            section("categoryOptions", &self.category_options)?,
            section("organisationUnits", &self.organisation_units)?,
        ];
        text += &sections.join(",\n");
        text += "\n}\n";
        Ok(text)
    }

    /// The engine of the DHIS2 that was pinned.
    pub(crate) fn engine(&self) -> Engine {
        let minor = self.dhis2.version.split('.').nth(1).unwrap_or_default();
        let digits: String = minor.chars().take_while(char::is_ascii_digit).collect();
        let version = Version {
            minor: digits.parse().unwrap_or_default(),
            patch: 0,
            text: String::new(),
        };
        version.engine()
    }

    /// Takes in a data set: those of its elements that are named (None: all), its combos and its units.
    ///
    /// `combos` are the category combos by data element, and by data set for the one of the data set itself.
    pub(crate) fn take(
        &mut self,
        set: &DataSet,
        named: Option<&BTreeSet<Uid>>,
        combos: &BTreeMap<Uid, CategoryCombo>,
    ) {
        let elements = set
            .elements
            .iter()
            .filter(|(uid, _)| named.is_none_or(|named| named.contains(uid)));
        for (uid, element) in elements {
            let Some(combo) = combos.get(uid) else {
                continue;
            };
            self.take_combo(set, combo, &element.category_option_combos);
            let pinned = self.data_elements.entry(*uid);
            let pinned = pinned.or_insert_with(|| PinnedElement {
                code: set.codes.get(uid).cloned(),
                name: element.name.clone(),
                value_type: element.value_type,
                aggregation_type: element.aggregation_type.clone(),
                zero_is_significant: element.zero_is_significant,
                options: element.options.as_deref().cloned(),
                data_sets: BTreeMap::new(),
            });
            pinned.data_sets.insert(set.id, combo.id);
        }
        if let Some(combo) = combos.get(&set.id) {
            self.take_combo(set, combo, &set.attribute_option_combos);
            let pinned = PinnedDataSet {
                code: set.codes.get(&set.id).cloned(),
                name: set.name.clone(),
                period_type: set.period_type.name().to_owned(),
                category_combo: combo.id,
            };
            self.data_sets.insert(set.id, pinned);
        }
        for (uid, unit) in &set.org_units {
            let pinned = self.take_unit(*uid, unit, set.codes.get(uid).cloned());
            pinned.data_sets.insert(set.id);
        }
    }

    /// Takes in an organisation unit that is named, assigned or not.
    pub(crate) fn take_unit(
        &mut self,
        uid: Uid,
        unit: &OrgUnit,
        code: Option<String>,
    ) -> &mut PinnedOrgUnit {
        self.organisation_units
            .entry(uid)
            .or_insert_with(|| PinnedOrgUnit {
                code,
                name: unit.name.clone(),
                path: unit.path.clone(),
                opening_date: unit.opened,
                closed_date: unit.closed,
                data_sets: BTreeSet::new(),
            })
    }

    fn take_combo(
        &mut self,
        set: &DataSet,
        combo: &CategoryCombo,
        option_combos: &BTreeMap<Uid, String>,
    ) {
        if self.category_combos.contains_key(&combo.id) {
            return;
        }
        for (uid, name) in option_combos {
            let options = set.options_of.get(uid).into_iter().flatten();
            for option in options.clone() {
                if let Some(known) = set.category_options.get(option) {
                    let pinned = PinnedOption {
                        code: set.codes.get(option).cloned(),
                        name: known.name.clone(),
                    };
                    self.category_options.insert(*option, pinned);
                }
            }
            let pinned = PinnedCombo {
                code: set.codes.get(uid).cloned(),
                name: name.clone(),
                category_options: options.copied().collect(),
            };
            self.category_option_combos.insert(*uid, pinned);
        }
        let pinned = PinnedCategoryCombo {
            code: combo.code.clone(),
            name: combo.name.clone(),
            category_option_combos: option_combos.keys().copied().collect(),
        };
        self.category_combos.insert(combo.id, pinned);
    }

    /// The codes of a kind of object, with the object of each; a code that two have stands twice.
    pub(crate) fn codes(&self, kind: ObjectKind) -> Vec<(&str, Uid)> {
        match kind {
            ObjectKind::DataSet => coded(&self.data_sets, |each| &each.code),
            ObjectKind::Of(Dimension::DataElement) => coded(&self.data_elements, |each| &each.code),
            ObjectKind::Of(Dimension::CategoryOptionCombo | Dimension::AttributeOptionCombo) => {
                coded(&self.category_option_combos, |each| &each.code)
            }
            ObjectKind::Of(Dimension::OrgUnit) => {
                coded(&self.organisation_units, |each| &each.code)
            }
        }
    }

    /// Whether an organisation unit was assigned to a data set.
    pub(crate) fn has_unit(&self, unit: Uid, data_set: Uid) -> bool {
        let unit = self.organisation_units.get(&unit);
        unit.is_some_and(|unit| unit.data_sets.contains(&data_set))
    }

    /// The option combos of each element of a data set.
    pub(crate) fn combos_of_each_element(&self, data_set: Uid) -> BTreeMap<Uid, BTreeSet<Uid>> {
        let elements = self.data_elements.iter();
        let elements = elements.filter_map(|(uid, element)| {
            let combo = element.data_sets.get(&data_set)?;
            Some((*uid, self.combos_of(combo).copied().collect()))
        });
        elements.collect()
    }

    /// The option combos of the elements of a data set.
    pub(crate) fn combos_of_elements(&self, data_set: Uid) -> BTreeSet<Uid> {
        let elements = self.data_elements.values();
        let combos = elements.filter_map(|element| element.data_sets.get(&data_set));
        let combos: BTreeSet<&Uid> = combos.collect();
        let combos = combos.into_iter().flat_map(|combo| self.combos_of(combo));
        combos.copied().collect()
    }

    /// The attribute option combos of a data set.
    pub(crate) fn combos_of_data_set(&self, data_set: Uid) -> BTreeSet<Uid> {
        let set = self.data_sets.get(&data_set);
        let combos = set.map(|set| self.combos_of(&set.category_combo));
        combos.into_iter().flatten().copied().collect()
    }

    /// The option combos of a category combo.
    pub(crate) fn combos_of(&self, category_combo: &Uid) -> impl Iterator<Item = &Uid> {
        let combo = self.category_combos.get(category_combo).into_iter();
        combo.flat_map(|combo| &combo.category_option_combos)
    }
}

fn coded<T>(objects: &BTreeMap<Uid, T>, code: impl Fn(&T) -> &Option<String>) -> Vec<(&str, Uid)> {
    let coded = objects
        .iter()
        .filter_map(|(uid, object)| Some((code(object).as_deref()?, *uid)));
    coded.collect()
}

fn not_a_pin(error: &serde_json::Error) -> (Option<(usize, usize)>, String) {
    (
        Some((error.line(), error.column())),
        "is not a pin that `pg2dhis2 pin` wrote; run it again".to_owned(),
    )
}

fn section<T: Serialize>(
    name: &str,
    objects: &BTreeMap<Uid, T>,
) -> Result<String, serde_json::Error> {
    let lines = objects
        .iter()
        .map(|(uid, object)| Ok(format!("  \"{uid}\": {}", serde_json::to_string(object)?)))
        .collect::<Result<Vec<String>, serde_json::Error>>()?;
    Ok(format!("\"{name}\": {{\n{}\n}}", lines.join(",\n")))
}

/// By DHIS2's name.
fn shown<S: Serializer>(value_type: &ValueType, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value_type)
}
