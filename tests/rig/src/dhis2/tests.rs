//! What the stand-in does for tests beyond what real servers were recorded doing.

use std::io::{Read, Write};
use std::net::TcpStream;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::{Apply, Dialect, Row, Setup, StandIn};

const METADATA: &str = r#"{
  "organisationUnits": [
    {"id": "sc5rkcvmE6I", "name": "Country", "openingDate": "1990-01-01"},
    {"id": "UnitAaaaaaa", "name": "A", "openingDate": "1990-01-01", "parent": {"id": "sc5rkcvmE6I"}},
    {"id": "UnitBbbbbbb", "name": "B", "openingDate": "1990-01-01", "parent": {"id": "sc5rkcvmE6I"}}],
  "dataElements": [{"id": "ElementAaaa", "name": "E", "valueType": "INTEGER", "aggregationType": "SUM",
    "zeroIsSignificant": true, "categoryCombo": {"id": "bjDvmb4bfuf"}}],
  "dataSets": [{"id": "DataSetAaaa", "name": "S", "periodType": "Monthly", "categoryCombo": {"id": "bjDvmb4bfuf"},
    "expiryDays": 10, "openFuturePeriods": 1, "sharing": {"public": "rwrw----"},
    "dataSetElements": [{"dataElement": {"id": "ElementAaaa"}}],
    "organisationUnits": [{"id": "UnitAaaaaaa"}, {"id": "UnitBbbbbbb"}]}]
}"#;

const NOW: &str = "2025-04-05T12:00:00Z";

fn stand_in(dialect: Dialect) -> StandIn {
    StandIn::start(dialect, &[METADATA], Some(NOW))
}

/// A call by an account of the recordings; status and body.
pub(super) fn call(
    stand_in: &StandIn,
    account: &str,
    method: &str,
    path: &str,
    body: &str,
) -> (u16, Value) {
    let password = if account == "admin" {
        "district"
    } else {
        "Loader-2026!"
    };
    let credentials = STANDARD.encode(format!("{account}:{password}"));
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Type: application/json\r\nAuthorization: Basic {credentials}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(stand_in, head.as_bytes());
    let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
    let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
    let body = body.and_then(|body| serde_json::from_str(body).ok());
    (status.expect("a status"), body.unwrap_or_default())
}

fn exchange(stand_in: &StandIn, request: &[u8]) -> String {
    let address = stand_in.url();
    let address = address.trim_start_matches("http://");
    let address = address.split('/').next().expect("an address");
    let mut stream = TcpStream::connect(address).expect("the stand-in listens");
    stream.write_all(request).expect("the stand-in reads");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .expect("the stand-in answers");
    answer
}

fn post_values(stand_in: &StandIn, values: &[(&str, &str, &str)]) -> (u16, Value) {
    let values = values.iter().map(|(unit, period, value)| {
        json!({"dataElement": "ElementAaaa", "orgUnit": unit, "period": period, "value": value})
    });
    let body = json!({"dataSet": "DataSetAaaa", "dataValues": values.collect::<Value>()});
    let path = "/api/dataValueSets?strictOrganisationUnits=true";
    call(stand_in, "loader", "POST", path, &body.to_string())
}

fn live(stand_in: &StandIn) -> Vec<(String, String)> {
    let values = stand_in.values().into_iter();
    values
        .map(|((_, _, unit, ..), value)| (unit, value))
        .collect()
}

const GOOD: [(&str, &str, &str); 2] = [
    ("UnitAaaaaaa", "202503", "1"),
    ("UnitBbbbbbb", "202503", "2"),
];

#[test]
fn metadata_merged_at_the_first_post_changes_behind_the_clients_back() {
    let unassign =
        r#"{"dataSets": [{"id": "DataSetAaaa", "organisationUnits": [{"id": "UnitAaaaaaa"}]}]}"#;
    for (dialect, stored) in [(Dialect::V2_42, 1), (Dialect::V2_43, 0)] {
        let stand_in = stand_in(dialect);
        stand_in.merge_metadata_at_first_post(unassign);
        let path = "/api/dataSets/DataSetAaaa?fields=name,organisationUnits[id]";
        let (_, before) = call(&stand_in, "loader", "GET", path, "");
        assert_eq!(
            before["organisationUnits"].as_array().map(Vec::len),
            Some(2)
        );
        post_values(&stand_in, &GOOD);
        assert_eq!(stand_in.values().len(), stored, "{dialect:?}");
        let (_, after) = call(&stand_in, "loader", "GET", path, "");
        assert_eq!(
            after,
            json!({"name": "S", "organisationUnits": [{"id": "UnitAaaaaaa"}]})
        );
    }
}

#[test]
fn books_objects_and_the_version_change_behind_the_clients_back_too() {
    let check = |dialect, change: &str, stored: usize| {
        let stand_in = stand_in(dialect);
        stand_in.watch_imports();
        stand_in.merge_metadata_at_first_post(change);
        post_values(&stand_in, &GOOD);
        assert_eq!(stand_in.values().len(), stored, "{dialect:?} {change}");
        let imports = stand_in.imports();
        assert_eq!(imports.len(), 1);
        assert_eq!(imports[0]["dataValues"].as_array().map(Vec::len), Some(2));
    };
    let gone = r#"{"removed": {"organisationUnits": [{"id": "UnitBbbbbbb"}]}}"#;
    check(Dialect::V2_42, gone, 1);
    let approved = r#"{"dataSets": [{"id": "DataSetAaaa", "workflow": {"id": "WorkflowAaa"}}],
        "dataApprovals": [{"workflow": {"id": "WorkflowAaa"}, "period": {"id": "202503"},
            "organisationUnit": {"id": "UnitAaaaaaa"}}]}"#;
    check(Dialect::V2_42, approved, 1);
    // The new engine refuses the whole group for one unit.
    let unassigned = r#"{"dialect": "2.43",
        "dataSets": [{"id": "DataSetAaaa", "organisationUnits": [{"id": "UnitAaaaaaa"}]}]}"#;
    check(Dialect::V2_42, unassigned, 0);
}

#[test]
fn the_next_post_is_answered_as_told_and_the_one_after_truly() {
    let stand_in = stand_in(Dialect::V2_43);
    let lie =
        json!({"status": "OK", "response": {"status": "SUCCESS", "importCount": {"ignored": 2}}});
    stand_in.answer_next_post_with(200, lie.clone(), Apply::Nothing);
    assert_eq!(post_values(&stand_in, &GOOD), (200, lie));
    assert!(stand_in.values().is_empty());
    stand_in.answer_next_post_with(504, json!({}), Apply::All);
    assert_eq!(post_values(&stand_in, &GOOD).0, 504);
    assert_eq!(stand_in.values().len(), 2);
    let (status, body) = post_values(&stand_in, &GOOD);
    assert_eq!(
        (status, &body["response"]["importCount"]["updated"]),
        (200, &json!(2))
    );
}

#[test]
fn requests_are_listed_with_account_and_status_and_survive_a_reset() {
    let stand_in = stand_in(Dialect::V2_42);
    call(&stand_in, "reader", "GET", "/api/me?fields=id", "");
    call(&stand_in, "nobody", "GET", "/api/me", "");
    call(&stand_in, "admin", "POST", "/stand-in/reset", "");
    let listed = stand_in.requests();
    let listed: Vec<_> = listed
        .iter()
        .map(|r| (r.path.as_str(), r.account.as_deref(), r.status))
        .collect();
    assert_eq!(
        listed,
        [
            ("/api/me?fields=id", Some("reader"), 200),
            ("/api/me", None, 401)
        ]
    );
    call(
        &stand_in,
        "admin",
        "POST",
        "/stand-in/reset?requests=true",
        "",
    );
    assert!(stand_in.requests().is_empty());
}

#[test]
fn the_clock_decides_what_is_expired_and_what_is_future() {
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let stand_in = stand_in(dialect);
        for (now, period, stored) in [
            ("2025-04-10T23:59:59Z", "202503", true),
            ("2025-04-11T00:00:01Z", "202503", false),
            ("2025-03-31", "202503", true),
            ("2025-03-31", "202504", false),
        ] {
            stand_in.reset();
            stand_in.set_now(now);
            post_values(&stand_in, &[("UnitAaaaaaa", period, "1")]);
            assert_eq!(
                stand_in.values().len(),
                usize::from(stored),
                "{dialect:?} {now} {period}"
            );
        }
    }
}

#[test]
fn a_lock_exception_opens_an_expired_period_for_its_unit() {
    for (dialect, stored) in [(Dialect::V2_42, 1), (Dialect::V2_43, 0)] {
        let stand_in = stand_in(dialect);
        stand_in.set_now("2025-06-01");
        let path = "/api/lockExceptions?ds=DataSetAaaa&pe=202503&ou=UnitAaaaaaa";
        assert_eq!(call(&stand_in, "admin", "POST", path, "").0, 201);
        post_values(&stand_in, &GOOD);
        assert_eq!(stand_in.values().len(), stored, "{dialect:?}: both units");
        post_values(&stand_in, &GOOD[..1]);
        assert_eq!(
            live(&stand_in),
            [("UnitAaaaaaa".to_owned(), "1".to_owned())]
        );
    }
}

#[test]
fn rows_put_in_by_hand_are_read_with_their_marks() {
    let stand_in = stand_in(Dialect::V2_43);
    stand_in.put(Row {
        element: "ElementAaaa".to_owned(),
        period: "202503".to_owned(),
        unit: "UnitAaaaaaa".to_owned(),
        value: Some("7".to_owned()),
        comment: Some("seen".to_owned()),
        follow_up: true,
        stored_by: "nurse".to_owned(),
        ..Row::default()
    });
    let path =
        "/api/dataValueSets?dataSet=DataSetAaaa&period=202503&orgUnit=sc5rkcvmE6I&children=true";
    let (_, body) = call(&stand_in, "loader", "GET", path, "");
    let value = &body["dataValues"][0];
    let marks = [
        &value["value"],
        &value["comment"],
        &value["storedBy"],
        &value["orgUnit"],
    ];
    assert_eq!(marks, ["7", "seen", "nurse", "UnitAaaaaaa"]);
    assert_eq!(value["followup"], true);
}

#[test]
fn an_asynchronous_import_is_done_when_it_is_asked_about_again() {
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let stand_in = stand_in(dialect);
        let body = json!({"dataSet": "DataSetAaaa", "dataValues": [
            {"dataElement": "ElementAaaa", "orgUnit": "UnitAaaaaaa", "period": "202503", "value": "1"}]});
        let (_, started) = call(
            &stand_in,
            "loader",
            "POST",
            "/api/dataValueSets?async=true",
            &body.to_string(),
        );
        let id = started["response"]["id"].as_str().expect("a job");
        assert!(stand_in.values().is_empty());
        let path = format!("/api/system/taskSummaries/DATAVALUE_IMPORT/{id}");
        assert_eq!(
            call(&stand_in, "loader", "GET", &path, ""),
            (200, Value::Null)
        );
        assert_eq!(
            call(&stand_in, "loader", "GET", &path, "").1["status"],
            "SUCCESS"
        );
        assert_eq!(stand_in.values().len(), 1);
    }
}

#[test]
fn a_context_path_is_part_of_every_address() {
    let setup = Setup {
        dialect: Dialect::V2_43,
        metadata: vec![METADATA],
        accounts: None,
        now: None,
        port: 0,
        context_path: "/dhis",
    };
    let stand_in = StandIn::with(&setup).expect("it starts");
    assert!(stand_in.url().ends_with("/dhis/"), "{}", stand_in.url());
    assert_eq!(
        call(
            &stand_in,
            "loader",
            "GET",
            "/dhis/api/me?fields=username",
            ""
        )
        .0,
        200
    );
    assert_eq!(call(&stand_in, "loader", "GET", "/api/me", "").0, 404);
    let path = "/dhis/api/dataElements?fields=id&pageSize=1&page=1";
    let (_, page) = call(&stand_in, "loader", "GET", path, "");
    assert_eq!(page["pager"]["total"], 1);
}

#[test]
fn bodies_in_chunks_are_put_together_and_connections_kept() {
    let stand_in = stand_in(Dialect::V2_42);
    let credentials = STANDARD.encode("loader:Loader-2026!");
    let head = format!("Host: h\r\nAuthorization: Basic {credentials}\r\n");
    let body = r#"{"dataValues":[]}"#;
    let (first, second) = body.split_at(5);
    let request = format!(
        "GET /api/me HTTP/1.1\r\n{head}\r\nPOST /api/dataValueSets HTTP/1.1\r\n{head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
        first.len(),
        second.len()
    );
    let answers = exchange(&stand_in, request.as_bytes());
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    assert!(answers.contains("Import was successful."), "{answers}");
}

#[test]
fn a_setup_that_cannot_be_read_is_refused_with_the_reason() {
    let setup = |metadata, accounts, now| Setup {
        dialect: Dialect::V2_42,
        metadata: vec![metadata],
        accounts,
        now,
        port: 0,
        context_path: "",
    };
    for setup in [
        setup("{", None, None),
        setup(r#"{"dataSets": [{"name": "no id"}]}"#, None, None),
        setup("{}", Some("{}"), None),
        setup("{}", None, Some("yesterday")),
    ] {
        assert!(StandIn::with(&setup).is_err());
    }
    assert!("2.41".parse::<Dialect>().is_err());
}

#[test]
fn thirty_thousand_values_are_quickly_written_and_read() {
    let units: Vec<String> = (0..1000).map(|n| format!("Unit{n:07}")).collect();
    let described = units.iter().map(|id| {
        json!({"id": id, "name": id, "openingDate": "1990-01-01", "parent": {"id": "sc5rkcvmE6I"}})
    });
    let assigned = units.iter().map(|id| json!({"id": id}));
    let export = json!({
        "organisationUnits": described.collect::<Value>(),
        "dataSets": [{"id": "DataSetAaaa", "expiryDays": 0, "organisationUnits": assigned.collect::<Value>()}],
    });
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let stand_in = stand_in(dialect);
        stand_in.merge_metadata(&export.to_string());
        let months =
            (2022..2025).flat_map(|year| (1..=12).map(move |month| format!("{year}{month:02}")));
        for month in months.take(30) {
            let values: Vec<(&str, &str, &str)> = units
                .iter()
                .map(|unit| (unit.as_str(), month.as_str(), "1"))
                .collect();
            assert_eq!(post_values(&stand_in, &values).0, 200);
        }
        let path = "/api/dataValueSets?dataSet=DataSetAaaa&startDate=2022-01-01&endDate=2025-12-31&orgUnit=sc5rkcvmE6I&children=true";
        let (_, body) = call(&stand_in, "loader", "GET", path, "");
        assert_eq!(
            body["dataValues"].as_array().map(Vec::len),
            Some(30_000),
            "{dialect:?}"
        );
    }
}
