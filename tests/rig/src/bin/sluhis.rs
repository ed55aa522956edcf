//! A private PostgreSQL with the synthetic registry of St. Lucia, for people who rehearse. It serves
//! until its standard input ends or it is stopped, and leaves nothing behind.
#![forbid(unsafe_code)]

use std::io;

use anyhow::Result;
use rig::postgres::Cluster;

fn main() -> Result<()> {
    let cluster = Cluster::start()?;
    let empty = cluster.database("empty");
    println!(
        "PostgreSQL is running, with its socket in {}",
        empty.socket_dir()
    );
    let registry = cluster.database_from(&cluster.sluhis());
    println!("psql {}", registry.url_as("sluhis_sync"));
    io::copy(&mut io::stdin().lock(), &mut io::sink())?;
    Ok(())
}
