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
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use tempfile::TempDir;

use crate::dhis2::{Dialect, StandIn};
use crate::postgres::{Database, Standby, cluster};
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
mappings = ["mappings/*.toml"]
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
queries = ["NAME.sql"]
period = { type = "Monthly", column = "period" }
look-back = 2
value = "value"
absent = "leave"
foreign = "overwrite"
[data-element]
column = "element"
map-file = "NAME.csv"
[org-unit]
column = "place"
"#;

const QUERY: &str = "SELECT element, place, period, value FROM drill
WHERE element IN (ELEMENTS) AND period >= to_char(:'period_start'::date, 'YYYYMM') AND period < to_char(:'period_end'::date, 'YYYYMM')";

const TABLE: &str = "CREATE TABLE drill
    (element text, place text, period text, value numeric, PRIMARY KEY (element, place, period))";

/// Between program and DHIS2 stands a relay that can be told to spoil what passes.
pub struct Drill {
    pub dhis2: StandIn,
    pub relay: Relay,
    database: Database,
    standby: Option<Standby>,
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
        let dhis2 = StandIn::start(dialect, &[&metadata::metadata()], Some(now));
        Drill::between(database, dhis2, program, mapping)
    }

    /// The same with a standby that follows the registry's server, and may be read in its place.
    ///
    /// # Panics
    /// If a neighbour does not start.
    pub fn start_followed(program: &Path, dialect: Dialect, now: &str, mapping: &Mapping) -> Drill {
        let standby = Standby::start().expect("a server and its standby");
        let database = standby.database("drill");
        let dhis2 = StandIn::start(dialect, &[&metadata::metadata()], Some(now));
        let mut drill = Drill::between(database, dhis2, program, mapping);
        // Once it has the table it may fall behind.
        standby.url(&drill.database);
        drill.standby = Some(standby);
        drill
    }

    fn between(database: Database, dhis2: StandIn, program: &Path, mapping: &Mapping) -> Drill {
        database.execute(TABLE);
        let relay = Relay::start(&dhis2.url());
        let drill = Drill {
            dhis2,
            relay,
            database,
            standby: None,
            folder: tempfile::tempdir().expect("a folder"),
            program: program.to_owned(),
        };
        drill.read_from(&drill.database.url());
        drill.write("token", LOADER_TOKEN);
        drill.set_mapping(mapping);
        drill
    }

    fn read_from(&self, url: &str) {
        let site = SITE.replace("SOURCE", url);
        let site = site.replace("TARGET", &self.relay.url());
        self.write("pg2dhis2.toml", &site);
    }

    /// From now on the program reads the registry's server itself.
    pub fn read_primary(&self) {
        self.read_from(&self.database.url());
    }

    /// From now on the program reads the standby, however far behind that is.
    ///
    /// # Panics
    /// If there is none.
    pub fn read_standby(&self) {
        let standby = self.standby.as_ref().expect("a standby");
        self.read_from(&standby.url_as_it_is(&self.database));
    }

    /// The standby takes nothing more from its server, until `catch_up`.
    ///
    /// # Panics
    /// If there is none.
    pub fn fall_behind(&self) {
        self.tell_standby("SELECT pg_wal_replay_pause()");
    }

    pub fn catch_up(&self) {
        self.tell_standby("SELECT pg_wal_replay_resume()");
    }

    fn tell_standby(&self, sql: &str) {
        let standby = self.standby.as_ref().expect("a standby");
        standby
            .connect()
            .batch_execute(sql)
            .expect("the standby obeys");
    }

    /// The mapping in one file.
    pub fn set_mapping(&self, mapping: &Mapping) {
        self.write_mapping("drill", mapping, 0..ELEMENTS.len());
    }

    /// The same in two files, of which the second has the last data element.
    pub fn set_two_mappings(&self, mapping: &Mapping) {
        let last = ELEMENTS.len() - 1;
        self.write_mapping("drill", mapping, 0..last);
        self.write_mapping("other", mapping, last..ELEMENTS.len());
    }

    fn write_mapping(&self, name: &str, mapping: &Mapping, range: Range<usize>) {
        let mut elements = "element,uid,combine,absent\n".to_owned();
        let mut keys = Vec::new();
        let all = ELEMENTS.iter().zip(mapping.policies);
        for ((key, uid), policy) in all.skip(range.start).take(range.len()) {
            let combine = format!("{:?}", policy.combine).to_lowercase();
            let absent = format!("{:?}", policy.absent).to_lowercase();
            let _ = writeln!(elements, "{key},{uid},{combine},{absent}");
            keys.push(format!("'{key}'"));
        }
        self.write(&format!("mappings/{name}.csv"), &elements);
        let query = QUERY.replace("ELEMENTS", &keys.join(", "));
        self.write(&format!("mappings/{name}.sql"), &query);
        let places = mapping.places.iter();
        let places = places.map(|(place, unit)| format!("{place} = \"{}\"", UNITS[*unit]));
        let places: Vec<String> = places.collect();
        // One row that cannot be placed must not hold the others, however few there are.
        let guards = "[guards]\nmax-unmapped = \"100%\"\n";
        let units = format!("map = {{ {} }}\n", places.join(", "));
        let text = MAPPING.replace("NAME", name) + &units + guards;
        self.write(&format!("mappings/{name}.toml"), &text);
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
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(&path, text).expect("the file is written");
        fs::set_permissions(&path, Permissions::from_mode(0o600)).expect("permissions");
    }
}
