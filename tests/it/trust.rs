//! Who is believed on either side, and that nobody else is told a word: no password, no token, no request.

use rig::dhis2::{Dialect, SYSTEM_ID};
use rig::postgres::cluster;
use rig::st_lucia::LOADER_TOKEN;

use crate::small_site::SmallSite;
use crate::tls_front::{Front, Identity, Speaks, front};

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

/// A site whose DHIS2 is behind TLS, with a file of trusted certificates if there is one.
pub(crate) fn dhis2_behind(identity: &Identity, trusted: Option<&Identity>) -> (SmallSite, Front) {
    let site = site();
    let url = site.dhis2.url();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    let front = front(identity, Speaks::Https, port.parse().unwrap());
    let address = format!("https://localhost:{}/", front.port);
    site.replace("pg2dhis2.toml", &url, &address);
    if let Some(trusted) = trusted {
        site.write("ca.pem", &trusted.pem());
        site.replace("pg2dhis2.toml", "[dhis2]", "[dhis2]\nca-file = \"ca.pem\"");
    }
    (site, front)
}

#[test]
fn a_dhis2_that_proves_its_name_is_told_the_token_and_no_other_is_told_a_word() {
    let good = Identity::of("localhost");
    let (site, front) = dhis2_behind(&good, Some(&good));
    site.run().code(0).silent();
    assert!(front.heard() > 0);
    assert_eq!(site.dhis2.values().len(), 1);

    let other = Identity::of("localhost");
    let elsewhere = Identity::of("elsewhere.example");
    let expired = Identity::expired("localhost");
    for (shown, trusted) in [
        (&good, Some(&other)),
        (&good, None),
        (&elsewhere, Some(&elsewhere)),
        (&expired, Some(&expired)),
    ] {
        let (site, front) = dhis2_behind(shown, trusted);
        site.refused(site.run(), 14, "certificate not trusted");
        assert_eq!(front.heard(), 0);
        assert!(site.dhis2.requests().is_empty());
    }
}

/// Who connects to the source, and what stands behind its URL.
#[derive(Clone, Copy)]
struct Asked {
    role: &'static str,
    asked: &'static str,
}

/// A site whose PostgreSQL is behind TLS.
fn source_behind(shown: &Identity, trusted: &Identity, asked: Asked) -> (SmallSite, Front) {
    let Asked { role, asked } = asked;
    let site = site();
    let front = front(shown, Speaks::Postgres, site.database.tcp_port());
    let name = site.database.name();
    let url = format!("postgresql://{role}@127.0.0.1:{}/{name}{asked}", front.port);
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    site.replace(
        "pg2dhis2.toml",
        "[dhis2]",
        "password-file = \"source.password\"\n[dhis2]",
    );
    site.write("source.password", "Sesame7");
    site.write("ca.pem", &trusted.pem());
    site.database
        .execute(&format!("GRANT SELECT ON t TO {role}"));
    (site, front)
}

fn pinned(site: &SmallSite, pin: &str) {
    let line = format!("tls-pin = {pin}\npassword-file");
    site.replace("pg2dhis2.toml", "password-file", &line);
}

/// The program gets in, and the source is told the password.
#[track_caller]
fn believed(shown: &Identity, trusted: &Identity, asked: Asked, pin: Option<&str>) {
    let (site, front) = source_behind(shown, trusted, asked);
    pin.iter().for_each(|pin| pinned(&site, pin));
    site.run().code(0).silent();
    assert!(front.heard() > 0);
}

/// The program does not get in, and the source is told nothing.
#[track_caller]
fn not_believed(
    shown: &Identity,
    trusted: &Identity,
    asked: Asked,
    pin: Option<&str>,
    words: &str,
) {
    let (site, front) = source_behind(shown, trusted, asked);
    pin.iter().for_each(|pin| pinned(&site, pin));
    site.refused(site.run(), 13, words);
    assert_eq!(front.heard(), 0, "{words}");
}

const CA: &str = "?sslrootcert=ca.pem";

#[test]
fn a_source_that_proves_its_name_is_told_the_password_and_no_other_is_told_a_word() {
    cluster().create_role_with_password("trust_named", "Sesame7");
    let asked = |asked| Asked {
        role: "trust_named",
        asked,
    };
    let good = Identity::of("127.0.0.1");
    let other = Identity::of("127.0.0.1");
    let elsewhere = Identity::of("elsewhere.example");
    let expired = Identity::expired("127.0.0.1");
    believed(&good, &good, asked(CA), None);
    let stranger = "not signed by a trusted authority";
    not_believed(&other, &good, asked(CA), None, stranger);
    not_believed(
        &elsewhere,
        &elsewhere,
        asked(CA),
        None,
        "is for another host",
    );
    not_believed(&expired, &expired, asked(CA), None, "has expired");
}

#[test]
fn a_source_with_the_pinned_key_is_believed_and_one_with_another_is_not() {
    cluster().create_role_with_password("trust_pinned", "Sesame7");
    let asked = |asked| Asked {
        role: "trust_pinned",
        asked,
    };
    let good = Identity::of("127.0.0.1");
    let other = Identity::of("127.0.0.1");
    let elsewhere = Identity::of("elsewhere.example");
    let expired = Identity::expired("127.0.0.1");
    let key = |identity: &Identity| format!("{:?}", identity.pin());
    // The key alone says who it is, whatever name and date stand in the certificate and whoever signed it.
    believed(&elsewhere, &other, asked(""), Some(&key(&elsewhere)));
    believed(&expired, &other, asked(""), Some(&key(&expired)));
    let encrypted = asked("?sslmode=require");
    believed(&elsewhere, &other, encrypted, Some(&key(&elsewhere)));
    believed(&good, &good, asked(CA), Some(&key(&good)));
    // While a server changes its key, both may be written.
    let two = format!("[{}, {}]", key(&other), key(&good));
    believed(&good, &other, asked(""), Some(&two));

    let another = "the server's key is not the one that tls-pin names";
    not_believed(&good, &good, asked(""), Some(&key(&other)), another);
    // The key that it has is told, to be compared.
    not_believed(&good, &good, asked(CA), Some(&key(&other)), &good.pin());
    // What the URL asks for besides still counts.
    let stranger = "not signed by a trusted authority";
    not_believed(&good, &other, asked(CA), Some(&key(&good)), stranger);
    let full = asked("?sslmode=verify-full&sslrootcert=ca.pem");
    let pin = key(&elsewhere);
    not_believed(
        &elsewhere,
        &elsewhere,
        full,
        Some(&pin),
        "is for another host",
    );
}

#[test]
fn a_pin_that_cannot_be_kept_is_refused() {
    let digits = "0".repeat(64);
    let pin = format!("\"sha256:{digits}\"");
    let with = |asked: &str, pin: &str| {
        let site = site();
        let url = site.database.url();
        let line = format!("{url}{asked}\"\ntls-pin = {pin} #");
        site.replace("pg2dhis2.toml", &url, &line);
        site
    };
    for (asked, pin, words) in [
        (
            "?sslmode=prefer",
            pin.as_str(),
            "tls-pin needs a connection that is always encrypted",
        ),
        (
            "?sslmode=disable",
            &pin,
            "tls-pin needs a connection that is always encrypted",
        ),
        ("?host=/run/postgresql", &pin, "a Unix socket has no TLS"),
        (
            "",
            "\"sha256:00\"",
            "the 64 hexadecimal digits of the SHA-256",
        ),
        (
            "",
            "[\"md5:00\"]",
            "the 64 hexadecimal digits of the SHA-256",
        ),
        ("", "7", "tls-pin"),
    ] {
        let site = with(asked, pin);
        site.refused(site.run(), 10, words);
    }
    let site = with("", &pin);
    site.refused(site.run(), 13, "the server offers no TLS");
}

#[test]
fn credentials_never_leave_this_machine_in_the_clear() {
    for url in [
        "http://dhis2.health.example/",
        "http://192.0.2.7:8080/dhis",
        "http://localhost.example/",
        "http://127.0.0.1.example/",
        "http://[2001:db8::1]/",
    ] {
        let site = site();
        site.replace("pg2dhis2.toml", &site.dhis2.url(), url);
        site.refused(site.run(), 10, "begin it with https://");
    }
}

#[test]
fn a_weaker_mode_than_verify_full_is_told_in_every_report() {
    let site = site();
    let url = site.database.url();
    // Linux takes it for this machine; by its name it is another.
    let other = url.replace("127.0.0.1", "0.0.0.0");
    site.replace("pg2dhis2.toml", &url, &other);
    site.refused(site.run(), 13, "the server offers no TLS");
    for (mode, words) in [
        ("disable", "is not encrypted"),
        ("prefer", "only if the server offers it"),
    ] {
        site.replace("pg2dhis2.toml", &other, &format!("{other}?sslmode={mode}"));
        let run = ["run", "-p", "202503", "--format", "json"];
        let report = site.program(&run).code(0).json();
        let relaxed = report["relaxed"].as_array().unwrap();
        assert_eq!(relaxed.len(), 1);
        assert_eq!(relaxed[0]["setting"], "sslmode");
        assert!(relaxed[0]["text"].as_str().unwrap().contains(words));
        site.program(&["run", "-p", "202503", "--dry-run"])
            .code(0)
            .stderr_has("note: relaxed by sslmode: what is read from 0.0.0.0");
        site.replace("pg2dhis2.toml", &format!("?sslmode={mode}"), "");
    }
    // On this machine nobody else can stand for the server.
    site.replace("pg2dhis2.toml", &other, &format!("{url}?sslmode=disable"));
    let report = site.program(&["run", "-p", "202503", "--format", "json"]);
    assert_eq!(
        report.code(0).json()["relaxed"].as_array().unwrap().len(),
        0
    );
}

#[test]
fn a_server_that_is_not_the_one_named_is_told_nothing_but_who_asks() {
    for (id, code) in [(SYSTEM_ID, 0), ("00000000-0000-4000-8000-000000000000", 14)] {
        let site = site();
        let line = format!("[dhis2]\nsystem-id = \"{id}\"");
        site.replace("pg2dhis2.toml", "[dhis2]", &line);
        let run = site
            .program(&["run", "-p", "202503", "--format", "json"])
            .code(code);
        let asked = site.dhis2.requests();
        if code == 0 {
            assert_eq!(run.json()["dhis2"]["system-id"], SYSTEM_ID);
            continue;
        }
        assert!(
            run.stderr.contains("such as a training server"),
            "{}",
            run.stderr
        );
        assert!(run.stderr.contains(SYSTEM_ID), "{}", run.stderr);
        assert!(
            asked
                .iter()
                .all(|request| request.path == "/api/system/info")
        );
        assert!(site.dhis2.stored().is_empty());
    }
}

#[test]
fn nothing_secret_is_told_however_loud_the_program_is() {
    cluster().create_role_with_password("trust_loud", "Sesame7");
    let site = site();
    site.database.execute("GRANT SELECT ON t TO trust_loud");
    site.replace(
        "pg2dhis2.toml",
        &site.database.url(),
        &site.database.url_as("trust_loud"),
    );
    let line = "password-file = \"source.password\"\n[dhis2]";
    site.replace("pg2dhis2.toml", "[dhis2]", line);
    for password in ["Sesame8", "Sesame7"] {
        site.write("source.password", password);
        let run = site.program(&["run", "-vv", "-p", "202503", "--format", "json"]);
        assert_eq!(run.code, if password == "Sesame7" { 0 } else { 12 });
        for text in [&run.stdout, &run.stderr] {
            assert!(
                !text.contains("Sesame") && !text.contains(LOADER_TOKEN),
                "{text}"
            );
        }
    }
    for (path, content) in site.files() {
        let is_secret = path.ends_with("dhis2.token") || path.ends_with("source.password");
        let text = String::from_utf8_lossy(&content);
        assert!(
            is_secret || !(text.contains("Sesame") || text.contains(LOADER_TOKEN)),
            "{}",
            path.display()
        );
    }
}
