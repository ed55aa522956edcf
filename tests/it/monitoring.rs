//! What those are told who watch runs from elsewhere, and that nothing that fails there changes a run.

use std::fs;

use rig::dhis2::Dialect;
use rig::pings::{Mood, Ping, Pings};
use serde_json::Value;

use crate::history::run as recorded;
use crate::program::Finished;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::tls_front::{Identity, Speaks, front};

/// A site with a table `[history]`.
pub(crate) fn site_with(history: &str) -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    let text = fs::read_to_string(site.path("pg2dhis2.toml")).unwrap();
    site.write("pg2dhis2.toml", &format!("{text}\n[history]\n{history}\n"));
    site
}

fn watched(pings: &Pings) -> SmallSite {
    site_with(&format!("heartbeat = \"{}\"", pings.url()))
}

/// The path without its query, and the query.
fn parts(ping: &Ping) -> (&str, &str) {
    ping.path.split_once('?').unwrap()
}

#[test]
fn a_run_is_told_as_begun_and_as_a_success_with_the_end_of_the_history() {
    let pings = Pings::start(Mood::Well);
    let site = watched(&pings);
    site.run().code(0).silent();
    let heard = pings.heard();
    let paths: Vec<&str> = heard.iter().map(|ping| parts(ping).0).collect();
    assert_eq!(paths, ["/ping/key/start", "/ping/key"]);
    assert_eq!(parts(&heard[0]).1, parts(&heard[1]).1);
    let rid = parts(&heard[0]).1.strip_prefix("rid=").unwrap();
    let lengths: Vec<usize> = rid.split('-').map(str::len).collect();
    assert_eq!(lengths, [8, 4, 4, 4, 12], "{rid}");
    let told = &heard[1].body;
    assert!(
        told.starts_with("run 1: exit 0 (ok), ")
            && told.contains("; small: 1 rows, 1 cells, 1 created; history "),
        "{told}"
    );
    // It is the hash that the history itself ends with: a witness outside.
    let hash = told.rsplit(' ').next().unwrap();
    assert_eq!(hash.len(), 64);
    let verified = site.program(&["history", "--verify"]).code(0).stdout;
    assert!(verified.contains(hash), "{verified}\n{told}");
    // Each run is another one.
    site.run().code(0).silent();
    assert_ne!(parts(&pings.heard()[2]).1, parts(&heard[0]).1);
}

#[test]
fn a_run_of_which_nothing_is_accepted_is_no_success() {
    let pings = Pings::start(Mood::Well);
    let site = watched(&pings);
    let path_of_last = || parts(&pings.heard().pop().unwrap()).0.to_owned();
    let set = |expiry_days: u32| {
        let export =
            format!(r#"{{"dataSets": [{{"id": "YE8SgpSMBQ9", "expiryDays": {expiry_days}}}]}}"#);
        site.dhis2.merge_metadata(&export);
    };
    // March is long over.
    set(1);
    site.run().code(0).stderr_has("nothing accepted");
    assert_eq!(path_of_last(), "/ping/key/3");
    let status = |code: i32| {
        let status = ["status", "-p", "202503", "--format", "json"];
        site.program(&status).code(code).json()["mappings"][0].clone()
    };
    assert_eq!(status(5)["last-success"], Value::Null);
    assert_eq!(status(5)["nothing-accepted"], true);
    set(0);
    site.run().code(0).silent();
    assert_eq!(path_of_last(), "/ping/key");
    assert_eq!(status(0)["nothing-accepted"], false);
    // It was fresh a moment ago.
    set(1);
    site.database.execute("UPDATE t SET value = '6'");
    site.run().code(0).stderr_has("nothing accepted");
    assert_eq!(status(3)["state"], "open");
    // A period that is not open yet is not due.
    set(0);
    site.database.execute("UPDATE t SET period = '202712'");
    let later = ["run", "-p", "202712", "--as-of", NOW];
    site.program(&later).code(0).silent();
    assert_eq!(path_of_last(), "/ping/key");
    // What is refused is told as such, and is no success either.
    site.database
        .execute("UPDATE t SET period = '202503', value = 'no number'");
    site.run().code(3);
    assert_eq!(path_of_last(), "/ping/key/3");
}

#[test]
fn what_is_open_is_a_success_and_a_failure_is_told_by_its_code() {
    let pings = Pings::start(Mood::Well);
    let site = watched(&pings);
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', 'Zz9RodneyBx', '202503', '9')"
    ));
    site.run().code(3);
    let partial = pings.heard().pop().unwrap();
    assert_eq!(parts(&partial).0, "/ping/key");
    assert!(
        partial.body.contains("exit 3 (partial)"),
        "{}",
        partial.body
    );
    site.replace(
        "mappings/query.sql",
        "element, unit",
        "element AS other, unit",
    );
    site.run().code(15);
    assert_eq!(parts(&pings.heard().pop().unwrap()).0, "/ping/key/15");
    // What cannot even begin is told, too.
    site.write("mappings/small.toml", "nonsense = 1");
    site.run().code(10);
    let refused = pings.heard().pop().unwrap();
    assert_eq!(refused.path, "/ping/key/10");
    assert_eq!(refused.body, "exit 10 (config): nothing was begun");
}

#[test]
fn a_dry_run_a_wrong_command_line_and_what_sends_nothing_tell_nobody() {
    let pings = Pings::start(Mood::Well);
    let site = watched(&pings);
    for (args, code) in [
        (&["run", "-n", "-p", "202503"][..], 0),
        (&["run", "--dry-run=server", "-p", "202503"], 0),
        (&["push", "pg2dhis2.toml"], 2),
        (&["extract", "-m", "small", "-p", "202503"], 0),
        (&["status"], 5),
        (&["history"], 0),
    ] {
        site.program(args).code(code);
    }
    assert_eq!(pings.heard(), []);
}

#[test]
fn push_and_apply_are_told_as_run_is() {
    let pings = Pings::start(Mood::Well);
    let site = watched(&pings);
    let period = ["-p", "202503", "--as-of", NOW];
    let with = |args: &[&'static str]| [args, &period].concat();
    site.program(&with(&["extract", "-m", "small", "-o", "rows"]))
        .code(0);
    site.program(&["map", "rows", "-o", "document"]).code(0);
    site.program(&["push", "document"]).code(0).silent();
    site.database.execute("UPDATE t SET value = '6'");
    site.program(&with(&["run", "-n", "--save-plan", "plan"]))
        .code(0);
    site.program(&["apply", "plan"]).code(0).silent();
    let heard = pings.heard();
    let paths: Vec<&str> = heard.iter().map(|ping| parts(ping).0).collect();
    let run = ["/ping/key/start", "/ping/key"];
    assert_eq!(paths, [run, run].concat());
}

#[test]
fn the_address_may_stand_in_a_secret_file_and_is_told_nowhere() {
    let pings = Pings::start(Mood::Refusing(500));
    let site = site_with("heartbeat-file = \"heartbeat.url\"");
    site.write("heartbeat.url", &format!("{}\n", pings.url()));
    let told = site
        .program(&["run", "-vv", "-p", "202503", "--as-of", NOW])
        .code(0);
    assert_eq!(pings.heard().len(), 2);
    assert!(
        told.stderr.contains("pg2dhis2: heartbeat: it answered 500"),
        "{}",
        told.stderr
    );
    assert!(!told.stderr.contains("/ping/key"), "{}", told.stderr);
    let whole = recorded(&site, "1").to_string();
    assert!(
        whole.contains("it answered 500") && !whole.contains("/ping/key"),
        "{whole}"
    );
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(
        site.path("heartbeat.url"),
        fs::Permissions::from_mode(0o644),
    )
    .unwrap();
    let told = site
        .program(&["run", "-v", "-p", "202503", "--as-of", NOW])
        .code(0);
    assert!(
        told.stderr.contains("is open to others (0644)"),
        "{}",
        told.stderr
    );
}

#[test]
fn an_address_that_would_be_shown_on_the_way_is_refused() {
    for (keys, words) in [
        (
            "heartbeat = \"http://hc.example/x\"",
            "begin it with https://",
        ),
        ("heartbeat = \"hc.example/x\"", "must begin with https://"),
        (
            "heartbeat = \"https://hc.example/x?a=1\"",
            "must be an address",
        ),
        (
            "heartbeat = \"https://hc.example/x\"\nheartbeat-file = \"f\"",
            "must not stand beside `heartbeat`",
        ),
    ] {
        let site = site_with(keys);
        let refused = site.run();
        assert!(!refused.stderr.contains("example/x"), "{}", refused.stderr);
        site.refused(refused, 10, words);
    }
}

/// What a run leaves behind that others see: exit code, standard output, DHIS2.
fn seen(site: &SmallSite, finished: &Finished) -> (i32, String, Value) {
    let stored = Value::Array(site.dhis2.stored());
    (finished.code, finished.stdout.clone(), stored)
}

/// The entry of a failure in the history.
fn failures(site: &SmallSite, run: &str) -> Vec<String> {
    let told = recorded(site, run);
    let after = told["after"].as_array().unwrap().iter();
    after
        .filter(|after| after["failed"] == true)
        .map(|after| {
            format!(
                "{}: {}",
                after["what"].as_str().unwrap(),
                after["text"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn whatever_fails_afterwards_the_run_stands_and_the_failure_is_kept() {
    let plain = SmallSite::new(Dialect::V2_43);
    let expected = seen(&plain, &plain.run().code(0).silent());
    let closed = "http://127.0.0.1:1/x".to_owned();
    let slow = Pings::start(Mood::Silent);
    let bad = front(&Identity::of("127.0.0.1"), Speaks::Https, slow.port());
    let untrusted = format!("https://127.0.0.1:{}/x", bad.port);
    for (history, words) in [
        (
            format!("heartbeat = \"{closed}\""),
            "heartbeat: connection refused",
        ),
        (
            format!("heartbeat = \"{untrusted}\""),
            "heartbeat: certificate not trusted",
        ),
        (
            format!("heartbeat = \"{}\"", slow.url()),
            "heartbeat: no answer in time",
        ),
        (
            "heartbeat-file = \"missing\"".to_owned(),
            "heartbeat: ./missing: the secret file does not exist",
        ),
        (
            "metrics = \"nowhere/x.prom\"".to_owned(),
            "metrics: the file ",
        ),
        (
            "metrics = \"/dev/full\"".to_owned(),
            "metrics: the file /dev/full cannot be written",
        ),
    ] {
        let site = site_with(&history);
        let finished = site.run().code(0).silent();
        assert_eq!(seen(&site, &finished), expected, "{history}");
        let kept = failures(&site, "1");
        assert!(
            kept.iter().any(|kept| kept.contains(words)),
            "{history}: {kept:?}"
        );
        site.program(&["history", "--verify"]).code(0);
    }
}

#[test]
fn a_failure_is_told_at_once_only_where_there_is_something_to_hear() {
    let site = site_with("metrics = \"nowhere/x.prom\"");
    site.run().code(0).silent();
    let told = site
        .program(&["run", "-v", "-p", "202503", "--as-of", NOW])
        .code(0);
    let words = "cannot be written (no such file or folder); the outcome of the run stands";
    assert!(told.stderr.contains(words), "{}", told.stderr);
    site.write("dhis2.token", "d2pat_nobodys");
    site.run().code(12).stderr_has(words);
    let page = site.program(&["history", "3"]).code(0).stdout;
    assert!(page.contains("metrics: failed: the file "), "{page}");
}

#[test]
fn nothing_that_is_told_has_a_name_of_the_source() {
    let pings = Pings::start(Mood::Well);
    let site = site_with(&format!(
        "heartbeat = \"{}\"\nmetrics = \"pg2dhis2.prom\"",
        pings.url()
    ));
    site.replace(
        "pg2dhis2.toml",
        "token-file = \"dhis2.token\"",
        "token-file = \"dhis2.token\"\ndata-store = \"pg2dhis2\"",
    );
    let map = format!("column = \"unit\"\nmap = {{ known = \"{}\" }}", UNITS[0]);
    site.replace("mappings/small.toml", "column = \"unit\"", &map);
    site.replace(
        "mappings/small.toml",
        "absent = ",
        "guards.max-unmapped = \"100%\"\nabsent = ",
    );
    site.database.execute(&format!(
        "UPDATE t SET unit = 'known';
         INSERT INTO t SELECT '{NUMBER}', 'Sentinel' || n || E' \\n\\\\\"', '202503', '1' FROM generate_series(1, 1000) n"
    ));
    let args = [
        "run",
        "-vv",
        "--log-format",
        "json",
        "-p",
        "202503",
        "--as-of",
        NOW,
    ];
    let told = site.program(&args).code(3);
    let store = format!("{:?}", site.dhis2.data_store());
    assert!(store.contains("small") && pings.heard().len() == 2);
    let said = format!(
        "{:?} {store} {} {}",
        pings.heard(),
        told.stdout,
        told.stderr
    );
    assert!(!said.to_ascii_lowercase().contains("sentinel"), "{said}");
    for (path, content) in site.files() {
        let text = String::from_utf8_lossy(&content).to_ascii_lowercase();
        assert!(!text.contains("sentinel"), "{}", path.display());
    }
}

#[test]
fn a_service_that_never_answers_costs_ten_seconds_and_no_deadline() {
    let pings = Pings::start(Mood::Silent);
    let site = watched(&pings);
    // The run ends before its deadline, and what is told afterwards comes behind it.
    site.replace("pg2dhis2.toml", "wait = ", "deadline = \"9s\"\nwait = ");
    let began = std::time::Instant::now();
    site.run().code(0).silent();
    let took = began.elapsed().as_secs();
    assert!((9..30).contains(&took), "{took} s");
    assert_eq!(pings.heard().len(), 2);
    assert_eq!(failures(&site, "1").len(), 2);
}
