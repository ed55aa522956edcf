//! St. Lucia as a test sees it: its registry in PostgreSQL, its DHIS2 on loopback, its site in a folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use rig::dhis2::{Dialect, StandIn};
use rig::postgres::{Database, cluster};
use rig::st_lucia::{SYNC_ROLE, metadata, write_site};
use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Finished, program};

/// The moment of the first load, `t0`.
pub(crate) const T0: &str = "2026-01-01T04:00:00Z";
/// The moment of the first wave of late entries.
pub(crate) const W1: &str = "2026-01-15T16:00:00Z";

pub(crate) const BOTH: [Dialect; 2] = [Dialect::V2_42, Dialect::V2_43];

/// A site with both its neighbours, for one test alone.
pub(crate) struct StLucia {
    pub(crate) database: Database,
    pub(crate) dhis2: StandIn,
    pub(crate) folder: TempDir,
}

/// Data element, period, organisation unit, category option combo.
pub(crate) type Key = [String; 4];

impl StLucia {
    pub(crate) fn at(dialect: Dialect, now: &str) -> StLucia {
        let database = cluster().database_from(&cluster().sluhis());
        let metadata = fs::read_to_string(metadata()).expect("the metadata");
        let dhis2 = StandIn::start(dialect, &[&metadata], Some(now));
        let folder = tempfile::tempdir().expect("a folder");
        let source = database.url_as(SYNC_ROLE);
        write_site(folder.path(), &source, &dhis2.url()).expect("the site is written");
        StLucia {
            database,
            dhis2,
            folder,
        }
    }

    pub(crate) fn program(&self, args: &[&str]) -> Finished {
        program(self.folder.path(), args)
    }

    /// `run` for some periods, with its report as JSON.
    pub(crate) fn run(&self, now: &str, periods: &[&str], more: &[&str]) -> Finished {
        let mut args = vec!["run", "--format", "json", "--as-of", now];
        for period in periods {
            args.extend(["--period", period]);
        }
        args.extend(more);
        self.program(&args)
    }

    /// The live values in DHIS2, all of which must have the default attribute option combo.
    pub(crate) fn values(&self) -> BTreeMap<Key, String> {
        let values = self.dhis2.values().into_iter();
        values
            .map(|((element, period, unit, combo, attribute), value)| {
                assert_eq!(attribute, "HllvX50cXC0");
                ([element, period, unit, combo], value)
            })
            .collect()
    }

    pub(crate) fn posts(&self) -> usize {
        let requests = self.dhis2.requests();
        requests
            .iter()
            .filter(|request| request.method == "POST")
            .count()
    }

    /// A row of DHIS2's table of values, deleted or not, as the recordings write it.
    #[track_caller]
    pub(crate) fn row(&self, key: &Key) -> Value {
        let [element, period, unit, combo] = key;
        let starts = match (period.get(..4), period.get(4..)) {
            (Some(year), Some("")) => format!("Yearly {year}-01-01"),
            (Some(year), Some(month)) => format!("Monthly {year}-{month}-01"),
            _ => panic!("{period} is no year or month"),
        };
        let wanted = [
            ("de", element),
            ("pe", &starts),
            ("ou", unit),
            ("coc", combo),
        ];
        let rows = self.dhis2.stored();
        let mut rows = rows.into_iter();
        rows.find(|row| wanted.iter().all(|(name, id)| row[*name] == id.as_str()))
            .unwrap_or_else(|| panic!("DHIS2 has no row {key:?}"))
    }

    /// What a person does in the data entry app, as `admin`: a call of the Web API, whose status must be a success.
    #[track_caller]
    pub(crate) fn by_hand(&self, method: &str, path: &str) {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}api/{path}", self.dhis2.url()))
            // admin:district
            .header("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=")
            .body(());
        let answer = ureq::run(request.expect("a request"));
        if let Err(error) = answer {
            panic!("{method} {path}: {error}");
        }
    }

    /// Leaves the monthly mapping only these of its queries, for tests that need no more.
    pub(crate) fn only(&self, queries: &[&str]) {
        self.edit("mappings/epi-monthly.toml", |text| {
            let (before, rest) = text.split_once("queries = [").expect("queries");
            let (_, after) = rest.split_once("]").expect("their end");
            let queries: Vec<String> = queries
                .iter()
                .map(|query| format!("\"../queries/{query}.sql\""))
                .collect();
            format!("{before}queries = [{}]{after}", queries.join(", "))
        });
        // What is unmapped of all queries is much of a few.
        self.unguarded();
    }

    /// Lets everything pass that a guard would hold.
    pub(crate) fn unguarded(&self) {
        self.edit("mappings/epi-monthly.toml", |text| {
            format!(
                "{text}\n[guards]\nmax-unmapped = \"100%\"\nmax-excluded = \"100%\"\nmax-withdrawn = \"100%\"\n\
                 max-withdrawn-of-one = \"100%\"\nmax-changed = \"100%\"\nmax-decrease = \"100%\"\nmin-rows = 0\n"
            )
        });
    }

    /// Replaces a text that must be in a file of the site.
    #[track_caller]
    pub(crate) fn replace(&self, file: &str, old: &str, new: &str) {
        self.edit(file, |text| {
            assert!(text.contains(old), "{file} has no {old:?}");
            text.replace(old, new)
        });
    }

    /// Takes the dose records of a planted case out of the registry, as if they had never been typed.
    pub(crate) fn take_out(&self, case: &str) {
        self.database.execute(&format!(
            "SET session_replication_role = replica;
             DELETE FROM imm.immunization_event WHERE event_id IN
                 (SELECT row_id FROM qa.planted_case WHERE case_code = '{case}' AND table_name = 'imm.immunization_event');"
        ));
    }

    /// The organisation unit that a municipality reported to on a day, by the rules in force.
    pub(crate) fn unit_of(&self, municipality: &str, day: &str) -> String {
        let rows = self.database.query(&format!(
            "SELECT orgunit_uid FROM interop.data_mapping_rules
             WHERE version_no = 3 AND source_key = '{municipality}'
               AND valid_from <= '{day}' AND coalesce(valid_to, '{day}') >= '{day}'
             ORDER BY priority LIMIT 1"
        ));
        rows[0][0].clone().expect("a unit")
    }

    /// Changes a file of the site.
    pub(crate) fn edit(&self, file: &str, edit: impl FnOnce(String) -> String) {
        let path = self.folder.path().join(file);
        let text = fs::read_to_string(&path).expect("the file");
        fs::write(&path, edit(text)).expect("the file is written");
    }
}

/// A file of the expected results.
pub(crate) fn expected(name: &str) -> Vec<BTreeMap<String, String>> {
    let path = repository().join("tests/st-lucia/expected").join(name);
    let mut reader = csv::Reader::from_path(path).expect("the file");
    reader
        .deserialize()
        .map(|row| row.expect("a row"))
        .collect()
}

pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The sum of a count over all mappings of a report: `count(&report, "/cells/blocked")`.
pub(crate) fn count(report: &Value, pointer: &str) -> u64 {
    let mappings = report["mappings"].as_array().expect("mappings");
    mappings
        .iter()
        .map(|mapping| {
            mapping
                .pointer(pointer)
                .and_then(Value::as_u64)
                .expect("a count")
        })
        .sum()
}

/// The difference between two states of DHIS2: what is missing or different on each side.
pub(crate) fn difference(
    found: &BTreeMap<Key, String>,
    wanted: &BTreeMap<Key, String>,
) -> Vec<String> {
    let keys: BTreeSet<&Key> = found.keys().chain(wanted.keys()).collect();
    keys.into_iter()
        .filter(|key| found.get(*key) != wanted.get(*key))
        .map(|key| {
            format!(
                "{}: found {:?}, wanted {:?}",
                key.join(" "),
                found.get(key),
                wanted.get(key)
            )
        })
        .collect()
}

pub(crate) fn wave(name: &str) -> String {
    let path: PathBuf = repository().join("tests/st-lucia/waves").join(name);
    fs::read_to_string(path).expect("the wave")
}
