//! A backfill of years beside an hourly run: it may be killed, it gives way, and it says how far it is.

use std::fs::File;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use rig::dhis2::Dialect;
use rig::drill::Dice;
use rig::relay::{Fate, Fault, Relay};

use crate::program::{Finished, command, program_with_output};
use crate::relay::relay;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};

const YEARS: &str = "202301..202412";

/// Two years of months: a value for each month and unit, and one for March 2025.
fn site(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    for (index, unit) in UNITS.iter().enumerate() {
        site.database.execute(&format!(
            "INSERT INTO t SELECT '{NUMBER}', '{unit}', to_char(month, 'YYYYMM'), extract(month FROM month) + {index}
             FROM generate_series('2023-01-01'::date, '2024-12-01', '1 month') month"
        ));
    }
    site
}

fn backfill(site: &SmallSite, more: &[&str]) -> Command {
    let args = [&["run", "-p", YEARS, "--as-of", NOW], more].concat();
    command(site.folder.path(), &args)
}

fn started(mut command: Command) -> Child {
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::piped()).spawn().expect("it starts")
}

fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().expect("it ends");
    (
        output.status.code(),
        String::from_utf8(output.stderr).expect("UTF-8"),
    )
}

fn history(site: &SmallSite) -> Vec<serde_json::Value> {
    let runs = site.program(&["history", "--format", "json"]).code(0);
    runs.json()["runs"].as_array().expect("runs").clone()
}

#[test]
fn a_backfill_that_is_killed_three_times_ends_as_one_that_is_not() {
    let whole = site(Dialect::V2_43);
    program_with_output(&mut backfill(&whole, &[])).code(0);

    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let mut dice = Dice::new(24);
        let killed = site(dialect);
        let relay = Relay::start(&killed.dhis2.url());
        killed.replace("pg2dhis2.toml", &killed.dhis2.url(), &relay.url());
        for fate in [Fate::KilledAfter, Fate::KilledBefore, Fate::KilledAfter] {
            let first = 8 + dice.below(12);
            relay.expect(Some(Fault {
                fate,
                first,
                times: 1,
            }));
            relay.hold(started(backfill(&killed, &[])));
            while !relay.has_killed() {
                thread::yield_now();
            }
            let child = relay.release().expect("the program");
            assert_eq!(ended(child).0, None, "it was killed");
        }
        relay.expect(None);
        program_with_output(&mut backfill(&killed, &[])).code(0);
        assert_eq!(killed.dhis2.values(), whole.dhis2.values());
        let states: Vec<_> = history(&killed)
            .iter()
            .map(|run| run["outcome"].clone())
            .collect();
        let died = "interrupted";
        assert_eq!(states, [died, died, died, "ok"]);
    }
}

#[test]
fn an_hourly_run_waits_for_one_part_of_a_backfill_and_not_for_the_next() {
    let site = site(Dialect::V2_43);
    let hourly: Arc<Mutex<Option<Child>>> = Arc::default();
    let (url, shared) = (site.dhis2.url(), Arc::clone(&hourly));
    let (folder, next) = (site.folder.path().to_owned(), site.path("state/next"));
    let relay = relay(&url, move |first, answer| {
        let mut hourly = shared.lock().expect("the hourly run");
        if first.starts_with("POST") && hourly.is_none() {
            let mut run = command(&folder, &["run", "-p", "202503", "--as-of", NOW]);
            run.stderr(Stdio::piped());
            *hourly = Some(run.spawn().expect("it starts"));
            // Until it has taken its place; the backfill goes no further before.
            while !File::open(&next).is_ok_and(|file| file.try_lock_shared().is_err()) {
                thread::yield_now();
            }
        }
        answer
    });
    site.replace("pg2dhis2.toml", &url, &relay);
    site.dhis2.watch_imports();
    program_with_output(&mut backfill(&site, &[])).code(0);
    let (code, stderr) = ended(
        hourly
            .lock()
            .expect("the hourly run")
            .take()
            .expect("it ran"),
    );
    assert_eq!((code, stderr.as_str()), (Some(0), ""));

    // The first part is half a year, of which each month is a request; then it is the turn of March 2025.
    let imports = site.dhis2.imports();
    let periods: Vec<_> = imports
        .iter()
        .map(|import| import["dataValues"][0]["period"].clone())
        .collect();
    assert_eq!(periods.len(), 25);
    assert_eq!(
        periods.iter().position(|period| period == "202503"),
        Some(6)
    );
    let states: Vec<_> = history(&site)
        .iter()
        .map(|run| run["outcome"].clone())
        .collect();
    assert_eq!(states, ["ok", "ok"]);
}

#[test]
fn two_backfills_do_not_wait_for_each_other_and_are_told_apart() {
    let site = site(Dialect::V2_43);
    let (url, folder) = (site.dhis2.url(), site.folder.path().to_owned());
    let other: Arc<Mutex<Option<Finished>>> = Arc::default();
    let shared = Arc::clone(&other);
    let relay = relay(&url, move |first, answer| {
        let mut other = shared.lock().expect("the other");
        if first.starts_with("POST") && other.is_none() {
            let mut second = command(&folder, &["run", "-p", YEARS, "--as-of", NOW]);
            *other = Some(program_with_output(&mut second));
        }
        answer
    });
    site.replace("pg2dhis2.toml", &url, &relay);
    program_with_output(&mut backfill(&site, &[])).code(0);
    let other = other.lock().expect("the other").take().expect("it ran");
    other
        .code(11)
        .stderr_has(", a backfill); this one did nothing");
}

#[test]
fn without_a_terminal_each_part_is_a_line_and_the_whole_a_table() {
    let site = site(Dialect::V2_43);
    let run = program_with_output(&mut backfill(&site, &["--gentle", "--pause", "1ms"])).code(0);
    let lines: Vec<&str> = run.stderr.lines().collect();
    for (line, part, done) in [
        (lines[0], "202407..202412", 6),
        (lines[1], "202401..202406", 12),
        (lines[2], "202307..202312", 18),
        (lines[3], "202301..202306", 24),
    ] {
        let begin = format!("small {part}: 12 cells, 12 values changed; {done} of 24 periods done");
        assert!(line.starts_with(&begin), "{line}");
    }
    let table: Vec<Vec<&str>> = lines[4..]
        .iter()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert!(
        table.contains(&vec!["202301", "2", "2", "2", "2"]),
        "{}",
        run.stderr
    );
    assert!(
        table.contains(&vec!["all", "48", "48", "48", "48"]),
        "{}",
        run.stderr
    );

    let old = program_with_output(&mut backfill(&site, &["--oldest-first"])).code(0);
    assert!(
        old.stderr
            .starts_with("small 202301..202306: 12 cells, 0 values changed")
    );
    let quiet = program_with_output(&mut backfill(&site, &["--quiet"])).code(0);
    quiet.silent();
}
