//! What an administrator can get wrong in the site file and around it: TOML, places, secrets, credentials.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

use rig::dhis2::Dialect;

use crate::program::{command, program, program_with_output};
use crate::small_site::SmallSite;

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

/// Something in the site file, what somebody wrote instead, and what is told.
const MISTAKES: [(&str, &str, &str); 25] = [
    (
        "state = \"state\"",
        "state = state",
        "pg2dhis2.toml:4:9: a text must stand in \"quotes\"",
    ),
    (
        "state = \"state\"",
        "state = \u{201c}state\u{201d}",
        "pg2dhis2.toml:4:9: a text must stand in",
    ),
    (
        "state = \"state\"",
        "state = \"state",
        "pg2dhis2.toml:4:15: the text before this place lacks its closing quote",
    ),
    ("state = \"state\"", "state =", "pg2dhis2.toml:4:8:"),
    (
        "state = \"state\"",
        "state = [\"state\"]",
        "`state` must be text in quotes",
    ),
    ("state = \"state\"", "state \"state\"", "pg2dhis2.toml:4:"),
    (
        "[limits]",
        "time-zone = \"Etc/UTC\"\n[limits]",
        "6:1: this key stands in the file twice; remove one",
    ),
    (
        "[limits]",
        "[source]\nurl = \"x\"\n[limits]",
        "this key stands in the file twice",
    ),
    (
        "[limits]",
        "[limit]",
        "6:2: unknown key `limit`, did you mean `limits`?",
    ),
    ("[limits]", "[[limits]]", "`limits` must be a table"),
    (
        "wait = ",
        "wiat = ",
        "7:1: unknown key `[limits] wiat`, did you mean `wait`?",
    ),
    (
        "\"mappings/*.toml\"",
        "",
        "3:12: `mappings` must name at least one mapping file",
    ),
    (
        "\"mappings/*.toml\"",
        "7",
        "3:13: `mappings` must be text in quotes",
    ),
    (
        "mappings/*.toml",
        "mappings/***",
        "is not a pattern of file names",
    ),
    (
        "mappings/*.toml",
        "mappings/query.sql/*.toml",
        "no mapping file matches",
    ),
    (
        "token-file = \"dhis2.token\"",
        "",
        "[dhis2] needs a `token-file`, or `username` and `password-file`",
    ),
    (
        "token-file = \"dhis2.token\"",
        "username = \"x\"",
        "[dhis2] needs a `token-file`, or `username`",
    ),
    (
        "token-file = ",
        "username = \"x\"\ntoken-file = ",
        "[dhis2] needs a `token-file`, or `username`",
    ),
    (
        "token-file = ",
        "ca-file = \"none.pem\"\ntoken-file = ",
        "none.pem: `ca-file` does not exist",
    ),
    (
        "token-file = ",
        "ca-file = \"dhis2.token\"\ntoken-file = ",
        "ca-file in [dhis2]: no certificate in the CA file",
    ),
    (
        "token-file = \"dhis2.token\"",
        "token-file = \"mappings\"",
        "mappings: the secret file is a folder, not a file",
    ),
    (
        "postgresql://rig_reader@",
        "postgresql://rig_reader:hunter2@",
        "holds a password; put it into a file",
    ),
    (
        "postgresql://rig_reader@",
        "postgresql://rig_reader:hun/ter2@",
        "write / as %2F and @ as %40",
    ),
    (
        "postgresql://rig_reader@",
        "postgresql://rig_reader:hun@ter2@",
        "holds a password; put it into a file",
    ),
    (
        "http://",
        "http://admin:hunter2@",
        "must not hold a user or password",
    ),
];

#[test]
fn mistakes_are_told_with_their_place_and_secrets_are_not_repeated() {
    for (old, new, words) in MISTAKES {
        let site = site();
        site.replace("pg2dhis2.toml", old, new);
        let loud = site.program(&["run", "-vv", "-p", "202503"]);
        for secret in ["hunter2", "ter2", "d2p_"] {
            assert!(!loud.stderr.contains(secret), "{}", loud.stderr);
        }
        site.refused(loud, 10, words);
        site.refused(site.run(), 10, words);
        assert!(site.dhis2.requests().is_empty());
        assert!(!site.path("state").exists());
    }
}

#[test]
fn parameters_of_the_source_url_are_checked_before_it_is_used() {
    for (parameter, words) in [
        ("password=hunter2", "holds a password; put it into a file"),
        (
            "sslmod=disable",
            "unknown key \"sslmod\" in the url of [source]; did you mean sslmode?",
        ),
        (
            "sslmode=off",
            "known: disable, prefer, require, verify-ca, verify-full",
        ),
        ("sslrootcert=none.pem", "none.pem does not exist"),
        (
            "sslrootcert=dhis2.token",
            "holds no certificate in PEM form",
        ),
        (
            "sslmode=verify-ca",
            "sslmode=verify-ca needs sslrootcert=FILE",
        ),
    ] {
        let site = site();
        let url = site.database.url();
        site.replace("pg2dhis2.toml", &url, &format!("{url}?{parameter}"));
        let run = site.run();
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        site.refused(run, 10, words);
    }
}

#[test]
fn a_site_file_that_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("empty.toml"), "").unwrap();
    fs::write(path.join("noise.toml"), [0, 159, 146, 150]).unwrap();
    fs::create_dir(path.join("folder.toml")).unwrap();
    for (file, words) in [
        ("empty.toml", "empty.toml: `time-zone` is missing"),
        (
            "noise.toml",
            "noise.toml:1:2: the site file is not UTF-8 from here on; save it as UTF-8",
        ),
        (
            "folder.toml",
            "folder.toml: the site file is a folder, not a file",
        ),
        ("none.toml", "none.toml: the site file does not exist"),
    ] {
        let told = format!("pg2dhis2: {words}\n");
        for command in ["run", "map", "push"] {
            let finished = program(path, &[command, "-c", file]).code(10);
            assert_eq!((finished.stdout.as_str(), &finished.stderr), ("", &told));
        }
        // The environment names it as well as the command line.
        let named = program_with_output(command(path, &["run"]).env("PG2DHIS2_CONFIG", file));
        assert_eq!(named.code(10).stderr, told);
    }
}

#[test]
fn secret_files_are_refused_unless_they_are_ours_alone() {
    let site = site();
    let token = site.path("dhis2.token");
    for mode in [0o644, 0o640, 0o604, 0o660, 0o666] {
        fs::set_permissions(&token, fs::Permissions::from_mode(mode)).unwrap();
        let told = format!("open to others ({mode:04o}); run: chmod 600 ");
        site.refused(site.run(), 10, &told);
    }
    for (content, words) in [
        ("", "the secret file is empty"),
        ("\r\n", "the secret file is empty"),
        (
            "d2p_first\nd2p_second\n",
            "has characters that no token has; check token-file",
        ),
    ] {
        site.write("dhis2.token", content);
        site.refused(site.run(), 10, words);
    }
    fs::write(&token, [0xff, 0xfe]).unwrap();
    site.refused(site.run(), 10, "the secret file is not UTF-8");
    // Only root can give a file away; whoever else runs this shows that it cannot happen to them.
    match chown(&token, Some(12_345), None) {
        Ok(()) => site.refused(site.run(), 10, "belongs to somebody else; chown it"),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    fs::remove_file(&token).unwrap();
    site.refused(
        site.run(),
        10,
        "dhis2.token: the secret file does not exist",
    );
    assert!(site.dhis2.requests().is_empty());
}

#[test]
fn each_command_asks_for_the_tables_it_needs_and_no_others() {
    let site = site();
    let text = fs::read_to_string(site.path("pg2dhis2.toml")).unwrap();
    let (before, dhis2) = text.split_once("[dhis2]").unwrap();
    site.write("pg2dhis2.toml", before);
    let missing = "table `[dhis2]` is missing; this command needs it";
    site.refused(site.run(), 10, missing);
    site.program(&["extract", "-m", "small", "-p", "202503", "-o", "rows"])
        .code(0);
    site.program(&["map", "rows", "-o", "document"]).code(0);
    site.refused(site.program(&["push", "document"]), 10, missing);
    let (before, _) = before.split_once("[source]").unwrap();
    site.write("pg2dhis2.toml", &format!("{before}[dhis2]{dhis2}"));
    site.program(&["map", "rows", "-o", "document"]).code(0);
    let missing = "table `[source]` is missing; this command needs it";
    site.refused(
        site.program(&["extract", "-m", "small", "-p", "202503"]),
        10,
        missing,
    );
    site.refused(site.run(), 10, missing);
    site.program(&["push", "document"]).code(0);
    assert_eq!(site.dhis2.values().len(), 1);
}

#[test]
fn a_mapping_is_found_by_name_or_path_and_is_one_however_often_it_is_asked_for() {
    let site = site();
    let twice = [
        "run",
        "-p",
        "202503",
        "-m",
        "small",
        "-m",
        "mappings/small.toml",
        "-m",
        "./mappings/small.toml",
    ];
    site.program(&twice).code(0).silent();
    assert_eq!(site.dhis2.values().len(), 1);
    site.dhis2.reset();
    site.dhis2.forget_requests();
    for (name, code, words) in [
        ("smal", 2, "there is no mapping `smal`; did you mean small?"),
        ("yearly", 2, "there is no mapping `yearly`; there are small"),
        (
            "mappings/none.toml",
            10,
            "mappings/none.toml: the mapping file does not exist",
        ),
        ("mappings", 2, "there is no mapping `mappings`"),
        ("a\u{1b}[31mb\nc", 2, "there is no mapping `a [31mb c`"),
    ] {
        site.refused(
            site.program(&["run", "-p", "202503", "-m", name]),
            code,
            words,
        );
    }
    site.replace("pg2dhis2.toml", "mappings/*.toml", "mappings/**/*.toml");
    for file in ["small.toml", "query.sql"] {
        let text = fs::read_to_string(site.path("mappings").join(file)).unwrap();
        site.write(&format!("mappings/old/{file}"), &text);
    }
    site.refused(
        site.run(),
        10,
        "mappings/small.toml: has the same name as mappings/old/small.toml; rename one",
    );
}

#[test]
fn moments_and_periods_that_are_none_are_a_wrong_command_line() {
    let site = site();
    for (args, words) in [
        (
            ["--as-of", "yesterday"],
            "write a date and time with its offset, such as 2026-01-01T04:00:00Z",
        ),
        (
            ["--as-of", "2026-01-01"],
            "write a date and time with its offset",
        ),
        (
            ["--as-of", "2026-01-01T04:00:00"],
            "write a date and time with its offset",
        ),
        (
            ["--period", "2025-13"],
            "Monthly periods of 2025 are numbered 1 to 12",
        ),
        (["--period", "202503..202501"], "write 202501..202503"),
        (
            ["--period", "202503..2025"],
            "202503 is Monthly, 2025 is Yearly",
        ),
        (
            ["--period", "99999"],
            "is not a period of DHIS2, such as 202503",
        ),
        (["--period", "189912"], "it must lie within 1900 to 9999"),
        (
            ["--period", "999912"],
            "period 999912 is too late: no day follows its last one",
        ),
    ] {
        let run = site.program(&["run", args[0], args[1]]).code(2);
        assert!(run.stderr.contains(words), "{args:?}: {}", run.stderr);
        assert_eq!(run.stdout, "");
    }
    assert!(site.dhis2.requests().is_empty());
}
