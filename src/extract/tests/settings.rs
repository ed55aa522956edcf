//! Facts about the URL of a source.

use std::path::Path;

use secrecy::ExposeSecret;

use super::super::SourceSettings;
use super::super::sslmode::Tls;

fn settings(url: &str) -> Result<SourceSettings, String> {
    SourceSettings::from_url(url, Path::new(""), Vec::new()).map_err(|error| error.to_string())
}

#[track_caller]
fn refused(url: &str, parts: &[&str]) -> String {
    let error = settings(url).expect_err(url);
    for part in parts {
        assert!(error.contains(part), "{url}: {part:?} is not in: {error}");
    }
    error
}

#[track_caller]
fn tls(url: &str) -> Vec<Tls> {
    settings(url)
        .expect(url)
        .hosts
        .into_iter()
        .map(|host| host.tls)
        .collect()
}

#[test]
fn a_url_is_taken_apart_as_libpq_does() {
    let url = "postgresql://sync%40site@db1.example,[2001:db8::1]:5433/slu%2Fhis?options=-c%20geqo%3Doff&connect_timeout=3";
    let settings = settings(url).expect(url);
    let hosts: Vec<_> = settings
        .hosts
        .iter()
        .map(|host| (host.name.as_str(), host.port))
        .collect();
    assert_eq!(hosts, [("db1.example", 5432), ("2001:db8::1", 5433)]);
    assert_eq!(settings.user.as_deref(), Some("sync@site"));
    assert_eq!(settings.database, "slu/his");
    assert_eq!(settings.options.as_deref(), Some("-c geqo=off"));
    assert_eq!(
        settings.connect_timeout.map(|timeout| timeout.as_secs()),
        Some(3)
    );
}

#[test]
fn a_socket_is_named_by_its_folder() {
    for url in [
        "postgres:///sluhis?host=/run/postgresql&port=5433&user=sync",
        "postgres://sync@%2Frun%2Fpostgresql:5433/sluhis",
    ] {
        let settings = settings(url).expect(url);
        assert_eq!(settings.hosts[0].name, "/run/postgresql");
        assert_eq!(settings.hosts[0].port, 5433);
        assert_eq!(settings.user.as_deref(), Some("sync"));
    }
}

#[test]
fn several_ports_go_with_several_hosts() {
    let hosts = |url: &str| -> Vec<u16> {
        settings(url)
            .expect(url)
            .hosts
            .iter()
            .map(|host| host.port)
            .collect()
    };
    assert_eq!(
        hosts("postgresql:///d?host=a,b,c&port=6000"),
        [6000, 6000, 6000]
    );
    assert_eq!(hosts("postgresql:///d?host=a,b&port=1,2"), [1, 2]);
    refused("postgresql:///d?host=a,b&port=1,2,3", &["number of ports"]);
}

#[test]
fn a_password_in_the_url_is_refused_and_not_repeated() {
    for url in [
        "postgresql://sync:Sesame7@db/sluhis",
        "postgresql://sync@db/sluhis?password=Sesame7",
        "postgresql://sync:Sesame7/w@db/sluhis",
        "postgresql://sync:123/Sesame7@db/sluhis",
        "postgresql://sync:Ses%4me7@db/sluhis",
        "postgresql://sync:@Sesame7:x/sluhis",
    ] {
        let error = refused(url, &["[source]"]);
        assert!(
            !error.contains("Sesame7") && !error.contains("Ses%"),
            "{url}: {error}"
        );
    }
}

#[test]
fn the_name_of_the_server_is_verified_unless_it_is_this_machine() {
    let named = Tls::Named(None);
    assert_eq!(
        tls("postgresql://db.example,10.0.0.1/d"),
        [named.clone(), named.clone()]
    );
    assert_eq!(
        tls("postgresql://localhost,127.0.0.2,[::1]/d"),
        [Tls::Offered, Tls::Offered, Tls::Offered]
    );
    assert_eq!(
        tls("postgresql:///d?host=/run/postgresql,db.example"),
        [Tls::Off, named.clone()]
    );
    assert_eq!(
        tls("postgresql://localhost/d?sslmode=verify-full"),
        std::slice::from_ref(&named)
    );
    assert_eq!(
        tls("postgresql://db.example/d?sslmode=verify-full&sslrootcert=system"),
        [named]
    );
}

#[test]
fn weaker_modes_are_taken_as_written() {
    assert_eq!(tls("postgresql://db/d?sslmode=disable"), [Tls::Off]);
    assert_eq!(tls("postgresql://db/d?sslmode=prefer"), [Tls::Offered]);
    assert_eq!(tls("postgresql://db/d?sslmode=require"), [Tls::Encrypted]);
    refused("postgresql://db/d?sslmode=verify-ca", &["sslrootcert"]);
    refused(
        "postgresql://db/d?sslmode=require&sslrootcert=system",
        &["verify-full"],
    );
    refused("postgresql://db/d?sslmode=allow", &["prefer"]);
    refused(
        "postgresql://db/d?sslmode=verify_full",
        &["did you mean verify-full?"],
    );
}

#[test]
fn a_root_certificate_is_looked_for_beside_the_site_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = "postgresql://localhost/d?sslrootcert=ca.pem";
    let read = || {
        SourceSettings::from_url(url, folder.path(), Vec::new()).map_err(|error| error.to_string())
    };
    assert!(
        read()
            .expect_err("there is no file")
            .contains("ca.pem does not exist")
    );
    std::fs::write(folder.path().join("ca.pem"), "no certificate").expect("a file");
    assert!(
        read()
            .expect_err("it is no certificate")
            .contains("holds no certificate")
    );
}

#[test]
fn other_keys_and_values_are_refused_with_the_nearest_word() {
    refused(
        "postgresql://db/d?sslrotcert=ca.pem",
        &["\"sslrotcert\"", "did you mean sslrootcert?"],
    );
    refused(
        "postgresql://db/d?service=x",
        &["\"service\"", "known: host"],
    );
    refused(
        "postgresql://db/d?target_session_attrs=master",
        &["prefer-standby"],
    );
    refused("postgresql://db/d?connect_timeout=soon", &["seconds"]);
    refused("postgresql://db", &["database"]);
    refused("postgresql:///d", &["names no host"]);
    refused("postgresql://db:port/d", &["port"]);
    refused("host=db dbname=d", &["postgresql://"]);
}

#[test]
fn a_password_file_is_searched_for_each_host() {
    let found = |url: &str, file: &str| {
        let password = settings(url).expect(url).password_in(file);
        password.map(|password| password.expose_secret().to_owned())
    };
    let file = "b:5432:d:sync:second\nlocalhost:5432:d:sync:socket\n";
    assert_eq!(
        found("postgresql://sync@a,b/d", file).as_deref(),
        Some("second")
    );
    assert_eq!(
        found("postgresql://sync@/d?host=/run/postgresql", file).as_deref(),
        Some("socket")
    );
    assert_eq!(found("postgresql://sync@c/d", file), None);
}
