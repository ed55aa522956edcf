//! Years at once: a long run goes in parts and ends as the parts would by hand.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::st_lucia::{BOTH, StLucia, T0, count};

const COUNTS: [&str; 8] = [
    "/rows/rows",
    "/rows/unmapped",
    "/rows/excluded",
    "/rows/mapped",
    "/cells/cells",
    "/cells/created",
    "/cells/blocked",
    "/cells/unchanged",
];

fn site() -> StLucia {
    let site = StLucia::at(BOTH[1], T0);
    site.only(&["doses_administered", "aefi"]);
    site
}

fn run(site: &StLucia, periods: &[&str]) -> Value {
    site.run(T0, periods, &["-m", "epi-monthly"]).code(3).json()
}

#[test]
fn more_than_two_years_at_once_end_as_their_parts_do() {
    let whole = site();
    let report = run(&whole, &["202310..202512"]);

    let parted = site();
    // Not where the program parts them.
    let parts = ["202310..202402", "202403..202503", "202504..202512"];
    let parts: Vec<Value> = parts.iter().map(|part| run_any(&parted, part)).collect();

    assert_eq!(whole.dhis2.stored(), parted.dhis2.stored());
    for pointer in COUNTS {
        let sum: u64 = parts.iter().map(|part| count(part, pointer)).sum();
        assert_eq!(count(&report, pointer), sum, "{pointer}");
    }
    for list in ["keys", "changes", "blocked", "periods"] {
        // The newest part comes first.
        let of_parts: BTreeSet<String> = parts
            .iter()
            .flat_map(|part| part["mappings"][0][list].as_array().unwrap())
            .map(Value::to_string)
            .collect();
        let of_whole: BTreeSet<String> = report["mappings"][0][list]
            .as_array()
            .unwrap()
            .iter()
            .map(Value::to_string)
            .collect();
        assert_eq!(of_whole, of_parts, "{list}");
    }
    let periods = report["mappings"][0]["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 27);

    whole.dhis2.forget_requests();
    let again = run(&whole, &["202310..202512"]);
    assert_eq!(whole.posts(), 0);
    assert_eq!(
        count(&again, "/cells/unchanged"),
        count(&report, "/cells/created")
    );
}

fn run_any(site: &StLucia, part: &str) -> Value {
    site.run(T0, &[part], &["-m", "epi-monthly"]).json()
}

#[test]
fn gaps_between_the_months_asked_for_are_neither_read_nor_sent() {
    let site = site();
    let report = run(&site, &["202503", "202301..202302", "202412", "202302"]);
    let periods = report["mappings"][0]["periods"].as_array().unwrap();
    let periods: Vec<&str> = periods
        .iter()
        .map(|period| period["period"].as_str().unwrap())
        .collect();
    assert_eq!(periods, ["202301", "202302", "202412", "202503"]);
    let values = site.values();
    assert!(values.keys().all(|key| periods.contains(&key[1].as_str())));
}

#[test]
fn a_part_that_fails_leaves_what_was_done_before_it_and_the_next_run_does_the_rest() {
    let site = StLucia::at(BOTH[0], T0);
    site.only(&["sessions"]);
    // So many months are parted into half years; the query of the third part fails.
    let months = ["202303..202407"];
    let value = "sum(n)::bigint AS value";
    let broken = "(sum(n) / (:'period_start'::date <> '2024-03-01')::int)::bigint AS value";
    site.replace("queries/sessions.sql", value, broken);
    let report = site
        .run(T0, &months, &["-m", "epi-monthly", "--oldest-first"])
        .code(13)
        .json();
    let reached = |site: &StLucia| {
        let months: BTreeSet<String> = site
            .values()
            .into_keys()
            .map(|key| key[1].clone())
            .collect();
        (months.first().cloned(), months.last().cloned())
    };
    assert_eq!(
        reached(&site),
        (Some("202303".to_owned()), Some("202402".to_owned()))
    );
    assert_eq!(count(&report, "/cells/created"), site.values().len() as u64);

    site.replace("queries/sessions.sql", broken, value);
    let report = run_any(&site, months[0]);
    assert_eq!(
        reached(&site),
        (Some("202303".to_owned()), Some("202407".to_owned()))
    );
    assert!(count(&report, "/cells/unchanged") > count(&report, "/cells/created"));
}
