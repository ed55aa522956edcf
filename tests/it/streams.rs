//! Standard output is data and nothing else; standard error tells as much as was asked for.

use serde_json::Value;

use crate::program::program_fed;
use crate::st_lucia::{BOTH, StLucia, T0};

const QUERIES: [&str; 3] = ["aefi", "sessions", "vpd_cases"];
const MARCH: [&str; 7] = ["-m", "epi-monthly", "-p", "202503", "--as-of", T0, "-v"];

fn site() -> StLucia {
    let site = StLucia::at(BOTH[1], T0);
    site.only(&QUERIES);
    site
}

fn verbose(command: &str) -> Vec<&str> {
    [command].into_iter().chain(MARCH).collect()
}

#[test]
fn verbose_tells_every_query_and_every_request_in_a_line() {
    let site = site();
    let run = site.program(&verbose("run"));
    assert_eq!(run.stdout, "");
    let lines = |begin: &str| -> Vec<&str> {
        let lines = run.stderr.lines();
        lines.filter(|line| line.contains(begin)).collect()
    };
    for query in QUERIES.iter().chain(&["mapping_rules"]) {
        let told = lines(&format!("{query}.sql: "));
        assert!(told.len() == 1 && told[0].contains(" rows in "), "{told:?}");
    }
    let requests = site.dhis2.requests();
    let told: Vec<&str> = run
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix("run 1: "))
        .filter(|line| line.starts_with("GET ") || line.starts_with("POST "))
        .collect();
    assert_eq!(told.len(), requests.len(), "{}", run.stderr);
    for (line, request) in told.iter().zip(&requests) {
        let path = request.path.split('?').next().unwrap();
        assert!(
            line.starts_with(&format!("{} {path}", request.method)),
            "{line}"
        );
        assert!(line.contains(&request.status.to_string()), "{line}");
    }
    assert!(!run.stderr.contains("d2p_"), "the token is told");
}

#[test]
fn however_much_is_told_standard_output_stays_data() {
    let site = site();
    let report = |args: &[&str]| -> Value {
        let run = site.program(args);
        assert!(run.stderr.contains("GET /api/"), "{}", run.stderr);
        run.json()
    };
    let run = verbose("run");
    let json: Vec<&str> = run.into_iter().chain(["--format", "json"]).collect();
    assert_eq!(report(&json)["command"], "run");

    let extract = site.program(&verbose("extract")).code(0);
    assert!(extract.stderr.contains("aefi.sql: "));
    for line in extract.stdout.lines() {
        serde_json::from_str::<Value>(line).expect("a line of JSON");
    }
    let feed = |args: &[&str], input: &str| program_fed(site.folder.path(), args, input.as_bytes());
    let map = feed(&["map", "-v"], &extract.stdout).code(0);
    assert_eq!(map.json()["dataSet"], "fTTHFe1SktZ");
    let push = feed(&["push", "-v", "--format", "json"], &map.stdout);
    assert_eq!(push.json()["command"], "push");
}

#[test]
fn quiet_still_tells_what_a_person_must_mend() {
    let site = site();
    site.replace("queries/aefi.sql", "sum(n)::bigint", "sum(n) / 0");
    let run = [
        "run",
        "-q",
        "-m",
        "epi-monthly",
        "-p",
        "202503",
        "--as-of",
        T0,
    ];
    let run = site.program(&run).code(13);
    assert_eq!(run.stdout, "");
    let told: Vec<&str> = run.stderr.lines().collect();
    assert_eq!(told.len(), 1, "{}", run.stderr);
    assert!(told[0].contains("aefi.sql"), "{}", run.stderr);
}
