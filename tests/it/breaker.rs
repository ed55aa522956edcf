//! A login that was refused is not tried again by any command, until the hour is over or the secret is another.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use jiff::{Timestamp, ToSpan};
use rig::dhis2::Dialect;
use rig::postgres::cluster;
use rig::st_lucia::LOADER_TOKEN;

use crate::relay::relay;
use crate::small_site::SmallSite;
use crate::st_lucia::BOTH;
use crate::wire::Wire;

const WRONG: &str = "d2p_wrong000000000000000000000000000000000000000002";
const FILE: &str = "state/refused.tsv";

#[test]
fn six_jobs_with_one_wrong_token_log_in_once() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        site.write("dhis2.token", WRONG);
        site.refused(
            site.run(),
            12,
            "no run tries these credentials again until ",
        );
        for args in [
            &["run", "-p", "202503"][..],
            &["run", "-p", "202503", "--dry-run"],
            &["run", "-p", "202503", "--dry-run=server"],
            &["push", "mappings/query.sql"],
            &["pin"],
        ] {
            let finished = site.program(args);
            site.refused(finished, 12, "DHIS2 refused these credentials at ");
        }
        assert_eq!(site.dhis2.requests().len(), 1);
        // What needs no login there goes on.
        let extract = ["extract", "-m", "small", "-p", "202503"];
        site.program(&extract).code(0);
    }
}

#[test]
fn another_secret_is_tried_at_once_and_the_refused_one_is_still_known() {
    let site = SmallSite::new(Dialect::V2_43);
    site.write("dhis2.token", WRONG);
    site.run().code(12);
    site.write("dhis2.token", LOADER_TOKEN);
    site.run().code(0).silent();
    site.dhis2.forget_requests();
    site.write("dhis2.token", WRONG);
    site.run()
        .code(12)
        .stderr_has("change the token, or remove ");
    assert!(site.dhis2.requests().is_empty());
    // A person who knows better removes the file.
    fs::remove_file(site.path(FILE)).unwrap();
    site.run()
        .code(12)
        .stderr_has("asking DHIS2 for its version");
    assert_eq!(site.dhis2.requests().len(), 1);
}

#[test]
fn a_dry_run_that_is_refused_spares_the_account_too() {
    let site = SmallSite::new(Dialect::V2_42);
    site.run().code(0);
    site.dhis2.forget_requests();
    site.write("dhis2.token", WRONG);
    for _ in 0..3 {
        site.program(&["run", "-p", "202503", "--dry-run"]).code(12);
    }
    assert_eq!(site.dhis2.requests().len(), 1);
    // Without a state folder there is nowhere to note it, which is told.
    fs::remove_dir_all(site.path("state")).unwrap();
    let untold = site.program(&["run", "-p", "202503", "--dry-run"]).code(12);
    untold.stderr_has("so that the next run tries them again");
    assert!(!site.path("state").exists());
}

#[test]
fn after_an_hour_a_refused_login_is_tried_again() {
    let site = SmallSite::new(Dialect::V2_43);
    site.write("dhis2.token", WRONG);
    site.run().code(12);
    let text = fs::read_to_string(site.path(FILE)).unwrap();
    let (fingerprint, at) = text.lines().nth(1).unwrap().split_once('\t').unwrap();
    let at: Timestamp = at.parse().unwrap();
    for (ago, requests) in [(59, 1), (61, 2)] {
        let then = at - ago.minutes();
        site.write(FILE, &format!("login\trefused\n{fingerprint}\t{then}\n"));
        site.run().code(12);
        assert_eq!(site.dhis2.requests().len(), requests, "{ago} minutes ago");
    }
}

#[test]
fn the_note_of_a_refused_login_holds_no_secret_and_is_ours_alone() {
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "pg2dhis2.toml",
        "token-file = \"dhis2.token\"",
        "username = \"loader\"\npassword-file = \"dhis2.password\"",
    );
    site.write("dhis2.password", "wrong-password");
    let run = site
        .run()
        .code(12)
        .stderr_has("unless the password changes");
    assert!(!run.stderr.contains("wrong-password"), "{}", run.stderr);
    let text = fs::read_to_string(site.path(FILE)).unwrap();
    for secret in ["wrong", "loader", "127.0.0.1"] {
        assert!(!text.contains(secret), "{text}");
    }
    let mode = fs::metadata(site.path(FILE)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // The same password in another state folder has another fingerprint.
    let first = text.lines().nth(1).unwrap().split_once('\t').unwrap().0;
    fs::remove_dir_all(site.path("state")).unwrap();
    site.run().code(12);
    let again = fs::read_to_string(site.path(FILE)).unwrap();
    assert!(!again.contains(first), "{again}");
}

#[test]
fn a_right_that_is_missing_is_no_refused_login() {
    let site = SmallSite::new(Dialect::V2_43);
    let url = site.dhis2.url();
    let forbidden = "{\"httpStatus\":\"Forbidden\",\"httpStatusCode\":403,\"status\":\"ERROR\",\"message\":\"Access is denied\"}";
    let relayed = relay(&url, move |first, answer| {
        if !first.starts_with("GET /api/me") {
            return answer;
        }
        let length = forbidden.len();
        format!(
            "HTTP/1.1 403 No\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{forbidden}"
        )
        .into_bytes()
    });
    site.replace("pg2dhis2.toml", &url, &relayed);
    for asked in [2, 4] {
        site.refused(site.run(), 12, "forbids it to the account (403");
        assert_eq!(site.dhis2.requests().len(), asked);
    }
    assert!(!site.path(FILE).exists());
}

#[test]
fn a_password_that_postgresql_refuses_is_tried_once() {
    let site = SmallSite::new(Dialect::V2_43);
    cluster().create_role_with_password("breaker_pw", "right");
    site.replace(
        "pg2dhis2.toml",
        &site.database.url(),
        &site.database.url_as("breaker_pw"),
    );
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "password-file = \"source.password\"\n[dhis2]",
    );
    let wire = Wire::into(&site, 0);
    site.write("source.password", "wrong");
    let told = "no run tries these credentials again until ";
    site.refused(site.run(), 12, told);
    for args in [
        &["run", "-p", "202503"][..],
        &["run", "-p", "202503", "--dry-run"],
        &["extract", "-m", "small", "-p", "202503"],
    ] {
        let finished = site.program(args);
        site.refused(finished, 12, "PostgreSQL refused these credentials at ");
    }
    assert_eq!(wire.connections(), 1);
    assert!(site.dhis2.requests().is_empty());
    site.write("source.password", "right");
    site.database.execute("GRANT SELECT ON t TO breaker_pw");
    site.run().code(0).silent();
}
