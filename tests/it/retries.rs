//! What is tried again, how often and after how long, as both sides see it.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rig::dhis2::{Apply, Dialect};
use serde_json::{Value, json};

use crate::program::Finished;
use crate::relay::relay;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::BOTH;
use crate::wire::Wire;

/// Requests of the program whose first lines begin so.
fn asked(site: &SmallSite, method: &str, path: &str) -> usize {
    let requests = site.dhis2.requests().into_iter();
    requests
        .filter(|request| request.method == method && request.path.starts_with(path))
        .count()
}

fn limits(site: &SmallSite, lines: &str) {
    site.replace("pg2dhis2.toml", "[limits]", &format!("[limits]\n{lines}"));
}

/// Puts a relay before the site's DHIS2 which answers the first requests that begin so with these bytes.
fn answering(site: &SmallSite, begin: &'static str, times: usize, answer: &str) {
    let url = site.dhis2.url();
    let (bytes, mut left) = (answer.as_bytes().to_vec(), times);
    let relayed = relay(&url, move |first, answer| {
        if left == 0 || !first.starts_with(begin) {
            return answer;
        }
        left -= 1;
        bytes.clone()
    });
    site.replace("pg2dhis2.toml", &url, &relayed);
}

fn busy(header: &str) -> String {
    format!("HTTP/1.1 503 Busy\r\n{header}Content-Length: 0\r\n\r\n")
}

#[test]
fn a_request_is_tried_as_often_as_the_site_says() {
    for (lines, expected) in [("", 5), ("attempts = 1", 1), ("attempts = 3", 3)] {
        let site = SmallSite::new(Dialect::V2_43);
        limits(&site, lines);
        answering(&site, "GET /api/me", 100, &busy(""));
        site.refused(site.run(), 5, "overloaded (503)");
        assert_eq!(asked(&site, "GET", "/api/me"), expected, "{lines}");
    }
    let site = SmallSite::new(Dialect::V2_43);
    limits(&site, "attempts = 0");
    site.refused(site.run(), 10, "attempts");
}

#[test]
fn a_server_that_asks_for_time_gets_it_within_the_deadline_and_junk_is_ignored() {
    let site = SmallSite::new(Dialect::V2_43);
    answering(&site, "GET /api/me", 1, &busy("Retry-After: 1\r\n"));
    let began = Instant::now();
    site.run().code(0).silent();
    assert!(began.elapsed() >= Duration::from_secs(1));

    for junk in ["soon", "1e9", "-7", ""] {
        let site = SmallSite::new(Dialect::V2_43);
        answering(
            &site,
            "GET /api/me",
            1,
            &busy(&format!("Retry-After: {junk}\r\n")),
        );
        site.run().code(0).silent();
    }

    // Five minutes do not fit into four.
    let site = SmallSite::new(Dialect::V2_43);
    limits(&site, "deadline = \"4m\"");
    answering(
        &site,
        "GET /api/me",
        9,
        &busy("Retry-After: 1000000000\r\n"),
    );
    let began = Instant::now();
    site.refused(site.run(), 5, "overloaded (503)");
    assert!(began.elapsed() < Duration::from_secs(200));
    assert_eq!(asked(&site, "GET", "/api/me"), 1);
}

/// A call below `/stand-in/`.
fn next_post(url: &str, answer: &Value) {
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{url}stand-in/next-post"))
        .body(answer.to_string());
    ureq::run(request.expect("a request")).expect("a success");
}

/// A site with one value for each of two units, whose DHIS2 answers so many POSTs so, and stores nothing by them.
fn failing(dialect: Dialect, status: u16, body: &Value, times: usize) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '6')",
        UNITS[1]
    ));
    let url = site.dhis2.url();
    site.dhis2
        .answer_next_post_with(status, body.clone(), Apply::Nothing);
    let again = json!({ "status": status, "body": body, "apply": "nothing" });
    let (upstream, mut left) = (url.clone(), times);
    let relayed = relay(&url, move |first, answer| {
        if first.starts_with("POST") {
            left = usize::saturating_sub(left, 1);
            if left > 0 {
                next_post(&upstream, &again);
            }
        }
        answer
    });
    site.replace("pg2dhis2.toml", &url, &relayed);
    site
}

/// What servers were seen to say of an import that failed: `faults.json`.
pub(crate) fn recorded(what: &str) -> (u16, Value) {
    let faults = fs::read_to_string(
        crate::st_lucia::repository().join("tests/golden/exchanges/faults.json"),
    );
    let faults: Vec<Value> = serde_json::from_str(&faults.unwrap()).unwrap();
    let fault = faults.iter().find(|fault| fault["what"] == what).unwrap();
    let status = fault["status"].as_u64().unwrap();
    (u16::try_from(status).unwrap(), fault["body"].clone())
}

#[test]
fn an_import_that_fails_twice_without_a_word_is_halved() {
    let (status, body) = recorded("three identical imports of 960 new values at once, the first");
    for dialect in BOTH {
        let site = failing(dialect, status, &body, 2);
        site.run().code(0).silent();
        assert_eq!(asked(&site, "POST", "/api/dataValueSets"), 2 + 2);
        assert_eq!(site.dhis2.values().len(), 2);
    }
}

#[test]
fn a_sick_server_is_neither_believed_nor_taken_to_have_refused_and_the_next_run_repairs() {
    let died = "the server's database session is terminated during the import";
    let flushed = "three identical imports of 960 new values at once, the first";
    let readonly = json!({ "httpStatus": "OK", "httpStatusCode": 200, "status": "OK", "response": { "status": "SUCCESS",
        "importCount": { "imported": 0, "updated": 0, "ignored": 2, "deleted": 0 }, "conflicts": [], "rejectedIndexes": [] } });
    for (status, body) in [recorded(died), recorded(flushed), (200, readonly)] {
        for dialect in BOTH {
            let site = failing(dialect, status, &body, 2);
            limits(&site, "attempts = 2");
            let args = ["run", "-p", "202503", "--as-of", NOW, "--format", "json"];
            let report = site.program(&args).code(5).json();
            assert_eq!(report["mappings"][0]["cells"]["unconfirmed"], 2, "{report}");
            assert_eq!(report["mappings"][0]["cells"]["rejected"], 0);
            assert!(site.dhis2.values().is_empty());
            site.run().code(0).silent();
            assert_eq!(site.dhis2.values().len(), 2);
        }
    }
}

#[test]
fn reading_the_source_is_tried_three_times_from_connecting_on() {
    for (cut, code) in [(0, 0), (1, 0), (2, 0), (3, 5)] {
        let site = SmallSite::new(Dialect::V2_43);
        let wire = Wire::into(&site, cut);
        let run = site.run().code(code);
        assert_eq!(wire.connections(), 3.min(cut + 1), "{}", run.stderr);
        if code == 5 {
            site.refused(run, 5, "after 3 tries: ");
        }
    }
    let site = SmallSite::new(Dialect::V2_43);
    limits(&site, "attempts = 1");
    let wire = Wire::into(&site, 1);
    site.refused(site.run(), 5, "connecting to");
    assert_eq!(wire.connections(), 1);
}

#[test]
fn a_locked_table_is_tried_again_and_a_slow_or_wrong_query_is_not() {
    let run = |prepare: &dyn Fn(&SmallSite)| -> (Finished, usize) {
        let site = SmallSite::new(Dialect::V2_43);
        prepare(&site);
        let wire = Wire::into(&site, 0);
        (site.run(), wire.connections())
    };
    let held = Arc::new(Mutex::new(None));
    let locked = |site: &SmallSite| {
        let mut lock = site.database.connect();
        lock.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            .unwrap();
        *held.lock().unwrap() = Some(lock);
        site.replace(
            "pg2dhis2.toml",
            "[dhis2]",
            "lock-timeout = \"20ms\"\n[dhis2]",
        );
    };
    let (finished, connections) = run(&locked);
    finished.code(5).stderr_has("locked for longer");
    assert_eq!(connections, 3);

    let slow = |site: &SmallSite| {
        let limit = "statement-timeout = \"50ms\"\n[dhis2]";
        site.replace("pg2dhis2.toml", "[dhis2]", limit);
        site.replace("mappings/query.sql", "FROM t", "FROM t, pg_sleep(30)");
    };
    let (finished, connections) = run(&slow);
    finished.code(5).stderr_has("ran longer than");
    assert_eq!(connections, 1);

    let wrong =
        |site: &SmallSite| site.replace("mappings/query.sql", "SELECT element", "SELECT elment");
    let (finished, connections) = run(&wrong);
    finished.code(13);
    assert_eq!(connections, 1);
}
