//! Which units and periods may be registered as complete: facts about a plan and what became of its changes.

use super::site::{cell, unit};
use super::withdrawals::place;
use super::{Live, Scene, scene};
use crate::domain::{Absent, Complete, DEFAULT_COMBO, Engine, Foreign, Incomplete, Sent, Uid};

const ENGINES: [Engine; 2] = [Engine::Old, Engine::New];

/// The value of `count` in the open unit in March, five days after whose end something may be complete. Now is 10 April.
fn march(engine: Engine, desired: Option<&str>, live: Option<&str>) -> Scene {
    let mut scene = scene(engine, "count", desired, live);
    scene.policies.complete = "after 5d".parse().unwrap();
    scene
}

/// What may be registered, with how many wait for their time and how many lack something.
fn told(scene: &Scene, sent: &[Sent]) -> (Vec<String>, u64, u64) {
    let plan = scene.plan();
    let candidates = plan.candidates(sent, &scene.target).expect("a policy");
    let due = candidates.due.iter().map(|registration| {
        assert_eq!(registration.data_set, scene.target.data_set.id);
        assert_eq!(registration.attribute_option_combo, DEFAULT_COMBO);
        format!("{} {}", registration.period, registration.org_unit)
    });
    (due.collect(), candidates.early, candidates.lacking)
}

/// What becomes of March where the only change ends so.
fn ends(desired: Option<&str>, live: Option<&str>, sent: &[Sent]) -> &'static str {
    let [old, new] = ENGINES.map(|engine| told(&march(engine, desired, live), sent));
    assert_eq!(old, new, "the engines differ");
    match (old.0.as_slice(), old.1, old.2) {
        ([one], 0, 0) if one == "202503 UnitOpenAa0" => "due",
        ([], 0, 1) => "lacking",
        ([], 0, 0) => "nothing",
        other => panic!("{other:?}"),
    }
}

#[test]
fn something_of_the_source_must_be_in_dhis2() {
    let confirmed = [Sent::Confirmed];
    assert_eq!(ends(Some("3"), Some("3"), &[]), "due");
    assert_eq!(ends(Some("3"), None, &confirmed), "due");
    assert_eq!(ends(Some("3"), Some("2"), &confirmed), "due");
    // What the source no longer has says nothing of the unit.
    assert_eq!(ends(None, Some("3"), &confirmed), "nothing");
    assert_eq!(ends(None, Some("0"), &[]), "nothing");
    assert_eq!(ends(None, None, &[]), "nothing");
}

#[test]
fn a_change_that_is_not_confirmed_keeps_its_unit_from_being_complete() {
    let code = "E7619".into();
    for sent in [Sent::Rejected { code }, Sent::Unconfirmed, Sent::NotSent] {
        for engine in ENGINES {
            let mut scene = march(engine, Some("3"), None);
            for (element, name) in [("kept", "open"), ("kept", "other")] {
                let fine = cell(element, name, "202503");
                scene.desired.push((fine, "1".to_owned()));
                scene.live.push(Live::new(fine, "1"));
            }
            let (due, early, lacking) = told(&scene, std::slice::from_ref(&sent));
            assert_eq!(due, ["202503 UnitOthrAa0"], "{sent:?}");
            assert_eq!((early, lacking), (0, 1));
        }
    }
}

/// March where the open and the other unit have all they should, once something is changed.
fn beside(change: impl Fn(&mut Scene)) -> Vec<String> {
    let [old, new] = ENGINES.map(|engine| {
        let mut scene = march(engine, Some("3"), Some("3"));
        let other = cell("count", "other", "202503");
        scene.desired.push((other, "1".to_owned()));
        scene.live.push(Live::new(other, "1"));
        change(&mut scene);
        told(&scene, &[]).0
    });
    assert_eq!(old, new, "the engines differ");
    old
}

const BOTH: [&str; 2] = ["202503 UnitOpenAa0", "202503 UnitOthrAa0"];
const OTHER: [&str; 1] = ["202503 UnitOthrAa0"];

#[test]
fn a_cell_that_is_blocked_closed_or_incomplete_counts_against_its_unit_alone() {
    assert_eq!(beside(|_| {}), BOTH);
    let blocked = beside(|scene| {
        let negative = cell("kept", "open", "202503");
        scene.desired.push((negative, "-1".to_owned()));
    });
    assert_eq!(blocked, OTHER);
    let empty = beside(|scene| {
        let cell = cell("kept", "open", "202503");
        scene.desired.push((cell, "1".to_owned()));
        scene.incomplete.push((cell, Incomplete::Empty));
    });
    assert_eq!(empty, OTHER);
    let invalid = beside(|scene| {
        let cell = cell("kept", "open", "202503");
        scene.desired.push((cell, "1".to_owned()));
        scene.incomplete.push((cell, Incomplete::Invalid));
    });
    assert_eq!(invalid, OTHER);
    let closed = beside(|scene| {
        let cell = cell("kept", "open", "202503");
        scene.desired.push((cell, "1".to_owned()));
        scene.target.data_set.expiry_days = 3.0;
    });
    assert_eq!(closed, OTHER);
}

#[test]
fn what_is_held_says_nothing_of_its_unit_alone() {
    let held = beside(|scene| {
        let cell = cell("kept", "open", "202503");
        scene.policies.foreign = Foreign::Hold;
        scene.desired.push((cell, "1".to_owned()));
        scene.live.push(Live {
            stored_by: Some("admin"),
            ..Live::new(cell, "2")
        });
    });
    assert_eq!(held, OTHER);
}

#[test]
fn what_the_mapping_says_to_leave_counts_against_nobody() {
    let kept = beside(|scene| {
        let cell = cell("kept", "open", "202503");
        scene.policies.foreign = Foreign::Keep;
        scene.desired.push((cell, "1".to_owned()));
        scene.live.push(Live {
            stored_by: Some("admin"),
            ..Live::new(cell, "2")
        });
    });
    assert_eq!(kept, BOTH);
    let absent = beside(|scene| {
        scene.policies.absent = Absent::Leave;
        scene
            .live
            .push(Live::new(cell("kept", "open", "202503"), "2"));
    });
    assert_eq!(absent, BOTH);
}

#[test]
fn a_row_that_was_not_placed_counts_against_its_unit_or_against_all() {
    let unplaced = |unit_name: Option<&str>, period: &str| {
        beside(|scene| {
            scene.unplaced.push(place(period, None, unit_name, Some(0)));
        })
    };
    assert_eq!(unplaced(Some("open"), "202503"), OTHER);
    assert_eq!(unplaced(None, "202503"), [""; 0]);
    assert_eq!(unplaced(None, "202502"), BOTH);
    // DHIS2 has it, but it is no unit of the data set, so that the row is of no other.
    assert_eq!(unplaced(Some("UnitElseAa0"), "202503"), BOTH);
    // A unit that DHIS2 does not have may be meant for any.
    assert_eq!(unplaced(Some("UnitUnknwn0"), "202503"), [""; 0]);
    let cell_of = |name: &'static str| {
        beside(|scene| {
            scene
                .desired
                .push((cell("count", name, "202503"), "1".to_owned()));
        })
    };
    assert_eq!(cell_of("outside"), BOTH);
    assert_eq!(cell_of("UnitElseAa0"), BOTH);
    assert_eq!(cell_of("UnitUnknwn0"), [""; 0]);
}

#[test]
fn the_time_is_told_by_the_clock_of_dhis2() {
    for (now, expected) in [
        ("2025-04-05T23:59:59", (0, 1)),
        ("2025-04-06T00:00:00", (1, 0)),
    ] {
        let mut scene = march(Engine::New, Some("3"), Some("3"));
        scene.target.server.now = now.parse().unwrap();
        let (due, early, lacking) = told(&scene, &[]);
        assert_eq!(((due.len(), early), lacking), (expected, 0), "{now}");
    }
}

#[test]
fn each_attribute_option_combo_is_registered_as_itself_and_only_those_of_the_data_set() {
    let second: Uid = "AttrCombo01".parse().unwrap();
    let mut scene = march(Engine::New, Some("3"), Some("3"));
    let mut of_second = cell("kept", "open", "202503");
    of_second.triple.attribute_option_combo = second;
    scene.desired.push((of_second, "1".to_owned()));
    scene.live.push(Live::new(of_second, "1"));
    for triples in scene.scope.triples.iter_mut().flatten() {
        triples.attribute_option_combos.insert(second);
    }
    let combos = |scene: &Scene| {
        let candidates = scene.plan().candidates(&[], &scene.target);
        let due = candidates.expect("a policy").due.into_iter();
        due.map(|registration| {
            assert_eq!(registration.org_unit, unit("open"));
            registration.attribute_option_combo
        })
        .collect::<Vec<_>>()
    };
    assert_eq!(combos(&scene), [DEFAULT_COMBO]);
    let known = &mut scene.target.data_set.attribute_option_combos;
    known.insert(second, String::new());
    assert_eq!(combos(&scene), [second, DEFAULT_COMBO]);
}

#[test]
fn a_mapping_that_does_not_say_so_registers_nothing() {
    let mut scene = march(Engine::New, Some("3"), Some("3"));
    scene.policies.complete = Complete::Never;
    assert_eq!(scene.plan().candidates(&[], &scene.target), None);
}
