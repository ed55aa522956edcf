//! A plan that a dry run saved is applied whole or not at all, and only to the DHIS2 that it was made from.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rig::dhis2::{Dialect, Row};
use serde_json::Value;

use crate::program::Finished;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::{BOTH, StLucia, T0, count};

/// Everything it names is in scope, so that what vanishes is withdrawn.
const MAPPING: &str = r#"
data-set = "YE8SgpSMBQ9"
queries = ["query.sql"]
period = { type = "Monthly", column = "period" }
value = "value"
absent = "delete"
foreign = "overwrite"

[data-element]
column = "element"
map = { M1eFRJpEkoO = "M1eFRJpEkoO" }

[org-unit]
column = "unit"
map = { VsF9dWr6arv = "VsF9dWr6arv", iztChCalPg5 = "iztChCalPg5" }
"#;

/// 5 in the first unit and 6 in the second, in March 2025.
pub(crate) fn site(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.write("mappings/small.toml", MAPPING);
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '6')",
        UNITS[1]
    ));
    site
}

pub(crate) fn save(site: &SmallSite) -> Finished {
    let args = ["run", "-p", "202503", "--as-of", NOW, "--dry-run"];
    let args: Vec<&str> = args.into_iter().chain(["--save-plan", "plan"]).collect();
    site.program(&args)
}

pub(crate) fn plan_text(site: &SmallSite) -> String {
    fs::read_to_string(site.path("plan")).expect("the plan")
}

pub(crate) fn plan(site: &SmallSite) -> Value {
    serde_json::from_str(&plan_text(site)).expect("JSON")
}

pub(crate) fn apply_json(site: &SmallSite, more: &[&str]) -> Finished {
    let args = ["apply", "plan", "--format", "json"];
    site.program(&args.iter().chain(more).copied().collect::<Vec<_>>())
}

/// A value in a unit of March 2025, stored by somebody.
pub(crate) fn put(site: &SmallSite, unit: &str, value: &str, stored_by: &str) {
    site.dhis2.put(Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: unit.to_owned(),
        value: Some(value.to_owned()),
        comment: Some("as told by the nurse".to_owned()),
        stored_by: stored_by.to_owned(),
        ..Row::default()
    });
}

fn value(site: &SmallSite, unit: &str) -> Option<String> {
    let values = site.dhis2.values();
    let found = values.into_iter().find(|(key, _)| key.2 == unit);
    found.map(|(_, value)| value)
}

pub(crate) fn posts(site: &SmallSite) -> usize {
    let requests = site.dhis2.requests();
    let posts = requests.iter().filter(|request| request.method == "POST");
    posts.count()
}

#[test]
fn a_plan_that_is_applied_leaves_what_a_run_leaves_and_then_nothing_is_left_to_send() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let periods = ["202503", "2024"];
        let saved = site.run(T0, &periods, &["-n", "--save-plan", "plan"]);
        let saved = saved.code(3).json();
        assert_eq!(site.posts(), 0);
        let apply = ["apply", "plan", "--format", "json"];
        let applied = site.program(&apply).code(0).json();
        assert_eq!(
            count(&applied, "/cells/created"),
            count(&saved, "/cells/created")
        );
        assert_eq!(count(&applied, "/cells/created"), 5_678 + 132);
        let by_plan = site.values();

        site.dhis2.forget_requests();
        let again = site.program(&apply).code(0).json();
        assert_eq!(count(&again, "/cells/unchanged"), 5_678 + 132);
        assert_eq!(site.posts(), 0);

        site.dhis2.reset();
        // Emptied on purpose, which a run would ask about.
        fs::remove_file(site.folder.path().join("state/memory.tsv")).unwrap();
        site.run(T0, &periods, &[]).code(3);
        assert_eq!(site.values(), by_plan, "{dialect:?}");
    }
}

#[test]
fn one_cell_that_moved_holds_the_whole_plan_and_is_named() {
    for dialect in BOTH {
        let site = site(dialect);
        save(&site).code(0);
        put(&site, UNITS[1], "7", "admin");
        let held = site.program(&["apply", "plan"]).code(4);
        let held = held
            .stderr_has("1 of 2 cells are no longer as the plan found them; nothing was sent")
            .stderr_has("expected nothing, found 7  202503 | ");
        let line = held.stderr.lines().find(|line| line.contains("expected"));
        assert!(
            line.unwrap().contains(UNITS[1]) && line.unwrap().contains("(last touched by admin, ")
        );
        let report = apply_json(&site, &[]).code(4).json();
        let mapping = &report["mappings"][0];
        assert_eq!(mapping["cells"]["held"], 2);
        assert_eq!(mapping["moved"].as_array().unwrap().len(), 1);
        assert_eq!(mapping["moved"][0]["orgUnit"], UNITS[1]);
        assert_eq!(mapping["moved"][0]["found"], "7");
        assert_eq!(posts(&site), 0);
        assert_eq!(value(&site, UNITS[0]), None);
    }
}

#[test]
fn a_value_that_a_person_took_over_since_moved_though_it_is_the_same() {
    for dialect in BOTH {
        let site = site(dialect);
        site.run().code(0);
        let update = format!("UPDATE t SET value = '9' WHERE unit = '{}'", UNITS[0]);
        site.database.execute(&update);
        save(&site).code(0);
        site.dhis2.forget_requests();
        // The old number, with a comment that says that it is right.
        put(&site, UNITS[0], "5", "nurse");
        site.program(&["apply", "plan"]).code(4);
        assert_eq!(posts(&site), 0);
        assert_eq!(value(&site, UNITS[0]).as_deref(), Some("5"));
    }
}

#[test]
fn a_cell_that_has_its_new_value_already_is_done() {
    for dialect in BOTH {
        let site = site(dialect);
        save(&site).code(0);
        put(&site, UNITS[1], "6.0", "admin");
        let report = apply_json(&site, &[]).code(0).json();
        let cells = &report["mappings"][0]["cells"];
        assert_eq!(
            (&cells["unchanged"], &cells["created"]),
            (&1.into(), &1.into())
        );
        assert_eq!(value(&site, UNITS[0]).as_deref(), Some("5"));
        assert_eq!(value(&site, UNITS[1]).as_deref(), Some("6.0"));
    }
}

#[test]
fn a_plan_has_no_comment_and_what_the_cell_says_when_it_is_applied_stays() {
    for dialect in BOTH {
        let site = site(dialect);
        put(&site, UNITS[0], "4711", "admin");
        let told = save(&site).code(0);
        let digest = plan(&site)["digest"].as_str().unwrap().to_owned();
        told.stderr_has(&format!("the plan is in plan; its digest is {digest}"));
        assert!(!plan_text(&site).contains("nurse"));
        let saved = plan(&site);
        let changes = &saved["mappings"][0]["changes"];
        let first = &changes[0];
        let (theirs, ours) = match first["orgUnit"] == UNITS[0] {
            true => (first, &changes[1]),
            false => (&changes[1], first),
        };
        assert_eq!(theirs["kind"], "update");
        assert_eq!(
            (&theirs["old"], &theirs["new"]),
            (&"4711".into(), &"5".into())
        );
        assert_eq!(
            (&theirs["foreign"], &ours["foreign"]),
            (&true.into(), &false.into())
        );
        assert_eq!((&ours["old"], &ours["new"]), (&Value::Null, &"6".into()));
        assert_eq!(saved["dhis2"]["user"], "loader");
        let mode = fs::metadata(site.path("plan")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600);

        site.program(&["apply", "plan"]).code(0);
        let rows = site.dhis2.stored();
        let row = rows.iter().find(|row| row["ou"] == UNITS[0]).unwrap();
        assert_eq!(
            (&row["value"], &row["comment"], &row["storedby"]),
            (
                &"5".into(),
                &"as told by the nurse".into(),
                &"loader".into()
            )
        );
    }
}

#[test]
fn withdrawals_are_applied_unless_somebody_stored_the_cell_since() {
    for dialect in BOTH {
        for (absent, kind, after) in [("delete", "delete", None), ("zero", "zero", Some("0"))] {
            let site = site(dialect);
            let written = format!("absent = \"{absent}\"");
            site.replace("mappings/small.toml", "absent = \"delete\"", &written);
            site.run().code(0);
            site.database
                .execute(&format!("DELETE FROM t WHERE unit = '{}'", UNITS[1]));
            save(&site).code(0);
            let change = &plan(&site)["mappings"][0]["changes"][0];
            assert_eq!(
                (&change["kind"], &change["old"]),
                (&kind.into(), &"6".into())
            );
            let new = if absent == "zero" {
                "0".into()
            } else {
                Value::Null
            };
            assert_eq!(change["new"], new);

            // Its value is the same, and it is theirs now.
            put(&site, UNITS[1], "6", "admin");
            site.dhis2.forget_requests();
            let held = site.program(&["apply", "plan"]).code(4);
            held.stderr_has("expected 6, found 6  202503 | ")
                .stderr_has("(last touched by admin, ");
            assert_eq!(posts(&site), 0);

            put(&site, UNITS[1], "6", "loader");
            site.program(&["apply", "plan"]).code(0).silent();
            let left = value(&site, UNITS[1]);
            // The old engine keeps no zero of this element.
            let kept = after.filter(|_| dialect == Dialect::V2_43);
            assert_eq!(left.as_deref(), kept, "{dialect:?} {absent}");
            site.dhis2.forget_requests();
            site.program(&["apply", "plan"]).code(0).silent();
            assert_eq!(posts(&site), 0);
        }
    }
}

#[test]
fn a_plan_is_for_the_dhis2_that_it_was_made_from() {
    let (site, other) = (site(Dialect::V2_43), site(Dialect::V2_43));
    save(&site).code(0);
    other.write("plan", &plan_text(&site));
    let apply = other.program(&["apply", "plan"]);
    other.refused(apply, 14, "the plan is for the DHIS2 at http://");
    assert!(other.dhis2.requests().is_empty());
}

#[test]
fn apply_can_be_tried_without_sending_and_waits_for_no_lock_then() {
    let site = site(Dialect::V2_43);
    save(&site).code(0);
    fs::create_dir(site.path("state")).unwrap();
    let state = fs::File::open(site.path("state")).unwrap();
    state.try_lock().unwrap();
    site.program(&["apply", "plan"])
        .code(11)
        .stderr_has("another run is active");
    let report = apply_json(&site, &["-n"]).code(0).json();
    assert_eq!(report["command"], "apply");
    assert_eq!(report["dry-run"], true);
    assert_eq!(report["mappings"][0]["cells"]["created"], 2);
    let report = apply_json(&site, &["--dry-run=server"]).code(0).json();
    assert_eq!(report["mappings"][0]["server-dry-run"]["accepted"], 2);
    assert!(site.dhis2.stored().is_empty());
}
