//! A DHIS2 that fails when units and periods are to be registered as complete: the values stay, and nothing is
//! registered twice.

use std::fs;
use std::sync::{Arc, Mutex};

use rig::dhis2::Dialect;
use serde_json::json;

use crate::completeness::{by, mark, posts, registered, remove, run, site};
use crate::relay::relay;
use crate::small_site::{SmallSite, UNITS};
use crate::st_lucia::BOTH;

/// Whether answers to requests about registrations are lost: none, that to the POST, all that follow it too.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lost {
    Nothing,
    Post,
    PostAndMore,
}

/// A site whose DHIS2 is overloaded when it is to register something, so that it forgets it.
fn overloaded(dialect: Dialect) -> (SmallSite, Arc<Mutex<Lost>>) {
    let site = site(dialect);
    let lost = Arc::new(Mutex::new(Lost::Nothing));
    let (url, what) = (site.dhis2.url(), Arc::clone(&lost));
    let mut posted = false;
    let relayed = relay(&url.clone(), move |first, answer| {
        let lost = *what.lock().unwrap();
        let is_post = first.starts_with("POST /api/complete");
        posted = (posted || is_post) && lost != Lost::Nothing;
        if lost != Lost::Nothing && is_post {
            remove(&url);
        } else if !(lost == Lost::PostAndMore && posted && first.contains("complete")) {
            return answer;
        }
        b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &relayed);
    (site, lost)
}

#[test]
fn a_registration_that_failed_leaves_the_values_alone_and_the_next_run_makes_it() {
    for dialect in BOTH {
        let (site, lost) = overloaded(dialect);
        *lost.lock().unwrap() = Lost::Post;
        run(&site)
            .code(5)
            .stderr_has("1 (unit, period) not registered as complete: ")
            .stderr_has("1 cell: 1 created\n");
        assert_eq!(site.dhis2.values().len(), 1);
        *lost.lock().unwrap() = Lost::Nothing;
        run(&site).code(0).silent();
        assert_eq!(registered(&site), [by("loader", UNITS[0])]);
    }
}

#[test]
fn what_nobody_can_say_was_registered_is_not_asked_for_again_and_a_person_is_told() {
    let (site, lost) = overloaded(Dialect::V2_43);
    *lost.lock().unwrap() = Lost::PostAndMore;
    run(&site).code(5);
    *lost.lock().unwrap() = Lost::Nothing;
    let posted = posts(&site).len();
    for _ in 0..2 {
        run(&site)
            .code(3)
            .stderr_has("a person may have withdrawn them, so they are not asked for again");
    }
    assert_eq!(posts(&site).len(), posted);
    assert_eq!(registered(&site), [[""; 4]; 0]);
    mark(&site, true);
    run(&site).code(0).silent();
    // From then on it is known that it was there.
    remove(&site.dhis2.url());
    run(&site).code(0).silent();
    assert_eq!(registered(&site), [[""; 4]; 0]);
}

#[test]
fn a_lost_answer_does_not_matter_where_reading_back_shows_the_registration() {
    let site = site(Dialect::V2_42);
    let url = relay(&site.dhis2.url(), |first, answer| {
        match first.starts_with("POST /api/complete") {
            true => Vec::new(),
            false => answer,
        }
    });
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &url);
    run(&site).code(0).silent();
    assert_eq!(registered(&site), [by("loader", UNITS[0])]);
    run(&site).code(0).silent();
    assert_eq!(posts(&site).len(), 1);
}

#[test]
fn a_success_that_hides_a_conflict_is_not_believed() {
    let site = site(Dialect::V2_43);
    let url = site.dhis2.url();
    let conflict = json!({
        "status": "OK",
        "response": {
            "status": "SUCCESS",
            "importCount": { "imported": 0, "updated": 0, "ignored": 1, "deleted": 0 },
            "conflicts": [{ "object": UNITS[0], "value": "Organisation unit not found or not accessible" }],
        },
    })
    .to_string();
    let relayed = relay(&url.clone(), move |first, answer| {
        if !first.starts_with("POST /api/complete") {
            return answer;
        }
        remove(&url);
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ";
        format!("{head}{}\r\n\r\n{conflict}", conflict.len()).into_bytes()
    });
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &relayed);
    run(&site)
        .code(3)
        .stderr_has("DHIS2 says: Organisation unit not found or not accessible (VsF9dWr6arv)");
    assert_eq!(site.dhis2.values().len(), 1);
}

#[test]
fn the_record_is_on_the_disk_before_dhis2_is_asked() {
    let site = site(Dialect::V2_43);
    let record = site.path("state/complete.tsv");
    let found = Arc::new(Mutex::new(String::new()));
    let (path, read) = (record.clone(), Arc::clone(&found));
    let url = relay(&site.dhis2.url(), move |first, answer| {
        if first.starts_with("POST /api/complete") {
            *read.lock().unwrap() = fs::read_to_string(&path).unwrap_or_default();
        }
        answer
    });
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &url);
    run(&site).code(0);
    let line = |known: &str| {
        let server = url.trim_end_matches('/');
        let unit = UNITS[0];
        format!("{server}\tYE8SgpSMBQ9\t202503\t{unit}\tHllvX50cXC0\t{known}")
    };
    let lines = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&found.lock().unwrap()), [line("asked")]);
    assert_eq!(lines(&fs::read_to_string(record).unwrap()), [line("shown")]);
}
