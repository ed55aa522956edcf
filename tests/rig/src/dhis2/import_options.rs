//! The query parameters of an import, bound as strictly as the server binds them.

use serde_json::{Value, json};

use super::Dialect;
use super::answer::Refusal;
use super::request::Query;

/// Parameters that must be true or false; the server refuses any other text.
const FLAGS: [&str; 25] = [
    "async",
    "atomic",
    "datasetAllowsPeriods",
    "dryRun",
    "firstRowIsHeader",
    "force",
    "ignoreEmptyCollection",
    "mergeDataValues",
    "preheatCache",
    "requireAttributeOptionCombo",
    "requireCategoryOptionCombo",
    "sharing",
    "skipAudit",
    "skipCache",
    "skipExistingCheck",
    "skipLastUpdated",
    "skipNotifications",
    "skipPatternValidation",
    "strictAttributeOptionCombos",
    "strictCategoryOptionCombos",
    "strictDataElements",
    "strictDataSetApproval",
    "strictDataSetInputPeriods",
    "strictDataSetLocking",
    "strictOrganisationUnits",
];

/// What an import is to do with keys that are and are not there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Strategy {
    Create,
    Update,
    CreateAndUpdate,
    Delete,
    /// Known to the server and of no effect on data values.
    Sync,
}

impl Strategy {
    pub(crate) fn parse(text: &str) -> Option<Strategy> {
        Some(match text {
            "CREATE" | "NEW" => Strategy::Create,
            "UPDATE" | "UPDATES" => Strategy::Update,
            "CREATE_AND_UPDATE" | "NEW_AND_UPDATES" => Strategy::CreateAndUpdate,
            "DELETE" | "DELETES" => Strategy::Delete,
            "SYNC" => Strategy::Sync,
            _ => return None,
        })
    }

    pub(crate) fn creates(self) -> bool {
        matches!(self, Strategy::Create | Strategy::CreateAndUpdate)
    }

    pub(crate) fn updates(self) -> bool {
        matches!(self, Strategy::Update | Strategy::CreateAndUpdate)
    }
}

/// The parameters of one import.
#[derive(Clone, Debug)]
pub(crate) struct ImportOptions {
    pub(crate) query: Query,
    pub(crate) strategy: Strategy,
    pub(crate) dry_run: bool,
    pub(crate) asynchronous: bool,
    pub(crate) atomic: bool,
    pub(crate) force: bool,
    pub(crate) strict_periods: bool,
    pub(crate) strict_elements: bool,
    pub(crate) strict_combos: bool,
    pub(crate) strict_attribute_combos: bool,
    pub(crate) strict_units: bool,
    pub(crate) require_combo: bool,
    pub(crate) require_attribute_combo: bool,
    pub(crate) data_set: Option<String>,
}

impl ImportOptions {
    pub(crate) fn bind(query: &Query) -> Result<ImportOptions, Refusal> {
        for name in FLAGS.iter().copied().chain(["strictPeriods"]) {
            let value = query.first(name).unwrap_or("true");
            if as_flag(value).is_none() {
                let message = format!(
                    "Value '{value}' is not valid for parameter {name}. It should be of type boolean"
                );
                return Err(Refusal::new(400, message));
            }
        }
        let flag = |name| query.first(name).and_then(as_flag).unwrap_or(false);
        let (name, given) = match (query.first("importStrategy"), query.first("strategy")) {
            (Some(given), _) => ("importStrategy", given),
            (None, Some(given)) => ("strategy", given),
            (None, None) => ("importStrategy", "CREATE_AND_UPDATE"),
        };
        let Some(strategy) = Strategy::parse(given) else {
            let message = format!(
                "Value '{given}' is not valid for parameter {name}. Valid values are: [CREATE, UPDATE, CREATE_AND_UPDATE, DELETE, SYNC, NEW_AND_UPDATES, NEW, UPDATES, DELETES]"
            );
            return Err(Refusal::new(400, message));
        };
        Ok(ImportOptions {
            query: query.clone(),
            strategy,
            dry_run: flag("dryRun"),
            asynchronous: flag("async"),
            atomic: flag("atomic"),
            force: flag("force"),
            strict_periods: flag("strictPeriods"),
            strict_elements: flag("strictDataElements"),
            strict_combos: flag("strictCategoryOptionCombos"),
            strict_attribute_combos: flag("strictAttributeOptionCombos"),
            strict_units: flag("strictOrganisationUnits"),
            require_combo: flag("requireCategoryOptionCombo"),
            require_attribute_combo: flag("requireAttributeOptionCombo"),
            data_set: query.first("dataSet").map(str::to_owned),
        })
    }

    /// The options as a job's parameters show them.
    pub(crate) fn as_job_parameters(&self, dialect: Dialect) -> Value {
        let strategy = match self.strategy {
            Strategy::Create => "CREATE",
            Strategy::Update => "UPDATE",
            Strategy::CreateAndUpdate => "CREATE_AND_UPDATE",
            Strategy::Delete => "DELETE",
            Strategy::Sync => "SYNC",
        };
        let mut shown = json!({
            "idSchemes": {},
            "importStrategy": strategy,
            "mergeMode": "REPLACE",
            "reportMode": "FULL",
            "firstRowIsHeader": true,
        });
        let hidden = |name: &str| {
            // `preheatCache` is not shown by either server, `atomic` is new.
            name == "preheatCache" || (name == "atomic" && dialect == Dialect::V2_42)
        };
        let flags = FLAGS.iter().copied().chain(["strictPeriods"]);
        for name in flags.filter(|name| !hidden(name)) {
            let given = self.query.first(name).and_then(as_flag);
            shown[name] = json!(given.unwrap_or(name == "firstRowIsHeader"));
        }
        shown
    }
}

/// Text Spring takes for a boolean.
fn as_flag(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "on" | "yes" | "1" => Some(true),
        "false" | "off" | "no" | "0" | "" => Some(false),
        _ => None,
    }
}
