//! A source that went wrong, rules that ran out, rights that are gone: nothing is sent, and the message says what to
//! look at. All on St. Lucia's own mapping and its default guards.

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::st_lucia::{BOTH, StLucia, T0};

const MONTHLY: &str = "mappings/epi-monthly.toml";
const MARCH: [&str; 1] = ["202503"];

/// March 2025 is in DHIS2, and nothing has been asked since.
pub(crate) fn loaded(dialect: Dialect) -> StLucia {
    let site = StLucia::at(dialect, T0);
    site.run(T0, &MARCH, &["-m", "epi-monthly"]).code(3);
    site.dhis2.forget_requests();
    site
}

/// The next run sends nothing, ends with the code and says all of these words in one line.
#[track_caller]
fn is_stopped(site: &StLucia, code: i32, words: &[&str]) {
    let before = site.dhis2.stored();
    let run = site.program(&["run", "-m", "epi-monthly", "-p", "202503", "--as-of", T0]);
    let run = run.code(code);
    let told =
        |line: &str| line.starts_with("pg2dhis2: ") && words.iter().all(|w| line.contains(w));
    assert!(run.stderr.lines().any(told), "{words:?}\n{}", run.stderr);
    assert_eq!(site.posts(), 0);
    assert_eq!(site.dhis2.stored(), before);
}

pub(crate) fn change(site: &StLucia, sql: &str) {
    site.database
        .execute(&format!("SET session_replication_role = replica; {sql}"));
}

#[test]
fn rules_that_return_nothing_hold_the_mapping() {
    for dialect in BOTH {
        let site = loaded(dialect);
        site.replace(
            "queries/mapping_rules.sql",
            "WHERE r.source_kind = 'municipality'",
            "WHERE false",
        );
        let words = [
            "202503: 7802 of 7802 rows are unmapped (100%)",
            "max-unmapped allows 2%",
            "mend the rules",
        ];
        is_stopped(&site, 4, &words);
    }
}

#[test]
fn the_rules_of_one_town_that_expire_hold_the_mapping() {
    let site = loaded(BOTH[1]);
    change(
        &site,
        "UPDATE interop.data_mapping_rules SET valid_to = '2025-02-28'
         WHERE source_key = 'LABORIE VILLAGE' AND valid_from <= '2025-02-28'",
    );
    // 175 rows of that town, two of them among the 67 that are always unmapped; 6 of 7802 are excluded.
    let words = [
        "240 of 7796 rows are unmapped (3.08%)",
        "max-unmapped",
        "--release",
    ];
    is_stopped(&site, 4, &words);
}

#[test]
fn a_rule_version_that_loses_a_third_of_the_municipalities_holds_the_mapping() {
    let site = loaded(BOTH[0]);
    change(
        &site,
        "INSERT INTO interop.mapping_ruleset VALUES (9, 'published', '2025-12-31', 'incomplete');
         INSERT INTO interop.data_mapping_rules
         SELECT rule_id + 900000, 9, source_kind, source_key, action, orgunit_uid, orgunit_code, priority, valid_from, valid_to, note
         FROM interop.data_mapping_rules WHERE version_no = 3 AND hashtext(source_key) % 3 <> 0",
    );
    is_stopped(&site, 4, &["rows are unmapped", "max-unmapped allows 2%"]);
}

#[test]
fn the_eleven_keys_of_one_unit_excluded_by_mistake_hold_the_mapping() {
    for dialect in BOTH {
        let site = loaded(dialect);
        let unit = &site.database.query(
            "SELECT orgunit_uid FROM interop.data_mapping_rules
             WHERE version_no = 3 AND valid_from <= '2025-03-01' AND coalesce(valid_to, '2025-03-01') >= '2025-03-01'
             GROUP BY 1 ORDER BY count(DISTINCT source_key) DESC LIMIT 1",
        )[0][0];
        let unit = unit.as_deref().expect("a unit");
        change(
            &site,
            &format!(
                "UPDATE interop.data_mapping_rules SET action = 'exclude', orgunit_uid = NULL
                 WHERE version_no = 3 AND orgunit_uid = '{unit}'"
            ),
        );
        is_stopped(&site, 4, &["202503: ", "would be withdrawn", unit]);
    }
}

#[test]
fn an_empty_table_of_doses_holds_the_mapping() {
    let site = loaded(BOTH[1]);
    change(&site, "DELETE FROM imm.immunization_event");
    is_stopped(
        &site,
        4,
        &[
            "doses_administered.sql",
            "returned no row",
            "look at what the query reads",
        ],
    );
}

#[test]
fn sessions_alone_that_are_gone_hold_the_mapping() {
    for dialect in BOTH {
        let site = loaded(dialect);
        change(&site, "DELETE FROM imm.immunization_session");
        let run = site.run(T0, &MARCH, &["-m", "epi-monthly"]).code(4).json();
        let guards = run["mappings"][0]["guards"].as_array().unwrap();
        let silent = guards.iter().find(|guard| guard["guard"] == "silent-query");
        let text = silent.expect("a query without rows")["text"]
            .as_str()
            .unwrap();
        assert!(text.contains("sessions.sql returned no row"), "{text}");
        assert!(text.contains("LC EPI - "), "{text}");
        assert_eq!(site.posts(), 0);
        is_stopped(&site, 4, &["held by a guard"]);
    }
}

#[test]
fn a_role_that_lost_a_grant_is_refused() {
    let site = loaded(BOTH[1]);
    site.database
        .execute("REVOKE SELECT ON imm.immunization_session FROM sluhis_dhis2_reader");
    is_stopped(&site, 13, &["sessions.sql", "immunization_session"]);
}

#[test]
fn row_level_security_that_hides_half_is_refused_rather_than_believed() {
    let site = loaded(BOTH[0]);
    site.database.execute(
        "ALTER TABLE imm.immunization_event ENABLE ROW LEVEL SECURITY;
         CREATE POLICY half ON imm.immunization_event USING (event_id % 2 = 0)",
    );
    is_stopped(&site, 13, &["doses_administered.sql", "row-level security"]);
}

#[test]
fn the_database_of_another_year_holds_the_mapping() {
    let site = loaded(BOTH[1]);
    // A copy from before the year began.
    change(
        &site,
        "DELETE FROM imm.immunization_event WHERE recorded_at >= '2025-01-01';
         DELETE FROM imm.immunization_session WHERE planned_on >= '2025-01-01';
         DELETE FROM imm.stock_transaction WHERE txn_on >= '2025-01-01';
         DELETE FROM imm.aefi_report WHERE reported_at >= '2025-01-01';
         DELETE FROM surv.vpd_case",
    );
    is_stopped(&site, 4, &["held by a guard", "--release"]);
}

#[test]
fn an_account_that_lost_the_right_to_read_data_is_refused() {
    for dialect in BOTH {
        let site = loaded(dialect);
        let sharing =
            json!({"public": "r-w-----", "external": false, "users": {}, "userGroups": {}});
        let set = json!({"dataSets": [{"id": "fTTHFe1SktZ", "sharing": sharing}]});
        site.dhis2.merge_metadata(&set.to_string());
        is_stopped(
            &site,
            14,
            &[
                "may neither read nor write data of",
                "change the data sharing",
            ],
        );
    }
}

#[test]
fn what_is_released_is_sent_once_and_another_plan_is_not() {
    for dialect in BOTH {
        let site = loaded(dialect);
        change(&site, "DELETE FROM imm.immunization_session");
        let run = |more: &[&str]| site.run(T0, &MARCH, &[&["-m", "epi-monthly"], more].concat());
        let held = run(&["--dry-run"]).code(4).json();
        let digest = held["mappings"][0]["digest"].as_str().unwrap().to_owned();
        assert_eq!(run(&[]).code(4).json()["mappings"][0]["digest"], *digest);

        run(&["--release", "000000000000"]).code(4);
        // Another value is another plan.
        site.take_out("P36");
        run(&["--release", &digest]).code(4);
        assert_eq!(site.posts(), 0);

        let held = run(&[]).code(4).json();
        let digest = held["mappings"][0]["digest"].as_str().unwrap().to_owned();
        let released = run(&["--release", &digest]).code(3).json();
        assert_eq!(released["mappings"][0]["released"], true);
        let sessions = |value: &Value| value["mappings"][0]["cells"]["zeroed"].as_u64().unwrap();
        assert!(
            sessions(&released) > 100,
            "{}",
            released["mappings"][0]["cells"]
        );
        // Zeros stand where the sessions were, and no number of ours is left that no row is about.
        let again = run(&[]).code(3).json();
        assert_eq!(again["mappings"][0]["changes"], json!([]));
    }
}

#[test]
fn a_guard_is_what_the_mapping_says() {
    let site = loaded(BOTH[1]);
    change(
        &site,
        "DELETE FROM imm.immunization_event WHERE event_id % 3 = 0",
    );
    // A third of the doses is a fall of their elements, which alone are held.
    let run = site.program(&["run", "-m", "epi-monthly", "-p", "202503", "--as-of", T0]);
    let run = run.code(4).stderr_has("held by a guard");
    let words = [
        "changes are not sent: 202503: the total of",
        "max-decrease allows 10%",
    ];
    assert!(
        words.iter().all(|words| run.stderr.contains(words)),
        "{}",
        run.stderr
    );
    site.unguarded();
    site.run(T0, &MARCH, &["-m", "epi-monthly"]).code(3);
    site.dhis2.forget_requests();
    site.replace(MONTHLY, "min-rows = 0", "min-rows = 1000000");
    is_stopped(
        &site,
        4,
        &["the queries returned", "min-rows expects 1000000"],
    );
}
