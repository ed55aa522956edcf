//! What can be wrong with DHIS2: not there, not DHIS2, not for us, not fit for the mapping.

use std::io::{Read, Write};
use std::net::TcpListener;

use rig::dhis2::{Apply, Dialect};
use serde_json::json;

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::BOTH;

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

/// Answers every request with the same bytes, until the test ends.
fn answering(answer: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            let mut request = [0; 4096];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    url
}

pub(crate) fn page(content_type: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

pub(crate) fn system_info(version: &str, calendar: &str) -> String {
    let info = json!({"version": version, "calendar": calendar, "serverDate": "2026-11-23T12:00:00.000", "serverTimeZoneId": "Etc/UTC"});
    page("application/json", &info.to_string())
}

pub(crate) fn empty(status: &str, header: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{header}content-length: 0\r\n\r\n")
}

#[test]
fn what_is_not_dhis2_is_told_apart() {
    let login = "<html><form action=\"/login\"><input type=\"password\"></form></html>";
    let cut = page("application/json", "{\"version\": \"2.42.0\"}").replace("\"2.42.0\"}", "");
    for (answer, code, words) in [
        (page("text/html", "<html>Welcome</html>"), 14, "text/html"),
        (page("text/html", login), 14, "text/html"),
        (
            empty(
                "302 Found",
                "location: http://127.0.0.1/dhis-web-login/\r\n",
            ),
            14,
            "redirects to http://127.0.0.1/dhis-web-login/",
        ),
        (
            empty("301 Moved", "location: https://elsewhere.example/\r\n"),
            14,
            "https://elsewhere.example/",
        ),
        (empty("404 Not Found", ""), 14, "404"),
        (empty("503 Service Unavailable", ""), 5, "503"),
        (cut, 5, "cut short"),
        (system_info("2.36.1", "iso8601"), 14, "2.36.1"),
        (system_info("2.42.0", "ethiopian"), 14, "ethiopian"),
    ] {
        let site = site();
        site.replace("pg2dhis2.toml", &site.dhis2.url(), &answering(answer));
        site.refused(site.run(), code, words);
    }
}

#[test]
fn a_dhis2_that_is_not_there_is_a_matter_of_the_next_run() {
    let site = site();
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", free.local_addr().unwrap());
    drop(free);
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &url);
    site.refused(site.run(), 5, "connection refused");
}

#[test]
fn credentials_that_dhis2_refuses_are_tried_once() {
    for (token, words) in [
        (
            "d2p_wrong000000000000000000000000000000000000000002",
            "token",
        ),
        ("not a token", "token"),
    ] {
        let site = site();
        site.write("dhis2.token", token);
        site.refused(site.run(), 12, words);
        assert_eq!(site.dhis2.requests().len(), 1);
    }
    let site = site();
    site.replace(
        "pg2dhis2.toml",
        "token-file = \"dhis2.token\"",
        "username = \"loader\"\npassword-file = \"dhis2.password\"",
    );
    site.write("dhis2.password", "wrong");
    site.refused(site.run(), 12, "password-file");
    site.write("dhis2.password", "Loader-2026!");
    site.run().code(0).silent();
}

#[test]
fn an_account_or_a_data_set_without_rights_stops_the_mapping() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        site.replace(
            "pg2dhis2.toml",
            "token-file = \"dhis2.token\"",
            "username = \"reader\"\npassword-file = \"dhis2.password\"",
        );
        site.write("dhis2.password", "Loader-2026!");
        site.refused(site.run(), 14, "F_DATAVALUE_ADD");
        // A data set that the account may not read, and one that is unknown.
        for (data_set, words) in [("Aaaaaaaaaa1", "Aaaaaaaaaa1"), ("dPH3RJ9zG4G", "data")] {
            let site = SmallSite::new(dialect);
            site.replace("mappings/small.toml", "YE8SgpSMBQ9", data_set);
            let run = site.run();
            assert_eq!(run.code, 14, "{data_set}: {}", run.stderr);
            assert!(run.stderr.contains(words));
            assert!(site.dhis2.stored().is_empty());
        }
    }
}

#[test]
fn a_data_set_of_another_period_type_blocks_every_cell() {
    let site = site();
    site.replace(
        "mappings/small.toml",
        "type = \"Monthly\"",
        "type = \"Quarterly\"",
    );
    site.write(
        "mappings/query.sql",
        "SELECT element, unit, '2025Q1' AS period, value FROM t",
    );
    let run = site
        .program(&["run", "-p", "2025Q1", "--format", "json"])
        .code(14);
    assert_eq!(
        run.json()["mappings"][0]["blocked"][0]["reason"],
        "wrong-period-type"
    );
    assert!(site.dhis2.stored().is_empty());
}

#[test]
fn two_mappings_that_meet_in_dhis2s_units_only_are_refused() {
    let site = site();
    let element = "column = \"element\"\nuid = \"M1eFRJpEkoO\"";
    site.replace("mappings/small.toml", "column = \"element\"", element);
    let text = std::fs::read_to_string(site.path("mappings/small.toml")).unwrap();
    let by_rules = text.replace(
        "column = \"unit\"",
        "column = \"unit\"\nrules = \"rules.sql\"",
    );
    site.write("mappings/twin.toml", &by_rules);
    site.write(
        "mappings/rules.sql",
        "SELECT 'VsF9dWr6arv' AS key, 'VsF9dWr6arv' AS uid",
    );
    let one_unit = "column = \"unit\"\nmap = { VsF9dWr6arv = \"VsF9dWr6arv\" }";
    site.replace("mappings/small.toml", "column = \"unit\"", one_unit);
    let run = site.run().code(14);
    assert!(
        run.stderr
            .contains("pg2dhis2: twin: answers for cells that mapping small"),
        "{}",
        run.stderr
    );
    assert_eq!(site.dhis2.values().len(), 1);
    // Each alone is fine.
    site.program(&["run", "-m", "twin", "-p", "202503"]).code(0);
}

#[test]
fn a_server_that_lies_is_not_believed() {
    let lie = json!({"httpStatus": "OK", "httpStatusCode": 200, "status": "OK", "message": "Import was successful.",
        "response": {"responseType": "ImportSummary", "status": "SUCCESS", "importCount": {"imported": 0, "updated": 0, "ignored": 1, "deleted": 0},
        "conflicts": [], "rejectedIndexes": [], "dataSetComplete": "false"}});
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        site.replace("pg2dhis2.toml", "[limits]", "[limits]\nattempts = 1");
        site.dhis2
            .answer_next_post_with(200, lie.clone(), Apply::Nothing);
        site.run().code(5).stderr_has("unconfirmed");
        assert!(site.dhis2.values().is_empty());
        site.run().code(0).silent();
        assert_eq!(site.dhis2.values().len(), 1);
    }
}

/// Element, unit, period, value, reason; None: it lands.
type Refusal = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

fn refusals(dialect: Dialect) -> Vec<Refusal> {
    let closed_unit = match dialect {
        Dialect::V2_42 => None,
        Dialect::V2_43 => Some("org-unit-closed"),
    };
    vec![
        (NUMBER, UNITS[0], "202503", "5", None),
        (NUMBER, UNITS[1], "202503", "1e5", Some("value-type")),
        ("NaIvsjCYa37", UNITS[1], "202503", "2.5", Some("value-type")),
        ("M3wMVRRlXQs", UNITS[1], "202503", "-1", Some("value-type")),
        ("aIArV96ftSo", UNITS[0], "202503", "A", None),
        (
            "aIArV96ftSo",
            UNITS[1],
            "202503",
            "C",
            Some("not-an-option"),
        ),
        ("ks2ZsmqFf1M", UNITS[0], "202503", "no", Some("value-type")),
        (
            "cghkWbkZbHM",
            UNITS[0],
            "202503",
            "1",
            Some("combo-not-of-data-element"),
        ),
        (
            "YADstg5hq3J",
            UNITS[0],
            "202503",
            "1",
            Some("data-element-not-in-data-set"),
        ),
        (
            "Aaaaaaaaaa1",
            UNITS[0],
            "202503",
            "1",
            Some("unknown-data-element"),
        ),
        (
            NUMBER,
            "Aaaaaaaaaa1",
            "202503",
            "1",
            Some("unknown-org-unit"),
        ),
        (
            NUMBER,
            "mAn08Fg5DO8",
            "202503",
            "1",
            Some("org-unit-not-in-data-set"),
        ),
        (NUMBER, "B4EBVJlAmzM", "202503", "1", closed_unit),
        (NUMBER, UNITS[0], "202611", "1", Some("future")),
    ]
}

#[test]
fn each_cell_that_dhis2_would_refuse_is_blocked_or_closed_and_its_neighbours_land() {
    for dialect in BOTH {
        let cases = refusals(dialect);
        let site = SmallSite::new(dialect);
        site.database.execute("DELETE FROM t");
        for (element, unit, period, value, _) in &cases {
            site.database.execute(&format!(
                "INSERT INTO t VALUES ('{element}', '{unit}', '{period}', '{value}')"
            ));
        }
        let run = site
            .program(&["run", "-p", "202503", "-p", "202611", "--format", "json"])
            .code(3);
        let report = run.json();
        let mapping = &report["mappings"][0];
        for (element, unit, period, _, reason) in cases.clone() {
            let blocked = mapping["blocked"].as_array().unwrap().iter().find(|cell| {
                cell["dataElement"] == element
                    && cell["orgUnit"] == unit
                    && cell["period"] == period
            });
            let found = match blocked {
                Some(cell) => cell["reason"].as_str(),
                None if period == "202611" => mapping["closed"][0]["reason"].as_str(),
                None => None,
            };
            assert_eq!(found, reason, "{dialect:?} {element} {unit}");
        }
        let land = cases.iter().filter(|case| case.4.is_none()).count();
        assert_eq!(site.dhis2.values().len(), land);
        assert_eq!(mapping["cells"]["created"], land);
    }
}

#[test]
fn what_a_newer_dhis2_would_refuse_is_told_by_an_older_one_that_takes_it() {
    let site = SmallSite::new(Dialect::V2_42);
    let closed =
        json!({"organisationUnits": [{"id": UNITS[0], "closedDate": "2024-12-31T00:00:00.000"}]});
    site.dhis2.merge_metadata(&closed.to_string());
    let args = ["run", "--dry-run", "-p", "202503", "--as-of", NOW];
    let run = site.program(&args).code(0);
    let note = "note: DHIS2 2.43 would refuse 1 change of these: the organisation unit was not open on the first day";
    assert!(run.stderr.contains(note), "{}", run.stderr);
    site.run().code(0).silent();
    assert_eq!(site.dhis2.values().len(), 1);
}
