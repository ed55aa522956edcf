//! The two servers the program stands between: PostgreSQL with the registry, and a DHIS2.

use std::fs;

use anyhow::{Context, Result, anyhow};
use rig::dhis2::{Dialect, Setup, StandIn};
use rig::postgres::{Cluster, Database};
use rig::st_lucia::{SYNC_ROLE, metadata};

use crate::steps::{said, step};

/// Both servers; they stop when this is dropped. The database comes first, for it is dropped first.
pub(crate) struct Neighbours {
    registry: Database,
    _cluster: Cluster,
    pub(crate) dhis2: StandIn,
}

impl Neighbours {
    /// Starts PostgreSQL, builds the registry, and starts a DHIS2 whose clock stands at `now`.
    pub(crate) fn start(dialect: Dialect, now: &str) -> Result<Self> {
        let cluster = step("Starting a private PostgreSQL", Cluster::start)?;
        let registry = step("Building SLUHIS, the registry", || {
            let registry = cluster.database_from(&cluster.sluhis());
            let persons = counted(&registry, "registry.person")?;
            let doses = counted(&registry, "imm.immunization_event")?;
            said(format_args!(
                "{persons} persons, {doses} records of doses, none of them real"
            ));
            Ok(registry)
        })?;
        let dhis2 = step(
            &format!("Starting a stand-in for DHIS2 {}", dialect.version()),
            || {
                let metadata = fs::read_to_string(metadata()).context("the metadata of DHIS2")?;
                let setup = Setup {
                    dialect,
                    metadata: vec![&metadata],
                    accounts: None,
                    now: Some(now),
                    port: 0,
                    context_path: "",
                };
                let dhis2 = StandIn::with(&setup).map_err(|why| anyhow!(why))?;
                said(dhis2.url());
                Ok(dhis2)
            },
        )?;
        Ok(Self {
            registry,
            _cluster: cluster,
            dhis2,
        })
    }

    /// The registry as the program may see it.
    pub(crate) fn source(&self) -> String {
        self.registry.url_as(SYNC_ROLE)
    }

    /// The registry as its owner sees it.
    pub(crate) fn superuser(&self) -> String {
        self.registry.superuser_url()
    }
}

fn counted(registry: &Database, table: &str) -> Result<String> {
    let rows = registry.query(&format!("SELECT count(*) FROM {table}"));
    let count = rows.into_iter().flatten().flatten().next();
    count.with_context(|| format!("counting {table}"))
}
