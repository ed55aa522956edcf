//! What stands in `examples/` to be copied is fit to be copied.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use jiff::Timestamp;
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
        site.dhis2.set_now(&Timestamp::now().to_string());
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

/// The units, with programs that this machine has in place of those that it may not have.
fn units(site: &SmallSite) -> Vec<String> {
    let files = [
        "examples/systemd/pg2dhis2.service",
        "examples/systemd/pg2dhis2.timer",
        "examples/systemd/pg2dhis2-alert@.service",
    ];
    let place = |file: &str| {
        let text = read(file);
        let name = file.rsplit('/').next().unwrap();
        let text = text.replace("/usr/local/bin/pg2dhis2", env!("CARGO_BIN_EXE_pg2dhis2"));
        site.write(name, &text.replace("/usr/sbin/sendmail", "/bin/true"));
        site.path(name).display().to_string()
    };
    files.map(place).to_vec()
}

#[test]
fn the_systemd_units_are_sound_and_closed() {
    let site = SmallSite::new(Dialect::V2_43);
    let units = units(&site);
    let analyze = |args: &[&str]| Command::new("systemd-analyze").args(args).output();
    let Ok(verified) = analyze(&["verify", &units[0], &units[1]]) else {
        // A machine without systemd: what systemd would say of them, as far as it can be read from the text.
        let service = read("examples/systemd/pg2dhis2.service");
        assert!(
            service.contains("\nProtectSystem=strict\n")
                && service.contains("\nNoNewPrivileges=yes\n")
        );
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && said.is_empty(), "{said}");
    // 10 is wide open; below 2 systemd itself calls a service OK.
    let closed = analyze(&["security", "--offline=true", "--threshold=20", &units[0]]).unwrap();
    assert!(
        closed.status.success(),
        "{}",
        String::from_utf8_lossy(&closed.stdout)
    );
}

/// What the service is given instead of files in the site file.
#[test]
fn the_service_runs_with_the_credentials_that_systemd_hands_over() {
    let site = SmallSite::new(Dialect::V2_43);
    let service = read("examples/systemd/pg2dhis2.service");
    let names: Vec<&str> = service
        .lines()
        .filter_map(|line| line.strip_prefix("LoadCredential=")?.split(':').next())
        .collect();
    assert_eq!(names, ["source.password", "dhis2.token"]);
    let token = fs::read_to_string(site.path("dhis2.token")).unwrap();
    fs::remove_file(site.path("dhis2.token")).unwrap();
    site.write("credentials/dhis2.token", &token);
    let mut run =
        crate::program::command(site.folder.path(), &["run", "-p", "202503", "--as-of", NOW]);
    run.env("CREDENTIALS_DIRECTORY", site.path("credentials"));
    crate::program::program_with_output(&mut run)
        .code(0)
        .silent();
}
