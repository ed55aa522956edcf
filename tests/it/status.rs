//! `status`: what a monitoring agent asks each hour.

use rig::dhis2::Dialect;
use rig::st_lucia::LOADER_TOKEN;
use serde_json::{Value, json};

use crate::small_site::{NUMBER, SmallSite, UNITS};

fn status(site: &SmallSite, args: &[&str], code: i32) -> Value {
    let base = ["status", "-p", "202503", "--format", "json"];
    let args: Vec<&str> = base.iter().chain(args).copied().collect();
    let told = site.program(&args).code(code).json();
    assert_eq!(told["exit"], code);
    told["mappings"][0].clone()
}

#[test]
fn before_the_first_run_everything_is_stale() {
    let site = SmallSite::new(Dialect::V2_43);
    let small = status(&site, &[], 5);
    assert_eq!(small["state"], "stale");
    assert_eq!(small["last-success"], Value::Null);
    assert_eq!(small["never-confirmed"], json!(["202503"]));
    assert!(!site.path("state").exists());
}

#[test]
fn a_mapping_is_fresh_after_a_run_until_it_is_too_old() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    let small = status(&site, &[], 0);
    assert_eq!(small["state"], "fresh");
    assert_eq!(small["last-values"]["cells"], 1);
    assert_eq!(small["last-run"]["exit"], 0);
    assert_eq!(small["open"], json!([]));
    let values = small["last-values"]["at"].clone();
    assert_eq!(status(&site, &["--max-age", "0s"], 5)["state"], "stale");
    // A run without a change is a success, and changed no value.
    site.run().code(0);
    let again = status(&site, &["--max-age", "2d"], 0);
    assert_eq!(again["last-values"]["at"], values);
    assert_ne!(again["last-success"], values);
    let text = site.program(&["status", "-p", "202503"]).code(0).stdout;
    assert!(
        text.starts_with("fresh: 1 mapping\nsmall: fresh; last success "),
        "{text}"
    );
}

#[test]
fn a_period_that_no_run_confirmed_is_a_gap() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    let small = status(&site, &["-p", "202502..202504"], 3);
    assert_eq!(small["never-confirmed"], json!(["202502", "202504"]));
    assert_eq!(small["state"], "open");
}

#[test]
fn open_problems_are_told_with_since_when() {
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "mappings/small.toml",
        "column = \"unit\"",
        &format!("column = \"unit\"\nmap = {{ known = \"{}\" }}", UNITS[0]),
    );
    site.replace(
        "mappings/small.toml",
        "absent = ",
        "guards.max-unmapped = \"100%\"\nabsent = ",
    );
    site.database.execute(&format!(
        "UPDATE t SET unit = 'known'; INSERT INTO t VALUES ('{NUMBER}', 'Ward of Marie', '202503', '1')"
    ));
    site.run().code(3);
    site.run().code(3);
    let small = status(&site, &[], 3);
    let open = small["open"].as_array().unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0]["what"], "unmapped");
    assert_eq!(open[0]["reason"], "org-unit");
    assert_eq!(open[0]["tries"], 2);
    assert_eq!(open[0]["periods"], json!(["202503"]));
    let subject = open[0]["subject"].as_str().unwrap();
    assert!(
        subject.starts_with("key #") && subject.ends_with(", 13 characters"),
        "{subject}"
    );
    assert!(open[0]["first"].as_str() < open[0]["last"].as_str());
    // In another period than those that are looked at, it waits for a backfill.
    let other = site.program(&["status", "-p", "202504", "--format", "json"]);
    let other = other.code(3).json()["mappings"][0].clone();
    assert_eq!(other["open"], json!([]));
    assert_eq!(other["open-in-older-periods"], 1);
    // No byte of the history has the key.
    for (path, content) in site.files() {
        let found = String::from_utf8_lossy(&content).contains("Marie");
        assert!(!found, "{}", path.display());
    }

    site.database.execute("DELETE FROM t WHERE unit <> 'known'");
    site.run().code(0);
    assert_eq!(status(&site, &[], 0)["open"], json!([]));
}

#[test]
fn a_last_run_that_failed_is_told_while_the_success_before_is_fresh() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    let success = status(&site, &[], 0)["last-success"].clone();
    site.write("dhis2.token", "d2pat_nobodys");
    site.run().code(12);
    let small = status(&site, &[], 3);
    assert_eq!(small["last-success"], success);
    assert_eq!(small["last-run"]["exit"], 12);
    // Where the source does not answer, the mapping got nowhere either.
    site.write("dhis2.token", LOADER_TOKEN);
    let rest = site.database.url();
    site.replace(
        "pg2dhis2.toml",
        &rest,
        "postgresql://nobody@127.0.0.1:1/none",
    );
    site.run().code(5);
    let small = status(&site, &[], 3);
    assert_eq!(small["last-success"], success);
    assert_eq!(small["last-run"]["exit"], 5);
}
