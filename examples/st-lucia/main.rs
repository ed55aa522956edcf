//! The demo: a registry, a DHIS2 and the program between them, on this machine alone.
//! `cargo run --release --example st-lucia [-- --dhis2 2.42 --keep]`
#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a demo talks")]

mod folder;
mod neighbours;
mod program;
mod results;
mod steps;

use std::io;

use anyhow::{Result, ensure};
use clap::Parser;
use rig::dhis2::Dialect;
use rig::st_lucia::write_site;

use folder::Folder;
use neighbours::Neighbours;
use program::Program;
use results::Account;
use steps::{said, step};

/// The moment at which the expected results were computed: New Year in St. Lucia.
const NOW: &str = "2026-01-01T04:00:00Z";
const PERIODS: [&str; 2] = ["202503", "2024"];

const WHY_PARTIAL: &str = "\
Exit code 3 is `partial`: whatever has a place in DHIS2 is there and was read back, and what has none
is named above for a person to look at. It was planted in this registry:
  unmapped   spellings that no rule knows (CASTREIS), names that two places share (TI ROCHER),
             doses without a data element (DOSES_PENTA_9, DOSES_ROTA_1)
  blocked    a rule that leads to Zz9RodneyBx, a unit that DHIS2 does not have: found before
             sending, so that it costs its own four values and no others
  excluded   visitors (MARTINIQUE, OVERSEAS, CRUISE SHIP), by a rule: this is not an error";

/// Brings March 2025 and the target population of 2024 from a synthetic registry to DHIS2.
#[derive(Parser)]
#[command(name = "st-lucia")]
struct Demo {
    /// The version of DHIS2 to play: 2.42 has the old import engine, 2.43 the new one
    #[arg(long, value_name = "VERSION", default_value = "2.43", value_parser = str::parse::<Dialect>)]
    dhis2: Dialect,
    /// Leave PostgreSQL and DHIS2 running in the end, and print commands to try
    #[arg(long)]
    keep: bool,
}

fn main() -> Result<()> {
    let demo = Demo::parse();
    println!("St. Lucia's immunization registry to DHIS2. All data are synthetic.");

    let program = step("Asking cargo for the program", Program::built)?;
    said(program.path().display());
    let neighbours = Neighbours::start(demo.dhis2, NOW)?;
    let site = Folder::temporary()?;
    write_site(site.path(), &neighbours.source(), &neighbours.dhis2.url())?;

    first_run(&program, &site, &neighbours)?;
    second_run(&program, &site, &neighbours)?;
    if demo.keep {
        keep(&program, &site, &neighbours)?;
    }

    step("Cleaning up", || {
        drop(site);
        drop(neighbours);
        Ok(())
    })
}

fn arguments() -> Vec<&'static str> {
    let periods = PERIODS.iter().flat_map(|period| ["--period", period]);
    ["run", "--as-of", NOW].into_iter().chain(periods).collect()
}

fn first_run(program: &Program, site: &Folder, neighbours: &Neighbours) -> Result<()> {
    let code = step("The first run", || {
        said(format_args!("pg2dhis2 {}\n", arguments().join(" ")));
        program.run(site.path(), &arguments())
    })?;
    ensure!(code == 3, "the program ended with exit code {code}, not 3");
    println!("\n{WHY_PARTIAL}");

    let stored = results::ensure_expected(&neighbours.dhis2, &PERIODS)?;
    println!(
        "DHIS2 holds {stored} values, and each is the one that was computed without SQL and without this program."
    );
    Ok(())
}

fn second_run(program: &Program, site: &Folder, neighbours: &Neighbours) -> Result<()> {
    neighbours.dhis2.forget_requests();
    let report = step("The second run", || {
        program.report(site.path(), &arguments())
    })?;
    let account = Account::of(&report)?;
    let requests = neighbours.dhis2.requests();
    let writing = requests
        .iter()
        .filter(|request| request.method != "GET")
        .count();
    ensure!(
        writing == 0,
        "the second run sent {writing} requests that write"
    );
    said(format_args!(
        "{} cells: {} unchanged, {} blocked as before",
        account.cells, account.unchanged, account.blocked
    ));
    said(format_args!(
        "{} requests, all of them GET: no POST, for nothing was left to send",
        requests.len()
    ));
    Ok(())
}

fn keep(program: &Program, site: &Folder, neighbours: &Neighbours) -> Result<()> {
    let (bin, superuser, dhis2) = (
        program.path().display(),
        neighbours.superuser(),
        neighbours.dhis2.url(),
    );
    println!(
        "
Both servers are running. In another terminal:

  cd {site}

What would a run do?
  {bin} run --dry-run --period 202503 --as-of {NOW}

Delete a dose in the registry, then look and run again:
  psql '{superuser}' -c \"UPDATE imm.immunization_event SET deleted_at = now()
      WHERE event_id = (SELECT min(event_id) FROM imm.immunization_event WHERE status = 'completed'
      AND deleted_at IS NULL AND administered_on BETWEEN '2025-03-01' AND '2025-03-31')\"
  {bin} run --dry-run --period 202503 --as-of {NOW}
  {bin} run --period 202503 --as-of {NOW}

What the hourly job does: the current period and the look-back of each mapping.
  {bin} run --as-of {NOW}

What passes from one command to the next:
  {bin} extract --mapping epi-targets --period 2024 --as-of {NOW} | {bin} map | head -c 600

What DHIS2 was asked, and what it holds:
  curl -s {dhis2}stand-in/requests
  curl -s {dhis2}stand-in/stored

Press Enter (or Ctrl-C) to end.",
        site = site.path().display()
    );
    io::stdin().read_line(&mut String::new())?;
    Ok(())
}
