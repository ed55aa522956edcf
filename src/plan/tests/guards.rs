//! Guards hold what they concern, look up as well as down, and know what is usual.

use std::collections::{BTreeMap, BTreeSet};

use super::Scene;
use super::site::{cell, element, target, uid, unit};
use crate::domain::{
    CellOutcome, Concerns, DEFAULT_COMBO, Engine, GuardLimits, Number, Period, PeriodTotals, Uid,
};
use crate::plan::{Plan, RunSoFar, SourceCounts, trips};

const HERE: &str = "202503";

/// A scene of `count` and `kept` in twelve units below each other's names; values are live and desired.
fn scene(values: &[(&str, &str, Option<u32>, u32)]) -> Scene {
    let mut scene = Scene::new(Engine::New);
    let open = scene.target.data_set.org_units[&unit("open")].clone();
    for number in 0..12 {
        let mut each = open.clone();
        each.path = format!("/RootAaaaaa0/{}", of(number));
        scene.target.data_set.org_units.insert(of(number), each);
    }
    for (name, period, live, desired) in values {
        for number in 0..12 {
            let mut cell = cell(name, "open", period);
            cell.org_unit = of(number);
            cell.triple.attribute_option_combo = DEFAULT_COMBO;
            if let Some(live) = live {
                scene.live.push(super::Live::new(cell, &live.to_string()));
            }
            scene.desired.push((cell, desired.to_string()));
        }
    }
    scene
}

fn of(number: usize) -> Uid {
    uid(&format!("UnitGuard{number:02}"))
}

/// The guards that trip, what is only told, and the plan they were asked about.
fn asked(
    scene: &Scene,
    unfinished: &[&str],
    earlier: &[(&str, u32)],
) -> (Vec<String>, usize, Plan) {
    let mut plan = scene.plan();
    for (period, total) in earlier {
        let total = Number::parse(&total.to_string()).unwrap();
        plan.earlier
            .add(period.parse().unwrap(), element("count"), total);
    }
    let source = SourceCounts::of(&scene.desired());
    let unfinished: BTreeSet<Period> = unfinished
        .iter()
        .map(|period| period.parse().unwrap())
        .collect();
    let run = RunSoFar {
        rows: 100,
        is_last: true,
        age: None,
        confirmed: &BTreeMap::new(),
        unfinished: &unfinished,
    };
    let guarded = trips(&source, &plan, &scene.target, run);
    let named = guarded.trips.iter().map(|trip| {
        let period = trip.period.map(|period| period.to_string());
        format!("{} {}", trip.guard, period.unwrap_or_default())
    });
    let named = named.collect();
    plan.hold_back(&guarded.trips);
    (named, guarded.told.len(), plan)
}

#[test]
fn a_total_may_double_in_a_period_that_is_over_and_no_more() {
    let tripped =
        |live, desired| asked(&scene(&[("count", HERE, Some(live), desired)]), &[], &[]).0;
    assert_eq!(tripped(50, 100), ["max-changed 202503"]);
    assert_eq!(
        tripped(50, 101),
        ["max-changed 202503", "max-increase 202503"]
    );
    // Twelve times eight is not yet worth a guard.
    assert_eq!(tripped(8, 80), ["max-changed 202503"]);
    // What was not over when it was confirmed last only came late.
    let late = asked(&scene(&[("count", HERE, Some(50), 500)]), &[HERE], &[]);
    assert_eq!(late.0, [""; 0]);
    // The current month grows from nothing.
    let mut current = scene(&[("count", "202504", Some(50), 500)]);
    current.periods = vec!["202504".parse().unwrap()];
    assert_eq!(asked(&current, &[], &[]).0, [""; 0]);
    // Nothing was there: a first load.
    let first = asked(&scene(&[("count", HERE, None, 500)]), &[], &[]);
    assert_eq!(first.0, [""; 0]);
}

const YEAR: [&str; 12] = [
    "202403", "202404", "202405", "202406", "202407", "202408", "202409", "202410", "202411",
    "202412", "202501", "202502",
];

#[test]
fn a_total_stands_out_above_three_times_its_year_and_three_times_a_year_ago() {
    let tripped = |earlier: &[(&str, u32)], desired| {
        let mut scene = scene(&[("count", HERE, None, desired)]);
        scene.periods = vec![HERE.parse().unwrap()];
        asked(&scene, &[], earlier).0
    };
    let year = |total: u32| YEAR.map(|period| (period, total));
    // Twelve units: three times 1,200 is 3,600.
    assert_eq!(tripped(&year(1_200), 300), [""; 0]);
    assert_eq!(tripped(&year(1_200), 301), ["max-spike 202503"]);
    // Seasonal: a year ago it was as many.
    let mut seasonal = year(1_200);
    seasonal[0].1 = 3_612;
    assert_eq!(tripped(&seasonal, 301), [""; 0]);
    // Six months that are not zero are enough to know what is usual, five are not.
    assert_eq!(tripped(&year(1_200)[6..], 301), ["max-spike 202503"]);
    assert_eq!(tripped(&year(1_200)[7..], 301), [""; 0]);
    let zeros = year(0);
    assert_eq!(
        tripped(&[&zeros[..7], &year(1_200)[7..]].concat(), 301),
        [""; 0]
    );
    // The median of 1, 1, 1, 100, 100, 100 is 50.5, exactly.
    let halves: Vec<(&str, u32)> = YEAR[6..]
        .iter()
        .copied()
        .zip([1, 100, 1, 100, 1, 100])
        .collect();
    assert_eq!(tripped(&halves, 13), ["max-spike 202503"]);
    assert_eq!(tripped(&halves, 12), [""; 0]);
}

#[test]
fn what_stands_out_in_a_period_that_is_not_over_is_told_and_not_held() {
    let mut scene = scene(&[("count", "202504", None, 500)]);
    scene.periods = vec!["202504".parse().unwrap()];
    let year: Vec<(&str, u32)> = YEAR.iter().map(|period| (*period, 1_200)).collect();
    let (tripped, told, plan) = asked(&scene, &[], &year);
    assert_eq!((tripped, told, plan.changes.len()), (Vec::new(), 1, 12));
}

#[test]
fn a_guard_on_one_data_element_holds_its_changes_of_that_period_and_no_others() {
    let mut scene = scene(&[
        ("count", HERE, Some(50), 500),
        ("kept", HERE, Some(50), 51),
        ("count", "202502", Some(50), 51),
        ("kept", "202502", None, 51),
    ]);
    scene.periods = ["202502", HERE]
        .map(|period| period.parse().unwrap())
        .to_vec();
    let limits = GuardLimits {
        max_changed: "100%".parse().unwrap(),
        ..GuardLimits::default()
    };
    let mut plan = scene.plan();
    let mut desired = scene.desired();
    desired.guards = limits;
    let run = RunSoFar {
        rows: 100,
        is_last: true,
        age: None,
        confirmed: &BTreeMap::new(),
        unfinished: &BTreeSet::new(),
    };
    let found = trips(
        &SourceCounts::of(&desired),
        &plan,
        &target(Engine::New),
        run,
    )
    .trips;
    let [trip] = found.as_slice() else {
        panic!("{found:?}");
    };
    assert_eq!(trip.concerns, Concerns::DataElement(element("count")));
    let digest = plan.digest("small", desired.data_set, &found);
    plan.hold_back(&found);
    assert_eq!((plan.held_changes.len(), plan.changes.len()), (12, 36));
    for change in &plan.held_changes {
        let cell = plan.space.cell(change.key).unwrap();
        assert_eq!(cell.triple.data_element, element("count"));
        assert_eq!(cell.period.to_string(), HERE);
    }
    let account = plan.account_with(|_, _| CellOutcome::Updated);
    assert!(account.balances());
    assert_eq!(account.total().of(CellOutcome::Held), 12);
    // The name of what is held is the same once the others are sent.
    scene.desired.retain(|(cell, _)| {
        cell.triple.data_element == element("count") && cell.period.to_string() == HERE
    });
    scene.live.retain(|live| {
        live.cell.triple.data_element == element("count") && live.cell.period.to_string() == HERE
    });
    assert_eq!(
        scene.plan().digest("small", desired.data_set, &found),
        digest
    );
}

#[test]
fn totals_are_known_of_what_was_confirmed() {
    let scene = scene(&[("count", HERE, Some(50), 60)]);
    let plan = scene.plan();
    let sent = vec![crate::domain::Sent::Confirmed; 6];
    let totals: PeriodTotals = plan.totals(&scene.target, &sent);
    let total = totals.of(HERE.parse().unwrap(), element("count")).unwrap();
    assert_eq!(total.to_string(), "660");
    let none = totals.of("202502".parse().unwrap(), element("count"));
    assert_eq!(none.unwrap().to_string(), "0");
    assert_eq!(totals.of("202501".parse().unwrap(), element("count")), None);
}
