//! `--dry-run=server`: DHIS2 is asked what it would do, and stores nothing; a plain dry run asks it nothing.

use rig::dhis2::{Apply, Dialect, Row};
use serde_json::{Value, json};

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::{BOTH, StLucia, T0, count};

const ASK: [&str; 6] = ["run", "-p", "202503", "--as-of", NOW, "--dry-run=server"];

/// 5 in the first unit and 6 in the second, in March 2025.
fn site(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '6')",
        UNITS[1]
    ));
    site
}

fn asked(site: &SmallSite, code: i32) -> Value {
    let args: Vec<&str> = ASK.into_iter().chain(["--format", "json"]).collect();
    let report = site.program(&args).code(code).json();
    report["mappings"][0].clone()
}

/// The paths of all POSTs.
fn posts(site: &SmallSite) -> Vec<String> {
    let requests = site.dhis2.requests().into_iter();
    let posts = requests.filter(|request| request.method == "POST");
    posts.map(|request| request.path).collect()
}

/// The data set without its first unit.
fn unassigned() -> String {
    let units: Vec<Value> = ["iztChCalPg5", "OaNvCC56gXc", "Byp0j7hFVVU"]
        .iter()
        .map(|id| json!({ "id": id }))
        .collect();
    json!({ "dataSets": [{ "id": "YE8SgpSMBQ9", "organisationUnits": units }] }).to_string()
}

#[test]
fn dhis2_is_asked_and_agrees_and_stores_nothing() {
    for dialect in BOTH {
        let site = site(dialect);
        let told = site.program(&ASK).code(0);
        told.stderr_has("DHIS2's own dry run agrees: it accepts 2 changes")
            .stderr_has("; predicted 2 created")
            .stderr_has("dry run, nothing was written; a run would exit 0")
            .stderr_has(match dialect {
                Dialect::V2_42 => "it counts 2 imported",
                Dialect::V2_43 => "counts every value that passes its checks as updated",
            });
        let said = &asked(&site, 0)["server-dry-run"];
        assert_eq!(said["agrees"], true);
        assert_eq!(said["accepted"], 2);
        assert_eq!(said["predicted"], json!({ "create": 2 }));
        let posts = posts(&site);
        assert_eq!(posts.len(), 2);
        assert!(
            posts.iter().all(|path| path.contains("dryRun=true")),
            "{posts:?}"
        );
        assert!(site.dhis2.stored().is_empty());
        assert!(!site.path("state").exists());
    }
}

#[test]
fn what_dhis2_would_refuse_is_told_beside_what_we_predict() {
    for dialect in BOTH {
        let site = site(dialect);
        site.dhis2.merge_metadata_at_first_post(&unassigned());
        let mapping = asked(&site, 3);
        let said = &mapping["server-dry-run"];
        let code = match dialect {
            Dialect::V2_42 => "E7636",
            Dialect::V2_43 => "E8022",
        };
        assert_eq!(said["agrees"], false);
        assert_eq!(said["predicted"], json!({ "create": 2 }));
        assert_eq!(
            (&said["accepted"], &said["rejected"]),
            (&1.into(), &1.into())
        );
        assert_eq!(said["rejects"][0]["orgUnit"], UNITS[0]);
        assert_eq!(said["rejects"][0]["code"], code);
        assert_eq!(mapping["cells"]["rejected"], 1);
        assert_eq!(mapping["cells"]["created"], 1);
        assert!(posts(&site).iter().all(|path| path.contains("dryRun=true")));
        assert!(site.dhis2.stored().is_empty(), "{dialect:?}");

        // The run does as it was told.
        let site = self::site(dialect);
        site.dhis2.merge_metadata_at_first_post(&unassigned());
        site.run().code(3).stderr_has(code);
        assert_eq!(site.dhis2.values().len(), 1);
    }
}

#[test]
fn what_dhis2_would_refuse_is_named_for_people() {
    let site = site(Dialect::V2_43);
    site.dhis2.merge_metadata_at_first_post(&unassigned());
    let told = site.program(&ASK).code(3);
    let told = told
        .stderr_has("DHIS2's own dry run differs:")
        .stderr_has("accepts 1 of 2")
        .stderr_has("rejects 1, listed above");
    let line = told
        .stderr
        .lines()
        .find(|line| line.contains("E8022 202503"));
    assert!(line.unwrap().contains(UNITS[0]), "{}", told.stderr);
}

#[test]
fn a_plain_dry_run_posts_nothing() {
    for dialect in BOTH {
        for flag in ["--dry-run", "-n", "--dry-run=local"] {
            let site = site(dialect);
            let mut args = ASK.to_vec();
            args[5] = flag;
            site.program(&args).code(0);
            assert_eq!(posts(&site), [""; 0], "{flag}");
        }
    }
}

#[test]
fn a_value_that_is_held_is_not_asked_about_and_the_others_are() {
    let site = site(Dialect::V2_43);
    site.dhis2.put(Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: UNITS[0].to_owned(),
        value: Some("7".to_owned()),
        stored_by: "admin".to_owned(),
        ..Row::default()
    });
    let said = &asked(&site, 4)["server-dry-run"];
    assert_eq!(
        (&said["accepted"], &said["unknown"]),
        (&1.into(), &0.into())
    );
    assert_eq!(posts(&site).len(), 1);
    let live = site.dhis2.values().into_values();
    assert_eq!(live.collect::<Vec<_>>(), ["7"]);
}

#[test]
fn a_server_that_does_not_answer_for_a_change_does_not_agree() {
    for dialect in BOTH {
        let site = site(dialect);
        let answer =
            json!({ "httpStatus": "Unauthorized", "httpStatusCode": 401, "status": "ERROR" });
        site.dhis2
            .answer_next_post_with(401, answer, Apply::Nothing);
        let said = &asked(&site, 5)["server-dry-run"];
        assert_eq!(said["agrees"], false);
        assert_eq!(
            (&said["accepted"], &said["unknown"]),
            (&0.into(), &2.into())
        );
        assert_eq!(posts(&site).len(), 1);
    }
}

#[test]
fn a_whole_month_is_asked_about_in_imports_of_one_period() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let periods = ["202503", "202502", "2024"];
        let report = site.run(T0, &periods, &["--dry-run=server"]).code(3).json();
        let accepted = count(&report, "/server-dry-run/accepted");
        assert_eq!(accepted, count(&report, "/cells/created"));
        assert!(accepted > 5_678 + 132);
        assert_eq!(count(&report, "/cells/rejected"), 0);
        // Two months of up to 6,000 values, and 132 of a year.
        assert!((11..=16).contains(&site.posts()), "{}", site.posts());
        assert!(site.dhis2.stored().is_empty());
    }
}

#[test]
fn nothing_is_registered_as_complete_while_dhis2_is_asked() {
    for dialect in BOTH {
        let site = site(dialect);
        let complete = "absent = \"leave\"\ncomplete = \"after 5d\"";
        site.replace("mappings/small.toml", "absent = \"leave\"", complete);
        let mapping = asked(&site, 0);
        assert_eq!(mapping["complete"]["registered"], 2);
        let posts = posts(&site);
        assert_eq!(posts.len(), 1);
        assert!(posts[0].contains("dryRun=true"), "{posts:?}");
        assert!(!site.path("state").exists());
    }
}
