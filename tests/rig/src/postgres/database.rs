//! Databases in a cluster: empty ones, copies of a template, and what a test does with them.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::process;
use std::str::FromStr;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, bail};
use postgres::config::Host;
use postgres::{Client, Config, NoTls, SimpleQueryMessage};

/// Members of this role must show a password; `pg_hba.conf` of a private cluster says so.
pub(super) const PASSWORD_ROLE: &str = "rig_password";

/// May read what its database holds and nothing else, as the role of a site should.
pub(super) const READER: &str = "rig_reader";

/// Makes the reader, unless another test is doing so, and lets it read whatever the superuser makes in this database. Before
/// PostgreSQL 15 everybody may create in `public`.
const LET_READ: &str = "
DO $$ BEGIN CREATE ROLE rig_reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO rig_reader;
ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO rig_reader;
";

/// Where a cluster listens and as whom we may do everything.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) socket_dir: Option<String>,
    pub(super) superuser: String,
    pub(super) password: Option<String>,
}

/// A database of its own, dropped with the value.
pub struct Database {
    address: Address,
    name: String,
}

/// A database that is only copied, never used.
#[derive(Clone)]
pub struct Template {
    name: String,
    prefix: String,
}

impl Address {
    /// Reads `postgresql://superuser[:password]@host[:port][/…]`.
    pub(super) fn parse(url: &str) -> Result<Self> {
        let config = Config::from_str(url).context("not a PostgreSQL URL")?;
        let Some(Host::Tcp(host)) = config.get_hosts().first() else {
            bail!("the URL names no host");
        };
        let password = config.get_password().map(String::from_utf8_lossy);
        Ok(Self {
            host: host.clone(),
            port: config.get_ports().first().copied().unwrap_or(5432),
            socket_dir: None,
            superuser: config.get_user().unwrap_or("postgres").to_owned(),
            password: password.map(|password| password.into_owned()),
        })
    }

    fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config
            .host(&self.host)
            .port(self.port)
            .user(&self.superuser)
            .dbname(database);
        if let Some(password) = &self.password {
            config.password(password);
        }
        config
    }

    #[track_caller]
    pub(super) fn connect(&self, database: &str) -> Client {
        match self.config(database).connect(NoTls) {
            Ok(client) => client,
            Err(error) => panic!("connecting to database {database}: {}", explained(&error)),
        }
    }

    /// Runs a statement that belongs to no database, such as CREATE DATABASE.
    #[track_caller]
    fn administer(&self, statement: &str) {
        run(&mut self.connect("postgres"), statement);
    }
}

impl Database {
    pub(super) fn create(address: &Address, prefix: &str, options: &str) -> Self {
        static CREATED: AtomicUsize = AtomicUsize::new(0);
        let number = CREATED.fetch_add(1, Ordering::Relaxed);
        let name = format!("{prefix}_{}_{number}", process::id());
        address.administer(&format!("CREATE DATABASE {} {options}", quoted(&name)));
        Self {
            address: address.clone(),
            name,
        }
    }

    pub(super) fn copy(address: &Address, template: &Template) -> Self {
        let version = address
            .connect("postgres")
            .query_one("SHOW server_version_num", &[]);
        let version: String = version.expect("the server says its version").get(0);
        // Copying files beats writing every page to the log; before 15 there was no other way.
        let strategy = if version.as_str() < "150000" {
            ""
        } else {
            "STRATEGY file_copy"
        };
        let options = format!("TEMPLATE {} {strategy}", quoted(&template.name));
        Self::create(address, &template.prefix, &options)
    }

    /// Lets the reader of `url` read whatever is made here from now on.
    pub(super) fn let_read(self) -> Self {
        self.execute(LET_READ);
        self
    }

    /// The URL, on the loopback port, of a role that may read all tables and nothing else.
    pub fn url(&self) -> String {
        self.url_as(READER)
    }

    /// The superuser's URL on the loopback port.
    pub fn superuser_url(&self) -> String {
        self.url_as(&match &self.address.password {
            Some(password) => format!("{}:{password}", self.address.superuser),
            None => self.address.superuser.clone(),
        })
    }

    /// The URL of `role` on the loopback port, without a password.
    pub fn url_as(&self, role: &str) -> String {
        let Address { host, port, .. } = &self.address;
        format!("postgresql://{role}@{host}:{port}/{}", self.name)
    }

    /// The URL of `role` on the Unix socket, without a password.
    ///
    /// # Panics
    /// On a server that is not a private one.
    #[track_caller]
    pub fn socket_url_as(&self, role: &str) -> String {
        let folder = self.socket_dir().replace('/', "%2F");
        format!(
            "postgresql://{role}@{folder}:{}/{}",
            self.address.port, self.name
        )
    }

    /// The folder of the Unix socket.
    ///
    /// # Panics
    /// On a server that is not a private one.
    #[track_caller]
    pub fn socket_dir(&self) -> &str {
        self.address
            .socket_dir
            .as_deref()
            .expect("a private cluster, which has a Unix socket")
    }

    /// The TCP port, which also names the Unix socket.
    pub fn tcp_port(&self) -> u16 {
        self.address.port
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A session of the superuser, to hold locks or settings in.
    #[track_caller]
    pub fn connect(&self) -> Client {
        self.address.connect(&self.name)
    }

    /// Runs one or more statements as the superuser, in a session of their own.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        run(&mut self.connect(), sql);
    }

    /// The rows of a query, as PostgreSQL writes them; `None` is NULL.
    #[track_caller]
    pub fn query(&self, sql: &str) -> Vec<Vec<Option<String>>> {
        let messages = match self.connect().simple_query(sql) {
            Ok(messages) => messages,
            Err(error) => panic!("{}\nin: {}", explained(&error), beginning(sql)),
        };
        let rows = messages.iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        rows.map(|row| {
            (0..row.len())
                .map(|column| row.get(column).map(str::to_owned))
                .collect()
        })
        .collect()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let statement = format!(
            "DROP DATABASE IF EXISTS {} WITH (FORCE)",
            quoted(&self.name)
        );
        // A failure must not hide the test's own: the cluster goes away anyway.
        if let Ok(mut client) = self.address.config("postgres").connect(NoTls) {
            let _ = client.batch_execute(&statement);
        }
    }
}

impl Template {
    /// Runs `scripts` one after another in one session of a new database. The name is made from
    /// their text, so that a server which outlives the process keeps one copy and not one per run.
    pub(super) fn build(address: &Address, prefix: &str, scripts: &[&str]) -> Self {
        let mut hasher = DefaultHasher::new();
        scripts.hash(&mut hasher);
        let name = format!("{prefix}_{:016x}", hasher.finish());

        let mut session = address.connect("postgres");
        run(
            &mut session,
            &format!("SELECT pg_advisory_lock({})", hasher.finish() as i64),
        );
        let found = session.query("SELECT FROM pg_database WHERE datname = $1", &[&name]);
        if found.expect("the list of databases").is_empty() {
            let half_built = Database::create(address, prefix, "");
            let mut builder = half_built.connect();
            for script in scripts {
                run(&mut builder, script);
            }
            drop(builder);
            let (from, to) = (quoted(&half_built.name), quoted(&name));
            run(
                &mut session,
                &format!("ALTER DATABASE {from} RENAME TO {to}"),
            );
        }
        Self {
            name,
            prefix: prefix.to_owned(),
        }
    }
}

pub(super) fn create_role_with_password(address: &Address, role: &str, password: &str) {
    let mut session = address.connect("postgres");
    let found = session.query("SELECT FROM pg_roles WHERE rolname = $1", &[&PASSWORD_ROLE]);
    if found.expect("the list of roles").is_empty() {
        run(
            &mut session,
            &format!("CREATE ROLE {PASSWORD_ROLE} NOLOGIN"),
        );
    }
    let (role, password) = (quoted(role), password.replace('\'', "''"));
    run(
        &mut session,
        &format!("CREATE ROLE {role} LOGIN PASSWORD '{password}' IN ROLE {PASSWORD_ROLE}"),
    );
}

#[track_caller]
fn run(client: &mut Client, sql: &str) {
    if let Err(error) = client.batch_execute(sql) {
        panic!("{}\nin: {}", explained(&error), beginning(sql));
    }
}

/// The error with its causes: its own text is only "db error".
fn explained(error: &postgres::Error) -> String {
    match error.as_db_error() {
        Some(refusal) => format!("{} ({})", refusal.message(), refusal.code().code()),
        None => match std::error::Error::source(error) {
            Some(cause) => format!("{error}: {cause}"),
            None => error.to_string(),
        },
    }
}

fn beginning(sql: &str) -> String {
    sql.chars().take(300).collect()
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
