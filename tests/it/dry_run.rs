//! A dry run shows what a run would do, and does none of it; a run says nothing when there is nothing to say.

use std::fs::File;

use crate::st_lucia::{BOTH, StLucia, T0};

#[test]
fn a_dry_run_writes_to_neither_side_and_predicts_the_run() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let predicted = site
            .run(T0, &["202503", "2024"], &["--dry-run"])
            .code(3)
            .json();
        assert_eq!(site.posts(), 0);
        assert!(site.dhis2.stored().is_empty());
        assert!(!site.folder.path().join("state").exists());

        let done = site.run(T0, &["202503", "2024"], &[]).code(3).json();
        for mapping in 0..2 {
            for part in ["rows", "cells", "periods", "keys", "blocked", "sums"] {
                assert_eq!(
                    predicted["mappings"][mapping][part],
                    done["mappings"][mapping][part]
                );
            }
        }
        assert_eq!(predicted["dry-run"], true);
    }
}

#[test]
fn a_dry_run_works_beside_a_run() {
    let site = StLucia::at(BOTH[1], T0);
    let state = site.folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let held = File::open(&state).unwrap();
    held.try_lock().unwrap();
    site.run(T0, &["2024"], &["-m", "epi-targets", "-n"])
        .code(0);
    site.dhis2.forget_requests();
    site.run(T0, &["2024"], &["-m", "epi-targets"])
        .code(11)
        .stderr_has("another run is active");
    assert!(site.dhis2.requests().is_empty());
    held.unlock().unwrap();
    site.run(T0, &["2024"], &["-m", "epi-targets"]).code(0);
}

#[test]
fn a_run_that_is_fine_says_nothing_to_cron() {
    let site = StLucia::at(BOTH[1], T0);
    let args = ["run", "-m", "epi-targets", "-p", "2024", "--as-of", T0];
    site.program(&args).code(0).silent();
    site.program(&args).code(0).silent();
    assert_eq!(site.values().len(), 132);
}

#[test]
fn a_run_with_something_to_say_says_it_on_standard_error() {
    let site = StLucia::at(BOTH[1], T0);
    let args = ["run", "-p", "202503", "--as-of", T0];
    let run = site.program(&args).code(3);
    assert_eq!(run.stdout, "");
    for words in [
        "exit 3 (partial)",
        "organisation unit CASTREIS",
        "data element DOSES_PENTA_9",
        "Zz9RodneyBx",
        "DHIS2 has no such organisation unit",
        "epi-targets has no period",
    ] {
        assert!(run.stderr.contains(words), "{words}\n{}", run.stderr);
    }
    let quiet = site
        .program(&["run", "-q", "-p", "202503", "--as-of", T0])
        .code(3);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
fn periods_before_the_start_are_neither_read_nor_sent() {
    let site = StLucia::at(BOTH[1], T0);
    let run = site.run(T0, &["2019..2021"], &["-m", "epi-targets"]);
    let report = run.json();
    let periods = report["mappings"][0]["periods"].as_array().unwrap();
    assert_eq!(periods.len(), 1);
    assert_eq!(periods[0]["period"], "2021");
    site.run(T0, &["2019"], &["-m", "epi-targets"])
        .code(2)
        .stderr_has("no mapping has a period");
}
