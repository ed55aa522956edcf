//! What an outage of the runs left out is made up for by the first run after it.

use rig::dhis2::Dialect;
use serde_json::json;

use crate::small_site::{NUMBER, SmallSite, UNITS};

/// The middle of each month of 2025 from which a run is told to look.
fn at(month: u32) -> String {
    format!("2025-{month:02}-15T12:00:00Z")
}

fn site(look_back: u32) -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "mappings/small.toml",
        "value = \"value\"",
        &format!("look-back = {look_back}\nvalue = \"value\""),
    );
    for month in 1..=8 {
        site.database.execute(&format!(
            "DELETE FROM t WHERE period = '2025{month:02}';
             INSERT INTO t VALUES ('{NUMBER}', '{}', '2025{month:02}', '{month}')",
            UNITS[0]
        ));
    }
    site
}

fn live(site: &SmallSite) -> Vec<(String, String)> {
    let live = site.dhis2.values().into_iter();
    let mut live: Vec<(String, String)> = live.map(|(key, value)| (key.1, value)).collect();
    live.sort();
    live
}

fn months(months: impl Iterator<Item = u32>) -> Vec<(String, String)> {
    months
        .map(|month| (format!("2025{month:02}"), month.to_string()))
        .collect()
}

#[test]
fn periods_that_fell_due_while_no_run_went_well_are_sent_by_the_next_one() {
    let site = site(1);
    site.program(&["run", "--as-of", &at(3)]).code(0);
    assert_eq!(live(&site), months(2..=3));

    let finished = site.program(&["run", "--as-of", &at(8), "--format", "json"]);
    let report = finished.code(0).json();
    assert_eq!(live(&site), months(2..=8));
    let told = report["notes"].to_string();
    assert!(
        told.contains("small also looks at 202502..202506"),
        "{told}"
    );

    // Once that is done, a run looks at what it usually does.
    let report = site.program(&["run", "--as-of", &at(8), "--format", "json"]);
    let report = report.code(0).json();
    let periods = report["mappings"][0]["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 2, "{periods:?}");
}

#[test]
fn runs_that_failed_are_made_up_for_as_those_that_never_were() {
    let site = site(0);
    site.program(&["run", "--as-of", &at(3)]).code(0);
    site.database.execute("ALTER TABLE t RENAME TO gone");
    for month in 4..=6 {
        site.program(&["run", "--as-of", &at(month)]).code(13);
    }
    let status = site.program(&["status", "--as-of", &at(7), "--format", "json"]);
    let gaps = &status.json()["mappings"][0]["never-confirmed"];
    assert_eq!(*gaps, json!(["202504", "202505", "202506", "202507"]));

    site.database.execute("ALTER TABLE gone RENAME TO t");
    site.program(&["run", "--as-of", &at(7)]).code(0);
    assert_eq!(live(&site), months(3..=7));
}

#[test]
fn a_person_who_looks_at_one_period_has_not_looked_at_the_others() {
    let site = site(0);
    site.program(&["run", "--as-of", &at(3)]).code(0);
    site.program(&["run", "-p", "202501", "--as-of", &at(6)])
        .code(0);
    site.program(&["run", "--as-of", &at(6)]).code(0);
    let expected: Vec<_> = months(1..=1).into_iter().chain(months(3..=6)).collect();
    assert_eq!(live(&site), expected);
}

#[test]
fn nothing_before_the_start_of_a_mapping_is_made_up_for() {
    let site = site(0);
    site.program(&["run", "--as-of", &at(3)]).code(0);
    site.replace(
        "mappings/small.toml",
        "look-back = 0",
        "look-back = 0\nstart = \"202505\"",
    );
    site.program(&["run", "--as-of", &at(7)]).code(0);
    let expected: Vec<_> = months(3..=3).into_iter().chain(months(5..=7)).collect();
    assert_eq!(live(&site), expected);
}
