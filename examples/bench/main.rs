//! Speed and memory of the built program, as ratios within one run: `cargo run --release --example bench`.
//!
//! A registry with a million rows, a DHIS2 stand-in, and the real program between them. Ends with an error if the
//! memory for a million cells is more than the design allows.
#![forbid(unsafe_code)]
// It speaks to the person who started it, and stops at the first thing that goes wrong.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod child;
mod site;

use std::process::ExitCode;
use std::time::Instant;

use child::{Measured, measured};
use site::{CELLS, PERIODS, Site};

/// DESIGN: a million cells, worked on in parts, fit into this.
const LARGEST_MIB: u64 = 64;

fn main() -> ExitCode {
    println!("building the program and a registry of {CELLS} rows …");
    let site = Site::build();
    let started = Instant::now();
    let rows = site.select_all();
    let select = started.elapsed().as_secs_f64();
    println!(
        "reading the {rows} rows with the same client, and nothing else: {select:.2} s; this is 1.0 below"
    );
    println!();
    println!(
        "{:<40}{:>9}{:>7}{:>13}{:>10}",
        "", "seconds", "ratio", "own seconds", "peak MiB"
    );
    let show = |what: &str, measured: &Measured| {
        println!(
            "{what:<40}{:>9.2}{:>7.1}{:>13.2}{:>10}",
            measured.seconds,
            measured.seconds / select,
            measured.own_seconds,
            measured.peak_mib
        );
    };
    let extract = measured(
        &site,
        &["extract", "-m", "bench", "-p", PERIODS, "-o", "rows"],
    );
    show("extract", &extract);
    let map = measured(&site, &["map", "rows", "-o", "document"]);
    show("map, all periods at once", &map);
    let preview = measured(&site, &["run", "-n", "-q", "-p", PERIODS]);
    show("run --dry-run, everything new", &preview);
    let load = measured(&site, &["run", "-q", "-p", PERIODS]);
    show("run, everything new (stand-in included)", &load);
    let again = measured(&site, &["run", "-q", "-p", PERIODS]);
    show("run, nothing new (stand-in included)", &again);
    println!();
    println!(
        "own work: sending everything takes {:.1} times as long as finding that nothing changed; extract does {:.0} rows a second",
        load.own_seconds / again.own_seconds,
        rows as f64 / extract.seconds
    );
    let peak = preview.peak_mib.max(load.peak_mib).max(again.peak_mib);
    if peak > LARGEST_MIB {
        println!("a run of {CELLS} cells took {peak} MiB; more than {LARGEST_MIB} is too much");
        return ExitCode::FAILURE;
    }
    println!("a run of {CELLS} cells took {peak} MiB at most, of {LARGEST_MIB}");
    ExitCode::SUCCESS
}
