//! What only a pin needs to know of DHIS2: whose a code is, and which category combos a data set is made with.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Dhis2;
use super::error::Dhis2Error;
use super::listing::IDS;
use crate::domain::{CategoryCombo, Dimension, ObjectKind, Uid};

/// Codes asked for in one request: of at most 50 characters each, any of which may take three in a URL, which must
/// stay below 8 KiB.
const CODES: usize = 40;

const COMBOS_OF: &str = "categoryCombo[id,code,name],dataSetElements[categoryCombo[id,code,name],\
    dataElement[id,categoryCombo[id,code,name]]]";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataSetToPin {
    category_combo: ComboToPin,
    #[serde(default)]
    data_set_elements: Vec<DataSetElementToPin>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataSetElementToPin {
    /// Set where the data set overrides the element's own combo.
    category_combo: Option<ComboToPin>,
    data_element: DataElementToPin,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DataElementToPin {
    id: Uid,
    category_combo: ComboToPin,
}

#[derive(Deserialize)]
struct ComboToPin {
    id: Uid,
    code: Option<String>,
    name: String,
}

#[derive(Deserialize)]
struct Coded {
    id: Uid,
    code: Option<String>,
}

impl Dhis2 {
    /// The category combo of each data element of a data set (an override counts), and of the data set by its own id.
    pub(crate) fn combos_of_data_set(
        &mut self,
        id: Uid,
    ) -> Result<BTreeMap<Uid, CategoryCombo>, Dhis2Error> {
        let raw: DataSetToPin = self.document(
            &format!("reading the category combos of data set {id}"),
            &format!("dataSets/{id}"),
            &[("fields", COMBOS_OF)],
        )?;
        let elements = raw.data_set_elements.into_iter().map(|raw| {
            let combo = raw
                .category_combo
                .unwrap_or(raw.data_element.category_combo);
            (raw.data_element.id, category_combo(combo))
        });
        let mut combos: BTreeMap<Uid, CategoryCombo> = elements.collect();
        combos.insert(id, category_combo(raw.category_combo));
        Ok(combos)
    }

    /// The codes of those of the organisation units that have one.
    pub(crate) fn codes_of_org_units(
        &mut self,
        ids: &[Uid],
    ) -> Result<BTreeMap<Uid, String>, Dhis2Error> {
        let mut codes = BTreeMap::new();
        for ids in ids.chunks(IDS) {
            let page: BTreeMap<String, Vec<Coded>> =
                self.listed("organisationUnits", "id,code", ids)?;
            let units = page.into_values().flatten();
            codes.extend(units.filter_map(|unit| Some((unit.id, unit.code?))));
        }
        Ok(codes)
    }

    /// The objects of a kind that have one of these codes, as DHIS2 shows them to us.
    pub(crate) fn coded(
        &mut self,
        kind: ObjectKind,
        codes: &[String],
    ) -> Result<Vec<(String, Uid)>, Dhis2Error> {
        let collection = match kind {
            ObjectKind::DataSet => "dataSets",
            ObjectKind::Of(Dimension::DataElement) => "dataElements",
            ObjectKind::Of(Dimension::CategoryOptionCombo | Dimension::AttributeOptionCombo) => {
                "categoryOptionCombos"
            }
            ObjectKind::Of(Dimension::OrgUnit) => "organisationUnits",
        };
        // In a list a comma ends a code.
        let (alone, listed): (Vec<&String>, Vec<&String>) = codes
            .iter()
            .partition(|code| code.contains([',', '[', ']']));
        let mut filters: Vec<String> = alone
            .into_iter()
            .map(|code| format!("code:eq:{code}"))
            .collect();
        for codes in listed.chunks(CODES) {
            let codes: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
            filters.push(format!("code:in:[{}]", codes.join(",")));
        }
        let mut found = Vec::new();
        for filter in filters {
            let query = [
                ("filter", filter.as_str()),
                ("fields", "id,code"),
                ("paging", "false"),
            ];
            let doing = format!("looking for each {kind} by its code");
            // The collection is the only member, as no pages are asked for.
            let page: BTreeMap<String, Vec<Coded>> = self.document(&doing, collection, &query)?;
            let objects = page.into_values().flatten();
            found.extend(objects.filter_map(|object| Some((object.code?, object.id))));
        }
        Ok(found)
    }
}

fn category_combo(raw: ComboToPin) -> CategoryCombo {
    CategoryCombo {
        id: raw.id,
        code: raw.code,
        name: raw.name,
    }
}
