//! Every value type of DHIS2: what fits lands beside what does not, what is blocked is what DHIS2 refuses, and what DHIS2
//! takes is sent.

use std::collections::{BTreeMap, BTreeSet};

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::{BOTH, repository};

/// The elements of `X_MAIN` with a value that fits and ones that do not on one version at least: numbers too large or with a fraction, signs,
/// ranges, words, options, dates of no calendar (DHIS2's documentation of value types; ours: `golden/dhis2-numbers.tsv`).
const CASES: [(&str, &str, &[&str]); 14] = [
    (
        "M1eFRJpEkoO",
        "2.5",
        &["1e5", "1,000", "five", "0x10", "NaN"],
    ),
    ("NaIvsjCYa37", "-3", &["2.5", "2147483648", "+1", "1 000"]),
    ("GpADfrMrRcc", "0", &["-"]),
    ("JdZ5G1NCF0k", "0.25", &["1/4"]),
    ("M3wMVRRlXQs", "7", &["-1", "1.0"]),
    ("f8oIHnKRAW4", "-7", &["1", "-1.5"]),
    ("feGwcoMbxyK", "4", &["-1", "01"]),
    ("dY8AOO0ml7c", "99.5", &["101", "-1", "50%"]),
    ("ypDpSxdlkF2", "0.5", &["1.5", "-0.1"]),
    ("FQAQ3PqLsVK", "as counted", &[]),
    ("Aht23eWBb27", "true", &["yes", "2"]),
    ("ks2ZsmqFf1M", "true", &["false", "no"]),
    ("mFS4tT4nxQH", "2025-03-31", &["2025-02-30", "31/03/2025"]),
    ("aIArV96ftSo", "B", &["C", "b"]),
];

fn insert(site: &SmallSite, element: &str, unit: &str, value: &str) {
    let sql = "INSERT INTO t VALUES ($1, $2, '202503', $3)";
    let mut session = site.database.connect();
    session.execute(sql, &[&element, &unit, &value]).unwrap();
}

/// Whether DHIS2 itself stores a value, asked as an importer would that looks at nothing.
fn dhis2_takes(site: &SmallSite, element: &str, unit: &str, value: &str) -> bool {
    let combo = "HllvX50cXC0";
    let body = json!({"dataSet": "YE8SgpSMBQ9", "dataValues": [{
        "dataElement": element, "period": "202503", "orgUnit": unit, "value": value,
        "categoryOptionCombo": combo, "attributeOptionCombo": combo,
    }]});
    let request = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("{}api/dataValueSets", site.dhis2.url()))
        .header("content-type", "application/json")
        // admin:district
        .header("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=")
        .body(body.to_string())
        .unwrap();
    site.dhis2.reset();
    // 409 tells of a refused value; what counts is what is there.
    let _ = ureq::run(request);
    !site.dhis2.values().is_empty()
}

#[test]
fn a_value_is_blocked_just_where_dhis2_refuses_it() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        for (element, fits, does_not) in CASES {
            assert!(
                dhis2_takes(&site, element, UNITS[0], fits),
                "{element} {fits}"
            );
            for value in does_not {
                let taken = dhis2_takes(&site, element, UNITS[1], value);
                site.dhis2.reset();
                site.database.execute("DELETE FROM t");
                insert(&site, element, UNITS[0], fits);
                insert(&site, element, UNITS[1], value);
                let run =
                    site.program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"]);
                let cells = &run.json()["mappings"][0]["cells"];
                let blocked = u64::from(!taken);
                assert_eq!(
                    cells["blocked"], blocked,
                    "{dialect:?} {element} {value:?}: {}",
                    run.stderr
                );
                assert_eq!(
                    cells["created"],
                    2 - blocked,
                    "{dialect:?} {element} {value:?}"
                );
                assert_eq!(run.code, if taken { 0 } else { 3 });
            }
        }
    }
}

#[test]
fn all_that_fits_lands_at_once_in_the_spelling_it_came_in() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        site.database.execute("DELETE FROM t");
        for (element, fits, _) in CASES {
            insert(&site, element, UNITS[0], fits);
        }
        site.run().code(0).silent();
        let stored: BTreeMap<String, String> = site
            .dhis2
            .values()
            .into_iter()
            .map(|((element, ..), value)| (element, value))
            .collect();
        let wanted = CASES.map(|(element, fits, _)| (element.to_owned(), fits.to_owned()));
        assert_eq!(stored, BTreeMap::from(wanted));
        // And nothing is seen as different afterwards.
        site.dhis2.forget_requests();
        site.run().code(0).silent();
        let asked = site.dhis2.requests();
        assert!(asked.iter().all(|request| request.method == "GET"));
    }
}

/// A data set with its one element, a period, and what becomes of a value: 2.42, 2.43.
const CLOSINGS: [(&str, &str, &str, [&str; 2]); 5] = [
    (
        "YE8SgpSMBQ9",
        NUMBER,
        "202611",
        ["closed future", "closed future"],
    ),
    // 10 expiry days.
    (
        "SnUisQvEvLp",
        "YADstg5hq3J",
        "202503",
        ["closed expired", "closed expired"],
    ),
    (
        "SnUisQvEvLp",
        "YADstg5hq3J",
        "202610",
        ["closed expired", "closed expired"],
    ),
    // February's window is over; 2.43.1 would take it all the same.
    (
        "Yt3Cav0JlWP",
        "CmI8ENWaWDp",
        "202602",
        ["closed input-window", "closed input-window"],
    ),
    // January's is open; the first versions of the new engine have it the wrong way round.
    (
        "Yt3Cav0JlWP",
        "CmI8ENWaWDp",
        "202601",
        ["created", "blocked input-periods-inverted"],
    ),
];

#[test]
fn a_period_that_is_closed_is_counted_and_no_error() {
    for (dialect, at) in [(Dialect::V2_42, 0), (Dialect::V2_43, 1)] {
        for (data_set, element, period, becomes) in CLOSINGS {
            let site = SmallSite::new(dialect);
            site.replace("mappings/small.toml", "YE8SgpSMBQ9", data_set);
            site.database.execute(&format!(
                "UPDATE t SET element = '{element}', period = '{period}'"
            ));
            let run = site.program(&["run", "-p", period, "--as-of", NOW, "--format", "json"]);
            let report = run.json();
            let mapping = &report["mappings"][0];
            let became = match (
                &mapping["closed"][0]["reason"],
                &mapping["blocked"][0]["reason"],
            ) {
                (closed, _) if closed.is_string() => format!("closed {}", closed.as_str().unwrap()),
                (_, blocked) if blocked.is_string() => {
                    format!("blocked {}", blocked.as_str().unwrap())
                }
                _ => mapping["changes"][0]["outcome"]
                    .as_str()
                    .unwrap()
                    .to_owned(),
            };
            assert_eq!(became, becomes[at], "{dialect:?} {data_set} {period}");
            let code = if became.starts_with("blocked") { 3 } else { 0 };
            assert_eq!(run.code, code, "{dialect:?} {data_set} {period}");
            assert_eq!(site.dhis2.values().len(), usize::from(became == "created"));
        }
    }
}

#[test]
fn units_outside_the_accounts_hierarchy_are_blocked_and_the_others_land() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        let account = "username = \"regional\"\npassword-file = \"dhis2.password\"";
        site.replace("pg2dhis2.toml", "token-file = \"dhis2.token\"", account);
        site.write("dhis2.password", "Loader-2026!");
        // In the data set, in the region beside the account's.
        insert(&site, NUMBER, "Byp0j7hFVVU", "8");
        let run = site.program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"]);
        let report = run.code(3).json();
        let blocked = &report["mappings"][0]["blocked"];
        assert_eq!(blocked.as_array().unwrap().len(), 1);
        assert_eq!(blocked[0]["orgUnit"], "Byp0j7hFVVU");
        assert_eq!(blocked[0]["reason"], "org-unit-outside-hierarchy");
        assert_eq!(site.dhis2.values().len(), 1);
    }
}

/// Every value type that a data element may have, with values at the edges of what it takes. Whether DHIS2 takes one is
/// asked, value by value.
const EDGES: [(&str, &[&str]); 27] = [
    (
        "MULTI_TEXT",
        &[
            "A", "A,B", "B,A", "A,A", "A,C", "A, B", "A,", ",A", ",", "a", "A;B", "Option A",
        ],
    ),
    ("TEXT", &["x", "A,B", " x", "x ", "\t"]),
    ("LONG_TEXT", &["two\nlines", "é"]),
    ("LETTER", &["a", "é", "ab", "1", "_"]),
    (
        "PHONE_NUMBER",
        &["+1 758 45", "12345", "call me", "1234567890 ext. 12"],
    ),
    ("EMAIL", &["a@b.lc", "a@b", "nobody"]),
    (
        "USERNAME",
        &["nurse", "abc", "a..bcd", "_nurse", "nurse-1@moh.lc"],
    ),
    (
        "BOOLEAN",
        &["true", "TRUE", "True", "1", "0", "yes", "N", "t", "2"],
    ),
    ("TRUE_ONLY", &["true", "1", "false", "yes", "T"]),
    (
        "DATE",
        &[
            "2025-03-31",
            "2025-02-29",
            "2024-02-29",
            "2025-3-1",
            "31.03.2025",
            "2025-03-31T10:00",
        ],
    ),
    (
        "DATETIME",
        &[
            "2025-03-31T10:00:00",
            "2025-03-31T10:00",
            "2025-03-31",
            "2025-03-31T10",
            "2025-03-31 10:00",
            "2025-03-31T10:00:00Z",
            "10:00",
        ],
    ),
    ("TIME", &["10:00", "9:05", "24:00", "10:60", "1000"]),
    ("AGE", &["2000-02-29", "25"]),
    (
        "NUMBER",
        &[
            "1.50", "-0", "0.0", ".5", "5.", "+1", "1e5", "01", "1 000", "1,5",
        ],
    ),
    (
        "INTEGER",
        &["5.0", "-0", "2147483647", "2147483648", "-2147483648", "05"],
    ),
    ("INTEGER_POSITIVE", &["1", "0", "1.0", "-1"]),
    ("INTEGER_NEGATIVE", &["-1", "0", "-1.0", "1"]),
    ("INTEGER_ZERO_OR_POSITIVE", &["0", "0.0", "7.00", "-1"]),
    ("UNIT_INTERVAL", &["0", "1", "1.0", "1.01", "-0.1", "0.5"]),
    ("PERCENTAGE", &["0", "100", "100.0", "100.1", "-1", "50%"]),
    (
        "COORDINATE",
        &[
            "[-61.0,14.0]",
            "[-61.0, 14.0]",
            "[181,0]",
            "[0,91]",
            "-61,14",
        ],
    ),
    (
        "URL",
        &[
            "https://moh.lc/a",
            "http://moh.lc",
            "ftp://moh.lc/x",
            "moh.lc",
            "mailto:a@b.lc",
        ],
    ),
    ("FILE_RESOURCE", &["abcdefghij1", "abc"]),
    ("IMAGE", &["abcdefghij1", "1bcdefghij1"]),
    ("ORGANISATION_UNIT", &["VsF9dWr6arv", "Castries"]),
    ("GEOJSON", &["{}", "x"]),
    ("TRACKER_ASSOCIATE", &["abcdefghij1", "x"]),
];

/// Data elements of one value each, in `X_MAIN`; with the options A and B where the type is made of them.
fn elements_of_edges(site: &SmallSite) -> Vec<(String, &'static str, &'static str)> {
    let text =
        std::fs::read_to_string(repository().join("tests/golden/exchanges/extra_metadata.json"));
    let extra: Value = serde_json::from_str(&text.unwrap()).unwrap();
    let sets = extra["dataSets"].as_array().unwrap();
    let set = sets.iter().find(|set| set["id"] == "YE8SgpSMBQ9").unwrap();
    let mut of_set = set["dataSetElements"].as_array().unwrap().clone();
    let (mut described, mut values) = (Vec::new(), Vec::new());
    for (kind, edges) in EDGES {
        for value in edges {
            let id = format!("ValueTyp{:03}", values.len());
            let name = format!("{kind} {}", values.len());
            let mut element = json!({
                "id": id, "code": name, "name": name, "shortName": name, "domainType": "AGGREGATE",
                "valueType": kind, "zeroIsSignificant": true, "aggregationType": "NONE",
                "categoryCombo": {"id": "bjDvmb4bfuf"}, "sharing": extra["dataElements"][0]["sharing"],
            });
            if kind == "MULTI_TEXT" {
                element["optionSet"] = json!({"id": "UZNnVlO3LOg"});
            }
            of_set.push(json!({"dataElement": {"id": id}, "dataSet": {"id": "YE8SgpSMBQ9"}}));
            described.push(element);
            values.push((id, kind, *value));
        }
    }
    let sets = json!([{"id": "YE8SgpSMBQ9", "dataSetElements": of_set}]);
    let export = json!({"dataElements": described, "dataSets": sets});
    site.dhis2.merge_metadata(&export.to_string());
    values
}

#[test]
fn what_dhis2_takes_of_any_value_type_is_sent_and_what_is_blocked_it_refuses() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        let values = elements_of_edges(&site);
        let taken: BTreeMap<&str, bool> = values
            .iter()
            .map(|(id, _, value)| (id.as_str(), dhis2_takes(&site, id, UNITS[0], value)))
            .collect();
        site.dhis2.reset();
        site.database.execute("DELETE FROM t");
        for (id, _, value) in &values {
            insert(&site, id, UNITS[0], value);
        }
        let run = site.program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"]);
        let report = run.json();
        let blocked: BTreeSet<&str> = report["mappings"][0]["blocked"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cell| cell["dataElement"].as_str().unwrap())
            .collect();
        let stored = site.dhis2.values();
        let stored: BTreeSet<&str> = stored
            .keys()
            .map(|(element, ..)| element.as_str())
            .collect();
        for (id, kind, value) in &values {
            let (taken, id) = (taken[id.as_str()], id.as_str());
            // A blank value is no value, whatever a version makes of it.
            let taken = taken && !value.trim().is_empty();
            assert_eq!(stored.contains(id), taken, "{dialect:?} {kind} {value:?}");
            assert!(
                !(taken && blocked.contains(id)),
                "{dialect:?} {kind} {value:?}"
            );
        }
        assert!(!blocked.contains("ValueTyp001"), "A,B are two options");
        assert!(blocked.contains("ValueTyp004"), "C is none");
    }
}
