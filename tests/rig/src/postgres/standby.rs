//! A private PostgreSQL with a hot standby that follows it, and that cancels whatever query stands in the way.

use anyhow::{Context, Result};
use postgres::Client;

use super::binaries;
use super::database::{Address, Database, READER};
use super::server::Server;

/// Both servers; they are stopped and their files are removed on drop.
pub struct Standby {
    address: Address,
    primary: Address,
    _server: Server,
}

impl Standby {
    /// Starts both. It needs no program beside those of every private server: the copy is made before the first start.
    ///
    /// # Errors
    /// When PostgreSQL cannot be found, fetched or started.
    pub fn start() -> Result<Self> {
        let server = Server::start_standby(&binaries::locate()?)?;
        let primary = server.primary().context("a server to follow")?.clone();
        Ok(Self {
            address: server.address().clone(),
            primary,
            _server: server,
        })
    }

    /// An empty database of the server that is followed.
    pub fn database(&self, prefix: &str) -> Database {
        Database::create(&self.primary, prefix, "").let_read()
    }

    /// The URL of the same database on the standby, once that has all that was written so far.
    ///
    /// # Panics
    /// If the standby does not follow.
    #[track_caller]
    pub fn url(&self, database: &Database) -> String {
        let here = database.query("SELECT pg_current_wal_insert_lsn()");
        let here = here[0][0].as_deref().expect("a place in the log");
        // PostgreSQL answers after a moment, so that asking again and again costs little.
        let there = format!("SELECT pg_last_wal_replay_lsn() >= '{here}' FROM pg_sleep(0.05)");
        let mut standby = self.connect();
        let followed = (0..1_200).any(|_| {
            let row = standby.query_one(&there, &[]).expect("the standby answers");
            row.get(0)
        });
        assert!(followed, "the standby does not follow");
        self.url_as_it_is(database)
    }

    /// The URL of the same database on the standby, however far behind that is.
    pub fn url_as_it_is(&self, database: &Database) -> String {
        let Address { host, port, .. } = &self.address;
        format!("postgresql://{READER}@{host}:{port}/{}", database.name())
    }

    /// A session of the superuser on the standby. It is in no database that a test writes to, so that nothing cancels
    /// its queries.
    #[track_caller]
    pub fn connect(&self) -> Client {
        self.address.connect("postgres")
    }
}
