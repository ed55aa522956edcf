//! Category combos: the option combos of each, and the category options that these are made of.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::civil::DateTime;
use serde::Deserialize;

use super::Dhis2;
use super::error::Dhis2Error;
use super::listing::{Access, IDS, Reference};
use crate::domain::{CategoryOption, Uid};

const CATEGORY_COMBO_FIELDS: &str = "id,categoryOptionCombos[id,code,name,\
    categoryOptions[id,code,name,startDate,endDate,organisationUnits[id],access[data[read,write]]]]";

/// Category combos, taken apart.
#[derive(Default)]
pub(super) struct Combos {
    /// The option combos of each category combo, with their names.
    names: BTreeMap<Uid, Rc<BTreeMap<Uid, String>>>,
    pub(super) options_of: BTreeMap<Uid, Vec<Uid>>,
    pub(super) options: BTreeMap<Uid, CategoryOption>,
    pub(super) codes: BTreeMap<Uid, String>,
}

impl Combos {
    fn of(raw: Vec<RawCombo>) -> Combos {
        let mut combos = Combos::default();
        for raw in raw {
            let mut names = BTreeMap::new();
            for combo in raw.category_option_combos {
                combos.codes.extend(combo.code.map(|code| (combo.id, code)));
                let options = combo.category_options.iter().map(|option| option.id);
                combos.options_of.insert(combo.id, options.collect());
                for option in combo.category_options {
                    let code = option.code.clone().map(|code| (option.id, code));
                    combos.codes.extend(code);
                    let id = option.id;
                    combos
                        .options
                        .entry(id)
                        .or_insert_with(|| category_option(option));
                }
                names.insert(combo.id, combo.name);
            }
            combos.names.insert(raw.id, Rc::new(names));
        }
        combos
    }

    pub(super) fn names(&self, category_combo: Uid) -> Rc<BTreeMap<Uid, String>> {
        self.names.get(&category_combo).cloned().unwrap_or_default()
    }
}

impl Dhis2 {
    /// The category combos with these ids.
    pub(super) fn category_combos(&mut self, ids: BTreeSet<Uid>) -> Result<Combos, Dhis2Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct CategoryCombosPage {
            category_combos: Vec<RawCombo>,
        }
        let ids: Vec<Uid> = ids.into_iter().collect();
        let mut combos = Vec::new();
        for ids in ids.chunks(IDS) {
            let page: CategoryCombosPage =
                self.listed("categoryCombos", CATEGORY_COMBO_FIELDS, ids)?;
            combos.extend(page.category_combos);
        }
        Ok(Combos::of(combos))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCombo {
    id: Uid,
    #[serde(default)]
    category_option_combos: Vec<RawOptionCombo>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOptionCombo {
    id: Uid,
    code: Option<String>,
    name: String,
    #[serde(default)]
    category_options: Vec<RawCategoryOption>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawCategoryOption {
    id: Uid,
    code: Option<String>,
    #[serde(default)]
    name: String,
    start_date: Option<DateTime>,
    end_date: Option<DateTime>,
    #[serde(default)]
    organisation_units: Vec<Reference>,
    access: Access,
}

fn category_option(raw: RawCategoryOption) -> CategoryOption {
    CategoryOption {
        name: raw.name,
        start: raw.start_date.map(DateTime::date),
        end: raw.end_date.map(DateTime::date),
        org_units: raw.organisation_units.iter().map(|unit| unit.id).collect(),
        may_read: raw.access.data.read,
        may_write: raw.access.data.write,
    }
}
