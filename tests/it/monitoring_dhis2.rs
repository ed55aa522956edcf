//! What a ministry sees of its sites in DHIS2: the data store's summaries, a second host, analytics tables that follow.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rig::dhis2::{Dialect, StandIn};
use serde_json::{Value, json};

use crate::history::run as recorded;
use crate::program::Finished;
use crate::small_site::{NOW, SmallSite};

/// A group of the recordings' metadata, and what the account may do who builds analytics tables.
const GROUP: &str = "VYy11YtcQMI";

/// A site with keys below `[dhis2]`.
fn site_with(dialect: Dialect, keys: &str) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.replace(
        "pg2dhis2.toml",
        "token-file = \"dhis2.token\"",
        &format!("token-file = \"dhis2.token\"\n{keys}"),
    );
    site
}

fn named(site: &SmallSite, name: &str) {
    site.replace(
        "pg2dhis2.toml",
        "time-zone =",
        &format!("name = \"{name}\"\ntime-zone ="),
    );
}

/// The one summary of a site.
fn summary(dhis2: &StandIn, site: &str) -> (String, Value) {
    let kept = dhis2.data_store();
    let mut own = kept
        .into_iter()
        .filter(|((namespace, _), value)| namespace == "pg2dhis2" && value["site"] == site);
    let ((_, key), value) = own.next().expect("a summary");
    assert!(own.next().is_none());
    (key, value)
}

fn notes(report: &Finished) -> String {
    report.json()["notes"].to_string()
}

const REPORTED: [&str; 7] = ["run", "--format", "json", "-p", "202503", "--as-of", NOW];

#[test]
fn a_month_of_runs_is_one_key_with_counts_alone() {
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let site = site_with(dialect, "data-store = \"pg2dhis2\"");
        named(&site, "castries");
        site.run().code(0).silent();
        let month = jiff::Timestamp::now().strftime("%Y-%m").to_string();
        let (key, first) = summary(&site.dhis2, "castries");
        assert_eq!(key, format!("castries-{month}"));
        assert_eq!(
            (&first["runs"], &first["exits"]),
            (&json!(1), &json!({ "0": 1 }))
        );
        site.database.execute("UPDATE t SET value = '7'");
        site.run().code(0).silent();
        site.run().code(0).silent();
        site.replace(
            "mappings/query.sql",
            "element, unit",
            "element AS other, unit",
        );
        site.run().code(15);
        let (_, told) = summary(&site.dhis2, "castries");
        assert_eq!(
            (&told["runs"], &told["exits"]),
            (&json!(4), &json!({ "0": 3, "15": 1 }))
        );
        let small = &told["mappings"]["small"];
        for (member, value) in [
            ("dataSet", json!("YE8SgpSMBQ9")),
            ("runs", json!(4)),
            ("exits", json!({ "0": 3, "15": 1 })),
            ("created", json!(1)),
            ("updated", json!(1)),
            ("zeroed", json!(0)),
            ("deleted", json!(0)),
        ] {
            assert_eq!(small[member], value, "{member}");
        }
        let (run, success) = (small["lastRun"].as_str(), small["lastSuccess"].as_str());
        assert!(success.is_some() && success < run, "{small}");
        // Its hash is that of an entry of the history.
        let hash = told["history"]["hash"].as_str().unwrap();
        assert_eq!(hash.len(), 64);
        site.program(&["history", "--verify"])
            .code(0)
            .stdout
            .contains(hash)
            .then_some(())
            .unwrap();
    }
}

#[test]
fn a_new_key_is_shared_with_the_group_alone() {
    for (group, readers) in [(true, 200), (false, 403)] {
        let keys = match group {
            true => format!("data-store = \"pg2dhis2\"\ndata-store-group = \"{GROUP}\""),
            false => "data-store = \"pg2dhis2\"".to_owned(),
        };
        let site = site_with(Dialect::V2_43, &keys);
        site.dhis2.merge_metadata(&format!(
            r#"{{"userGroups":[{{"id":"{GROUP}","name":"Monitors","users":[]}}]}}"#
        ));
        named(&site, "castries");
        site.run().code(0).silent();
        let (key, _) = summary(&site.dhis2, "castries");
        // `reader` is of the group, `regional` of none.
        for (account, status) in [("reader", readers), ("regional", 403)] {
            let url = format!("{}api/dataStore/pg2dhis2/{key}", site.dhis2.url());
            assert_eq!(asked(&url, account), status, "{account}");
        }
        // It is set once: what a person shares besides stays.
        site.dhis2.forget_requests();
        site.run().code(0).silent();
        let paths = site.dhis2.requests().into_iter();
        assert_eq!(
            paths
                .filter(|request| request.path.contains("sharing"))
                .count(),
            0
        );
    }
}

/// The status of a GET as an account of the recordings.
fn asked(url: &str, account: &str) -> u16 {
    call("GET", url, &format!("{account}:Loader-2026!"), "").0
}

/// What DHIS2 answers to somebody else: the status, and the body.
fn call(method: &str, url: &str, login: &str, body: &str) -> (u16, Value) {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let login = STANDARD.encode(login);
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!(
        "{method} /{path} HTTP/1.1\r\nhost: {host}\r\naccept: application/json\r\nauthorization: Basic {login}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or_default())
}

#[test]
fn a_key_that_is_somebody_elses_is_a_failure_and_the_run_stands() {
    let site = site_with(Dialect::V2_43, "data-store = \"pg2dhis2\"");
    named(&site, "castries");
    let month = jiff::Timestamp::now().strftime("%Y-%m");
    let url = site.dhis2.url();
    let key = format!("{url}api/dataStore/pg2dhis2/castries-{month}");
    let admin = |method: &str, url: &str, body: &str| call(method, url, "admin:district", body);
    assert_eq!(admin("POST", &key, "{}").0, 201);
    let id = admin("GET", &format!("{key}/metaData"), "").1["id"].clone();
    let sharing = format!(
        "{url}api/sharing?type=dataStore&id={}",
        id.as_str().unwrap()
    );
    let nobody = r#"{"object":{"publicAccess":"--------"}}"#;
    assert_eq!(admin("PUT", &sharing, nobody).0, 200);
    site.run().code(0).silent();
    assert_eq!(site.dhis2.values().len(), 1);
    let after = recorded(&site, "1")["after"].clone();
    let text = after[0]["text"].as_str().unwrap();
    let told = "the key belongs to another account (403); give this site another `name`";
    assert!(text.contains(told), "{after}");
    assert_eq!(admin("GET", &key, "").1, json!({}));
}

#[test]
fn a_group_that_dhis2_does_not_know_is_a_failure_until_it_does() {
    let keys = "data-store = \"pg2dhis2\"\ndata-store-group = \"Zz9GroupBxy\"";
    let site = site_with(Dialect::V2_43, keys);
    site.run().code(0).silent();
    let after = recorded(&site, "1")["after"].clone();
    assert!(after[0]["failed"] == true, "{after}");
    let text = after[0]["text"].as_str().unwrap();
    assert!(text.contains("did not take the sharing"), "{text}");
    site.dhis2
        .merge_metadata(r#"{"userGroups":[{"id":"Zz9GroupBxy","name":"Late","users":[]}]}"#);
    site.run().code(0).silent();
    assert_eq!(recorded(&site, "2")["after"], json!([]));
}

#[test]
fn a_second_host_with_the_same_mapping_is_noticed() {
    let site = site_with(Dialect::V2_43, "data-store = \"pg2dhis2\"");
    named(&site, "castries");
    site.run().code(0).silent();
    // Another installation, with a name and a history of its own.
    site.replace(
        "pg2dhis2.toml",
        "name = \"castries\"",
        "name = \"vieux-fort\"",
    );
    site.replace("pg2dhis2.toml", "state = \"state\"", "state = \"other\"");
    let report = site.program(&REPORTED).code(0);
    let told = notes(&report);
    assert!(told.contains("small: site castries on host "), "{told}");
    let kept = recorded(&site, "1")["finished"]["notes"].to_string();
    assert!(kept.contains("small: site castries on host "), "{kept}");
    // The same name: the other history is not ours.
    site.replace(
        "pg2dhis2.toml",
        "name = \"vieux-fort\"",
        "name = \"castries\"",
    );
    let told = notes(&site.program(&REPORTED).code(0));
    assert!(
        told.contains("was written by another history than this one"),
        "{told}"
    );
    let told = notes(&site.program(&REPORTED).code(0));
    assert!(!told.contains("another history"), "{told}");
}

#[test]
fn a_site_alone_notices_nobody() {
    let site = site_with(Dialect::V2_43, "data-store = \"pg2dhis2\"");
    for _ in 0..3 {
        assert_eq!(notes(&site.program(&REPORTED).code(0)), "[]");
    }
}

/// A site that has its analytics tables built by an account of its own.
fn refreshing(every: &str) -> SmallSite {
    let keys = format!(
        "analytics = \"refresh\"\nanalytics-every = \"{every}\"\nanalytics-token-file = \"analytics.token\""
    );
    let site = site_with(Dialect::V2_43, &keys);
    site.write(
        "analytics.token",
        "d2p_builder0000000000000000000000000000000000000001",
    );
    site
}

fn builds(site: &SmallSite) -> Vec<String> {
    let requests = site.dhis2.requests().into_iter();
    requests
        .filter(|request| request.path.contains("resourceTables"))
        .map(|request| request.path)
        .collect()
}

#[test]
fn tables_are_built_once_after_values_changed_and_the_next_run_tells_the_end() {
    let site = refreshing("24h");
    with_builder(&site);
    site.run().code(0).silent();
    let years = jiff::Timestamp::now()
        .strftime("%Y")
        .to_string()
        .parse::<i32>()
        .unwrap()
        - 2025
        + 1;
    assert_eq!(
        builds(&site),
        [format!("/api/resourceTables/analytics?lastYears={years}")]
    );
    let after = recorded(&site, "1")["after"].clone();
    assert!(
        after[0]["what"] == "analytics" && after[0]["job"].is_string(),
        "{after}"
    );
    // It goes on, and is not begun a second time.
    site.database.execute("UPDATE t SET value = '7'");
    assert_eq!(notes(&site.program(&REPORTED).code(0)), "[]");
    site.dhis2.finish_analytics();
    let told = notes(&site.program(&REPORTED).code(0));
    assert!(
        told.contains("DHIS2's analytics tables, asked for by run 1 at "),
        "{told}"
    );
    let kept = recorded(&site, "3")["after"].to_string();
    assert!(kept.contains("were built by"), "{kept}");
    assert_eq!(notes(&site.program(&REPORTED).code(0)), "[]");
    assert_eq!(builds(&site).len(), 1);
}

#[test]
fn tables_are_built_again_only_if_values_changed_and_the_time_is_over() {
    let site = refreshing("0s");
    with_builder(&site);
    // The tables that are built next are younger than what changed.
    site.dhis2.set_now("2999-01-01T00:00:00Z");
    site.run();
    let first = builds(&site).len();
    site.dhis2.finish_analytics();
    site.run();
    assert_eq!(builds(&site).len(), first);
}

#[test]
fn none_is_begun_beside_a_running_one_or_by_a_dry_run() {
    let site = refreshing("0s");
    with_builder(&site);
    site.program(&["run", "-n", "-p", "202503", "--as-of", NOW])
        .code(0);
    assert!(builds(&site).is_empty());
    site.run().code(0).silent();
    assert_eq!(builds(&site).len(), 1);
    // Our own is unknown to a history that begins anew, and still goes on in DHIS2.
    fs::remove_dir_all(site.path("state")).unwrap();
    site.database.execute("UPDATE t SET value = '8'");
    site.run().code(0).silent();
    assert_eq!(builds(&site).len(), 1);
}

#[test]
fn without_the_right_the_run_stands_and_the_failure_is_kept() {
    let site = site_with(Dialect::V2_43, "analytics = \"refresh\"");
    site.run().code(0).silent();
    let after = recorded(&site, "1")["after"].clone();
    let text = after[0]["text"].as_str().unwrap();
    assert!(text.contains("F_PERFORM_MAINTENANCE"), "{text}");
    assert_eq!(site.dhis2.values().len(), 1);
}

#[test]
fn status_tells_whether_dashboards_show_the_values_yet() {
    let site = refreshing("24h");
    with_builder(&site);
    site.run().code(0);
    site.dhis2.finish_analytics();
    site.run().code(0);
    let status = site
        .program(&["status", "-p", "202503", "--format", "json"])
        .code(0)
        .json();
    // The stand-in's clock stands still before the values changed.
    assert_eq!(status["analytics"]["built"], NOW);
    assert_eq!(status["analytics"]["behind"], true);
    let text = site.program(&["status", "-p", "202503"]).code(0).stdout;
    assert!(
        text.contains("built 2026-11-23 12:00")
            && text.contains("do not show the last values of small yet"),
        "{text}"
    );
}

/// Adds the account whose token the site has for analytics tables.
fn with_builder(site: &SmallSite) {
    let account = r#"{"id":"Bu1lderAcct","username":"builder","password":"Builder-2026!",
        "token":"d2p_builder0000000000000000000000000000000000000001","authorities":["F_PERFORM_MAINTENANCE"]}"#;
    site.dhis2.add_account(account);
}
