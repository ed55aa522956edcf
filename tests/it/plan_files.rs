//! The file of a plan: when it is written, what is in it, and which are refused.

use rig::dhis2::Dialect;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::docs::{doc, names};
use crate::plans::{apply_json, plan, plan_text, posts, put, save, site};
use crate::small_site::{NOW, SmallSite, UNITS};
use crate::st_lucia::BOTH;

/// Changes the plan as its owner could, with a digest that fits again.
fn forge(site: &SmallSite, edit: impl FnOnce(String) -> String) -> String {
    let text = plan_text(site);
    let (_, rest) = text.split_once('\n').expect("a first line");
    let rest = edit(rest.to_owned());
    let digest = Sha256::digest(rest.as_bytes());
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let first = format!(r#"{{"pg2dhis2":"plan/1","digest":"{digest}","#);
    site.write("plan", &format!("{first}\n{rest}"));
    digest
}

#[test]
fn a_plan_that_is_not_as_it_was_written_is_refused() {
    let site = site(Dialect::V2_43);
    save(&site).code(0);
    let text = plan_text(&site);
    let pretty = serde_json::to_string_pretty(&plan(&site)).unwrap();
    let without_a_change: Vec<&str> = text
        .lines()
        .filter(|line| !line.starts_with(",{\"kind\""))
        .collect();
    let edited = "is not as it was written";
    for (content, words) in [
        (text.replace("\"new\":\"6\"", "\"new\":\"60\""), edited),
        (text.replace("\"held\":false", "\"held\":true"), edited),
        (text.replace("\"created\":\"20", "\"created\":\"21"), edited),
        (without_a_change.join("\n"), edited),
        (text[..text.len() - 5].to_owned(), edited),
        (format!("{text}\n"), edited),
        (pretty, edited),
        (text.replace("plan/1", "plan/2"), "another version"),
        ("{\"pg2dhis2\":\"plan/2\"}".to_owned(), "another version"),
        ("{\"dataValues\":[]}".to_owned(), "is no plan"),
        (String::new(), "is no plan"),
    ] {
        assert_ne!(content, text);
        site.write("plan", &content);
        site.refused(site.program(&["apply", "plan"]), 2, words);
    }
    let missing = site.program(&["apply", "missing"]);
    site.refused(missing, 2, "the plan missing cannot be read");
    assert!(
        site.dhis2
            .requests()
            .iter()
            .all(|call| call.method == "GET")
    );
}

#[test]
fn a_plan_that_fits_its_digest_and_contradicts_itself_is_refused() {
    let site = site(Dialect::V2_43);
    save(&site).code(0);
    let text = plan_text(&site);
    for (old, new, words) in [
        ("\"new\":\"6\"", "\"new\":null", "no new value"),
        (UNITS[1], UNITS[0], "two are of one cell"),
        ("Monthly", "Quarterly", "another period type"),
        ("\"foreign\":false", "\"comment\":\"x\"", "not of our form"),
    ] {
        site.write("plan", &text);
        forge(&site, |rest| {
            assert!(rest.contains(old), "{old}");
            rest.replace(old, new)
        });
        site.refused(site.program(&["apply", "plan"]), 2, words);
    }
}

#[test]
fn a_plan_that_is_too_old_needs_to_be_released_by_its_digest() {
    for dialect in BOTH {
        let site = site(dialect);
        save(&site).code(0);
        let digest = forge(&site, |rest| {
            let created = plan(&site)["created"].as_str().unwrap().to_owned();
            rest.replace(&created, "2026-01-01T00:00:00Z")
        });
        site.dhis2.forget_requests();
        let release = format!("apply it with --release {}", &digest[..12]);
        let held = site.program(&["apply", "plan"]).code(4);
        held.stderr_has("minutes old, and max-age allows 360;")
            .stderr_has(&release);
        let other = "0".repeat(64);
        let report = apply_json(&site, &["--release", &other]).code(4).json();
        assert_eq!(report["mappings"][0]["cells"]["held"], 2);
        assert!(site.dhis2.requests().is_empty(), "{dialect:?}");

        let args = ["--release", &other, "--release", &digest[..12]];
        let report = apply_json(&site, &args).code(0).json();
        assert_eq!(report["mappings"][0]["cells"]["created"], 2);
    }
}

#[test]
fn a_mapping_that_is_held_is_saved_as_such_and_not_applied() {
    let site = site(Dialect::V2_43);
    site.replace("mappings/small.toml", "\"overwrite\"", "\"hold\"");
    put(&site, UNITS[0], "4711", "admin");
    save(&site).code(4);
    assert_eq!(plan(&site)["mappings"][0]["held"], true);
    site.program(&["apply", "plan"])
        .code(4)
        .stderr_has("small was held when the plan was made");
    assert_eq!(posts(&site), 0);
}

#[test]
fn a_plan_is_saved_by_a_dry_run_alone_and_only_whole() {
    let site = site(Dialect::V2_43);
    let run = ["run", "-p", "202503", "--as-of", NOW, "--save-plan", "plan"];
    site.program(&run).code(2).stderr_has("--dry-run");
    site.program(&["push", "--save-plan", "plan"]).code(2);
    let nowhere = ["run", "-p", "202503", "-n", "--save-plan", "no/where/plan"];
    site.program(&nowhere).code(10).stderr_has("--save-plan");
    site.replace("mappings/query.sql", "value FROM t", "nothing FROM t");
    save(&site)
        .code(13)
        .stderr_has("no plan was saved in plan: it would not be complete");
    assert!(!site.path("plan").exists());
}

#[test]
fn push_saves_the_plan_that_run_does_and_the_docs_tell_its_members() {
    let site = site(Dialect::V2_43);
    save(&site).code(0);
    let of_run = plan(&site);
    let extract = ["extract", "-m", "small", "-p", "202503", "-o", "rows"];
    site.program(&extract).code(0);
    site.program(&["map", "rows", "-o", "document"]).code(0);
    let push = ["push", "document", "-n", "--save-plan", "plan"];
    site.program(&push).code(0);
    let of_push = plan(&site);
    for member in ["name", "data-set", "period-type", "digest", "changes"] {
        assert_eq!(
            of_run["mappings"][0][member],
            of_push["mappings"][0][member]
        );
    }
    // A digest is of the lines of the changes, as anybody can count it again.
    let text = plan_text(&site);
    let lines = text.lines().map(|line| line.trim_start_matches(','));
    let lines = lines.filter(|line| line.starts_with("{\"kind\""));
    let mut digest = Sha256::new();
    lines.for_each(|line| digest.update(format!("{line}\n")));
    let digest: String = digest
        .finalize()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(of_push["mappings"][0]["digest"], digest.as_str());

    let members = |value: &Value| value.as_object().unwrap().keys().cloned().collect();
    let formats = doc("formats");
    assert_eq!(
        names(&formats, "| member of a plan | what |\n"),
        members(&of_run)
    );
    let mapping = &of_run["mappings"][0];
    let heading = "| member of a plan's mapping | what |\n";
    assert_eq!(names(&formats, heading), members(mapping));
    let change = "| member of a plan's change | what |\n";
    assert_eq!(names(&formats, change), members(&mapping["changes"][0]));
}

#[test]
fn a_plan_that_a_guard_holds_is_saved_as_such_until_a_person_lets_it_pass() {
    let site = site(Dialect::V2_43);
    site.run().code(0);
    site.database.execute("DELETE FROM t");
    site.replace(
        "mappings/small.toml",
        "absent = ",
        "guards.min-rows = 2\nabsent = ",
    );
    save(&site).code(4).stderr_has("held by a guard");
    assert_eq!(plan(&site)["mappings"][0]["held"], true);
    site.dhis2.forget_requests();
    site.program(&["apply", "plan"]).code(4);
    assert_eq!(posts(&site), 0);

    let ask = ["run", "-p", "202503", "--as-of", NOW, "--dry-run"];
    let ask = [&ask, ["--format", "json"].as_slice()].concat();
    let report = site.program(&ask).code(4).json();
    let digest = report["mappings"][0]["digest"].as_str().unwrap();
    let released = [
        &ask,
        ["--release", digest, "--save-plan", "plan"].as_slice(),
    ]
    .concat();
    site.program(&released).code(0);
    assert_eq!(plan(&site)["mappings"][0]["held"], false);
    site.program(&["apply", "plan"]).code(0);
    assert!(site.dhis2.values().is_empty());
}
