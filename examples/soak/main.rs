//! Ninety days in a few minutes: `cargo run --release --example soak`. Hourly runs while the registry changes, a fifth of
//! them with a fault or a kill, and on day 45 DHIS2 becomes a newer one. It ends with the proof that nothing was lost.
#![forbid(unsafe_code)]
// It speaks to the person who started it, and stops where the drill itself does not work.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod fault;
mod quarter;

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use rig::dhis2::Dialect;
use rig::drill::{Dice, Drill, NOW, any_mapping, build_beside, trial};

use quarter::Quarter;

/// Thrown in each dialect.
const SEEDS: u64 = 150;

fn main() -> ExitCode {
    println!("building the program and an empty ministry …");
    let program = build_beside("soak");
    let started = Instant::now();
    let mut quarter = Quarter::begin(&program);
    for day in 0..quarter::DAYS {
        quarter.day(day);
        if (day + 1) % 7 == 0 {
            println!("{}", quarter.told(day));
        }
    }
    let mut faults = quarter.end();
    println!();
    println!(
        "{} runs in {:.0} s, {} of them in trouble ({} killed)",
        quarter.runs,
        started.elapsed().as_secs_f64(),
        quarter.troubled,
        quarter.killed
    );
    for (code, count) in &quarter.codes {
        println!("  exit {code:<8}{count:>6}");
    }
    println!("  imports {:>10}", quarter.imports);
    println!("  state folder, at most {} bytes", quarter.largest_state);

    faults.extend(seeds(&program));
    println!();
    for fault in &faults {
        println!("WRONG: {fault}");
    }
    match faults.is_empty() {
        true => {
            println!(
                "DHIS2 holds what the registry says, every account balanced, no exit 0 was wrong"
            );
            ExitCode::SUCCESS
        }
        false => ExitCode::FAILURE,
    }
}

/// Trials in both dialects at once; what was wrong in them.
fn seeds(program: &Path) -> Vec<String> {
    let started = Instant::now();
    let thrown = thread::scope(|scope| {
        let dialects = [Dialect::V2_42, Dialect::V2_43];
        let throws = dialects.map(|dialect| {
            scope.spawn(move || {
                let drill = Drill::start(program, dialect, NOW, &any_mapping(&mut Dice::new(0)));
                let wrong = (0..SEEDS).filter_map(|seed| trial(&drill, seed).err());
                wrong.collect::<Vec<String>>()
            })
        });
        throws.map(|throw| throw.join().expect("the trials come to their end"))
    });
    let wrong: Vec<String> = thrown.into_iter().flatten().collect();
    println!(
        "{} seeds of rows, mapping and faults in {:.0} s, {} wrong",
        2 * SEEDS,
        started.elapsed().as_secs_f64(),
        wrong.len()
    );
    wrong
}
