//! Histories at random: the registry, people in DHIS2, rules, files, metadata and DHIS2's version change, and the program
//! runs in between. What DHIS2 holds and what the report says is held against an oracle after every run.

mod facts;
mod oracle;
mod steps;
mod told;
mod world;

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use oracle::Expected;
use steps::{Act, Cell, History, RowKey, Step, history};
use world::World;

/// Histories of each policy; one of them takes about two seconds.
const HISTORIES: u32 = 9;

/// A case that fails is made smaller for at most so many more histories, and printed; `play` repeats it.
const TO_SHRINK: u32 = 60;

#[test]
fn whatever_happens_others_values_hold_the_mapping_until_a_person_decides() {
    whatever_happens("hold");
}

#[test]
fn whatever_happens_others_values_are_kept() {
    whatever_happens("keep");
}

#[test]
fn whatever_happens_others_values_are_overwritten() {
    whatever_happens("overwrite");
}

/// A row of the first town, and its cell, whose zeros are significant.
const ROW: RowKey = (0, 1, 0);
const CELL: Cell = (1, 0, 0);

/// The row, which is gone in the second run, and what happens after that.
fn gone_then(starts_as_2_43: bool, later: &[&[Step]]) -> History {
    let first: [&[Step]; 2] = [&[], &[Step::Remove(0)]];
    let all = first.iter().chain(later);
    History {
        starts_as_2_43,
        absent: "delete",
        rows: vec![(ROW, Some("5"))],
        runs: all.map(|steps| steps.to_vec()).collect(),
    }
}

#[test]
fn a_deletion_of_ours_stays_ours_when_dhis2_refuses_what_comes_back() {
    let back = [
        Step::Put(ROW, Some("5")),
        Step::UnassignedWhilePosting(CELL.1),
    ];
    for starts_as_2_43 in [false, true] {
        let history = gone_then(starts_as_2_43, &[&back, &[Step::Assigned(CELL.1, true)]]);
        play(&history, "keep");
        play(&history, "hold");
    }
}

#[test]
fn a_deletion_by_a_person_is_theirs_where_we_deleted_once() {
    let overwritten = [Step::Put(ROW, Some("5")), Step::OverwriteOnce];
    let delete = [Step::Touch(0, Act::Delete)];
    for starts_as_2_43 in [false, true] {
        let typed = [Step::Type(CELL, "7", false)];
        let history = gone_then(starts_as_2_43, &[&typed, &overwritten, &delete]);
        play(&history, "keep");
        play(&history, "hold");
    }
}

fn whatever_happens(foreign: &'static str) {
    let config = Config {
        cases: HISTORIES,
        max_shrink_iters: TO_SHRINK,
        failure_persistence: None,
        ..Config::default()
    };
    let tried = TestRunner::new(config).run(&history(), |history| {
        play(&history, foreign);
        Ok::<(), TestCaseError>(())
    });
    if let Err(error) = tried {
        panic!("foreign = {foreign:?}: {error}");
    }
}

/// Runs before everything and after each of the history's steps, until nothing is left to send; then a person decides that
/// what others stored is overwritten, which leaves nothing to send either.
fn play(history: &History, foreign: &'static str) {
    let mut world = World::new(history, foreign);
    run(&mut world);
    for steps in &history.runs {
        for step in steps {
            world.apply(step);
        }
        run(&mut world);
    }
    // Twice: a post of the first may yet meet a DHIS2 that changes.
    run(&mut world);
    run(&mut world);
    let before = world.stored();
    run(&mut world);
    assert_eq!(world.posts(), 0, "there was still something to send");
    assert_eq!(world.stored(), before);

    world.apply(&Step::OverwriteOnce);
    run(&mut world);
    let expected = Expected::of(&world.facts, &world.stored());
    assert!(!expected.is_held());
    run(&mut world);
    assert_eq!(world.posts(), 0, "what was overwritten is ours now");
}

/// One run, held against what was to be expected of it.
fn run(world: &mut World) {
    let before = world.stored();
    let expected = Expected::of(&world.facts, &before);
    let finished = world.run();
    let report = match finished.stdout.is_empty() {
        true => panic!("no report: {}", finished.stderr),
        false => finished.json(),
    };
    let mapping = &report["mappings"][0];
    let after = world.stored();
    told::balances(mapping);
    told::keeps_comments(&before, &after);
    let changes = expected.changes() > 0;
    assert_eq!(
        world.posts() > 0,
        changes,
        "{:?}\n{}",
        expected.cells,
        finished.stderr
    );
    if changes && !world.leaving.is_empty() {
        told::did_no_harm(&before, &after, &expected);
    } else {
        told::tells(mapping, &expected);
        told::did(&before, &after, &expected);
        assert_eq!(
            finished.code,
            told::exit_code(&expected),
            "{}",
            finished.stderr
        );
    }
    world.after_run();
}
