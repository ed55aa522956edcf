//! The status page: what it says, and that it is one file that needs nothing else.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rig::dhis2::Dialect;
use rusqlite::{Connection, params};
use serde_json::json;

use crate::small_site::{NUMBER, SmallSite};

fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    let page = "\n[history]\npage = \"page.html\"\n";
    let text = fs::read_to_string(site.path("pg2dhis2.toml")).unwrap();
    site.write("pg2dhis2.toml", &format!("name = \"north\"\n{text}{page}"));
    site
}

fn page(site: &SmallSite) -> String {
    fs::read_to_string(site.path("page.html")).expect("the page")
}

/// The month before this one: DHIS2 takes its values now.
fn last_month() -> String {
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    let last = today.first_of_month().checked_sub(1.day()).expect("a day");
    last.strftime("%Y%m").to_string()
}

/// A value of that month, which every run looks at.
fn with_value(site: &SmallSite) {
    site.dhis2.set_now(&Timestamp::now().to_string());
    site.replace("mappings/small.toml", "value = ", "look-back = 1\nvalue = ");
    site.database
        .execute(&format!("UPDATE t SET period = '{}'", last_month()));
}

/// Eight weeks of hourly runs as the program records them: every tenth day one fails, every seventh leaves something open.
fn weeks(site: &SmallSite) {
    let history = Connection::open(site.path("state/history.db")).expect("the history");
    let mut put = history
        .prepare(
            "INSERT INTO entry (seq, run, at, kind, mapping, period, subject, body, hash) VALUES (?, ?, ?, ?, ?, '', '', ?, '')",
        )
        .expect("entries");
    let today = TimeZone::UTC.to_datetime(Timestamp::now()).date();
    for day in 1..60_i64 {
        for hour in 0..24_i64 {
            let date = today.checked_sub(day.days()).unwrap();
            let at = format!("{date}T{hour:02}:07:00.000000Z");
            let run = -24 * day - hour;
            let exit = match (day % 10, day % 7, hour) {
                (0, _, 3) => 5,
                (_, 0, _) => 3,
                _ => 0,
            };
            let cells = json!({ "unchanged": 90, "updated": (day * hour) % 17 });
            let mapping = json!({ "exit": exit, "cells": cells }).to_string();
            let finished = json!({ "exit": exit, "name": "" }).to_string();
            let entries = [
                ("started", "", "{}"),
                ("mapping", "small", &mapping),
                ("finished", "", &finished),
            ];
            for (index, (kind, of, body)) in entries.into_iter().enumerate() {
                // Before all that the program wrote itself, so that it goes on after that.
                let seq = 3 * run + i64::try_from(index).unwrap();
                put.execute(params![seq, run, at, kind, of, body]).unwrap();
            }
        }
    }
}

#[test]
fn the_page_says_how_each_mapping_stands_and_needs_no_other_file() {
    let site = site();
    with_value(&site);
    site.program(&["run"]).code(0).silent();
    let html = page(&site);
    assert!(
        html.contains("All is well: DHIS2 has what the registry says."),
        "{html}"
    );
    assert!(html.contains("north to DHIS2"));
    assert!(html.contains("None: every row has its place and every value its outcome."));
    assert!(html.contains("1 values changed in 60 days, at most 1 in one."));
    // Nothing to load, nothing to run.
    for word in [
        "<script",
        "http-equiv",
        "<link",
        "<img",
        "src=",
        "@import",
        "url(",
    ] {
        assert!(!html.contains(word), "{word}");
    }
    let mode = fs::metadata(site.path("page.html"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o644);
}

#[test]
fn what_is_open_stands_there_with_what_to_do_and_no_word_of_the_source() {
    let site = site();
    with_value(&site);
    let month = last_month();
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('Jane SENTINEL-1', 'VsF9dWr6arv', '{month}', '4'), ('{NUMBER}', 'iztChCalPg5', '{month}', 'Jane SENTINEL-2'),
         ('YADstg5hq3J', 'VsF9dWr6arv', '{month}', '1')"
    ));
    site.program(&["run"]).code(3);
    let html = page(&site);
    assert!(html.contains("something is open"), "{html}");
    assert!(
        html.contains("The data element is not in the data set."),
        "{html}"
    );
    assert!(
        html.contains("The value does not fit the data element&#39;s value type.")
            || html.contains("The value does not fit the data element's value type."),
        "{html}"
    );
    assert!(!html.contains("SENTINEL"), "{html}");
}

/// The file that a browser looks at in `.ci/run`.
#[test]
fn eight_weeks_of_runs_are_a_calendar_and_a_chart() {
    let site = site();
    with_value(&site);
    site.program(&["run"]).code(0);
    weeks(&site);
    let month = last_month();
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('YADstg5hq3J', 'VsF9dWr6arv', '{month}', '1'), ('NOBODY KNOWS', 'VsF9dWr6arv', '{month}', '1')"
    ));
    site.program(&["run"]).code(3);
    let html = page(&site);
    // Days of 24 runs; those of the tenth day that fall on no seventh need no second look.
    let open = (1..60).filter(|day| day % 7 == 0 && day % 10 != 0).count() + 1;
    let passing = (1..60).filter(|day| day % 10 == 0).count();
    let well = 60 - open - passing;
    let words = format!(
        "Of the last 60 days {well} went well, {open} left something open, on {passing} a run failed for the time being, 0 need a person, and 0 had no run."
    );
    assert!(html.contains(&words), "{words}\n{html}");
    let kept: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page.html");
    fs::write(kept, html).expect("the page is kept");
}

#[test]
fn a_page_that_cannot_be_written_changes_nothing_and_is_kept_in_the_history() {
    let site = site();
    with_value(&site);
    site.replace(
        "pg2dhis2.toml",
        "\"page.html\"",
        "\"no/such/folder/page.html\"",
    );
    site.program(&["run"]).code(0).silent();
    assert_eq!(site.dhis2.values().len(), 1);
    let run = site.program(&["history", "1"]).code(0);
    assert!(run.stdout.contains("page"), "{}", run.stdout);
}
