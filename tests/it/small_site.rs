//! A site of a few lines for tests of everything that can be wrong: one table, one mapping, one data set.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rig::dhis2::{Dialect, StandIn};
use rig::postgres::{Database, cluster};
use rig::st_lucia::LOADER_TOKEN;
use tempfile::TempDir;

use crate::program::{Finished, program};
use crate::st_lucia::repository;

/// The clock of both sides.
pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";

/// The element `X_NUM`, of value type NUMBER, of the data set `X_MAIN`, which has one of every value type.
pub(crate) const NUMBER: &str = "M1eFRJpEkoO";
/// Two of its units, and one that is not.
pub(crate) const UNITS: [&str; 2] = ["VsF9dWr6arv", "iztChCalPg5"];

const SITE: &str = r#"
time-zone = "Etc/UTC"
mappings = ["mappings/*.toml"]
state = "state"

[limits]
wait = "1ms"

[source]
url = "SOURCE"

[dhis2]
url = "TARGET"
token-file = "dhis2.token"
"#;

const MAPPING: &str = r#"
data-set = "YE8SgpSMBQ9"
queries = ["query.sql"]
period = { type = "Monthly", column = "period" }
value = "value"
absent = "leave"

[data-element]
column = "element"

[org-unit]
column = "unit"
"#;

const QUERY: &str = "SELECT element, unit, period, value FROM t
WHERE period >= to_char(:'period_start'::date, 'YYYYMM') AND period < to_char(:'period_end'::date, 'YYYYMM')
";

/// What Rust and its libraries say to programmers.
const NOISE: [&str; 6] = [
    "os error",
    "invalid type",
    "invalid value",
    "Error {",
    "Some(",
    "RUST_",
];

pub(crate) struct SmallSite {
    pub(crate) database: Database,
    pub(crate) dhis2: StandIn,
    pub(crate) folder: TempDir,
}

/// Every file below a folder with what is in it.
pub(crate) fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).expect("a file");
                found.insert(path, content);
            }
        }
    }
    found
}

impl SmallSite {
    /// A site whose table has one row: 5 in March 2025.
    pub(crate) fn new(dialect: Dialect) -> SmallSite {
        let database = cluster().database("small");
        database.execute(&format!(
            "CREATE TABLE t (element text, unit text, period text, value text);
             INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '5');",
            UNITS[0]
        ));
        let read = |path: &str| fs::read_to_string(repository().join(path)).expect("metadata");
        let metadata = [
            read("examples/st-lucia/dhis2/metadata.json"),
            read("tests/golden/exchanges/extra_metadata.json"),
            read("tests/golden/exchanges/extra_metadata_2.json"),
        ];
        let metadata: Vec<&str> = metadata.iter().map(String::as_str).collect();
        let dhis2 = StandIn::start(dialect, &metadata, Some(NOW));
        let site = SmallSite {
            database,
            dhis2,
            folder: tempfile::tempdir().expect("a folder"),
        };
        let text = SITE
            .replace("SOURCE", &site.database.url())
            .replace("TARGET", &site.dhis2.url());
        site.write("pg2dhis2.toml", &text);
        site.write("mappings/small.toml", MAPPING);
        site.write("mappings/query.sql", QUERY);
        site.write("dhis2.token", LOADER_TOKEN);
        site
    }

    pub(crate) fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// Writes a file, readable by its owner only.
    pub(crate) fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(&path, text).expect("the file is written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("permissions");
    }

    /// Replaces a text that must be in a file.
    #[track_caller]
    pub(crate) fn replace(&self, file: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.path(file)).expect("the file");
        assert!(text.contains(old), "{file} has no {old:?}");
        self.write(file, &text.replace(old, new));
    }

    /// Every file of the site with what is in it.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files_of(self.folder.path())
    }

    pub(crate) fn program(&self, args: &[&str]) -> Finished {
        program(self.folder.path(), args)
    }

    /// Runs March 2025.
    pub(crate) fn run(&self) -> Finished {
        self.program(&["run", "-p", "202503", "--as-of", NOW])
    }

    /// Nothing was sent, and the fault stands in one line that begins with the program's name.
    #[track_caller]
    pub(crate) fn refused(&self, finished: Finished, code: i32, words: &str) {
        let finished = finished.code(code).stderr_has(words);
        let told: Vec<&str> = finished
            .stderr
            .lines()
            .filter(|line| line.starts_with("pg2dhis2: "))
            .collect();
        assert_eq!(told.len(), 1, "{}", finished.stderr);
        for noise in NOISE {
            assert!(!finished.stderr.contains(noise), "{}", finished.stderr);
        }
        assert!(told[0].contains(words), "{}", finished.stderr);
        assert_eq!(finished.stdout, "");
        let posts = self
            .dhis2
            .requests()
            .into_iter()
            .filter(|request| request.method == "POST");
        assert_eq!(posts.count(), 0);
        assert!(self.dhis2.stored().is_empty());
    }
}
