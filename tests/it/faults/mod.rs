//! Every fault that a run may meet, one row each: how it ends, what it says, how often it asked, and what DHIS2 then holds.
//!
//! The numbers are those of the list in `tests/README.md`, which also says of what has no row here where else it is
//! shown, or why a test machine cannot have it.

mod source;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rig::dhis2::ValueKey;

use crate::program::Finished;
use crate::st_lucia::repository;

/// Longer messages are not read on a telephone at night.
const LONGEST: usize = 400;

/// A row of the table.
struct Fault {
    number: &'static str,
    what: &'static str,
    /// Brings the fault about, runs the program, and says what was seen.
    met: fn() -> Met,
    code: i32,
    /// Stands in the one line that tells the fault; nothing for a run that says nothing.
    says: &'static str,
    /// How often the side that fails was asked: connections to PostgreSQL, requests of DHIS2 that met the fault.
    asked: usize,
    holds: Holds,
}

/// What DHIS2 holds after the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    /// Nothing was even tried: no POST arrived, and all is as it was.
    NothingSent,
    /// Something was tried; all is as it was.
    AsBefore,
    /// All that the source says, each value once.
    All,
    /// All that the source says but what this fault is about, as the row's own function compared.
    TheRest,
}

/// What was seen of a run that met a fault.
struct Met {
    run: Finished,
    asked: usize,
    posts: usize,
    before: BTreeMap<ValueKey, String>,
    after: BTreeMap<ValueKey, String>,
    /// What the source says, or all of it that can be stored.
    wanted: BTreeMap<ValueKey, String>,
}

impl Fault {
    fn check(&self) {
        let met = (self.met)();
        let row = format!("{} {}", self.number, self.what);
        let Finished { code, stderr, .. } = &met.run;
        assert_eq!(*code, self.code, "{row}: exit code\n{stderr}");
        assert!(!stderr.contains("panicked"), "{row}: {stderr}");
        if self.says.is_empty() {
            assert_eq!(stderr, "", "{row}");
        } else {
            let told = stderr.lines().find(|line| line.contains(self.says));
            let told = told.unwrap_or_else(|| panic!("{row}: lacks {:?}\n{stderr}", self.says));
            assert!(told.chars().count() <= LONGEST, "{row}: {told}");
        }
        assert_eq!(met.asked, self.asked, "{row}: how often it asked\n{stderr}");
        let held = match self.holds {
            Holds::NothingSent => {
                assert_eq!(met.posts, 0, "{row}: something was sent");
                &met.before
            }
            Holds::AsBefore => &met.before,
            Holds::All | Holds::TheRest => &met.wanted,
        };
        assert_eq!(&met.after, held, "{row}: what DHIS2 holds\n{stderr}");
    }
}

/// Numbers that the list says are shown elsewhere or cannot be had here.
fn elsewhere() -> BTreeSet<String> {
    let list = fs::read_to_string(repository().join("tests/README.md")).expect("the list");
    let (_, list) = list.split_once("## Faults").expect("its heading");
    let list = list.split("\n## ").next().unwrap_or(list);
    let rows = list.lines().filter_map(|line| line.strip_prefix("| F"));
    rows.map(|row| format!("F{}", row.get(..2).expect("two digits")))
        .collect()
}

#[test]
fn every_fault_has_a_row_here_or_a_line_in_the_list() {
    let rows: Vec<&str> = source::FAULTS
        .iter()
        .chain(target::FAULTS.iter().copied().flatten())
        .map(|fault| fault.number)
        .collect();
    let here: BTreeSet<String> = rows.iter().map(|&number| number.to_owned()).collect();
    let there = elsewhere();
    let twice: Vec<_> = here.intersection(&there).collect();
    assert!(twice.is_empty(), "in both: {twice:?}");
    let all: BTreeSet<String> = (1..=84).map(|number| format!("F{number:02}")).collect();
    let found: BTreeSet<String> = here.union(&there).cloned().collect();
    assert_eq!(found, all);
}
