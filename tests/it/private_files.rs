//! Files and processes of the program are its user's alone: secrets, state, what it writes, what the system shows of it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use rig::dhis2::Dialect;
use rig::postgres::cluster;
use rig::st_lucia::LOADER_TOKEN;

use crate::program::{command, program_with_output};
use crate::small_site::{NOW, SmallSite};

fn site() -> SmallSite {
    SmallSite::new(Dialect::V2_43)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("permissions");
}

#[test]
fn a_secret_file_that_others_could_exchange_is_refused() {
    let site = site();
    let token = site.path("dhis2.token");
    let kept = site.path("kept.token");
    fs::rename(&token, &kept).unwrap();
    symlink(&kept, &token).unwrap();
    site.refused(site.run(), 10, "is a link, which may point elsewhere");
    fs::remove_file(&token).unwrap();
    let made = Command::new("mkfifo")
        .args(["-m", "600"])
        .arg(&token)
        .status();
    assert!(made.unwrap().success());
    site.refused(site.run(), 10, "the secret file is no file");
    fs::remove_file(&token).unwrap();

    fs::create_dir(site.path("open")).unwrap();
    fs::rename(&kept, site.path("open/dhis2.token")).unwrap();
    let named = "token-file = \"open/dhis2.token\"";
    site.replace("pg2dhis2.toml", "token-file = \"dhis2.token\"", named);
    set_mode(&site.path("open"), 0o777);
    site.refused(
        site.run(),
        10,
        "a folder to which everybody may write (0777); run: chmod o-w ",
    );
    match chown(site.path("open"), Some(12_345), None) {
        Ok(()) => {
            set_mode(&site.path("open"), 0o755);
            site.refused(site.run(), 10, "stands in the folder of somebody else");
            chown(
                site.path("open"),
                Some(rustix::process::geteuid().as_raw()),
                None,
            )
            .unwrap();
        }
        // Whoever is not root cannot give a folder away.
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    assert!(site.dhis2.requests().is_empty());
    // In a folder such as /tmp nobody can put a file in the place of another's.
    set_mode(&site.path("open"), 0o1777);
    site.run().code(0).silent();
}

#[test]
fn a_password_file_of_libpq_is_held_to_the_same() {
    cluster().create_role_with_password("private_passfile", "Sesame7");
    let site = site();
    site.database
        .execute("GRANT SELECT ON t TO private_passfile");
    let url = site.database.url_as("private_passfile");
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    site.write("passfile", "*:*:*:private_passfile:Sesame7\n");
    let run = || {
        let mut run = command(site.folder.path(), &["run", "-p", "202503", "--as-of", NOW]);
        program_with_output(run.env("PGPASSFILE", site.path("passfile")))
    };
    set_mode(&site.path("passfile"), 0o640);
    site.refused(run(), 10, "is open to others (0640)");
    set_mode(&site.path("passfile"), 0o600);
    run().code(0).silent();
}

#[test]
fn a_state_folder_that_others_may_write_to_is_refused_before_anything_is_asked() {
    let site = site();
    let state = site.path("state");
    fs::create_dir(&state).unwrap();
    for open in [0o777, 0o770, 0o720, 0o702] {
        set_mode(&state, open);
        let words = format!("who may write to it ({open:04o}); run: chmod 700 ");
        site.refused(site.run(), 16, &words);
    }
    set_mode(&state, 0o755);
    match chown(&state, Some(12_345), None) {
        Ok(()) => {
            site.refused(site.run(), 16, "belongs to somebody else; chown it");
            chown(&state, Some(rustix::process::geteuid().as_raw()), None).unwrap();
        }
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied),
    }
    assert!(site.dhis2.requests().is_empty());
    // That others may list it is no harm.
    site.run().code(0).silent();
}

#[test]
fn whatever_the_umask_is_what_the_program_makes_is_its_users_alone() {
    for umask in ["000", "022", "027"] {
        let site = site();
        site.replace("pg2dhis2.toml", "\"state\"", "\"var/lib/state\"");
        let before = site.files();
        let script = format!("umask {umask}; exec \"$0\" \"$@\"");
        let mut run = Command::new("/bin/sh");
        run.args(["-c", &script, env!("CARGO_BIN_EXE_pg2dhis2")]);
        run.args([
            "run",
            "-p",
            "202503",
            "--format",
            "json",
            "-o",
            "report.json",
        ]);
        run.current_dir(site.folder.path()).env_clear();
        program_with_output(&mut run).code(0).silent();
        let made: Vec<_> = site
            .files()
            .into_keys()
            .filter(|path| !before.contains_key(path))
            .collect();
        assert!(made.len() > 2, "{made:?}");
        for file in made {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
        assert_eq!(mode(&site.path("var/lib/state")), 0o700);
    }
}

#[test]
fn the_system_shows_no_secret_of_a_running_program_and_would_keep_none_of_a_crashed_one() {
    cluster().create_role_with_password("private_process", "Sesame7");
    let site = site();
    site.database
        .execute("GRANT SELECT ON t TO private_process");
    let url = site.database.url_as("private_process");
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    let line = "password-file = \"source.password\"\n[dhis2]";
    site.replace("pg2dhis2.toml", "[dhis2]", line);
    site.write("source.password", "Sesame7");
    // It waits for this lock with both secrets read.
    let mut session = site.database.connect();
    let mut lock = session.transaction().unwrap();
    lock.batch_execute("LOCK TABLE t").unwrap();
    let mut run = Command::new("/bin/sh");
    run.args([
        "-c",
        "ulimit -S -c unlimited 2>/dev/null; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_pg2dhis2"),
    ]);
    run.args(["run", "-vv", "-p", "202503", "--as-of", NOW]);
    run.current_dir(site.folder.path()).env_clear();
    let child = run
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.expect("the program starts");
    let waits = "SELECT FROM pg_stat_activity WHERE usename = 'private_process' AND wait_event_type = 'Lock'";
    while site.database.query(waits).is_empty() {
        assert_eq!(child.try_wait().unwrap(), None, "it ended without waiting");
    }
    let shown = |file: &str| {
        let bytes = fs::read(format!("/proc/{}/{file}", child.id())).expect(file);
        String::from_utf8_lossy(&bytes).into_owned()
    };
    for file in ["cmdline", "environ"] {
        let text = shown(file);
        assert!(
            !text.contains("Sesame") && !text.contains(LOADER_TOKEN),
            "{text}"
        );
    }
    let limits = shown("limits");
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let numbers: Vec<&str> = core.unwrap().split_whitespace().skip(4).take(2).collect();
    assert_eq!(numbers, ["0", "0"]);
    drop(lock);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
