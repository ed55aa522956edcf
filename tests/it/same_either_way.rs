//! Whatever way the values go – one run, three commands, parts, small chunks, rows in any order – DHIS2 ends the same.

use std::fs;

use serde_json::Value;

use crate::st_lucia::{BOTH, StLucia, T0};

const MAPPINGS: [(&str, &str); 2] = [("epi-monthly", "202503"), ("epi-targets", "2024")];

/// Creations are in DHIS2, and updates, zeros and deletions are due.
fn in_the_middle(site: &StLucia) {
    site.run(T0, &["202503", "2024"], &[]).code(3);
    for case in ["P36", "P37", "P29"] {
        site.take_out(case);
    }
    site.database.execute(
        "SET session_replication_role = replica;
         DELETE FROM imm.stock_transaction WHERE vaccine_code = 'YF';
         UPDATE ref.target_population SET live_births = live_births + 1
         WHERE year = 2024 AND revision = (SELECT max(revision) FROM ref.target_population WHERE year = 2024)",
    );
    site.dhis2.forget_requests();
}

#[test]
fn three_commands_with_files_between_them_do_what_one_run_does() {
    for dialect in BOTH {
        let [by_run, by_files] = [(), ()].map(|()| StLucia::at(dialect, T0));
        in_the_middle(&by_run);
        in_the_middle(&by_files);
        let told = by_run.run(T0, &["202503", "2024"], &[]).code(3).json();
        for (mapping, counts) in MAPPINGS.iter().zip(told["mappings"].as_array().unwrap()) {
            let (mapping, period) = *mapping;
            let site = &by_files;
            let extract = ["extract", "-m", mapping, "-p", period, "--as-of", T0];
            let extract: Vec<&str> = extract.into_iter().chain(["-o", "rows"]).collect();
            site.program(&extract).code(0).silent();
            site.program(&["map", "rows", "-o", "document"])
                .code(0)
                .silent();
            let push = site.program(&["push", "document", "--format", "json", "-o", "report"]);
            assert_eq!(push.stdout, "");
            let report = fs::read_to_string(site.folder.path().join("report")).unwrap();
            let report: Value = serde_json::from_str(&report).unwrap();
            assert_eq!(i64::from(push.code), report["exit"]["code"]);
            for part in ["exit", "rows", "cells", "sums", "keys", "changes"] {
                assert_eq!(
                    report["mappings"][0][part], counts[part],
                    "{mapping}: {part}"
                );
            }
        }
        assert!(by_run.posts() > 0);
        assert_eq!(by_files.posts(), by_run.posts());
        assert_eq!(
            by_files.dhis2.stored(),
            by_run.dhis2.stored(),
            "{dialect:?}"
        );

        by_files.dhis2.forget_requests();
        by_files.program(&["push", "document"]).code(0).silent();
        by_files.run(T0, &["202503", "2024"], &["--quiet"]).code(3);
        assert_eq!(by_files.posts(), 0);
    }
}

/// The same numbers in every test run, in no order that anything has.
fn shuffled(lines: &mut [&str]) {
    let mut state = 20_250_301_u64;
    for last in (1..lines.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        lines.swap(last, (state >> 33) as usize % (last + 1));
    }
}

#[test]
fn rows_in_no_order_give_the_same_document() {
    let site = StLucia::at(BOTH[0], T0);
    let extract = ["extract", "-m", "epi-monthly", "-p", "202503", "--as-of"];
    let extract: Vec<&str> = extract.into_iter().chain([T0]).collect();
    let rows = site.program(&extract).code(0).stdout;
    let mut lines: Vec<&str> = rows.lines().collect();
    for result in lines.chunk_by_mut(|a, b| a.starts_with('[') && b.starts_with('[')) {
        shuffled(result);
    }
    let other = lines.join("\n") + "\n";
    assert_ne!(other, rows);
    let document = |name: &str, rows: &str| -> Value {
        fs::write(site.folder.path().join(name), rows).unwrap();
        let text = site.program(&["map", name]).code(0).stdout;
        let mut document: Value = serde_json::from_str(&text).unwrap();
        let created = document["pg2dhis2"]["created"].take();
        assert!(created.is_string());
        document
    };
    assert_eq!(document("other", &other), document("rows", &rows));
}

#[test]
fn chunks_of_any_size_leave_the_same_in_dhis2() {
    let mut stored = Vec::new();
    let mut posts = Vec::new();
    for chunk in [1, 7, 1000] {
        let site = StLucia::at(BOTH[1], T0);
        site.only(&["doses_administered"]);
        site.edit("pg2dhis2.toml", |text| text + &format!("chunk = {chunk}\n"));
        site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
        site.take_out("P36");
        site.take_out("P37");
        site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
        posts.push(site.posts());
        stored.push(site.dhis2.stored());
    }
    assert!(posts[0] > posts[1] && posts[1] > posts[2], "{posts:?}");
    assert_eq!(stored[0], stored[2]);
    assert_eq!(stored[1], stored[2]);
}
