//! Registering units and periods as complete: when, once, and never again what a person took back. What goes wrong with
//! it stands in `completeness_faults`.

use std::fs;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::program::Finished;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::BOTH;

const PATH: &str = "api/completeDataSetRegistrations";
const DATA_SET: &str = "YE8SgpSMBQ9";
const DEFAULT: &str = "HllvX50cXC0";
/// Five days after the end of March.
const DUE: &str = "2025-04-06T00:00:00Z";

/// A site with one value in March 2025, complete five days after the month's end.
pub(crate) fn site(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.replace(
        "mappings/small.toml",
        "absent = \"leave\"\n",
        "absent = \"leave\"\ncomplete = \"after 5d\"\n",
    );
    site
}

/// A call of the Web API by a person, `admin`.
#[track_caller]
fn by_hand(url: &str, method: &str, path: &str, body: &Value) -> Value {
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("{url}{path}"))
        // admin:district
        .header("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=")
        .header("accept", "application/json")
        .header("content-type", "application/json");
    let answer = match method {
        "POST" => ureq::run(request.body(body.to_string()).expect("a request")),
        _ => ureq::run(request.body(()).expect("a request")),
    };
    let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
    let text = answer.body_mut().read_to_string().expect("a body");
    serde_json::from_str(&text).unwrap_or_default()
}

/// Data sets, units and attribute option combos registered for March, with who did it and whether it still holds.
fn registered_of(site: &SmallSite, data_set: &str) -> Vec<[String; 4]> {
    let units = UNITS.map(|unit| format!("&orgUnit={unit}")).concat();
    let path = format!("{PATH}?dataSet={data_set}&period=202503{units}");
    let found = by_hand(&site.dhis2.url(), "GET", &path, &Value::Null);
    let found = found["completeDataSetRegistrations"].as_array();
    let found = found.expect("registrations").iter();
    found
        .map(|each| {
            [
                "organisationUnit",
                "attributeOptionCombo",
                "storedBy",
                "completed",
            ]
            .map(|name| each[name].to_string().trim_matches('"').to_owned())
        })
        .collect()
}

pub(crate) fn registered(site: &SmallSite) -> Vec<[String; 4]> {
    registered_of(site, DATA_SET)
}

pub(crate) fn by(user: &str, unit: &str) -> [String; 4] {
    [unit, DEFAULT, user, "true"].map(str::to_owned)
}

/// What the data entry app does to mark a form complete or incomplete.
pub(crate) fn mark(site: &SmallSite, completed: bool) {
    let registration = json!({
        "dataSet": DATA_SET, "period": "202503", "organisationUnit": UNITS[0], "attributeOptionCombo": DEFAULT,
        "completed": completed,
    });
    let body = json!({ "completeDataSetRegistrations": [registration] });
    by_hand(&site.dhis2.url(), "POST", PATH, &body);
}

/// What removes a registration without a trace.
pub(crate) fn remove(url: &str) {
    let path = format!("{PATH}?ds={DATA_SET}&pe=202503&ou={}", UNITS[0]);
    by_hand(url, "DELETE", &path, &Value::Null);
}

/// Requests of the program that were to register something.
pub(crate) fn posts(site: &SmallSite) -> Vec<String> {
    let requests = site.dhis2.requests().into_iter();
    requests
        .filter(|request| request.account.as_deref() == Some("loader"))
        .filter(|request| request.method == "POST" && request.path.contains("complete"))
        .map(|request| request.path)
        .collect()
}

/// What the report of a run for March says of completeness.
#[track_caller]
fn told(site: &SmallSite, code: i32) -> Value {
    let args = ["run", "-p", "202503", "--as-of", NOW, "--format", "json"];
    let report = site.program(&args).code(code).json();
    report["mappings"][0]["complete"].clone()
}

/// The counts of the report that are not 0.
fn counts(complete: &Value) -> Vec<(String, u64)> {
    let members = complete.as_object().expect("an object").iter();
    members
        .filter_map(|(name, count)| Some((name.clone(), count.as_u64().filter(|n| *n > 0)?)))
        .collect()
}

fn only(name: &str) -> Vec<(String, u64)> {
    vec![(name.to_owned(), 1)]
}

#[test]
fn a_month_is_registered_once_when_its_time_has_come_and_nobody_gets_a_message() {
    for dialect in BOTH {
        let site = site(dialect);
        site.dhis2.set_now("2025-04-05T23:59:59Z");
        assert_eq!(counts(&told(&site, 0)), only("early"));
        assert_eq!(site.dhis2.values().len(), 1);
        assert_eq!(registered(&site), [[""; 4]; 0]);

        site.dhis2.set_now(DUE);
        let complete = told(&site, 0);
        assert_eq!(counts(&complete), only("registered"));
        assert_eq!(
            complete["registrations"],
            json!([{ "period": "202503", "orgUnit": UNITS[0], "attributeOptionCombo": DEFAULT }])
        );
        assert_eq!(registered(&site), [by("loader", UNITS[0])]);
        let once = ["/api/completeDataSetRegistrations?skipNotifications=true"];
        assert_eq!(posts(&site), once);

        assert_eq!(counts(&told(&site, 0)), only("already"));
        assert_eq!(posts(&site), once);
    }
}

#[test]
fn a_mapping_that_does_not_say_so_asks_nothing() {
    let site = SmallSite::new(Dialect::V2_43);
    assert_eq!(told(&site, 0), Value::Null);
    let never = "absent = \"leave\"\ncomplete = \"never\"\n";
    site.replace("mappings/small.toml", "absent = \"leave\"\n", never);
    assert_eq!(told(&site, 0), Value::Null);
    let requests = site.dhis2.requests();
    assert!(
        requests
            .iter()
            .all(|request| !request.path.contains("complete"))
    );
}

#[test]
fn what_a_person_removed_is_not_registered_again() {
    for dialect in BOTH {
        let site = site(dialect);
        assert_eq!(counts(&told(&site, 0)), only("registered"));
        remove(&site.dhis2.url());
        for _ in 0..2 {
            assert_eq!(counts(&told(&site, 0)), only("withdrawn"));
        }
        assert_eq!(registered(&site), [[""; 4]; 0]);
        assert_eq!(posts(&site).len(), 1);

        // They may change their mind, and do it again.
        mark(&site, true);
        assert_eq!(counts(&told(&site, 0)), only("already"));
        remove(&site.dhis2.url());
        assert_eq!(counts(&told(&site, 0)), only("withdrawn"));
        assert_eq!(posts(&site).len(), 1);
    }
}

#[test]
fn what_a_person_marked_incomplete_stays_so() {
    for dialect in BOTH {
        let site = site(dialect);
        // Before we ever registered it, and without any record of ours.
        mark(&site, false);
        let incomplete = [[UNITS[0], DEFAULT, "admin", "false"].map(str::to_owned)];
        assert_eq!(counts(&told(&site, 0)), only("withdrawn"));
        assert_eq!(registered(&site), incomplete);
        assert_eq!(posts(&site), [""; 0]);
    }
}

#[test]
fn a_withdrawal_is_known_after_the_state_folder_was_lost_between_two_runs() {
    let site = site(Dialect::V2_43);
    told(&site, 0);
    fs::remove_dir_all(site.path("state")).unwrap();
    assert_eq!(counts(&told(&site, 0)), only("already"));
    remove(&site.dhis2.url());
    assert_eq!(counts(&told(&site, 0)), only("withdrawn"));
}

#[test]
fn a_registration_by_somebody_else_is_left_alone() {
    for dialect in BOTH {
        let site = site(dialect);
        mark(&site, true);
        assert_eq!(counts(&told(&site, 0)), only("already"));
        assert_eq!(registered(&site), [by("admin", UNITS[0])]);
        assert_eq!(posts(&site), [""; 0]);
        // Withdrawn by a person, it is not made again by us.
        mark(&site, false);
        assert_eq!(counts(&told(&site, 0)), only("withdrawn"));
        assert_eq!(posts(&site), [""; 0]);
    }
}

#[test]
fn a_dry_run_says_what_it_would_register_and_leaves_everything_as_it_is() {
    let site = site(Dialect::V2_43);
    let files = site.files();
    let args = ["run", "-n", "-p", "202503", "--as-of", NOW];
    site.program(&args)
        .code(0)
        .stderr_has("  to be registered complete: 1 (unit, period)\n")
        .stderr_has("    202503 | Gros Islet Polyclinic (VsF9dWr6arv)\n");
    assert_eq!(site.files(), files);
    assert_eq!(registered(&site), [[""; 4]; 0]);
    let requests = site.dhis2.requests();
    assert!(requests.iter().all(|request| request.method == "GET"));
}

/// March with two units and one more row.
fn with_row(dialect: Dialect, element: &str, unit: &str, value: &str) -> SmallSite {
    let site = site(dialect);
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '7');
         INSERT INTO t VALUES ('{element}', '{unit}', '202503', {value});",
        UNITS[1]
    ));
    site
}

#[test]
fn a_unit_of_which_something_is_missing_is_not_registered_and_its_neighbour_is() {
    // The element `X_INT` of the same data set, and text that is no UID.
    let (integer, nonsense) = ("NaIvsjCYa37", "measles");
    for dialect in BOTH {
        for (element, value, code) in [
            (integer, "'1.5'", 3),
            (integer, "NULL", 0),
            (nonsense, "'1'", 3),
        ] {
            let site = with_row(dialect, element, UNITS[1], value);
            let complete = told(&site, code);
            let case = format!("{element} {value}");
            let expected = [("registered".to_owned(), 1), ("lacking".to_owned(), 1)];
            assert_eq!(counts(&complete), expected, "{case}");
            assert_eq!(registered(&site), [by("loader", UNITS[0])], "{case}");
            assert_eq!(site.dhis2.values().len(), 2, "{case}");
        }
    }
}

#[test]
fn a_row_that_may_be_of_any_unit_keeps_all_from_being_complete() {
    // A unit nobody knows, and the UID of one that DHIS2 does not have.
    for unit in ["somewhere", "Aaaaaaaaaa1"] {
        let site = with_row(Dialect::V2_43, NUMBER, unit, "'1'");
        assert_eq!(
            counts(&told(&site, 3)),
            [("lacking".to_owned(), 2)],
            "{unit}"
        );
        assert_eq!(registered(&site), [[""; 4]; 0]);
        assert_eq!(site.dhis2.values().len(), 2);
    }
}

#[test]
fn a_mapping_of_which_something_is_held_registers_nothing() {
    let site = with_row(Dialect::V2_43, "GpADfrMrRcc", UNITS[1], "'3'");
    site.dhis2.put(rig::dhis2::Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: UNITS[0].to_owned(),
        value: Some("5".to_owned()),
        stored_by: "loader".to_owned(),
        ..rig::dhis2::Row::default()
    });
    site.dhis2.put(rig::dhis2::Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: UNITS[1].to_owned(),
        value: Some("6".to_owned()),
        stored_by: "admin".to_owned(),
        ..rig::dhis2::Row::default()
    });
    assert_eq!(counts(&told(&site, 4)), [("lacking".to_owned(), 2)]);
    assert_eq!(registered(&site), [[""; 4]; 0]);
}

#[test]
fn push_registers_what_run_would() {
    let site = site(Dialect::V2_42);
    site.program(&["extract", "-m", "small", "-p", "202503", "-o", "rows"])
        .code(0);
    let document = site.program(&["map", "rows", "-o", "document"]).code(0);
    document.silent();
    let written = fs::read_to_string(site.path("document")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written["pg2dhis2"]["policies"]["complete"], "after 5d");
    site.program(&["push", "document"]).code(0).silent();
    assert_eq!(registered(&site), [by("loader", UNITS[0])]);
    assert_eq!(posts(&site).len(), 1);
    remove(&site.dhis2.url());
    site.program(&["push", "document"]).code(0).silent();
    assert_eq!(registered(&site), [[""; 4]; 0]);
}

#[test]
fn another_attribute_option_combo_is_registered_as_that_one() {
    // The data set `X_FUND`, one of its elements, and `X Ministry` of its attribute combo.
    let (data_set, element, combo) = ("XD58K9JonN6", "bNi9hspV4jw", "vRXzaVCWYsn");
    for dialect in BOTH {
        let site = site(dialect);
        site.replace("mappings/small.toml", DATA_SET, data_set);
        let table = format!("[attribute-option-combo]\nuid = \"{combo}\"\n\n[org-unit]");
        site.replace("mappings/small.toml", "[org-unit]", &table);
        site.database
            .execute(&format!("UPDATE t SET element = '{element}'"));
        assert_eq!(counts(&told(&site, 0)), only("registered"));
        let expected = [UNITS[0], combo, "loader", "true"].map(str::to_owned);
        assert_eq!(registered_of(&site, data_set), [expected]);
        assert_eq!(counts(&told(&site, 0)), only("already"));
    }
}

pub(crate) fn run(site: &SmallSite) -> Finished {
    site.program(&["run", "-p", "202503", "--as-of", NOW])
}

#[test]
fn a_record_that_cannot_be_kept_registers_nothing() {
    let site = site(Dialect::V2_43);
    fs::create_dir_all(site.path("state/complete.tsv")).unwrap();
    run(&site).code(16).stderr_has("complete.tsv");
    assert_eq!(site.dhis2.values().len(), 1);
    assert_eq!(posts(&site), [""; 0]);
}

#[test]
fn a_time_that_is_none_is_refused_with_its_place() {
    let site = site(Dialect::V2_43);
    site.replace("mappings/small.toml", "after 5d", "five days after");
    site.refused(
        run(&site),
        10,
        "mappings/small.toml:7:12: `complete` must be \"never\", or a time after the period's end",
    );
}
