//! Periods that DHIS2 takes no value for now, version by version (dhis2-web-api, 5.2).

use super::site::cell;
use super::{Scene, scene};
use crate::domain::{Engine, InputPeriod};

/// What a server of this version, at this moment, says to a value for a month.
fn at(version: (u32, u32), now: &str, period: &str, change: impl Fn(&mut Scene)) -> String {
    let mut scene = scene(Engine::Old, "count", None, None);
    scene.target.server.version.minor = version.0;
    scene.target.server.version.patch = version.1;
    scene.target.server.now = now.parse().unwrap();
    scene.periods = vec![period.parse().unwrap()];
    scene.desired = vec![(cell("count", "open", period), "5".to_owned())];
    change(&mut scene);
    scene.one()
}

const NOON: &str = "2025-04-10T12:00:00";
const VERSIONS: [(u32, u32); 4] = [(38, 7), (41, 9), (42, 5), (43, 2)];

#[test]
fn the_open_future_periods_count_from_the_current_one() {
    for version in VERSIONS {
        let with = |open, period| {
            at(version, NOON, period, |scene| {
                scene.target.data_set.open_future_periods = open
            })
        };
        assert_eq!(with(0, "202503"), "Create 5");
        assert_eq!(with(0, "202504"), "Closed: Future");
        assert_eq!(with(1, "202504"), "Create 5");
        assert_eq!(with(1, "202505"), "Closed: Future");
        assert_eq!(with(2, "202505"), "Create 5");
        assert_eq!(with(2, "202506"), "Closed: Future");
    }
}

#[test]
fn a_period_expires_at_the_end_of_the_day_that_is_so_many_days_after_its_last() {
    for version in VERSIONS {
        let with = |days, now| {
            at(version, now, "202502", |scene| {
                scene.target.data_set.expiry_days = days
            })
        };
        assert_eq!(with(10.0, "2025-03-10T23:59:59"), "Create 5");
        assert_eq!(with(10.0, "2025-03-11T00:00:01"), "Closed: Expired");
        assert_eq!(with(0.0, "2035-01-01T00:00:00"), "Create 5");
    }
}

#[test]
fn only_242_counts_a_fraction_of_a_day() {
    let with = |version, days, now| {
        at(version, now, "202502", |scene| {
            scene.target.data_set.expiry_days = days
        })
    };
    assert_eq!(with((42, 5), 10.5, "2025-03-11T11:59:59"), "Create 5");
    assert_eq!(
        with((42, 5), 10.5, "2025-03-11T12:00:01"),
        "Closed: Expired"
    );
    assert_eq!(
        with((43, 2), 10.5, "2025-03-11T00:00:01"),
        "Closed: Expired"
    );
    // Less than a day is no day, and no day is never.
    assert_eq!(with((42, 5), 0.5, "2025-03-01T12:00:01"), "Closed: Expired");
    assert_eq!(with((43, 2), 0.5, "2025-04-01T00:00:00"), "Create 5");
}

#[test]
fn who_may_edit_expired_periods_may_on_243_edit_future_ones_too() {
    for authority in ["F_EDIT_EXPIRED", "ALL"] {
        let with = |version, period| {
            at(version, NOON, period, |scene| {
                scene.target.data_set.expiry_days = 1.0;
                scene
                    .target
                    .account
                    .authorities
                    .insert(authority.to_owned());
            })
        };
        for version in VERSIONS {
            assert_eq!(with(version, "202401"), "Create 5");
        }
        assert_eq!(with((42, 5), "202506"), "Closed: Future");
        assert_eq!(with((43, 2), "202506"), "Create 5");
    }
}

/// A window for 202503, open between these moments.
fn window(scene: &mut Scene, opening: Option<&str>, closing: Option<&str>) {
    scene.target.data_set.input_periods.push(InputPeriod {
        period: "202503".parse().unwrap(),
        opening: opening.map(|moment| moment.parse().unwrap()),
        closing: closing.map(|moment| moment.parse().unwrap()),
    });
}

#[test]
fn where_there_are_input_windows_a_period_needs_one_that_is_open() {
    let (before, after) = ("2025-04-10T11:59:59", "2025-04-10T12:00:01");
    for version in VERSIONS {
        let with = |period, opening, closing| {
            at(version, NOON, period, |scene| {
                window(scene, opening, closing)
            })
        };
        assert_eq!(with("202503", None, None), "Create 5");
        assert_eq!(with("202503", Some(before), Some(after)), "Create 5");
        assert_eq!(with("202503", Some(after), None), "Closed: InputWindow");
        assert_eq!(with("202503", None, Some(before)), "Closed: InputWindow");
        assert_eq!(with("202502", None, None), "Closed: InputWindow");
        let second = at(version, NOON, "202503", |scene| {
            window(scene, Some(after), None);
            window(scene, Some(before), None);
        });
        assert_eq!(second, "Create 5");
    }
}

#[test]
fn on_243_an_open_window_stands_in_place_of_the_calendar() {
    let with = |version| {
        at(version, NOON, "202503", |scene| {
            scene.target.data_set.expiry_days = 1.0;
            window(scene, None, None);
        })
    };
    assert_eq!(with((42, 5)), "Closed: Expired");
    assert_eq!(with((43, 2)), "Create 5");
    let future = |version| {
        at(version, "2025-02-10T12:00:00", "202503", |scene| {
            window(scene, None, None)
        })
    };
    assert_eq!(future((42, 5)), "Closed: Future");
    assert_eq!(future((43, 2)), "Create 5");
}

#[test]
fn the_first_two_243_refuse_just_the_open_windows() {
    for patch in [0, 1] {
        let with = |opening: Option<&str>| {
            at((43, patch), NOON, "202503", |scene| {
                window(scene, opening, None)
            })
        };
        assert_eq!(with(None), "Blocked: InputPeriodsInverted");
        assert_eq!(with(Some("2025-05-01T00:00:00")), "Closed: InputWindow");
        assert_eq!(at((43, patch), NOON, "202503", |_| {}), "Create 5");
    }
}

#[test]
fn a_closed_period_closes_every_change() {
    let closed = |desired, live| {
        let mut scene = scene(Engine::New, "count", desired, live);
        scene.target.data_set.expiry_days = 1.0;
        scene.one()
    };
    assert_eq!(closed(Some("5"), None), "Closed: Expired");
    assert_eq!(closed(Some("5"), Some("3")), "Closed: Expired");
    assert_eq!(closed(None, Some("3")), "Closed: Expired");
    assert_eq!(closed(Some("3"), Some("3")), "Unchanged");
}
