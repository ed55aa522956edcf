//! What may be withdrawn: a cell of ours in scope that no row we could not place may belong to.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::site::{cell, combo, element, uid, unit};
use super::{Live, Scene, both};
use crate::domain::{Absent, DEFAULT_COMBO, Engine, Incomplete, OrgUnitScope, RowPlace, Uid};

/// The place of a row, as far as its data element, unit and category option combo are known.
pub(super) fn place(
    period: &str,
    element_name: Option<&str>,
    unit_name: Option<&str>,
    number: Option<usize>,
) -> RowPlace {
    RowPlace {
        period: period.parse().unwrap(),
        data_element: element_name.map(element),
        category_option_combo: number.map(combo),
        attribute_option_combo: Some(DEFAULT_COMBO),
        org_unit: unit_name.map(unit),
    }
}

/// What becomes of a vanished value of `count` in the open unit in 202503 beside a row of this place.
fn beside(place: RowPlace) -> String {
    both("count", None, Some("3"), |scene| scene.unplaced.push(place))
}

const STAYS: &str = "Left: Unplaced";
const GOES: &str = "Zero 3 to 0";

#[test]
fn a_row_that_may_belong_to_a_cell_keeps_it_and_one_that_cannot_does_not() {
    let (count, open) = (Some("count"), Some("open"));
    assert_eq!(beside(place("202503", count, open, None)), STAYS);
    assert_eq!(beside(place("202503", count, None, Some(0))), STAYS);
    assert_eq!(beside(place("202503", None, open, Some(0))), STAYS);
    assert_eq!(beside(place("202503", None, None, None)), STAYS);
    assert_eq!(beside(place("202503", count, open, Some(0))), STAYS);
    // One known dimension that is another's is enough.
    assert_eq!(beside(place("202502", None, None, None)), GOES);
    assert_eq!(beside(place("202503", Some("kept"), None, None)), GOES);
    assert_eq!(beside(place("202503", None, Some("other"), None)), GOES);
    assert_eq!(beside(place("202503", None, None, Some(1))), GOES);
    let mut elsewhere = place("202503", count, open, Some(0));
    elsewhere.attribute_option_combo = None;
    assert_eq!(beside(elsewhere), STAYS);
}

#[test]
fn what_dhis2_does_not_have_or_we_do_not_reach_is_as_good_as_unknown() {
    let (count, open) = (Some("count"), Some("open"));
    for unreached in ["UnitUnknwn0", "UnitElseAa0", "outside"] {
        assert_eq!(
            beside(place("202503", count, Some(unreached), Some(0))),
            STAYS,
            "{unreached}"
        );
        assert_eq!(
            beside(place("202503", Some("kept"), Some(unreached), Some(0))),
            GOES
        );
    }
    for unreached in ["ElementUnk0", "ElementEls0"] {
        assert_eq!(
            beside(place("202503", Some(unreached), open, Some(0))),
            STAYS,
            "{unreached}"
        );
        assert_eq!(
            beside(place("202503", Some(unreached), Some("other"), Some(0))),
            GOES
        );
    }
    let mut unknown_combo = place("202503", count, open, None);
    unknown_combo.category_option_combo = Some(uid("ComboUnkwn0"));
    assert_eq!(beside(unknown_combo), STAYS);
    let mut unknown_attribute = place("202503", count, open, Some(0));
    unknown_attribute.attribute_option_combo = Some(uid("ComboUnkwn0"));
    assert_eq!(beside(unknown_attribute), STAYS);
}

#[test]
fn a_value_for_a_unit_that_dhis2_does_not_have_keeps_what_it_may_have_been() {
    let told = |element: &str, unit: &str| {
        let mut scene = super::scene(Engine::New, "count", None, Some("3"));
        scene
            .desired
            .push((cell(element, unit, "202503"), "7".to_owned()));
        scene.told()
    };
    assert_eq!(
        told("count", "UnitUnknwn0"),
        ["Blocked: UnknownOrgUnit", STAYS]
    );
    assert_eq!(
        told("kept", "UnitUnknwn0"),
        [GOES, "Blocked: UnknownOrgUnit"]
    );
    assert_eq!(told("count", "other"), [GOES, "Create 7"]);
    assert_eq!(
        told("ElementUnk0", "open"),
        ["Blocked: UnknownDataElement", STAYS]
    );
    assert_eq!(
        told("ElementUnk0", "other"),
        [GOES, "Blocked: UnknownDataElement"]
    );
}

#[test]
fn a_unit_outside_of_a_narrowed_scope_is_known_all_the_same() {
    let narrowed = |place: RowPlace| {
        both("count", None, Some("3"), |scene| {
            scene.scope.org_units = OrgUnitScope::OfDataSet {
                below: vec![uid("RegionAaaa0")],
            };
            scene.unplaced.push(place);
        })
    };
    assert_eq!(narrowed(place("202503", None, Some("other"), None)), GOES);
    assert_eq!(narrowed(place("202503", None, Some("open"), None)), STAYS);
}

#[test]
fn an_empty_or_invalid_row_alone_keeps_the_value_of_its_cell() {
    let here = cell("count", "open", "202503");
    for (why, expected) in [
        (Incomplete::Empty, "Left: EmptyRow"),
        (Incomplete::Invalid, STAYS),
    ] {
        let told = both("count", None, Some("3"), |scene| {
            scene.incomplete.push((here, why));
            scene
                .unplaced
                .push(place("202503", Some("count"), Some("open"), Some(0)));
        });
        assert_eq!(told, expected);
    }
}

/// A live value of ours somewhere, that the source does not have.
fn live(element: &str, unit: &str, period: &str, change: impl Fn(&mut Scene)) -> String {
    let mut scene = Scene::new(Engine::Old);
    scene.live.push(Live::new(cell(element, unit, period), "3"));
    change(&mut scene);
    scene.one()
}

#[test]
fn what_is_out_of_scope_is_nobodys_cell() {
    assert_eq!(live("count", "open", "202503", |_| {}), GOES);
    assert_eq!(live("count", "open", "202501", |_| {}), "no cell");
    assert_eq!(live("count", "outside", "202503", |_| {}), "no cell");
    assert_eq!(live("count", "UnitElseAa0", "202503", |_| {}), "no cell");
    assert_eq!(live("ElementEls0", "open", "202503", |_| {}), "no cell");
    for (units, expected) in [
        (OrgUnitScope::Listed([unit("open")].into()), GOES),
        (OrgUnitScope::Listed([unit("other")].into()), "no cell"),
        (
            OrgUnitScope::OfDataSet {
                below: vec![uid("RegionAaaa0")],
            },
            GOES,
        ),
        (
            OrgUnitScope::OfDataSet {
                below: vec![uid("RegionAaaa1")],
            },
            "no cell",
        ),
        (
            OrgUnitScope::OfDataSet {
                below: vec![uid("RegionAaaa1"), unit("open")],
            },
            GOES,
        ),
        (OrgUnitScope::Seen, "no cell"),
    ] {
        let told = live("count", "open", "202503", |scene| {
            scene.scope.org_units = units.clone()
        });
        assert_eq!(told, expected, "{units:?}");
    }
    assert_eq!(
        live("count", "open", "202503", |scene| scene.scope.triples =
            None),
        "no cell"
    );
}

#[test]
fn what_the_source_has_is_compared_out_of_scope_too() {
    for policy in [Absent::Leave, Absent::Zero] {
        let told = both("count", Some("5"), Some("3"), |scene| {
            scene.policies.absent = policy;
            scene.scope.triples = None;
            scene.scope.org_units = OrgUnitScope::Seen;
        });
        assert_eq!(told, "Update 3 to 5");
    }
}

/// The data set where `kept` has a combo of its own, which no other element has.
fn with_combo_of_its_own(scene: &mut Scene) {
    let own: BTreeMap<Uid, String> = [(combo(1), String::new())].into();
    let kept = scene.target.data_set.elements.get_mut(&element("kept"));
    kept.unwrap().category_option_combos = Rc::new(own);
    let count = scene.target.data_set.elements.get_mut(&element("count"));
    count.unwrap().category_option_combos = Rc::new([(combo(0), String::new())].into());
}

#[test]
fn a_row_whose_combo_is_another_elements_may_belong_to_either() {
    for (of, number, expected) in [
        // The row's own element, with another combo; and the element that has the combo.
        ("count", 1, [STAYS, STAYS]),
        ("kept", 0, [STAYS, STAYS]),
        ("kept", 1, [GOES, "Create 7"]),
    ] {
        let mut scene = Scene::new(Engine::New);
        with_combo_of_its_own(&mut scene);
        let mut wrong = cell(of, "open", "202503");
        wrong.triple.category_option_combo = combo(number);
        scene.desired.push((wrong, "7".to_owned()));
        let mut of_kept = cell("kept", "open", "202503");
        of_kept.triple.category_option_combo = combo(1);
        let of_count = cell("count", "open", "202503");
        scene.live = [of_count, of_kept]
            .into_iter()
            .filter(|cell| *cell != wrong)
            .map(|cell| Live::new(cell, "3"))
            .collect();
        let mut told = scene.told();
        told.retain(|told| told != "Blocked: ComboNotOfDataElement");
        assert_eq!(told, expected, "{of} {number}");
        // It is the same for a row that has no value.
        scene.desired.clear();
        scene.unplaced.push(RowPlace::of(&wrong));
        assert_eq!(scene.told()[0], expected[0], "{of} {number}");
    }
}

#[test]
fn a_cell_outside_of_the_scope_of_its_mapping_is_blocked_whatever_it_holds() {
    for live in [None, Some("7"), Some("3")] {
        let told = both("count", Some("7"), live, |scene| {
            let below = vec![uid("RegionAaaa1")];
            scene.scope.org_units = OrgUnitScope::OfDataSet { below };
        });
        assert_eq!(told, "Blocked: OrgUnitOutsideMapping", "{live:?}");
        let told = both("count", Some("7"), live, |scene| {
            let triples = scene.scope.triples.iter_mut().flatten();
            triples.for_each(|triples| triples.data_elements = [element("kept")].into());
        });
        assert_eq!(told, "Blocked: OutsideMapping", "{live:?}");
    }
}
