//! Rows, mapping and faults thrown by dice. The soak command (`examples/soak`) throws more of them.

use std::path::Path;
use std::thread;

use rig::dhis2::Dialect;
use rig::drill::{Dice, Drill, NOW, any_mapping, trial};

use crate::st_lucia::BOTH;

/// Thrown in each dialect.
const SEEDS: u64 = 50;

#[test]
fn exit_0_is_exactly_when_dhis2_holds_what_the_registry_says() {
    thread::scope(|scope| {
        for dialect in BOTH {
            scope.spawn(move || all_seeds(dialect));
        }
    });
}

fn all_seeds(dialect: Dialect) {
    let program = Path::new(env!("CARGO_BIN_EXE_pg2dhis2"));
    let drill = Drill::start(program, dialect, NOW, &any_mapping(&mut Dice::new(0)));
    for seed in 0..SEEDS {
        if let Err(error) = trial(&drill, seed) {
            panic!("{dialect:?}, {error}");
        }
    }
}
