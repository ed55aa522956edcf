//! Where a wrong number once got through, or might have: what people wrote and did, each with its right value.

mod placement;
mod server;
mod session;

use std::collections::BTreeSet;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};

/// The period of all of them, one that is over.
const PERIOD: &str = "202511";

/// A site whose one query is this one.
fn site(setup: &str, query: &str) -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute(setup);
    site.write("mappings/query.sql", query);
    site
}

/// Runs the period; the values that DHIS2 then holds, by data element.
#[track_caller]
fn stored(site: &SmallSite) -> BTreeSet<(String, String)> {
    site.program(&["run", "-p", PERIOD, "--as-of", NOW]).code(0);
    let values = site.dhis2.values().into_iter();
    values.map(|(key, value)| (key.0, value)).collect()
}

#[track_caller]
fn holds(site: &SmallSite, element: &str, value: &str) {
    let expected = BTreeSet::from([(element.to_owned(), value.to_owned())]);
    assert_eq!(stored(site), expected);
}

/// Puts more data elements into the data set of the site.
fn add_elements(site: &SmallSite, elements: &[Value]) {
    let export = include_str!("../golden/exchanges/extra_metadata.json");
    let export: Value = serde_json::from_str(export).expect("metadata");
    let sets = export["dataSets"].as_array().expect("data sets");
    let set = sets
        .iter()
        .find(|set| set["id"] == "YE8SgpSMBQ9")
        .expect("the data set");
    let mut set = set.clone();
    let members = elements.iter().map(|element| {
        json!({ "dataSet": { "id": "YE8SgpSMBQ9" }, "dataElement": { "id": element["id"] } })
    });
    set["dataSetElements"]
        .as_array_mut()
        .expect("elements")
        .extend(members);
    let export = json!({ "dataElements": elements, "dataSets": [set] });
    site.dhis2.merge_metadata(&export.to_string());
}
