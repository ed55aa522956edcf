//! Data sets, and the names, units and combos an import is checked against, in bounded calls.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::civil::DateTime;
use serde::Deserialize;

use super::Dhis2;
use super::category_combos::Combos;
use super::error::{Dhis2Error, Kind};
use super::listing::{Access, IDS, Reference};
use crate::domain::{
    DataElement, DataSet, InputPeriod, OrgUnit, Period, PeriodType, Uid, ValueType,
};

const DATA_SET_FIELDS: &str = "id,code,name,periodType,expiryDays,openFuturePeriods,\
    openPeriodsAfterCoEndDate,workflow[id],dataInputPeriods[period[id],openingDate,closingDate],categoryCombo[id],\
    dataSetElements[categoryCombo[id],dataElement[id,code,name,valueType,zeroIsSignificant,aggregationType,\
    optionSet[id,options[code]],commentOptionSet[id,options[code]],categoryCombo[id],access[read]]],\
    organisationUnits[id,code,name,path,openingDate,closedDate],access[data[read,write]]";

/// A data set as DHIS2 writes it; it has so many fields because that document does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDataSet {
    code: Option<String>,
    name: String,
    period_type: String,
    #[serde(default)]
    expiry_days: f64,
    #[serde(default)]
    open_future_periods: i32,
    #[serde(default)]
    open_periods_after_co_end_date: i32,
    workflow: Option<Reference>,
    #[serde(default)]
    data_input_periods: Vec<RawInputPeriod>,
    category_combo: Reference,
    #[serde(default)]
    data_set_elements: Vec<RawDataSetElement>,
    #[serde(default)]
    organisation_units: Vec<RawOrgUnit>,
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawInputPeriod {
    period: InputPeriodId,
    opening_date: Option<DateTime>,
    closing_date: Option<DateTime>,
}

#[derive(Deserialize)]
struct InputPeriodId {
    id: Period,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDataSetElement {
    /// Set where the data set overrides the element's own combo.
    category_combo: Option<Reference>,
    data_element: RawDataElement,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDataElement {
    id: Uid,
    code: Option<String>,
    name: String,
    value_type: ValueType,
    #[serde(default)]
    zero_is_significant: bool,
    aggregation_type: String,
    option_set: Option<RawOptionSet>,
    comment_option_set: Option<RawOptionSet>,
    category_combo: Reference,
    access: Option<ObjectAccess>,
}

#[derive(Deserialize)]
struct ObjectAccess {
    read: bool,
}

#[derive(Deserialize)]
struct RawOptionSet {
    id: Uid,
    #[serde(default)]
    options: Vec<RawOption>,
}

#[derive(Deserialize)]
struct RawOption {
    code: Option<String>,
}

#[derive(Deserialize)]
struct NamedElement {
    id: Uid,
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawOrgUnit {
    id: Uid,
    code: Option<String>,
    name: String,
    path: String,
    opening_date: Option<DateTime>,
    closed_date: Option<DateTime>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefaultCombo {
    id: Uid,
    category_combo: DefaultCategoryCombo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct DefaultCategoryCombo {
    #[serde(default)]
    is_default: bool,
}

/// DHIS2 tells what it was asked; a right that it does not tell is no reason to stop.
impl Dhis2 {
    /// A data set with the combos of its elements.
    pub(crate) fn data_set(&mut self, id: Uid) -> Result<DataSet, Dhis2Error> {
        let doing = format!("reading data set {id}");
        let raw: RawDataSet = self
            .document(
                &doing,
                &format!("dataSets/{id}"),
                &[("fields", DATA_SET_FIELDS)],
            )
            .map_err(|error| hidden_data_set(error, id))?;
        let period_type: PeriodType = raw.period_type.parse().map_err(|_| {
            let what = format!(
                "{doing}: no values can be imported for its period type {:?}",
                raw.period_type
            );
            Dhis2Error::new(Kind::Target, what)
        })?;
        let mut used: BTreeSet<Uid> = raw.data_set_elements.iter().map(combo_of).collect();
        used.insert(raw.category_combo.id);
        let combos = self.category_combos(used)?;
        let mut codes = combos.codes.clone();
        codes.extend(codes_of(id, &raw));
        Ok(DataSet {
            id,
            name: raw.name,
            period_type,
            expiry_days: raw.expiry_days,
            open_future_periods: raw.open_future_periods,
            open_periods_after_co_end_date: raw.open_periods_after_co_end_date,
            workflow: raw.workflow.map(|workflow| workflow.id),
            lock_exceptions: BTreeSet::new(),
            input_periods: raw
                .data_input_periods
                .into_iter()
                .map(input_period)
                .collect(),
            attribute_option_combos: combos.names(raw.category_combo.id).as_ref().clone(),
            elements: elements(raw.data_set_elements, &combos),
            options_of: combos.options_of,
            category_options: combos.options,
            org_units: raw.organisation_units.into_iter().map(org_unit).collect(),
            may_read: raw.access.data.read,
            may_write: raw.access.data.write,
            codes,
        })
    }

    /// The category option combo `default` of this server, which differs between databases of different age.
    pub(crate) fn default_combo(&mut self) -> Result<Uid, Dhis2Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct DefaultCombosPage {
            category_option_combos: Vec<DefaultCombo>,
        }
        let doing = "looking for the default category option combo";
        let page: DefaultCombosPage = self.document(
            doing,
            "categoryOptionCombos",
            &[
                ("filter", "name:eq:default"),
                ("fields", "id,categoryCombo[id,isDefault]"),
                ("paging", "false"),
            ],
        )?;
        let found = page.category_option_combos;
        match found.iter().find(|combo| combo.category_combo.is_default) {
            Some(combo) => Ok(combo.id),
            None => Err(Dhis2Error::new(
                Kind::Target,
                format!(
                    "{doing}: DHIS2 shows none to this account; write uid in the combo tables of the mapping"
                ),
            )),
        }
    }

    /// Those of the units that DHIS2 has and shows to us.
    pub(crate) fn org_units(&mut self, ids: &[Uid]) -> Result<BTreeMap<Uid, OrgUnit>, Dhis2Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct OrgUnitsPage {
            organisation_units: Vec<RawOrgUnit>,
        }
        let fields = "id,code,name,path,openingDate,closedDate";
        let mut units = BTreeMap::new();
        for ids in ids.chunks(IDS) {
            let page: OrgUnitsPage = self.listed("organisationUnits", fields, ids)?;
            units.extend(page.organisation_units.into_iter().map(org_unit));
        }
        Ok(units)
    }

    /// The unit with this path and all below it.
    pub(crate) fn org_units_below(
        &mut self,
        path: &str,
    ) -> Result<BTreeMap<Uid, OrgUnit>, Dhis2Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct OrgUnitsBelowPage {
            organisation_units: Vec<RawOrgUnit>,
        }
        let root = path.rsplit('/').next().unwrap_or_default();
        let filter = format!("path:like:{root}");
        let query = [
            ("filter", filter.as_str()),
            ("fields", "id,code,name,path,openingDate,closedDate"),
            ("paging", "false"),
        ];
        let page: OrgUnitsBelowPage =
            self.document("reading organisationUnits", "organisationUnits", &query)?;
        Ok(page.organisation_units.into_iter().map(org_unit).collect())
    }

    /// The names of those of the data elements that DHIS2 has and shows to us.
    pub(crate) fn data_elements(
        &mut self,
        ids: &[Uid],
    ) -> Result<BTreeMap<Uid, String>, Dhis2Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct DataElementsPage {
            data_elements: Vec<NamedElement>,
        }
        let mut names = BTreeMap::new();
        for ids in ids.chunks(IDS) {
            let page: DataElementsPage = self.listed("dataElements", "id,name", ids)?;
            names.extend(
                page.data_elements
                    .into_iter()
                    .map(|element| (element.id, element.name)),
            );
        }
        Ok(names)
    }
}

/// A data set that is not there or not ours to see is a matter of its mapping, not of our credentials.
fn hidden_data_set(error: Dhis2Error, id: Uid) -> Dhis2Error {
    let message = match (error.status, error.code.as_deref()) {
        (_, Some("E1005")) => format!("DHIS2 has no data set {id}; check data-set in the mapping"),
        (Some(403), _) => {
            format!("DHIS2 does not show data set {id} to the account; share it with the account")
        }
        _ => return error,
    };
    Dhis2Error {
        kind: Kind::Target,
        message,
        ..error
    }
}

fn combo_of(element: &RawDataSetElement) -> Uid {
    element
        .category_combo
        .as_ref()
        .unwrap_or(&element.data_element.category_combo)
        .id
}

/// The codes of the data set, its elements and its units.
fn codes_of(id: Uid, raw: &RawDataSet) -> impl Iterator<Item = (Uid, String)> {
    let elements = raw.data_set_elements.iter();
    let elements = elements.map(|element| (element.data_element.id, &element.data_element.code));
    let units = raw.organisation_units.iter();
    let units = units.map(|unit| (unit.id, &unit.code));
    std::iter::once((id, &raw.code))
        .chain(elements)
        .chain(units)
        .filter_map(|(id, code)| Some((id, code.clone()?)))
}

/// Elements of one option set or one combo share it.
fn elements(raw: Vec<RawDataSetElement>, combos: &Combos) -> BTreeMap<Uid, DataElement> {
    let mut option_sets: BTreeMap<Uid, Rc<BTreeSet<String>>> = BTreeMap::new();
    let mut shared = |set: RawOptionSet| {
        let codes = set.options.into_iter().filter_map(|option| option.code);
        let shared = option_sets.entry(set.id);
        Rc::clone(shared.or_insert_with(|| Rc::new(codes.collect())))
    };
    raw.into_iter()
        .map(|raw| {
            let combo = combo_of(&raw);
            let element = raw.data_element;
            let known = DataElement {
                name: element.name,
                may_read: element.access.is_none_or(|access| access.read),
                value_type: element.value_type,
                zero_is_significant: element.zero_is_significant,
                aggregation_type: element.aggregation_type,
                options: element.option_set.map(&mut shared),
                comment_options: element.comment_option_set.map(&mut shared),
                category_option_combos: combos.names(combo),
            };
            (element.id, known)
        })
        .collect()
}

fn input_period(raw: RawInputPeriod) -> InputPeriod {
    InputPeriod {
        period: raw.period.id,
        opening: raw.opening_date,
        closing: raw.closing_date,
    }
}

fn org_unit(raw: RawOrgUnit) -> (Uid, OrgUnit) {
    let unit = OrgUnit {
        name: raw.name,
        path: raw.path,
        opened: raw.opening_date.map(DateTime::date),
        closed: raw.closed_date.map(DateTime::date),
    };
    (raw.id, unit)
}
