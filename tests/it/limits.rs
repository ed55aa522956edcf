//! Every command ends in time, whatever hangs: in order where it can, by the watchdog where it cannot.

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rig::dhis2::Dialect;
use rig::postgres::Database;

use crate::program::{Finished, command};
use crate::relay::relay;
use crate::small_site::{NOW, SmallSite};

/// What no run takes, however busy the machine is, unless it hangs.
const LONG: Duration = Duration::from_secs(60);

fn limits(site: &SmallSite, lines: &str) {
    site.replace("pg2dhis2.toml", "[limits]", &format!("[limits]\n{lines}"));
}

/// Ends with 5 and one line with these words, and not long after.
#[track_caller]
fn ends_in_time(site: &SmallSite, words: &str, run: impl FnOnce() -> Finished) {
    let began = Instant::now();
    let finished = run();
    assert!(began.elapsed() < LONG, "{:?}", began.elapsed());
    site.refused(finished, 5, words);
}

/// A server that takes connections and never says a word, for as long as it lives.
fn mute() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    (listener, address)
}

/// The site's DHIS2 is what listens there.
fn leads_to(site: &SmallSite, address: &impl std::fmt::Display) {
    let url = format!("http://{address}/");
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &url);
}

/// A site whose table is locked by somebody else, so that its query waits for ever.
fn locked() -> (SmallSite, postgres::Client) {
    let site = SmallSite::new(Dialect::V2_43);
    let limit = "lock-timeout = \"10m\"\n[dhis2]";
    site.replace("pg2dhis2.toml", "[dhis2]", limit);
    let mut lock = site.database.connect();
    lock.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
        .expect("a lock");
    (site, lock)
}

/// Sessions of the program; PostgreSQL answers after a moment, so that asking again and again costs little.
fn sessions(database: &Database, what: &str) -> Vec<String> {
    let rows = database.query(&format!(
        "SELECT {what} FROM pg_stat_activity, pg_sleep(0.05)
         WHERE datname = current_database() AND application_name LIKE 'pg2dhis2%' AND wait_event_type = 'Lock'"
    ));
    rows.into_iter()
        .map(|row| row[0].clone().expect("a value"))
        .collect()
}

#[test]
fn a_query_that_hangs_is_ended_at_the_deadline_and_leaves_nothing_behind() {
    let (site, mut lock) = locked();
    limits(&site, "deadline = \"1s\"");
    let words = "hung while reading the source, and was ended after its deadline ([limits], 1s)";
    ends_in_time(&site, words, || site.run());
    // PostgreSQL 14 and later look for us every five seconds.
    let began = Instant::now();
    while !sessions(&site.database, "pid").is_empty() {
        assert!(began.elapsed() < LONG, "the query goes on");
    }
    lock.batch_execute("ROLLBACK").unwrap();
    site.replace("pg2dhis2.toml", "deadline = \"1s\"", "");
    site.run().code(0).silent();
}

/// A query without rows that switches off for its session what finds out that we are gone.
const HIDING: &str =
    "SELECT NULL::text AS element, NULL::text AS unit, NULL::text AS period, NULL::text AS value
WHERE set_config('client_connection_check_interval', '0', false) IS NULL";

#[test]
fn the_query_of_a_run_that_was_killed_ends_whatever_the_one_before_it_set() {
    let (site, lock) = locked();
    site.write("mappings/hiding.sql", HIDING);
    let queries = "[\"hiding.sql\", \"query.sql\"]";
    site.replace("mappings/small.toml", "[\"query.sql\"]", queries);
    let mut child = command(site.folder.path(), &["run", "-p", "202503"])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while sessions(&site.database, "pid").is_empty() {
        let ended = child.try_wait().unwrap();
        if ended.is_some() {
            let mut told = String::new();
            child
                .stderr
                .take()
                .unwrap()
                .read_to_string(&mut told)
                .unwrap();
            panic!("the run does not hang: {told}");
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let began = Instant::now();
    while !sessions(&site.database, "pid").is_empty() {
        assert!(began.elapsed() < LONG, "the query goes on");
    }
    drop(lock);
}

#[test]
fn a_session_that_is_frozen_does_not_hold_the_run() {
    let (site, lock) = locked();
    limits(&site, "deadline = \"5s\"");
    let child = command(site.folder.path(), &["run", "-p", "202503"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let began = Instant::now();
    let mut frozen = Vec::new();
    while frozen.is_empty() && began.elapsed() < LONG {
        frozen = sessions(&site.database, "pid");
    }
    let signal = |signal: &str| {
        let sent = Command::new("kill").arg(signal).args(&frozen).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    let output = child.wait_with_output().unwrap();
    signal("-CONT");
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("hung while reading the source"), "{told}");
    drop(lock);
}

#[test]
fn a_source_that_never_says_a_word_is_given_up() {
    let site = SmallSite::new(Dialect::V2_43);
    let (_listener, address) = mute();
    let url = site.database.url();
    let mute_url = format!("postgresql://postgres@{address}/x?sslmode=disable&connect_timeout=0");
    site.replace("pg2dhis2.toml", &url, &mute_url);
    limits(&site, "deadline = \"500ms\"");
    ends_in_time(&site, "hung while reading the source", || site.run());
    // A time-out for connecting ends it, and no watchdog is needed.
    site.replace("pg2dhis2.toml", "connect_timeout=0", "connect_timeout=1");
    site.replace("pg2dhis2.toml", "deadline = \"500ms\"", "attempts = 1");
    ends_in_time(&site, "the server does not answer", || site.run());
}

#[test]
fn a_dhis2_that_never_answers_ends_the_run_in_order_at_the_deadline() {
    let site = SmallSite::new(Dialect::V2_43);
    let (_listener, address) = mute();
    leads_to(&site, &address);
    limits(&site, "deadline = \"8s\"");
    let began = Instant::now();
    let args = ["run", "-p", "202503", "--as-of", NOW, "--format", "json"];
    let run = site.program(&args).code(5);
    assert!(began.elapsed() < LONG);
    let words = "the run's time is over (deadline in [limits]); the next run goes on from there";
    assert!(run.stderr.contains(words), "{}", run.stderr);
    // It told what became of every cell.
    let report = run.json();
    assert_eq!(report["mappings"][0]["cells"]["not-sent"], 1, "{report}");
}

#[test]
fn an_answer_that_drips_is_bounded_by_its_time_out() {
    let dripping = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = dripping.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in dripping.incoming().flatten() {
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 1024]);
                let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n";
                let mut sent = stream.write_all(head.as_bytes());
                // The program says no more, so that reading takes this long.
                let _ = stream.set_read_timeout(Some(Duration::from_millis(20)));
                while sent.is_ok() {
                    let _ = stream.read(&mut [0; 1024]);
                    sent = stream.write_all(b" ");
                }
            });
        }
    });
    let site = SmallSite::new(Dialect::V2_43);
    leads_to(&site, &address);
    limits(&site, "body = \"300ms\"\nattempts = 2");
    ends_in_time(&site, "the answer was not complete in time", || site.run());
}

#[test]
fn a_request_that_nobody_takes_is_bounded_by_its_time_out() {
    let site = SmallSite::new(Dialect::V2_43);
    let (_listener, address) = mute();
    leads_to(&site, &address);
    limits(
        &site,
        "first-byte = \"200ms\"\nsend = \"200ms\"\nattempts = 1",
    );
    ends_in_time(&site, "no answer in time", || site.run());
}

#[test]
fn a_push_that_waits_for_its_input_ends_at_the_deadline() {
    let site = SmallSite::new(Dialect::V2_43);
    limits(&site, "deadline = \"500ms\"");
    let mut waiting = Command::new("sleep")
        .arg("600")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = waiting.stdout.take().unwrap();
    let mut push = command(site.folder.path(), &["push"]);
    let began = Instant::now();
    let output = push.stdin(Stdio::from(input)).output().unwrap();
    waiting.kill().unwrap();
    waiting.wait().unwrap();
    assert!(began.elapsed() < LONG);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains("hung while waiting for its input"), "{told}");
}

#[test]
fn a_command_whose_standard_error_nobody_reads_ends_all_the_same() {
    let (site, lock) = locked();
    limits(&site, "deadline = \"500ms\"");
    // So much a pipe holds; whoever writes more waits.
    let (_reader, mut writer) = io::pipe().unwrap();
    writer.write_all(&[b' '; 65_536]).unwrap();
    let mut run = command(site.folder.path(), &["run", "-p", "202503"]);
    let began = Instant::now();
    let status = run.stdin(Stdio::null()).stderr(writer).status().unwrap();
    assert!(began.elapsed() < LONG);
    assert_eq!(status.code(), Some(5));
    drop(lock);
}

#[test]
fn no_session_stays_at_the_source_while_dhis2_is_asked() {
    let site = SmallSite::new(Dialect::V2_43);
    let (url, seen) = (site.dhis2.url(), Arc::new(Mutex::new(Vec::new())));
    let (watching, mut source) = (Arc::clone(&seen), site.database.connect());
    let relay = relay(&url, move |_, answer| {
        // PostgreSQL forgets a session a moment after it has ended.
        let began = Instant::now();
        let mut sessions: i64 = 1;
        while sessions > 0 && began.elapsed() < LONG / 6 {
            let row = source.query_one(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pg2dhis2%'",
                &[],
            );
            sessions = row.expect("a count").get(0);
        }
        watching.lock().unwrap().push(sessions);
        answer
    });
    site.replace("pg2dhis2.toml", &url, &relay);
    site.run().code(0);
    let seen = seen.lock().unwrap();
    assert!(
        seen.len() > 3 && seen.iter().all(|sessions| *sessions == 0),
        "{seen:?}"
    );
}
