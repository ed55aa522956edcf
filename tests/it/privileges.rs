//! A role or an account that may do more than its task is refused by the name of the right, or told in every report.

use std::fs;

use rig::dhis2::{Dialect, Setup, StandIn};
use rig::st_lucia::{SYNC_ROLE, metadata};
use serde_json::json;

use crate::small_site::{NOW, SmallSite};
use crate::st_lucia::{StLucia, T0, repository};

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

/// Lets the site connect as a role, which is made if it is not there; roles are the cluster's, so that each has its test.
fn as_role(site: &SmallSite, role: &str) {
    site.database.execute(&format!(
        "DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
         GRANT SELECT ON t TO {role};"
    ));
    let (old, new) = (site.database.url(), site.database.url_as(role));
    site.replace("pg2dhis2.toml", &old, &new);
}

/// What gives `{role}` a right, and the name of the right.
const EXCESS: [(&str, &str); 22] = [
    ("ALTER ROLE {role} SUPERUSER", "SUPERUSER"),
    ("ALTER ROLE {role} BYPASSRLS", "BYPASSRLS"),
    ("ALTER ROLE {role} CREATEROLE", "CREATEROLE"),
    ("ALTER ROLE {role} CREATEDB", "CREATEDB"),
    ("ALTER ROLE {role} REPLICATION", "REPLICATION"),
    (
        "GRANT CREATE ON DATABASE {database} TO {role}",
        "CREATE on database {database}",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO {role}",
        "CREATE on schema public",
    ),
    (
        "GRANT CREATE ON SCHEMA public TO PUBLIC",
        "CREATE on schema public",
    ),
    ("GRANT INSERT ON t TO {role}", "INSERT on public.t"),
    ("GRANT INSERT (value) ON t TO {role}", "INSERT on public.t"),
    ("GRANT UPDATE ON t TO {role}", "UPDATE on public.t"),
    ("GRANT UPDATE (value) ON t TO PUBLIC", "UPDATE on public.t"),
    ("GRANT DELETE ON t TO {role}", "DELETE on public.t"),
    ("GRANT TRUNCATE ON t TO {role}", "TRUNCATE on public.t"),
    (
        "ALTER TABLE t OWNER TO {role}",
        "INSERT on public.t, UPDATE on public.t, DELETE on public.t, TRUNCATE on public.t",
    ),
    (
        "CREATE TABLE u (); CREATE VIEW v AS SELECT 1 AS n; GRANT DELETE ON t, u, v TO {role}",
        "DELETE on public.t and 2 more",
    ),
    (
        "GRANT pg_read_server_files TO {role}",
        "membership in pg_read_server_files",
    ),
    (
        "GRANT pg_write_server_files TO {role}",
        "membership in pg_write_server_files",
    ),
    (
        "GRANT pg_execute_server_program TO {role}",
        "membership in pg_execute_server_program",
    ),
    (
        "GRANT pg_signal_backend TO {role}",
        "membership in pg_signal_backend",
    ),
    // What it may become by SET ROLE, it is.
    (
        "CREATE ROLE {role}_group NOLOGIN; GRANT DELETE ON t TO {role}_group; ALTER ROLE {role} NOINHERIT; GRANT {role}_group TO {role}",
        "DELETE on public.t",
    ),
    (
        "CREATE ROLE {role}_super NOLOGIN SUPERUSER; ALTER ROLE {role} NOINHERIT; GRANT {role}_super TO {role}",
        "SUPERUSER",
    ),
];

#[test]
fn a_role_that_may_do_more_than_read_is_refused_by_the_name_of_the_right() {
    for (number, (grant, right)) in EXCESS.into_iter().enumerate() {
        let site = site();
        let role = format!("excess_{}_{number}", std::process::id());
        as_role(&site, &role);
        let filled = |text: &str| {
            let text = text.replace("{role}", &role);
            text.replace("{database}", site.database.name())
        };
        site.run().code(0).silent();
        site.dhis2.reset();
        site.dhis2.forget_requests();
        site.database.execute(&filled(grant));
        let words = format!(
            "as {role}: the role may do more than read: {};",
            filled(right)
        );
        site.refused(site.run(), 13, &words);
        let extract = ["extract", "-m", "small", "-p", "202503"];
        site.refused(site.program(&extract), 13, &words);
        assert!(site.dhis2.requests().is_empty());
        site.database.execute(&format!(
            "REASSIGN OWNED BY {role} TO CURRENT_USER; DROP OWNED BY {role}"
        ));
    }
}

#[test]
fn an_allowed_role_and_an_allowed_account_are_told_in_every_report() {
    let site = site();
    as_role(&site, "allowed_role");
    site.database.execute("GRANT DELETE ON t TO allowed_role");
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "allow-overprivileged-role = true\n[dhis2]",
    );
    as_admin(&site);
    site.refused(
        site.run(),
        14,
        "the DHIS2 account admin may do more than import: it has the authority ALL;",
    );
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "[dhis2]\nallow-overprivileged-account = true",
    );
    let report = site
        .program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"])
        .code(0)
        .json();
    let expected = json!([
        { "setting": "allow-overprivileged-role", "text": "the role may do more than read: DELETE on public.t" },
        { "setting": "allow-overprivileged-account", "text": "the account admin may do more than import: it has the authority ALL" },
    ]);
    assert_eq!(report["relaxed"], expected);
    site.program(&["run", "-p", "202503", "--dry-run"])
        .code(0)
        .stderr_has("note: relaxed by allow-overprivileged-role: the role may do more than read: DELETE on public.t")
        .stderr_has("note: relaxed by allow-overprivileged-account: the account admin");
    // Also where there is nothing to allow.
    site.database
        .execute("REVOKE DELETE ON t FROM allowed_role");
    let again = site
        .program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"])
        .code(0)
        .json();
    let text = again["relaxed"][0]["text"].as_str().unwrap();
    assert!(text.ends_with("the setting can go"), "{text}");
}

fn as_admin(site: &SmallSite) {
    let line = "username = \"admin\"\npassword-file = \"admin.password\"";
    site.replace("pg2dhis2.toml", "token-file = \"dhis2.token\"", line);
    site.write("admin.password", "district");
}

/// A site whose DHIS2 has one account, `import`, with these roles and authorities.
fn with_account(account: serde_json::Value, role: &str) -> (SmallSite, StandIn) {
    let site = site();
    let read = |path: &str| fs::read_to_string(repository().join(path)).unwrap();
    let metadata = [
        fs::read_to_string(metadata()).unwrap(),
        read("tests/golden/exchanges/extra_metadata.json"),
        read("tests/golden/exchanges/extra_metadata_2.json"),
        role.to_owned(),
    ];
    let mut imports = json!({
        "id": "ImportUser1", "username": "import", "password": "Import-2026!", "organisationUnits": ["sc5rkcvmE6I"],
    });
    imports
        .as_object_mut()
        .unwrap()
        .extend(account.as_object().unwrap().clone());
    let dhis2 = StandIn::with(&Setup {
        dialect: Dialect::V2_43,
        metadata: metadata.iter().map(String::as_str).collect(),
        accounts: Some(&json!([imports]).to_string()),
        now: Some(NOW),
        port: 0,
        context_path: "",
    })
    .unwrap();
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &dhis2.url());
    let line = "username = \"import\"\npassword-file = \"import.password\"";
    site.replace("pg2dhis2.toml", "token-file = \"dhis2.token\"", line);
    site.write("import.password", "Import-2026!");
    (site, dhis2)
}

#[test]
fn the_role_in_the_examples_is_enough_for_dhis2_and_each_right_too_many_is_named() {
    let role = fs::read_to_string(repository().join("examples/dhis2-role.json")).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&role).unwrap();
    let id = &parsed["userRoles"][0]["id"];
    let (site, dhis2) = with_account(json!({ "userRoles": [id] }), &role);
    site.run().code(0).silent();
    assert_eq!(dhis2.values().len(), 1);
    for authority in [
        "ALL",
        "F_EDIT_EXPIRED",
        "F_APPROVE_DATA",
        "F_APPROVE_DATA_LOWER_LEVELS",
        "F_ACCEPT_DATA_LOWER_LEVELS",
    ] {
        let account = json!({ "userRoles": [id], "authorities": [authority] });
        let (site, dhis2) = with_account(account, &role);
        let words = format!("import may do more than import: it has the authority {authority};");
        site.refused(site.run(), 14, &words);
        assert!(dhis2.stored().is_empty());
    }
}

const MAPPING: &str = r#"
data-set = "fTTHFe1SktZ"
queries = ["doses.sql"]
period = { type = "Monthly", column = "period" }
value = "doses"
combine = "sum"
absent = "leave"
guards = { max-unmapped = "100%", max-excluded = "100%", min-rows = 0 }
[data-element]
column = "vaccine"
map = { BCG = "lO7ecd1fAsI" }
[category-option-combo]
uid = "NKJg49KgSdp"
[org-unit]
column = "municipality"
rules = "rules.sql"
"#;
const DOSES: &str = "SELECT municipality, period, vaccine, doses FROM dhis2_export.doses_by_month
WHERE vaccine = 'BCG' AND period >= to_char(:'period_start'::date, 'YYYYMM') AND period < to_char(:'period_end'::date, 'YYYYMM')";

#[test]
fn the_role_in_the_examples_reads_its_views_and_nothing_behind_them() {
    let site = StLucia::at(Dialect::V2_43, T0);
    let sql = fs::read_to_string(repository().join("examples/source-role.sql")).unwrap();
    // It may be run again.
    for _ in 0..2 {
        site.database.execute(&sql);
    }
    let sync = site.database.url_as(SYNC_ROLE);
    site.replace(
        "pg2dhis2.toml",
        &sync,
        &site.database.url_as("pg2dhis2_source"),
    );
    let write = |file: &str, text: &str| fs::write(site.folder.path().join(file), text).unwrap();
    // It answers for cells of the programme's own mapping, which is not this site's.
    fs::remove_file(site.folder.path().join("mappings/epi-monthly.toml")).unwrap();
    write("mappings/wall.toml", MAPPING);
    write("mappings/doses.sql", DOSES);
    write(
        "mappings/rules.sql",
        "SELECT * FROM dhis2_export.mapping_rules",
    );
    let run = |file: &str| {
        site.program(&[
            "run", "-m", "wall", "-p", "202503", "--as-of", T0, "--format", "json", "-o", file,
        ])
    };
    run("report.json").code(3);
    let report = fs::read_to_string(site.folder.path().join("report.json")).unwrap();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["relaxed"], json!([]));
    let counted = site.database.query(
        "SELECT count(*) FROM imm.immunization_event WHERE vaccine_code = 'BCG' AND status = 'completed' AND deleted_at IS NULL
         AND administered_on >= '2025-03-01' AND administered_on < '2025-04-01'",
    );
    assert_eq!(
        report["mappings"][0]["sums"][0]["rows"].as_str(),
        counted[0][0].as_deref()
    );
    assert!(!site.values().is_empty(), "{report:#}");

    for table in [
        "registry.person",
        "imm.immunization_event",
        "interop.data_mapping_rules",
    ] {
        write(
            "mappings/doses.sql",
            &format!("{DOSES} AND EXISTS (SELECT FROM {table})"),
        );
        let refused = run("none").code(13);
        assert!(
            refused.stderr.contains("permission denied"),
            "{}",
            refused.stderr
        );
    }
}
