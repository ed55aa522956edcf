//! A site so small that a fault drill can run it thousands of times: one table of a registry, one data set, the program
//! between them, and an account of its own of what DHIS2 must hold in the end.

mod accounts;
mod dice;
mod metadata;
mod oracle;
mod program;
mod scenes;
mod trial;

use std::fmt::Write;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::dhis2::{Dialect, StandIn};
use crate::postgres::{Database, cluster};
use crate::relay::Relay;
use crate::st_lucia::LOADER_TOKEN;

pub use accounts::faults_of_report;
pub use dice::Dice;
pub use metadata::{DOSES, STOCK, VISITS};
use metadata::{ELEMENTS, UNITS};
pub use oracle::{Absent, Combine, Mapping, Oracle, Policy, Rows, Value, cell};
pub use program::build_beside;
pub use scenes::{any_mapping, change};
pub use trial::{NOW, trial};

const SITE: &str = r#"
time-zone = "Etc/UTC"
mappings = ["drill.toml"]
state = "state"
[limits]
wait = "1ms"
[source]
url = "SOURCE"
[dhis2]
url = "TARGET"
token-file = "token"
chunk = 3
"#;

const MAPPING: &str = r#"
data-set = "DrillSet001"
queries = ["drill.sql"]
period = { type = "Monthly", column = "period" }
look-back = 2
value = "value"
absent = "leave"
foreign = "overwrite"
[data-element]
column = "element"
map-file = "elements.csv"
[org-unit]
column = "place"
"#;

const QUERY: &str = "SELECT element, place, period, value FROM drill
WHERE period >= to_char(:'period_start'::date, 'YYYYMM') AND period < to_char(:'period_end'::date, 'YYYYMM')";

const TABLE: &str = "CREATE TABLE drill
    (element text, place text, period text, value numeric, PRIMARY KEY (element, place, period))";

/// Between program and DHIS2 stands a relay that can be told to spoil what passes.
pub struct Drill {
    pub dhis2: StandIn,
    pub relay: Relay,
    database: Database,
    folder: TempDir,
    program: PathBuf,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// `None` if it was killed.
    pub code: Option<i32>,
    /// `None` if there is none, or not the whole.
    pub report: Option<Json>,
    pub stderr: String,
}

impl Drill {
    /// A site with an empty registry and an empty DHIS2 whose clock stands at `now`. `program` is the built one.
    ///
    /// # Panics
    /// If a neighbour does not start.
    pub fn start(program: &Path, dialect: Dialect, now: &str, mapping: &Mapping) -> Drill {
        let database = cluster().database("drill");
        database.execute(TABLE);
        let dhis2 = StandIn::start(dialect, &[&metadata::metadata()], Some(now));
        let relay = Relay::start(&dhis2.url());
        let drill = Drill {
            dhis2,
            relay,
            database,
            folder: tempfile::tempdir().expect("a folder"),
            program: program.to_owned(),
        };
        let site = SITE
            .replace("SOURCE", &drill.database.url())
            .replace("TARGET", &drill.relay.url());
        drill.write("pg2dhis2.toml", &site);
        drill.write("drill.sql", QUERY);
        drill.write("token", LOADER_TOKEN);
        drill.set_mapping(mapping);
        drill
    }

    pub fn set_mapping(&self, mapping: &Mapping) {
        let mut elements = "element,uid,combine,absent\n".to_owned();
        for ((key, uid), policy) in ELEMENTS.iter().zip(mapping.policies) {
            let combine = format!("{:?}", policy.combine).to_lowercase();
            let absent = format!("{:?}", policy.absent).to_lowercase();
            let _ = writeln!(elements, "{key},{uid},{combine},{absent}");
        }
        self.write("elements.csv", &elements);
        let places = mapping.places.iter();
        let places = places.map(|(place, unit)| format!("{place} = \"{}\"", UNITS[*unit]));
        let places: Vec<String> = places.collect();
        // One row that cannot be placed must not hold the others, however few there are.
        let guards = "[guards]\nmax-unmapped = \"100%\"\n";
        let units = format!("map = {{ {} }}\n", places.join(", "));
        self.write("drill.toml", &format!("{MAPPING}{units}{guards}"));
    }

    /// Replaces all that is in the registry.
    pub fn set_rows(&self, rows: &Rows) {
        let mut sql = "TRUNCATE drill;".to_owned();
        for ((element, place, period), value) in rows {
            let value = match value {
                Value::Number(number) => number.to_string(),
                Value::Null => "NULL".to_owned(),
                Value::NaN => "'NaN'".to_owned(),
            };
            let _ = write!(
                sql,
                "INSERT INTO drill VALUES ('{element}', '{place}', '{period}', {value});"
            );
        }
        self.database.execute(&sql);
    }

    /// The state folder of the program.
    pub fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// The folder of the site file.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Forgets what earlier runs left, on both sides of the relay.
    pub fn reset(&self) {
        self.dhis2.reset();
        self.dhis2.merge_metadata(&metadata::metadata());
        self.dhis2.forget_requests();
        if self.state().exists() {
            fs::remove_dir_all(self.state()).expect("the state folder goes");
        }
    }

    /// The program with these arguments, in a clean environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .args(arguments);
        command
    }

    /// The same under another program, such as a tracer, which is given these words before ours.
    pub fn command_under(&self, tracer: &str, words: &[String], arguments: &[&str]) -> Command {
        let mut command = Command::new(tracer);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .args(words)
            .arg("--")
            .arg(&self.program)
            .args(arguments);
        command
    }

    /// Runs with a report to standard output.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut all = vec!["run", "--format", "json"];
        all.extend(arguments);
        self.finish(self.command(&all))
    }

    /// Runs a command to its end; the relay may kill it.
    ///
    /// # Panics
    /// If the program panicked, or is not there.
    pub fn finish(&self, mut command: Command) -> Ran {
        let told = self.folder.path().join("stderr");
        let stderr = File::create(&told).expect("a file for standard error");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(stderr);
        let mut child = command.spawn().expect("the program starts");
        let stdout = child.stdout.take().expect("a standard output");
        self.relay.hold(child);
        // Its end is the program's end, so that the relay can have the program until then.
        let stdout = std::io::read_to_string(stdout).unwrap_or_default();
        let mut child = self.relay.release().expect("the program");
        let status = child.wait().expect("the program ends");
        let stderr = fs::read_to_string(&told).unwrap_or_default();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Ran {
            code: status.code(),
            report: serde_json::from_str(&stdout).ok(),
            stderr,
        }
    }

    /// Writes a file of the site, readable by its owner only.
    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::write(&path, text).expect("the file is written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("permissions");
    }
}
