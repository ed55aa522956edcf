//! The order in which outcomes are tried: of a cell to which everything applies, one reason after another is taken away.

use super::site::cell;
use super::{Scene, scene};
use crate::domain::{Absent, Closed, Engine, Foreign, Incomplete, InputPeriod};

/// Takes one reason away, and the outcome that is then told.
type Step<'s> = (fn(&mut Scene), &'s str);

/// What the plan says at first, and after each step.
#[track_caller]
fn peel(mut scene: Scene, first: &str, steps: &[Step<'_>]) {
    assert_eq!(scene.one(), first);
    for (step, (take_away, expected)) in steps.iter().enumerate() {
        take_away(&mut scene);
        assert_eq!(scene.one(), *expected, "after step {}", step + 1);
    }
}

/// A value equal to the live one, though there is every reason not to send it.
fn everything() -> Scene {
    let mut scene = scene(Engine::New, "choice", Some("c"), Some("c"));
    let here = cell("choice", "open", "202503");
    scene.policies.foreign = Foreign::Keep;
    scene.live[0].stored_by = Some("nurse");
    scene.incomplete.push((here, Incomplete::Empty));
    scene.target.data_set.expiry_days = 1.0;
    scene.target.data_set.attribute_option_combos.clear();
    close_unit(&mut scene, Some("2021-01-01"));
    scene
}

fn close_unit(scene: &mut Scene, day: Option<&str>) {
    let units = &mut scene.target.data_set.org_units;
    let unit = units.get_mut(&super::site::unit("open")).unwrap();
    unit.closed = day.map(|day| day.parse().unwrap());
}

#[test]
fn a_desired_value_meets_its_outcomes_in_order() {
    peel(
        everything(),
        "Unchanged",
        &[
            (
                |scene| scene.live[0].value = Some("b".to_owned()),
                "Left: EmptyRow",
            ),
            (
                |scene| scene.incomplete[0].1 = Incomplete::Invalid,
                "Left: ForeignKept",
            ),
            (
                |scene| scene.policies.foreign = Foreign::Hold,
                "Closed: Expired",
            ),
            (
                |scene| scene.target.data_set.expiry_days = 0.0,
                "Blocked: InvalidRow",
            ),
            (
                |scene| scene.incomplete.clear(),
                "Blocked: ComboNotOfDataSet",
            ),
            (
                |scene| {
                    let default = (crate::domain::DEFAULT_COMBO, String::new());
                    scene
                        .target
                        .data_set
                        .attribute_option_combos
                        .extend([default]);
                },
                "Blocked: OrgUnitClosed",
            ),
            (|scene| close_unit(scene, None), "Blocked: NotAnOption"),
            (|scene| scene.desired[0].1 = "a".to_owned(), "Held"),
            (
                |scene| scene.policies.foreign = Foreign::Overwrite,
                "Update b to a",
            ),
            (|scene| scene.live.clear(), "Create a"),
        ],
    );
}

#[test]
fn a_vanished_value_meets_its_outcomes_in_order() {
    let mut everything = scene(Engine::New, "positive", None, Some("3"));
    everything.policies.absent = Absent::Leave;
    everything.live[0].stored_by = Some("nurse");
    everything
        .unplaced
        .push(super::withdrawals::place("202503", None, None, None));
    everything.target.data_set.expiry_days = 1.0;
    peel(
        everything,
        "Left: Foreign",
        &[
            (
                |scene| scene.live[0].stored_by = Some("loader"),
                "Left: Absent",
            ),
            (
                |scene| scene.policies.absent = Absent::Zero,
                "Left: Unplaced",
            ),
            (|scene| scene.unplaced.clear(), "Closed: Expired"),
            (
                |scene| scene.target.data_set.expiry_days = 0.0,
                "Blocked: ZeroRefused",
            ),
            (
                |scene| scene.policies.absent = Absent::Delete,
                "Delete 3 to 3",
            ),
        ],
    );
}

#[test]
fn an_inverted_window_is_told_after_what_is_wrong_with_the_cell() {
    let mut scene = Scene::new(Engine::New);
    scene.target.server.version.patch = 1;
    scene.target.data_set.input_periods.push(InputPeriod {
        period: "202503".parse().unwrap(),
        opening: None,
        closing: None,
    });
    scene
        .desired
        .push((cell("count", "UnitUnknwn0", "202503"), "5".to_owned()));
    assert_eq!(scene.one(), "Blocked: UnknownOrgUnit");
    scene.desired[0].0 = cell("count", "open", "202503");
    assert_eq!(scene.one(), "Blocked: InputPeriodsInverted");
}

#[test]
fn closed_cells_are_counted_by_period_and_reason() {
    let mut scene = Scene::new(Engine::Old);
    scene.target.data_set.expiry_days = 20.0;
    for (element, period) in [("count", "202502"), ("kept", "202502"), ("count", "202503")] {
        scene
            .desired
            .push((cell(element, "open", period), "5".to_owned()));
    }
    let plan = scene.plan();
    let expired = ("202502".parse().unwrap(), Closed::Expired);
    assert_eq!(plan.closed, [(expired, 2)].into());
    assert_eq!(plan.changes.len(), 1);
}
