//! The lock: one run at a time, gone with its holder; and a state folder that cannot be used.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rig::dhis2::Dialect;
use rig::postgres::Database;

use crate::program::{Finished, command};
use crate::small_site::{NOW, SmallSite};

/// A query that needs no table, for what runs beside a run that waits for one.
const ELSEWHERE: &str =
    "SELECT 'NaIvsjCYa37' AS element, 'VsF9dWr6arv' AS unit, '202503' AS period, 1 AS value";

/// A site whose table somebody else holds locked, so that a run hangs in its query until the test lets go.
pub(crate) struct Hanging {
    pub(crate) site: SmallSite,
    pub(crate) lock: postgres::Client,
}

impl Hanging {
    pub(crate) fn new() -> Hanging {
        let site = SmallSite::new(Dialect::V2_43);
        site.replace(
            "pg2dhis2.toml",
            "[dhis2]",
            "lock-timeout = \"10m\"\n[dhis2]",
        );
        let text = fs::read_to_string(site.path("mappings/small.toml")).unwrap();
        site.write(
            "mappings/elsewhere.toml",
            &text.replace("query.sql", "elsewhere.sql"),
        );
        site.write("mappings/elsewhere.sql", ELSEWHERE);
        let mut lock = site.database.connect();
        lock.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            .unwrap();
        Hanging { site, lock }
    }

    /// Starts a run and waits until it hangs.
    pub(crate) fn run(&self) -> Child {
        let mut child = command(
            self.site.folder.path(),
            &["run", "-p", "202503", "-m", "small"],
        )
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
        while waiting(&self.site.database) != "1" {
            assert!(child.try_wait().unwrap().is_none(), "the run does not hang");
        }
        child
    }

    pub(crate) fn beside(&self, args: &[&str]) -> Finished {
        let base = ["-p", "202503", "-m", "elsewhere"];
        let args: Vec<&str> = args.iter().chain(&base).copied().collect();
        self.site.program(&args)
    }
}

/// Sessions of the program that wait for a lock. PostgreSQL answers after a moment, so that asking again and again
/// costs little.
fn waiting(database: &Database) -> String {
    let rows = database.query(
        "SELECT count(*) FROM pg_stat_activity, pg_sleep(0.01)
         WHERE datname = current_database() AND application_name LIKE 'pg2dhis2%' AND wait_event_type = 'Lock'",
    );
    rows[0][0].clone().unwrap()
}

fn sessions(database: &Database) -> String {
    let rows = database.query(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'pg2dhis2%'",
    );
    rows[0][0].clone().unwrap()
}

/// The history notes that a run was refused, and a short file that a login works.
fn besides_history(mut files: BTreeMap<PathBuf, Vec<u8>>) -> BTreeMap<PathBuf, Vec<u8>> {
    files.retain(|path, _| {
        let path = path.to_string_lossy();
        !path.contains("history.db") && !path.ends_with("accepted.tsv")
    });
    files
}

#[test]
fn a_second_run_ends_at_once_and_touches_neither_side() {
    let mut hanging = Hanging::new();
    let child = hanging.run();
    let before = besides_history(hanging.site.files());
    for args in [&["run"][..], &["run", "--format", "json"]] {
        let busy = hanging.beside(args);
        let holder = format!("another run is active (pid {}, since ", child.id());
        hanging.site.refused(busy, 11, &holder);
        assert_eq!(sessions(&hanging.site.database), "1");
        assert!(hanging.site.dhis2.requests().is_empty());
        assert_eq!(besides_history(hanging.site.files()), before);
    }
    hanging.lock.batch_execute("ROLLBACK").unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert_eq!(hanging.site.dhis2.values().len(), 1);
    hanging.beside(&["run"]).code(0).silent();
}

#[test]
fn what_only_reads_works_beside_a_run() {
    let mut hanging = Hanging::new();
    let child = hanging.run();
    let before = besides_history(hanging.site.files());
    hanging.beside(&["run", "--dry-run"]).code(0);
    hanging.beside(&["extract"]).code(0);
    assert_eq!(besides_history(hanging.site.files()), before);
    assert!(hanging.site.dhis2.stored().is_empty());
    hanging.lock.batch_execute("ROLLBACK").unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn the_lock_dies_with_its_holder() {
    let mut hanging = Hanging::new();
    let mut child = hanging.run();
    child.kill().unwrap();
    child.wait().unwrap();
    hanging.beside(&["run"]).code(0).silent();
    hanging.lock.batch_execute("ROLLBACK").unwrap();
    hanging.site.run().code(0);
    assert_eq!(hanging.site.dhis2.values().len(), 2);
}

#[test]
fn a_state_folder_that_cannot_be_used_stops_the_run_before_it_begins() {
    // A file where the folder must be, a folder in a file, and folders in the place of its files.
    for (state, in_the_way) in [
        ("dhis2.token", None),
        ("dhis2.token/state", None),
        ("state", Some("holder")),
        ("state", Some("keys.secret")),
    ] {
        let site = SmallSite::new(Dialect::V2_43);
        site.replace(
            "pg2dhis2.toml",
            "state = \"state\"",
            &format!("state = \"{state}\""),
        );
        if let Some(name) = in_the_way {
            fs::create_dir_all(site.path("state").join(name)).unwrap();
        }
        site.refused(site.run(), 16, "nothing was sent");
        assert!(site.dhis2.requests().is_empty());
        assert_eq!(sessions(&site.database), "0");
        // A dry run needs none.
        site.program(&["run", "-n", "-p", "202503"]).code(0);
    }
}

#[test]
fn a_secret_that_is_not_whole_is_not_replaced_in_silence() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    site.dhis2.forget_requests();
    site.write("state/keys.secret", "short");
    site.run()
        .code(16)
        .stderr_has("the secret behind the fingerprints of keys, cannot be read or is not whole");
    assert_eq!(site.dhis2.requests().len(), 0);
    assert_eq!(site.files()[&site.path("state/keys.secret")], b"short");
    // A dry run keeps none, and does with a throw-away one.
    let dry = ["run", "-n", "-p", "202503", "--as-of", NOW];
    site.program(&dry).code(0);
}

#[test]
fn what_a_killed_run_had_begun_to_write_goes_with_the_next_run() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    site.write("state/.pg2dhis2-Xy12Za", "half a li");
    site.run().code(0);
    let names = site.files().into_keys();
    let left = names.filter(|path| path.ends_with(".pg2dhis2-Xy12Za"));
    assert_eq!(left.count(), 0);
}
