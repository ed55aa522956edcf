//! Where data goes: files whole or absent and for their owner only, pipes that close early, disks that are full.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use rig::dhis2::Dialect;

use crate::program::{command, program_with_output};
use crate::small_site::{NOW, SmallSite};

const EXTRACT: [&str; 7] = ["extract", "-m", "small", "-p", "202503", "--as-of", NOW];
const JSON: [&str; 7] = ["run", "-p", "202503", "--as-of", NOW, "--format", "json"];

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

fn with<'a>(args: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    args.iter().chain(more).copied().collect()
}

/// The program under a shell's umask that would let everybody in.
fn open_to_all(site: &SmallSite, args: &[&str]) {
    let program = env!("CARGO_BIN_EXE_pg2dhis2");
    let status = Command::new("/bin/sh")
        .args(["-c", "umask 000; exec \"$0\" \"$@\"", program])
        .args(args)
        .current_dir(site.folder.path())
        .env_clear()
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(0), "{args:?}");
}

fn mode(site: &SmallSite, file: &str) -> u32 {
    fs::metadata(site.path(file)).unwrap().permissions().mode() & 0o7777
}

#[test]
fn what_the_program_makes_is_its_owners_alone_whatever_the_umask() {
    let site = site();
    open_to_all(&site, &with(&EXTRACT, &["-o", "rows"]));
    open_to_all(&site, &["map", "rows", "-o", "document"]);
    open_to_all(&site, &with(&JSON, &["-o", "report"]));
    for file in ["rows", "document", "report"] {
        assert_eq!(mode(&site, file), 0o600, "{file}");
    }
    assert_eq!(mode(&site, "state"), 0o700);
    let inside: Vec<_> = fs::read_dir(site.path("state")).unwrap().collect();
    assert!(!inside.is_empty());
    for entry in inside {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600, "{:?}", entry.path());
    }
}

#[test]
fn a_file_that_fails_halfway_is_not_there_and_an_old_one_stays() {
    let site = site();
    site.write(
        "mappings/query.sql",
        "SELECT 'M1eFRJpEkoO' AS element, 'VsF9dWr6arv' AS unit, '202503' AS period, 1 / (30000 - n) AS value
         FROM generate_series(1, 40000) AS n",
    );
    let before = site.files();
    site.program(&with(&EXTRACT, &["-o", "rows"]))
        .code(13)
        .stderr_has("22012");
    assert_eq!(site.files(), before);

    site.write("rows", "of yesterday\n");
    site.program(&with(&EXTRACT, &["-o", "rows"])).code(13);
    assert_eq!(
        fs::read_to_string(site.path("rows")).unwrap(),
        "of yesterday\n"
    );
}

#[test]
fn an_output_file_that_cannot_be_written_is_told_before_anything_is_sent() {
    let site = site();
    for (file, why) in [
        ("nowhere/report", "no such file or folder"),
        ("mappings", "it is a folder"),
        ("dhis2.token/report", "it is not a folder"),
        ("/dev/null", "it is not a file"),
    ] {
        let told = format!("the output file {file} cannot be written ({why})");
        site.refused(site.program(&with(&JSON, &["-o", file])), 10, &told);
        site.refused(site.program(&with(&EXTRACT, &["-o", file])), 10, &told);
        assert!(site.dhis2.requests().is_empty(), "{file}");
    }
}

#[test]
fn a_full_disk_is_an_error_and_no_panic() {
    let site = site();
    let full = || File::options().write(true).open("/dev/full").unwrap();
    let disk = "standard output cannot be written (the disk is full)";
    program_with_output(command(site.folder.path(), &EXTRACT).stdout(full()))
        .code(10)
        .stderr_has(disk);
    // The report is lost, and what was done is done.
    program_with_output(command(site.folder.path(), &JSON).stdout(full()))
        .code(16)
        .stderr_has(disk);
    assert_eq!(site.dhis2.values().len(), 1);
    site.replace("mappings/small.toml", "YE8SgpSMBQ9", "Aaaaaaaaaa1");
    let run = ["run", "-p", "202503"];
    program_with_output(command(site.folder.path(), &run).stderr(full())).code(14);
}

#[test]
fn who_has_read_enough_may_close_the_pipe() {
    let site = site();
    site.write(
        "mappings/query.sql",
        "SELECT 'M1eFRJpEkoO' AS element, 'VsF9dWr6arv' || n AS unit, '202503' AS period, n AS value
         FROM generate_series(1, 50000) AS n",
    );
    let mut child = command(site.folder.path(), &EXTRACT)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut head = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut head).unwrap();
    drop(out);
    let mut told = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut told)
        .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{told}");
    assert!(head.starts_with("{\"pg2dhis2\":\"extract/1\""), "{head}");
    assert_eq!(told, "");
}

#[test]
fn nobody_there_to_read_changes_nothing() {
    let site = site();
    let closed = |redirections: &str, args: &str| {
        let script = format!("exec \"$0\" {args} {redirections}");
        Command::new("/bin/sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_pg2dhis2")])
            .current_dir(site.folder.path())
            .env_clear()
            .status()
            .unwrap()
            .code()
    };
    assert_eq!(closed("<&- >&- 2>&-", "run -p 202503"), Some(0));
    assert_eq!(site.dhis2.values().len(), 1);
    assert_eq!(closed("2>&-", "run -m none"), Some(2));
    assert_eq!(closed("2>&-", "run -p 2025013"), Some(2));
    site.replace("mappings/small.toml", "YE8SgpSMBQ9", "Aaaaaaaaaa1");
    assert_eq!(closed("2>&-", "run -p 202503"), Some(14));
}
