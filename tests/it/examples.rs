//! What stands in `examples/` to be copied is fit to be copied.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rcgen::{CertificateParams, KeyPair};
use rig::dhis2::{Dialect, StandIn};
use rig::st_lucia::{metadata, write_site};
use serde_json::Value;

use crate::program::Finished;
use crate::small_site::{NOW, SmallSite};
use crate::st_lucia::repository;

const DASHBOARD: &str = "examples/st-lucia/dhis2/dashboard.json";

/// The combo that every DHIS2 has from its first day and no export brings.
const DEFAULT_CATEGORY_COMBO: &str = "bjDvmb4bfuf";

fn read(file: impl AsRef<Path>) -> String {
    fs::read_to_string(repository().join(file)).unwrap()
}

/// The site file with those keys, too, that it shows behind a `# `.
fn with_every_key(site: &str) -> String {
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(key) if key.contains(" = ") => key.to_owned(),
        _ => line.to_owned(),
    };
    site.lines()
        .map(|text| line(text) + "\n")
        .collect::<String>()
}

#[test]
fn the_site_file_lacks_nothing_but_certificates_and_secrets() {
    let site = SmallSite::new(Dialect::V2_43);
    write_site(site.folder.path(), "", "").unwrap();
    fs::remove_file(site.path("dhis2.token")).unwrap();
    let text = read("examples/pg2dhis2.toml");
    let every_key = with_every_key(&text);
    assert_ne!(text, every_key);
    site.write("pg2dhis2.toml", &every_key);
    let preview = || site.program(&["run", "--dry-run", "--period", "202503"]);

    let certificate = CertificateParams::new(["db.health.example".to_owned()])
        .unwrap()
        .self_signed(&KeyPair::generate().unwrap())
        .unwrap()
        .pem();
    for (file, text) in [
        ("ca.pem", certificate.as_str()),
        ("source.password", "Sesame7"),
        ("dhis2.token", "d2p_whatever"),
    ] {
        site.refused(preview(), 10, file);
        site.write(file, text);
    }
    site.refused(preview(), 10, "dhis2-ca.pem: `ca-file` does not exist");
}

#[test]
fn cron_starts_every_line_of_the_crontab() {
    let crontab = read("examples/crontab");
    let mut jobs = 0;
    for line in crontab.lines() {
        let is_setting = line.split_once('=').is_some_and(|(name, _)| {
            name.chars()
                .all(|character| character.is_ascii_uppercase() || character == '_')
        });
        if line.is_empty() || line.starts_with('#') || is_setting {
            continue;
        }
        jobs += 1;
        let (times, command) = times_and_command(line);
        let ranges = [0..=59, 0..=23, 1..=31, 1..=12, 0..=7];
        for (time, range) in times.iter().zip(ranges) {
            assert!(
                *time == "*" || time.parse().is_ok_and(|time: u8| range.contains(&time)),
                "{time} in {line}"
            );
        }
        let site = SmallSite::new(Dialect::V2_43);
        as_cron_does(&site, command).code(0).silent();
    }
    assert_eq!(jobs, 2);
}

fn times_and_command(line: &str) -> ([&str; 5], &str) {
    let mut rest = line;
    let times = [(); 5].map(|()| {
        let (time, after) = rest.split_once(' ').expect("five times and a command");
        rest = after.trim_start();
        time
    });
    (times, rest)
}

/// Cron hands a line to `sh` up to the first `%` without a backslash.
fn as_cron_does(site: &SmallSite, command: &str) -> Finished {
    let plain = command.replace("\\%", "");
    assert!(!plain.contains('%'), "cron ends this at its %: {command}");
    let config = site.path("pg2dhis2.toml");
    let command = command
        .replace("\\%", "%")
        .replace("/etc/pg2dhis2/pg2dhis2.toml", config.to_str().unwrap());
    let program = Path::new(env!("CARGO_BIN_EXE_pg2dhis2"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let output = Command::new("/bin/sh")
        .args(["-c", &command])
        .env_clear()
        .env("PATH", path)
        .current_dir("/")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    Finished {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[test]
fn both_versions_of_dhis2_take_the_metadata() {
    let (metadata, dashboard) = (read(metadata()), read(DASHBOARD));
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        StandIn::start(dialect, &[&metadata, &dashboard], Some(NOW));
    }
}

#[test]
fn nothing_in_the_metadata_or_on_the_dashboard_refers_to_what_is_not_there() {
    let (mut there, mut named) = (BTreeSet::new(), BTreeSet::new());
    there.insert(DEFAULT_CATEGORY_COMBO.to_owned());
    for export in [read(metadata()), read(DASHBOARD)] {
        let export: Value = serde_json::from_str(&export).unwrap();
        collect_ids(&export, &mut there, &mut named);
    }
    assert!(there.len() > 300 && named.len() > 200);
    let missing: Vec<&String> = named.difference(&there).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// An object with an `id` and more is an object of DHIS2; with an `id` alone it refers to one.
fn collect_ids(value: &Value, there: &mut BTreeSet<String>, named: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(id)) = members.get("id") {
                let ids = if members.len() == 1 {
                    &mut *named
                } else {
                    &mut *there
                };
                ids.insert(id.clone());
            }
            for member in members.values() {
                collect_ids(member, there, named);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect_ids(item, there, named);
            }
        }
        _ => {}
    }
}
