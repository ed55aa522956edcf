//! The DHIS2 of a drill: one monthly data set, three data elements, three organisation units.

use serde_json::json;

pub(super) const DATA_SET: &str = "DrillSet001";

/// Whole numbers; a zero is kept.
pub const DOSES: &str = "DrillElem01";
/// Whole numbers; DHIS2 does not keep a zero of it.
pub const VISITS: &str = "DrillElem02";
/// Whole numbers that are not added up over time; a zero is kept.
pub const STOCK: &str = "DrillElem03";

/// All data elements, by the key that the registry has for each.
pub(super) const ELEMENTS: [(&str, &str); 3] =
    [("doses", DOSES), ("visits", VISITS), ("stock", STOCK)];

pub(super) const UNITS: [&str; 3] = ["DrillUnit01", "DrillUnit02", "DrillUnit03"];

/// The unit that the accounts of the stand-in may see and write below.
const ROOT: &str = "sc5rkcvmE6I";
const OPENED: &str = "1990-01-01T00:00:00.000";

/// An export to load into a stand-in. The current month is open for entry.
pub(super) fn metadata() -> String {
    let mut units = vec![json!({ "id": ROOT, "name": "Root", "openingDate": OPENED })];
    units.extend(UNITS.map(|id| {
        json!({
            "id": id, "name": id, "openingDate": OPENED, "closedDate": null, "parent": { "id": ROOT },
            "path": format!("/{ROOT}/{id}"),
        })
    }));
    let element = |id: &str, aggregation: &str, keeps_zero: bool| {
        json!({
            "id": id, "name": id, "valueType": "INTEGER", "aggregationType": aggregation,
            "domainType": "AGGREGATE", "zeroIsSignificant": keeps_zero,
            "categoryCombo": { "id": "bjDvmb4bfuf" },
        })
    };
    json!({
        "organisationUnits": units,
        "dataElements": [
            element(DOSES, "SUM", true),
            element(VISITS, "SUM", false),
            element(STOCK, "AVERAGE_SUM_ORG_UNIT", true),
        ],
        "dataSets": [{
            "id": DATA_SET, "name": "Drill", "sharing": { "public": "rwrw----" },
            "periodType": "Monthly", "openFuturePeriods": 1,
            "categoryCombo": { "id": "bjDvmb4bfuf" },
            "dataSetElements": ELEMENTS.map(|(_, id)| json!({ "dataElement": { "id": id } })),
            "organisationUnits": UNITS.map(|id| json!({ "id": id })),
        }],
    })
    .to_string()
}
