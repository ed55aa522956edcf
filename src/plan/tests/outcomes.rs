//! Outcomes in which nothing is wrong: unchanged, left, held, and the four changes.

use super::site::cell;
use super::{Live, Scene, both, scene};
use crate::domain::{Absent, ElementPolicies, Engine, Foreign, Incomplete, OwnUser};

fn plainly(element: &str, desired: Option<&str>, live: Option<&str>) -> String {
    both(element, desired, live, |_| {})
}

fn foreign(scene: &mut Scene) {
    for row in &mut scene.live {
        row.stored_by = Some("nurse");
    }
}

#[test]
fn a_cell_is_created_updated_zeroed_or_deleted() {
    assert_eq!(plainly("count", Some("5"), None), "Create 5");
    assert_eq!(plainly("count", Some("5"), Some("3")), "Update 3 to 5");
    assert_eq!(plainly("count", None, Some("3")), "Zero 3 to 0");
    let delete = |scene: &mut Scene| scene.policies.absent = Absent::Delete;
    assert_eq!(both("count", None, Some("3"), delete), "Delete 3 to 3");
    assert_eq!(plainly("count", None, None), "no cell");
}

#[test]
fn a_data_element_may_have_its_own_policy() {
    let own = |absent| {
        both("count", None, Some("3"), |scene| {
            let policies = ElementPolicies {
                combine: None,
                absent: Some(absent),
            };
            let element = super::site::element("count");
            scene.policies.data_elements.insert(element, policies);
        })
    };
    assert_eq!(own(Absent::Leave), "Left: Absent");
    assert_eq!(own(Absent::Delete), "Delete 3 to 3");
    assert_eq!(own(Absent::Zero), "Zero 3 to 0");
}

#[test]
fn numbers_are_equal_by_value() {
    for (desired, live) in [
        ("1.5", "1.50"),
        ("5", "5.0"),
        ("0.5", "00.5"),
        ("-0", "0"),
        ("12345678901234567890", "12345678901234567890.0"),
    ] {
        assert_eq!(
            plainly("average", Some(desired), Some(live)),
            "Unchanged",
            "{live}"
        );
    }
    assert_eq!(
        plainly("average", Some("1.5"), Some("1.51")),
        "Update 1.51 to 1.5"
    );
    // Texts are not, though they look like numbers.
    assert_eq!(
        plainly("note", Some("1.5"), Some("1.50")),
        "Update 1.50 to 1.5"
    );
}

#[test]
fn other_values_are_equal_in_the_form_that_dhis2_stores() {
    for (desired, live) in [
        ("true", "true"),
        ("1", "true"),
        ("t", "true"),
        ("0", "false"),
        ("f", "false"),
    ] {
        assert_eq!(
            plainly("flag", Some(desired), Some(live)),
            "Unchanged",
            "{desired}"
        );
    }
    assert_eq!(
        plainly("flag", Some("1"), Some("false")),
        "Update false to 1"
    );
    assert_eq!(
        plainly("note", Some(" as told "), Some("as told")),
        "Unchanged"
    );
    assert_eq!(
        plainly("note", Some("as told"), Some("As told")),
        "Update As told to as told"
    );
    // Only 2.43 knows this word.
    assert_eq!(
        scene(Engine::New, "flag", Some("yes"), Some("true")).one(),
        "Unchanged"
    );
}

#[test]
fn where_zero_is_not_significant_it_is_as_good_as_no_value() {
    for zero in ["0", "0.0"] {
        assert_eq!(plainly("count", Some(zero), None), "Unchanged");
        assert_eq!(plainly("count", None, Some(zero)), "Unchanged");
    }
    let delete = |scene: &mut Scene| scene.policies.absent = Absent::Delete;
    assert_eq!(both("count", None, Some("0"), delete), "Unchanged");
    assert_eq!(plainly("count", Some("0"), Some("3")), "Update 3 to 0");
    for keeps in ["kept", "average", "share"] {
        assert_eq!(plainly(keeps, Some("0"), None), "Create 0", "{keeps}");
        assert_eq!(
            both(keeps, None, Some("0"), delete),
            "Delete 0 to 0",
            "{keeps}"
        );
    }
    // Only numbers have a zero.
    assert_eq!(plainly("note", Some("0"), None), "Create 0");
}

#[test]
fn a_zero_of_ours_that_stands_for_silence_stays() {
    for element in ["count", "kept", "average"] {
        assert_eq!(plainly(element, None, Some("0")), "Unchanged", "{element}");
        assert_eq!(
            plainly(element, None, Some("0.0")),
            "Unchanged",
            "{element}"
        );
    }
    // The zero of a boolean is stored as `false`.
    assert_eq!(plainly("flag", None, Some("true")), "Zero true to 0");
    assert_eq!(plainly("flag", None, Some("false")), "Unchanged");
    assert_eq!(both("kept", None, Some("0"), foreign), "Left: Foreign");
}

#[test]
fn a_cell_is_left_for_one_of_five_reasons() {
    let leave = |scene: &mut Scene| scene.policies.absent = Absent::Leave;
    assert_eq!(both("count", None, Some("3"), leave), "Left: Absent");
    assert_eq!(both("count", None, Some("3"), foreign), "Left: Foreign");
    let keep = |scene: &mut Scene| {
        foreign(scene);
        scene.policies.foreign = Foreign::Keep;
    };
    assert_eq!(
        both("count", Some("5"), Some("3"), keep),
        "Left: ForeignKept"
    );
    let here = cell("count", "open", "202503");
    let empty = |scene: &mut Scene| scene.incomplete.push((here, Incomplete::Empty));
    for live in [None, Some("3")] {
        assert_eq!(both("count", Some("5"), live, empty), "Left: EmptyRow");
    }
    assert_eq!(both("count", None, Some("3"), empty), "Left: EmptyRow");
    let unplaced = |scene: &mut Scene| {
        scene
            .unplaced
            .push(super::withdrawals::place("202503", None, None, None));
    };
    assert_eq!(both("count", None, Some("3"), unplaced), "Left: Unplaced");
    // The value that the source has is not held back for a row that found no place.
    assert_eq!(
        both("count", Some("5"), Some("3"), unplaced),
        "Update 3 to 5"
    );
}

#[test]
fn somebody_elses_value_is_held_kept_or_overwritten() {
    let under = |desired, live, policy| {
        both("count", desired, Some(live), |scene| {
            foreign(scene);
            scene.policies.foreign = policy;
        })
    };
    assert_eq!(under(Some("5"), "3", Foreign::Hold), "Held");
    assert_eq!(under(Some("5"), "3", Foreign::Keep), "Left: ForeignKept");
    assert_eq!(under(Some("5"), "3", Foreign::Overwrite), "Update 3 to 5");
    for policy in [Foreign::Hold, Foreign::Keep, Foreign::Overwrite] {
        // Where it does not differ there is nothing to decide, and without one of ours it stays.
        assert_eq!(under(Some("5"), "5.0", policy), "Unchanged");
        assert_eq!(under(None, "3", policy), "Left: Foreign");
    }
}

#[test]
fn ours_is_what_our_account_or_one_of_ours_stored_last() {
    let stored_by = |user: Option<&'static str>| {
        both("count", None, Some("3"), |scene| {
            scene.target.own_users = vec![OwnUser {
                name: "before".to_owned(),
                until: None,
            }];
            scene.live[0].stored_by = user;
        })
    };
    assert_eq!(stored_by(Some("loader")), "Zero 3 to 0");
    assert_eq!(stored_by(Some("before")), "Zero 3 to 0");
    for user in [None, Some("nurse"), Some("Loader"), Some("")] {
        assert_eq!(stored_by(user), "Left: Foreign", "{user:?}");
    }
}

#[test]
fn a_row_without_a_value_is_no_value_and_one_that_a_person_deleted_is_theirs() {
    let gone = |desired, change: fn(&mut Live)| {
        both("count", desired, Some("3"), |scene| {
            scene.policies.foreign = Foreign::Hold;
            scene.live[0].stored_by = Some("nurse");
            change(&mut scene.live[0]);
        })
    };
    let deleted: fn(&mut Live) = |row| row.deleted = true;
    let comment_alone: fn(&mut Live) = |row| row.value = None;
    assert_eq!(gone(Some("5"), deleted), "Held");
    assert_eq!(gone(Some("5"), comment_alone), "Create 5");
    for change in [deleted, comment_alone] {
        assert_eq!(gone(None, change), "no cell");
        assert_eq!(gone(Some("0"), change), "Unchanged");
    }
}
