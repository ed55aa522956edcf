//! A login that was refused is not tried again by any command, until some time is over or the secret is another.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

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
    // On a new site the state folder is made for the note.
    fs::remove_dir_all(site.path("state")).unwrap();
    for asked in [2, 2] {
        site.program(&["run", "-p", "202503", "--dry-run"]).code(12);
        assert_eq!(site.dhis2.requests().len(), asked);
    }
    let mode = fs::metadata(site.path("state")).unwrap().permissions();
    assert_eq!(mode.mode() & 0o777, 0o700);
    // Where it cannot be made, that is told.
    fs::remove_dir_all(site.path("state")).unwrap();
    site.write("state", "a file");
    let untold = site.program(&["run", "-p", "202503", "--dry-run"]).code(12);
    untold.stderr_has("so that the next run tries them again");
}

#[test]
fn after_twenty_minutes_a_refused_login_is_tried_again() {
    let site = SmallSite::new(Dialect::V2_43);
    site.write("dhis2.token", WRONG);
    site.run().code(12);
    let text = fs::read_to_string(site.path(FILE)).unwrap();
    let fields: Vec<&str> = text.lines().nth(1).unwrap().split('\t').collect();
    let at: Timestamp = fields[1].parse().unwrap();
    for (ago, requests) in [(19, 1), (21, 2)] {
        let then = at - ago.minutes();
        let line = format!("{}\t{then}\t{}", fields[0], fields[2]);
        site.write(FILE, &format!("login\trefused\taccount\n{line}\n"));
        site.run().code(12);
        assert_eq!(site.dhis2.requests().len(), requests, "{ago} minutes ago");
    }
}

/// Logs in by name and password instead of the token.
fn by_password(site: &SmallSite, password: &str) {
    site.replace(
        "pg2dhis2.toml",
        "token-file = \"dhis2.token\"",
        "username = \"loader\"\npassword-file = \"dhis2.password\"",
    );
    site.write("dhis2.password", password);
}

#[test]
fn an_account_is_refused_twice_in_a_quarter_of_an_hour_whatever_the_passwords() {
    let site = SmallSite::new(Dialect::V2_42);
    by_password(&site, "wrong-1");
    site.run().code(12);
    site.write("dhis2.password", "wrong-2");
    site.run().code(12);
    assert_eq!(site.dhis2.requests().len(), 2);
    site.write("dhis2.password", "wrong-3");
    site.refused(site.run(), 12, "DHIS2 refused these credentials at ");
    // Another account has nothing to do with it.
    site.replace("pg2dhis2.toml", "\"loader\"", "\"regional\"");
    site.run().code(12);
    assert_eq!(site.dhis2.requests().len(), 3);
}

/// Puts the site's DHIS2 behind a relay that refuses the next so many logins, as DHIS2 does.
fn refusing(site: &SmallSite) -> Arc<AtomicUsize> {
    let body = r#"{"httpStatus":"Unauthorized","httpStatusCode":401,"status":"ERROR","message":"Unauthorized"}"#;
    let length = body.len();
    let refused = format!(
        "HTTP/1.1 401 \r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let left = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&left);
    let url = site.dhis2.url();
    let relayed = relay(&url, move |first, answer| {
        let less = |left: usize| left.checked_sub(1);
        let is_login = first.starts_with("GET /api/system/info");
        match is_login && counted.fetch_update(SeqCst, SeqCst, less).is_ok() {
            true => refused.clone().into_bytes(),
            false => answer,
        }
    });
    site.replace("pg2dhis2.toml", &url, &relayed);
    left
}

#[test]
fn a_secret_that_worked_within_a_day_is_tried_once_more_before_it_is_held_back() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        let left = refusing(&site);
        site.run().code(0).silent();
        // A server that is getting well.
        left.store(1, SeqCst);
        site.run().code(0).silent();
        // A second one in the same quarter of an hour is the last.
        left.store(1, SeqCst);
        site.run()
            .code(12)
            .stderr_has("no run tries these credentials again until ");
        site.dhis2.forget_requests();
        site.run()
            .code(12)
            .stderr_has("DHIS2 refused these credentials at ");
        assert!(site.dhis2.requests().is_empty());

        // The secret was changed in DHIS2.
        fs::remove_file(site.path(FILE)).unwrap();
        left.store(9, SeqCst);
        site.run()
            .code(12)
            .stderr_has("no run tries these credentials again until ");
        assert_eq!(left.load(SeqCst), 7, "logins");
        // One that never worked is tried once.
        fs::remove_file(site.path(FILE)).unwrap();
        fs::remove_file(site.path("state/accepted.tsv")).unwrap();
        site.run().code(12);
        assert_eq!(left.load(SeqCst), 6, "logins");
    }
}

#[test]
fn the_note_of_a_refused_login_holds_no_secret_and_is_ours_alone() {
    let site = SmallSite::new(Dialect::V2_43);
    by_password(&site, "wrong-password");
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
