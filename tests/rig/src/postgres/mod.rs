//! A real PostgreSQL for tests and demo: one private cluster per process, one empty database per
//! test. It listens on a Unix socket and on a free port of 127.0.0.1, and it ends with the process
//! that started it, however that process ends.

mod binaries;
mod database;
mod fetch;
mod pool;
mod server;
mod standby;

use std::env;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Context, Result};

use self::database::Address;
use self::server::Server;

pub use self::database::{Database, Template};
pub use self::pool::{Pool, PoolMode};
pub use self::standby::Standby;

/// Names a server to use instead of a private one: `postgresql://superuser@host:port`.
/// It must let every role in without a password.
pub const URL_VARIABLE: &str = "PG2DHIS2_TEST_POSTGRES_URL";

/// Names a folder with `initdb`, `pg_ctl` and `postgres`.
pub const FOLDER_VARIABLE: &str = "PG2DHIS2_TEST_POSTGRES_BIN";

/// A role that a private server lets in from no network, whether it exists or not.
pub const UNLISTED_ROLE: &str = "rig_unlisted";

const SLUHIS_SCHEMA: &str = include_str!("../../../../examples/st-lucia/schema.sql");
const SLUHIS_GENERATOR: &str = include_str!("../../../../examples/st-lucia/generate.sql");

/// A running PostgreSQL. A private one is stopped and its files are removed on drop.
pub struct Cluster {
    address: Address,
    sluhis: Mutex<Option<Template>>,
    _server: Option<Server>,
}

/// The cluster that all tests of this process share.
///
/// # Panics
/// When no PostgreSQL can be found, fetched or started; the message says what to install.
pub fn cluster() -> &'static Cluster {
    // A static is never dropped: the server's supervisor ends it when the process is gone.
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| match Cluster::start() {
        Ok(cluster) => cluster,
        Err(error) => panic!("no PostgreSQL for the tests: {error:#}"),
    })
}

/// The psql that belongs to the servers.
///
/// # Panics
/// When there is none; the message says what to install.
pub fn psql() -> PathBuf {
    match binaries::psql() {
        Ok(psql) => psql,
        Err(error) => panic!("no psql for the tests: {error:#}"),
    }
}

impl Cluster {
    /// Starts a private PostgreSQL, or uses the server that `PG2DHIS2_TEST_POSTGRES_URL` names.
    ///
    /// # Errors
    /// When none can be found, fetched or started.
    pub fn start() -> Result<Self> {
        let Ok(url) = env::var(URL_VARIABLE) else {
            return Self::start_private();
        };
        let address = Address::parse(&url).with_context(|| format!("${URL_VARIABLE}"))?;
        Ok(Self::at(address, None))
    }

    /// Starts a private PostgreSQL in any case, for a test that ends or overloads it.
    ///
    /// # Errors
    /// When none can be found, fetched or started.
    pub fn start_private() -> Result<Self> {
        let server = Server::start(&binaries::locate()?)?;
        Ok(Self::at(server.address().clone(), Some(server)))
    }

    fn at(address: Address, server: Option<Server>) -> Self {
        Self {
            address,
            sluhis: Mutex::new(None),
            _server: server,
        }
    }

    /// An empty database whose name begins with `prefix`, in which a role without other rights may read what is made.
    pub fn database(&self, prefix: &str) -> Database {
        Database::create(&self.address, prefix, "").let_read()
    }

    /// The same, made with options of CREATE DATABASE such as an encoding.
    pub fn database_with(&self, prefix: &str, options: &str) -> Database {
        Database::create(&self.address, prefix, options).let_read()
    }

    /// A copy of `template`.
    pub fn database_from(&self, template: &Template) -> Database {
        Database::copy(&self.address, template)
    }

    /// The synthetic registry of St. Lucia at scale 1: built at the first call, kept for the next.
    pub fn sluhis(&self) -> Template {
        let mut cached = self.sluhis.lock().unwrap_or_else(PoisonError::into_inner);
        cached
            .get_or_insert_with(|| {
                Template::build(
                    &self.address,
                    "sluhis",
                    &[
                        SLUHIS_SCHEMA,
                        "SET sluhis.scale = '1';",
                        SLUHIS_GENERATOR,
                        // The limit of four connections is for a whole server, and tests share one.
                        "ALTER ROLE sluhis_sync CONNECTION LIMIT -1;",
                    ],
                )
            })
            .clone()
    }

    /// Makes a role that must show `password`, on the socket and on the port; every other role is
    /// let in without one. Roles belong to the whole cluster: choose a name no other test uses.
    pub fn create_role_with_password(&self, role: &str, password: &str) {
        database::create_role_with_password(&self.address, role, password);
    }
}
