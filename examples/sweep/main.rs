//! Kills the program at every system call of a run, and lets every call that touches a file fail:
//! `cargo run --example sweep`. After each, one run must bring DHIS2 to where it must be.
//!
//! It needs strace and the right to trace. Without, the program is killed at every request instead, which it says.
#![forbid(unsafe_code)]
// It speaks to the person who started it, and stops where the drill itself does not work.
#![allow(clippy::expect_used, clippy::print_stdout)]

mod scene;
mod tracing;

use std::path::Path;
use std::process::ExitCode;
use std::thread;

use rig::dhis2::Dialect;
use rig::drill::build_beside;
use rig::relay::{Fate, Fault};

use scene::Scene;
use tracing::Point;

/// Fewer kills would be no sweep.
const FEWEST_KILLS: usize = 200;

const ERRORS: [&str; 3] = ["ENOSPC", "EIO", "EACCES"];

/// What came of a sweep.
#[derive(Default)]
struct Swept {
    kills: usize,
    errors: usize,
    faults: Vec<String>,
}

fn main() -> ExitCode {
    println!("building the program and setting the scene …");
    let program = build_beside("sweep");
    let hindrance = tracing::hindrance();
    if let Some(why) = &hindrance {
        println!("!! NO PROCESS CAN BE TRACED HERE ({why})");
        println!(
            "!! THE PROGRAM IS KILLED AT EVERY REQUEST INSTEAD OF EVERY SYSTEM CALL, AND NO CALL FAILS"
        );
    }
    let is_traced = hindrance.is_none();
    let dialects = [Dialect::V2_42, Dialect::V2_43];
    let swept = thread::scope(|scope| {
        let program = program.as_path();
        let sweep = |dialect| scope.spawn(move || sweep(program, dialect, is_traced));
        let sweeps = dialects.map(sweep);
        sweeps.map(|sweep| sweep.join().expect("the sweep comes to its end"))
    });
    let mut is_well = true;
    for (dialect, swept) in dialects.iter().zip(swept) {
        let Swept {
            kills,
            errors,
            faults,
        } = swept;
        println!(
            "DHIS2 {}: killed {kills} times, {errors} errors of files; {} times the outcome was wrong",
            dialect.version(),
            faults.len()
        );
        for fault in &faults {
            println!("  {fault}");
        }
        is_well &= faults.is_empty() && (kills >= FEWEST_KILLS || !is_traced);
    }
    match is_well {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn sweep(program: &Path, dialect: Dialect, is_traced: bool) -> Swept {
    let scene = Scene::set(program, dialect);
    let mut swept = Swept::default();
    if !is_traced {
        kill_at_requests(&scene, &mut swept);
        return swept;
    }
    let points = tracing::points(&scene);
    println!("DHIS2 {}: {} system calls", dialect.version(), points.len());
    for point in &points {
        kill(&scene, point, &mut swept);
    }
    println!("DHIS2 {}: killed {} times", dialect.version(), swept.kills);
    for point in points.iter().filter(|point| point.is_of_files()) {
        for error in ERRORS {
            fail(&scene, point, error, &mut swept);
        }
    }
    swept
}

fn kill(scene: &Scene, point: &Point, swept: &mut Swept) {
    let ran = tracing::spoiled(scene, point, "signal=KILL");
    // Calls that wait may be fewer in another run.
    if ran.code.is_none() {
        swept.kills += 1;
    }
    if let Err(error) = scene.repair() {
        swept
            .faults
            .push(format!("killed at {}: {error}", point.told()));
    }
}

/// A call that fails: no wrong success, and nothing is sent that cannot be recorded.
fn fail(scene: &Scene, point: &Point, error: &str, swept: &mut Swept) {
    swept.errors += 1;
    let ran = tracing::spoiled(scene, point, &format!("error={error}"));
    let (is_done, imports) = (scene.is_done(), scene.imports());
    let mut fault = |what: &str| {
        let told = format!(
            "{error} at {}: {what}; {}",
            point.told(),
            ran.stderr.trim_end()
        );
        swept.faults.push(told);
    };
    match ran.code {
        None => fault("it was killed"),
        Some(0) if !is_done => fault("exit 0, and DHIS2 does not hold it"),
        Some(1) => fault("exit 1, which says that the program is wrong"),
        Some(code) if point.records() && code != 16 => fault(&format!("exit {code}, not 16")),
        Some(_) if point.records() && point.is_before_first_import && imports > 0 => {
            fault("values were sent that cannot be recorded");
        }
        Some(_) => {}
    }
    if let Err(why) = scene.repair() {
        fault(&format!("not repaired: {why}"));
    }
}

/// Where nothing can be traced: before and after each request that passes the relay.
fn kill_at_requests(scene: &Scene, swept: &mut Swept) {
    for fate in [Fate::KilledBefore, Fate::KilledAfter] {
        for first in 1.. {
            scene.rewind();
            let fault = Fault {
                fate,
                first,
                times: 1,
            };
            scene.drill.relay.expect(Some(fault));
            let ran = scene.drill.finish(scene.drill.command(&scene::ARGUMENTS));
            scene.drill.relay.expect(None);
            if ran.code.is_some() {
                break;
            }
            swept.kills += 1;
            if let Err(error) = scene.repair() {
                let fault = format!("{fate:?} at request {first}: {error}");
                swept.faults.push(fault);
            }
        }
    }
}
