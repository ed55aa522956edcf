//! A registry of a million rows, the DHIS2 they belong into, and the site between them.

use std::env;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

use rig::dhis2::{Dialect, StandIn};
use rig::postgres::{Database, cluster};
use rig::st_lucia::LOADER_TOKEN;
use serde_json::json;
use tempfile::TempDir;

const UNITS: usize = 400;
const ELEMENTS: usize = 70;
const MONTHS: usize = 36;
pub(crate) const CELLS: usize = UNITS * ELEMENTS * MONTHS;
pub(crate) const PERIODS: &str = "202201..202412";

const SITE: &str = r#"
time-zone = "Etc/UTC"
mappings = ["bench.toml"]
state = "state"
[source]
url = "SOURCE"
[dhis2]
url = "TARGET"
token-file = "token"
"#;

const MAPPING: &str = r#"
data-set = "BenchSet001"
queries = ["bench.sql"]
period = { type = "Monthly", column = "period" }
value = "value"
combine = "sum"
absent = "leave"
[data-element]
column = "element"
[org-unit]
column = "unit"
"#;

const QUERY: &str = "SELECT element, unit, to_char(day, 'YYYYMM') AS period, value
FROM fact WHERE day >= :'period_start'::date AND day < :'period_end'::date";

pub(crate) struct Site {
    pub(crate) program: PathBuf,
    pub(crate) folder: TempDir,
    database: Database,
    _dhis2: StandIn,
}

impl Site {
    pub(crate) fn build() -> Site {
        let program = program();
        let database = cluster().database("bench");
        database.execute(&format!(
            "CREATE TABLE fact AS
             SELECT 'Element' || to_char(e, 'FM0000') AS element, 'OrgUnit' || to_char(u, 'FM0000') AS unit,
                    (date '2022-01-01' + make_interval(months => m))::date AS day, (e * u + m) % 977 + 1 AS value
             FROM generate_series(1, {ELEMENTS}) e, generate_series(1, {UNITS}) u, generate_series(0, {MONTHS} - 1) m;
             ANALYZE fact;"
        ));
        let dhis2 = StandIn::start(Dialect::V2_43, &[&metadata()], Some("2026-01-01T00:00:00Z"));
        let folder = tempfile::tempdir().expect("a folder");
        let site = SITE
            .replace("SOURCE", &database.url())
            .replace("TARGET", &dhis2.url());
        for (file, text) in [
            ("pg2dhis2.toml", site.as_str()),
            ("bench.toml", MAPPING),
            ("bench.sql", QUERY),
            ("token", LOADER_TOKEN),
        ] {
            let path = folder.path().join(file);
            fs::write(&path, text).expect("the file is written");
            fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("permissions");
        }
        Site {
            program,
            folder,
            database,
            _dhis2: dhis2,
        }
    }

    /// Reads every row as text, as the program does.
    pub(crate) fn select_all(&self) -> usize {
        let rows = "SELECT element, unit, to_char(day, 'YYYYMM'), value::text FROM fact";
        let mut client = self.database.connect();
        let mut transaction = client.transaction().expect("a transaction");
        let portal = transaction.bind(rows, &[]).expect("a portal");
        let mut count = 0;
        loop {
            let fetched = transaction.query_portal(&portal, 10_000).expect("rows");
            if fetched.is_empty() {
                return count;
            }
            count += fetched
                .iter()
                .filter(|row| !row.get::<_, &str>(3).is_empty())
                .count();
        }
    }
}

/// Asks cargo for the program, built as this bench is.
fn program() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or("cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--bin", "pg2dhis2"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(
        built.is_ok_and(|status| status.success()),
        "the program is built"
    );
    // …/release/examples/bench stands beside …/release/pg2dhis2.
    let own = env::current_exe().expect("the path of this program");
    let release = own
        .parent()
        .and_then(|folder| folder.parent())
        .expect("the folder above");
    release.join("pg2dhis2")
}

fn metadata() -> String {
    let units = (1..=UNITS).map(|number| format!("OrgUnit{number:04}"));
    let elements = (1..=ELEMENTS).map(|number| format!("Element{number:04}"));
    let (units, elements): (Vec<String>, Vec<String>) = (units.collect(), elements.collect());
    let root = "sc5rkcvmE6I";
    let mut all =
        vec![json!({"id": root, "name": "Root", "openingDate": "1990-01-01T00:00:00.000"})];
    all.extend(units.iter().map(|id| {
        json!({"id": id, "name": id, "openingDate": "1990-01-01T00:00:00.000", "parent": {"id": root}, "path": format!("/{root}/{id}")})
    }));
    let described = elements.iter().map(|id| {
        json!({"id": id, "name": id, "valueType": "INTEGER", "aggregationType": "SUM", "domainType": "AGGREGATE",
               "zeroIsSignificant": false, "categoryCombo": {"id": "bjDvmb4bfuf"}})
    });
    let members = elements.iter().map(|id| json!({"dataElement": {"id": id}}));
    let assigned = units.iter().map(|id| json!({"id": id}));
    json!({
        "organisationUnits": all,
        "dataElements": described.collect::<Vec<_>>(),
        "dataSets": [{"id": "BenchSet001", "name": "Bench", "sharing": {"public": "rwrw----"}, "periodType": "Monthly", "openFuturePeriods": 0,
            "categoryCombo": {"id": "bjDvmb4bfuf"}, "dataSetElements": members.collect::<Vec<_>>(),
            "organisationUnits": assigned.collect::<Vec<_>>()}],
    })
    .to_string()
}
