//! What a site can write wrong: exit 10, the place, and what to do; nothing is sent.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use rig::dhis2::Dialect;

use crate::program::program;
use crate::small_site::SmallSite;

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

#[test]
fn the_small_site_itself_is_fine() {
    let site = site();
    site.run().code(0).silent();
    assert_eq!(site.dhis2.values().len(), 1);
}

#[test]
fn a_missing_or_unreadable_site_file_is_told() {
    let empty = tempfile::tempdir().unwrap();
    program(empty.path(), &["run"])
        .code(10)
        .stderr_has("there is no site file");
    program(empty.path(), &["run", "-c", "other.toml"])
        .code(10)
        .stderr_has("other.toml: the site file does not exist");
    fs::write(empty.path().join("latin.toml"), b"time-zone = \"\xe9\"").unwrap();
    program(empty.path(), &["run", "-c", "latin.toml"])
        .code(10)
        .stderr_has("not UTF-8");
}

#[test]
fn mistakes_in_the_site_file_are_told_with_their_place() {
    for (old, new, words) in [
        (
            "state = ",
            "stat = ",
            "pg2dhis2.toml:4:1: unknown key `stat`, did you mean `state`?",
        ),
        (
            "time-zone = \"Etc/UTC\"",
            "time-zone = \"Etc/Nowhere\"",
            "`time-zone` is not an IANA time zone",
        ),
        ("time-zone = \"Etc/UTC\"\n", "", "`time-zone` is missing"),
        (
            "mappings = [",
            "mappings = 3 # [",
            "`mappings` must be a list",
        ),
        (
            "mappings/*.toml",
            "nothing/*.toml",
            "no mapping file matches nothing/*.toml",
        ),
        ("token-file", "token-fil", "[dhis2]"),
        (
            "token-file = \"dhis2.token\"",
            "token-file = \"none.token\"",
            "none.token: the secret file does not exist",
        ),
        ("http://", "ftp://", "must begin with https://"),
        (
            "http://",
            "http://user:secret@",
            "must not hold a user or password",
        ),
        ("postgresql://", "mysql://", "begins with postgresql://"),
        (
            "wait = \"1ms\"",
            "wait = \"soon\"",
            "must be a time such as",
        ),
        (
            "[dhis2]\n",
            "[dhis2]\nchunk = 5000\n",
            "`[dhis2] chunk` must be from 1 to 2000",
        ),
        ("[source]\n", "[source\n", "pg2dhis2.toml:9:"),
    ] {
        let site = site();
        site.replace("pg2dhis2.toml", old, new);
        let run = site.run();
        assert!(
            !run.stderr.contains("secret@"),
            "a password was repeated: {}",
            run.stderr
        );
        site.refused(run, 10, words);
    }
}

#[test]
fn a_password_in_the_source_url_is_refused_and_not_repeated() {
    let site = site();
    site.replace(
        "pg2dhis2.toml",
        "postgresql://rig_reader@",
        "postgresql://rig_reader:hunter2@",
    );
    let run = site.run();
    assert!(!run.stderr.contains("hunter2"));
    site.refused(run, 10, "password");
}

/// A text of the mapping, what somebody wrote instead, and what is told.
const IN_A_MAPPING: [(&str, &str, &str); 14] = [
    (
        "absent = ",
        "abscent = ",
        "mappings/small.toml:6:1: unknown key `abscent`, did you mean `absent`?",
    ),
    (
        "value = \"value\"",
        "valu = \"value\"",
        "unknown key `valu`, did you mean `value`?",
    ),
    (
        "absent = \"leave\"",
        "absent = \"leave\"\nlook-bak = 3",
        "mappings/small.toml:7:1: unknown key `look-bak`, did you mean `look-back`?",
    ),
    ("YE8SgpSMBQ9", "YE8SgpSMBQ", "mappings/small.toml:2:12:"),
    (
        "Monthly",
        "Montly",
        "unknown period type `Montly`, did you mean `Monthly`?",
    ),
    (
        "query.sql",
        "none.sql",
        "names none.sql, which does not exist",
    ),
    (
        "absent = \"leave\"",
        "absent = \"never\"",
        "`absent` must be one of leave, zero, delete",
    ),
    (
        "absent = \"leave\"",
        "absent = \"zero\"",
        "must be \"leave\"",
    ),
    (
        "column = \"unit\"",
        "column = \"unit\"\nuid = \"VsF9dWr6arv\"\nmap = { a = \"VsF9dWr6arv\" }",
        "choose one of uid, map, map-file, rules",
    ),
    (
        "column = \"unit\"",
        "",
        "says nowhere where the UID comes from",
    ),
    (
        "column = \"unit\"",
        "column = \"value\"",
        "column `value` is named as a dimension and as the value",
    ),
    (
        "[org-unit]\ncolumn = \"unit\"",
        "",
        "table `[org-unit]` is missing",
    ),
    (
        "absent = \"leave\"",
        "absent = \"leave\"\nstart = \"2025\"",
        "must be a Monthly period",
    ),
    (
        "[org-unit]",
        "[org-unit]\nshow-keys = \"(\"",
        "is not a regular expression",
    ),
];

#[test]
fn mistakes_in_a_mapping_are_told_with_their_place() {
    for (old, new, words) in IN_A_MAPPING {
        let site = site();
        site.replace("mappings/small.toml", old, new);
        site.refused(site.run(), 10, words);
    }
}

#[test]
fn mistakes_in_a_map_file_are_told_with_line_and_column() {
    for (csv, words) in [
        (
            "element,uid\na,M1eFRJpEkoO\na,M1eFRJpEkoO\n",
            "elements.csv:3:1: this key stands in line 2 too",
        ),
        ("element,uid\na,short\n", "elements.csv:2:2:"),
        (
            "elment,uid\na,M1eFRJpEkoO\n",
            "column `element` is missing, did you mean `elment`?",
        ),
        (
            "element,uid,absent\na,M1eFRJpEkoO,leave\nb,M1eFRJpEkoO,zero\n",
            "`absent` differs from an earlier line",
        ),
        (
            "element,uid,combine\na,M1eFRJpEkoO,add\n",
            "`combine` must be one of sum, max, min, refuse",
        ),
        ("element,uid\n", "names a file without a single key"),
    ] {
        let site = site();
        site.write("mappings/elements.csv", csv);
        site.replace(
            "mappings/small.toml",
            "column = \"element\"",
            "column = \"element\"\nmap-file = \"elements.csv\"",
        );
        site.refused(site.run(), 10, words);
    }
}

#[test]
fn a_map_file_may_be_written_as_spreadsheets_write_it() {
    for csv in [
        "element,uid\nM1eFRJpEkoO,M1eFRJpEkoO\n",
        "\u{feff}element;uid;note\r\nM1eFRJpEkoO;M1eFRJpEkoO;\"a; b\"\r\n;;\r\n",
        "uid\telement\nM1eFRJpEkoO  \tM1eFRJpEkoO \n\t\n",
    ] {
        let site = site();
        site.write("mappings/elements.csv", csv);
        site.replace(
            "mappings/small.toml",
            "column = \"element\"",
            "column = \"element\"\nmap-file = \"elements.csv\"",
        );
        site.run().code(0);
        assert_eq!(site.dhis2.values().len(), 1, "{csv:?}");
    }
}

#[test]
fn mistakes_in_a_query_file_are_seen_without_a_connection() {
    for (sql, words) in [
        ("", "no statement"),
        ("-- nothing\n", "no statement"),
        ("SELECT 1; SELECT 2", "second statement"),
        ("SELECT :'perod_start'", "did you mean"),
        ("\\set x 1\nSELECT 1", "psql"),
        ("SELECT 'open", "is not closed"),
        ("SELECT $1", "$1"),
    ] {
        let site = site();
        site.replace(
            "pg2dhis2.toml",
            "postgresql://rig_reader@127.0.0.1",
            "postgresql://rig_reader@192.0.2.1",
        );
        site.write("mappings/query.sql", sql);
        let run = site.run().code(10);
        assert!(
            run.stderr.to_lowercase().contains(&words.to_lowercase()),
            "{sql:?}: {}",
            run.stderr
        );
        assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
        assert!(run.stderr.contains("query.sql"), "{}", run.stderr);
    }
}

#[test]
fn two_mappings_of_one_cell_are_refused() {
    let site = site();
    let text = fs::read_to_string(site.path("mappings/small.toml")).unwrap();
    let text = text
        .replace(
            "column = \"element\"",
            "column = \"element\"\nuid = \"M1eFRJpEkoO\"",
        )
        .replace(
            "column = \"unit\"",
            "column = \"unit\"\nuid = \"VsF9dWr6arv\"",
        );
    site.write("mappings/small.toml", &text);
    site.write("mappings/twin.toml", &text);
    site.refused(site.run(), 10, "answers for cells that");
    // One alone is fine once the other is gone.
    fs::remove_file(site.path("mappings/small.toml")).unwrap();
    site.program(&["run", "-m", "twin", "-p", "202503"]).code(0);
}

#[test]
fn secrets_that_others_can_read_are_refused() {
    let site = site();
    fs::set_permissions(site.path("dhis2.token"), Permissions::from_mode(0o644)).unwrap();
    site.refused(site.run(), 10, "open to others (0644); run: chmod 600");
    site.write("dhis2.token", "\n");
    site.refused(site.run(), 10, "the secret file is empty");
}

#[test]
fn a_wrong_command_line_is_told() {
    let site = site();
    for (args, words) in [
        (&["run", "-p", "202513"][..], "202513"),
        (&["run", "-p", "202503..202501"], "202503..202501"),
        (&["run", "-p", "202503..2025"], "202503..2025"),
        (
            &["run", "-p", "2025Q1", "-m", "smal"],
            "did you mean small?",
        ),
        (
            &["run", "-p", "2012..2013", "--as-of", "yesterday"],
            "yesterday",
        ),
        (&["walk"], "walk"),
        (&["run", "--force"], "--force"),
        (&["extract", "-p", "202503"], "--mapping"),
        (&[], "Usage"),
    ] {
        let run = site.program(args).code(2);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
    }
    assert!(site.dhis2.requests().is_empty());
}

#[test]
fn every_help_ends_with_the_exit_codes() {
    let site = site();
    for args in [
        &["--help"][..],
        &["run", "--help"],
        &["extract", "-h"],
        &["map", "--help"],
        &["push", "--help"],
    ] {
        let help = site.program(args).code(0).stdout;
        let end = help
            .split("Exit codes:")
            .nth(1)
            .expect("exit codes at the end");
        assert_eq!(
            end.trim()
                .lines()
                .filter(|line| line.trim().chars().next().unwrap().is_ascii_digit())
                .count(),
            13,
            "{help}"
        );
    }
    let version = site.program(&["--version"]).code(0).stdout;
    assert_eq!(
        version.trim(),
        concat!("pg2dhis2 ", env!("CARGO_PKG_VERSION"))
    );
}
