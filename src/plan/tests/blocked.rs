//! What this server would refuse, found before anything is sent.

use super::site::{cell, combo, uid};
use super::{Planner, Scene, Search, both, scene};
use crate::domain::{Absent, Cell, DEFAULT_COMBO, Engine, Foreign, Incomplete, PeriodType};

/// What is said of one desired value in a cell.
fn value(engine: Engine, cell: Cell, value: &str) -> Scene {
    let mut scene = Scene::new(engine);
    scene.desired = vec![(cell, value.to_owned())];
    scene
}

#[track_caller]
fn blocked(cell: Cell, expected: &str) {
    for engine in [Engine::Old, Engine::New] {
        assert_eq!(
            value(engine, cell, "5").one(),
            format!("Blocked: {expected}")
        );
    }
}

#[test]
fn a_cell_that_the_data_set_does_not_have_is_blocked_with_the_reason() {
    blocked(cell("ElementUnk0", "open", "202503"), "UnknownDataElement");
    blocked(
        cell("ElementEls0", "open", "202503"),
        "DataElementNotInDataSet",
    );
    blocked(cell("count", "UnitUnknwn0", "202503"), "UnknownOrgUnit");
    blocked(
        cell("count", "UnitElseAa0", "202503"),
        "OrgUnitNotInDataSet",
    );
    blocked(
        cell("count", "outside", "202503"),
        "OrgUnitOutsideHierarchy",
    );
    let mut other = cell("count", "open", "202503");
    other.triple.category_option_combo = DEFAULT_COMBO;
    blocked(other, "ComboNotOfDataElement");
    let mut other = cell("count", "open", "202503");
    other.triple.attribute_option_combo = combo(0);
    blocked(other, "ComboNotOfDataSet");
}

#[test]
fn a_data_set_of_another_period_type_blocks_every_cell() {
    let told = both("count", Some("5"), None, |scene| {
        scene.target.data_set.period_type = PeriodType::Quarterly;
        scene.target.data_set.open_future_periods = 99;
    });
    assert_eq!(told, "Blocked: WrongPeriodType");
}

#[test]
fn the_account_must_enter_data_below_its_units_and_up_to_242_see_them_too() {
    let paths = |engine, capture: &str, view: &[&str]| {
        let mut scene = scene(engine, "count", Some("5"), None);
        scene.target.account.capture_paths = vec![capture.to_owned()];
        scene.target.account.view_paths = view.iter().map(|path| (*path).to_owned()).collect();
        scene.one()
    };
    let outside = "Blocked: OrgUnitOutsideHierarchy";
    let region = "/RootAaaaaa0/RegionAaaa0";
    for engine in [Engine::Old, Engine::New] {
        assert_eq!(paths(engine, region, &[]), "Create 5");
        assert_eq!(
            paths(engine, "/RootAaaaaa0/RegionAaaa0/UnitOpenAa0", &[]),
            "Create 5"
        );
        assert_eq!(paths(engine, "/RootAaaaaa0/RegionAaaa1", &[]), outside);
        // A path is not below another whose beginning looks like it.
        assert_eq!(paths(engine, "/RootAaaaaa0/RegionAaaa", &[]), outside);
    }
}

#[test]
fn a_unit_that_is_entered_and_not_seen_is_known_before_anything_is_planned() {
    let unseen = |engine, view: &str| {
        let mut scene = scene(engine, "count", Some("5"), None);
        scene.target.account.view_paths = vec![view.to_owned()];
        let planner = Planner::new(scene.desired(), &scene.target, Search::default());
        planner.unseen().is_some()
    };
    // DHIS2 2.43 reads by the units where data is entered.
    assert!(unseen(Engine::Old, "/RootAaaaaa0/RegionAaaa1"));
    assert!(!unseen(Engine::New, "/RootAaaaaa0/RegionAaaa1"));
    assert!(!unseen(Engine::Old, "/RootAaaaaa0"));
}

#[test]
fn a_unit_must_be_open_on_the_first_day_of_the_period_on_243_only() {
    let told = |engine, unit, period: &str| {
        let mut scene = value(engine, cell("count", unit, period), "5");
        scene.periods = vec![period.parse().unwrap()];
        scene.one()
    };
    for (unit, period, on_243) in [
        ("closed", "202502", "Create 5"),
        ("closed", "202503", "Blocked: OrgUnitClosed"),
        ("open", "202003", "Create 5"),
        ("open", "202002", "Blocked: OrgUnitClosed"),
    ] {
        assert_eq!(told(Engine::New, unit, period), on_243, "{unit} {period}");
        assert_eq!(
            told(Engine::Old, unit, period),
            "Create 5",
            "{unit} {period}"
        );
    }
}

#[test]
fn a_value_must_fit_its_data_element() {
    let told = |element: &str, value: &str| both(element, Some(value), None, |_| {});
    assert_eq!(told("count", "1.5"), "Blocked: ValueType");
    assert_eq!(told("count", "-1"), "Blocked: ValueType");
    assert_eq!(told("share", "100.5"), "Blocked: ValueType");
    assert_eq!(told("flag", "maybe"), "Blocked: ValueType");
    assert_eq!(told("note", "  "), "Blocked: ValueType");
    assert_eq!(told("choice", "c"), "Blocked: NotAnOption");
    assert_eq!(told("choice", "A"), "Blocked: NotAnOption");
    assert_eq!(told("choice", "a"), "Create a");
    // 2.43 reads integers that end in zeros.
    assert_eq!(
        value(Engine::New, cell("count", "open", "202503"), "5.0").one(),
        "Create 5.0"
    );
    assert_eq!(
        value(Engine::Old, cell("count", "open", "202503"), "5.0").one(),
        "Blocked: ValueType"
    );
}

#[test]
fn a_zero_that_the_type_refuses_is_not_sent_and_a_delete_is() {
    for (element, live) in [("positive", "3"), ("choice", "a")] {
        assert_eq!(
            both(element, None, Some(live), |_| {}),
            "Blocked: ZeroRefused"
        );
        let delete = |scene: &mut Scene| scene.policies.absent = Absent::Delete;
        assert_eq!(
            both(element, None, Some(live), delete),
            format!("Delete {live} to {live}")
        );
    }
}

#[test]
fn a_cell_with_an_invalid_row_is_blocked_for_its_value_would_be_wrong() {
    let here = cell("count", "open", "202503");
    let invalid = |scene: &mut Scene| scene.incomplete.push((here, Incomplete::Invalid));
    for live in [None, Some("3")] {
        assert_eq!(
            both("count", Some("5"), live, invalid),
            "Blocked: InvalidRow"
        );
    }
    assert_eq!(both("count", Some("5"), Some("5"), invalid), "Unchanged");
}

#[test]
fn a_withdrawal_is_blocked_where_a_value_would_be() {
    let told = |engine, change: fn(&mut Scene)| {
        let mut scene = scene(engine, "count", None, Some("3"));
        change(&mut scene);
        scene.one()
    };
    let combo_gone: fn(&mut Scene) = |scene| {
        let element = super::site::element("count");
        let found = scene.target.data_set.elements.get_mut(&element).unwrap();
        found.category_option_combos = std::rc::Rc::new([(combo(1), String::new())].into());
    };
    assert_eq!(
        told(Engine::Old, combo_gone),
        "Blocked: ComboNotOfDataElement"
    );
    let unit_closed: fn(&mut Scene) = |scene| {
        let unit = scene
            .target
            .data_set
            .org_units
            .get_mut(&super::site::unit("open"))
            .unwrap();
        unit.closed = Some("2025-01-31".parse().unwrap());
    };
    assert_eq!(told(Engine::New, unit_closed), "Blocked: OrgUnitClosed");
    assert_eq!(told(Engine::Old, unit_closed), "Zero 3 to 0");
}

#[test]
fn somebody_elses_value_does_not_hold_what_cannot_be_sent() {
    let told = both("count", Some("1.5"), Some("3"), |scene| {
        scene.policies.foreign = Foreign::Hold;
        scene.live[0].stored_by = Some("nurse");
    });
    assert_eq!(told, "Blocked: ValueType");
}

#[test]
fn every_blocked_cell_is_counted_and_named() {
    let mut scene = Scene::new(Engine::New);
    for number in 0..3 {
        let unit = format!("UnitUnknwn{number}");
        scene
            .desired
            .push((cell("count", &unit, "202503"), "5".to_owned()));
    }
    scene
        .desired
        .push((cell("ElementUnk0", "open", "202503"), "5".to_owned()));
    let plan = scene.plan();
    let named: Vec<_> = plan.blocked.iter().map(|(cell, _)| cell.org_unit).collect();
    assert_eq!(
        named,
        ["UnitOpenAa0", "UnitUnknwn0", "UnitUnknwn1", "UnitUnknwn2"].map(uid)
    );
    assert_eq!(
        plan.blocked_by.values().copied().collect::<Vec<u64>>(),
        [1, 3]
    );
}
