//! The whole of push, against both dialects of the stand-in.

use std::collections::BTreeMap;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use super::bench::{
    BOTH, Bench, CLOSED, EPI, EXPIRED, EXPIRING, GRANDE_RIVIERE, GROS_ISLET, MAIN, MONCHY, NUMBER,
    POSITIVE, UNASSIGNED, Wish, ZERO, rejected, uid, wish,
};
use super::{Budget, EXTRA_REQUESTS};
use crate::domain::{ChangeKind, DataSet, Sent, Uid};
use crate::http;

/// What a dialect calls one thing.
fn by(dialect: Dialect, old: &str, new: &str) -> Sent {
    rejected(match dialect {
        Dialect::V2_42 => old,
        Dialect::V2_43 => new,
    })
}

/// An export that takes a unit from a data set.
fn without(data_set: &DataSet, unit: Uid) -> String {
    let units = data_set.org_units.keys().filter(|id| **id != unit);
    let units: Vec<Value> = units.map(|id| json!({ "id": id.to_string() })).collect();
    json!({ "dataSets": [{ "id": data_set.id.to_string(), "organisationUnits": units }] })
        .to_string()
}

/// A value for each open unit of the data set, of each of a few elements.
fn everywhere(data_set: &DataSet) -> Vec<Wish> {
    let numeric = data_set
        .elements
        .iter()
        .filter(|(_, element)| element.value_type.is_numeric());
    let triples: Vec<(Uid, Uid)> = numeric
        .take(3)
        .flat_map(|(id, element)| {
            element
                .category_option_combos
                .keys()
                .map(|combo| (*id, *combo))
        })
        .collect();
    let units = data_set.org_units.keys().filter(|id| **id != uid(CLOSED));
    units
        .flat_map(|unit| {
            triples.iter().map(|(element, combo)| Wish {
                combo: *combo,
                ..wish(&unit.to_string(), &element.to_string(), "5")
            })
        })
        .collect()
}

#[test]
fn one_unit_of_35_that_is_unassigned_behind_our_back_costs_only_its_own_values() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, EPI);
        let wishes = everywhere(&bench.data_set);
        assert!(
            wishes.len() >= 35 * 3 && wishes.len().is_multiple_of(35),
            "{}",
            wishes.len()
        );
        let export = without(&bench.data_set, uid(MONCHY));
        bench.stand_in.merge_metadata_at_first_post(&export);

        let sent = bench.push(&wishes);
        for (wish, sent) in wishes.iter().zip(&sent) {
            let expected = match wish.unit.as_str() {
                MONCHY => by(dialect, "E7636", "E8022"),
                _ => Sent::Confirmed,
            };
            assert_eq!(*sent, expected, "{dialect:?} {}", wish.unit);
        }
        let others = wishes.iter().filter(|wish| wish.unit != MONCHY);
        let expected: BTreeMap<(String, String, String), String> = others
            .map(|wish| {
                let cell = (
                    wish.unit.clone(),
                    wish.element.clone(),
                    wish.combo.to_string(),
                );
                (cell, wish.value.to_owned())
            })
            .collect();
        assert_eq!(bench.values(), expected, "{dialect:?}");
        assert_eq!(bench.posts(), if dialect == Dialect::V2_42 { 1 } else { 2 });
    }
}

#[test]
fn offenders_of_several_kinds_are_found_one_kind_after_another() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        let wishes = [
            wish(CLOSED, NUMBER, "1"),
            wish(MONCHY, NUMBER, "2"),
            wish(GROS_ISLET, NUMBER, "3"),
            wish(GROS_ISLET, POSITIVE, "0"),
            wish(UNASSIGNED, NUMBER, "4"),
        ];
        let closed = match dialect {
            Dialect::V2_42 => Sent::Confirmed,
            Dialect::V2_43 => rejected("E8031"),
        };
        let expected = [
            closed,
            Sent::Confirmed,
            Sent::Confirmed,
            by(dialect, "E7619", "E8122"),
            by(dialect, "E7636", "E8022"),
        ];
        assert_eq!(bench.push(&wishes), expected, "{dialect:?}");
        let spent = EXTRA_REQUESTS - bench.budget.extra_requests;
        assert_eq!(spent, if dialect == Dialect::V2_42 { 0 } else { 2 });
    }
}

#[test]
fn without_names_a_refused_group_is_halved_until_the_offender_is_alone() {
    // The period has expired. All units but one have an exception, and DHIS2 2.43 does not say which has none.
    let units = [
        "Byp0j7hFVVU",
        "ICGXso5c3qM",
        MONCHY,
        GROS_ISLET,
        GRANDE_RIVIERE,
    ];
    let wishes = units.map(|unit| Wish {
        period: "202509".to_owned(),
        ..wish(unit, EXPIRED, "1")
    });
    let ok = Sent::Confirmed;
    let no = rejected("E8030");
    for (extra_requests, posts, expected) in [
        (EXTRA_REQUESTS, 5, [&ok, &ok, &no, &ok, &ok]),
        (1, 2, [&ok, &ok, &no, &no, &no]),
        (0, 1, [&no, &no, &no, &no, &no]),
    ] {
        let mut bench = Bench::new(Dialect::V2_43, EXPIRING);
        for unit in units.iter().filter(|unit| **unit != MONCHY) {
            except(&bench, unit);
        }
        bench.budget = Budget { extra_requests };
        let sent = bench.push(&wishes);
        assert_eq!(sent.iter().collect::<Vec<_>>(), expected);
        assert_eq!(bench.posts(), posts);
        assert_eq!(
            bench.values().len(),
            expected.iter().filter(|sent| ***sent == ok).count()
        );
    }
}

/// Lets a unit enter data for September 2025 though it has expired.
fn except(bench: &Bench, unit: &str) {
    let url = format!(
        "{}api/lockExceptions?ds={EXPIRING}&pe=202509&ou={unit}",
        bench.stand_in.url()
    );
    let client = http::Client::new(&http::HttpSettings::default()).expect("system roots");
    // `printf admin:district | base64`
    let admin = [("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=")];
    let answer = client.post_json(&url, &admin, b"").expect("an answer");
    assert!([200, 201].contains(&answer.status), "{}", answer.status);
}

#[test]
fn comments_and_marks_of_people_survive_and_are_looked_for() {
    for dialect in BOTH {
        for kind in [ChangeKind::Update, ChangeKind::Zero, ChangeKind::Delete] {
            let mut bench = Bench::new(dialect, MAIN);
            let change = Wish {
                kind,
                value: if kind == ChangeKind::Zero { "0" } else { "7" },
                comment: Some("as told by the nurse – zwölf"),
                follow_up: true,
                ..wish(GROS_ISLET, ZERO, "7")
            };
            bench.stand_in.put(change.row("5"));
            let sent = bench.push(std::slice::from_ref(&change));
            assert_eq!(sent, [Sent::Confirmed], "{dialect:?} {kind:?}");
            let stored = bench.stored(&change).expect("a row");
            assert_eq!(
                stored["comment"], "as told by the nurse – zwölf",
                "{stored}"
            );
            assert_eq!(stored["followup"], true, "{stored}");
            assert_eq!(stored["deleted"], kind == ChangeKind::Delete, "{stored}");
        }
    }
}

#[test]
fn values_are_withdrawn_on_both_engines_where_zero_is_significant_and_where_it_is_not() {
    for dialect in BOTH {
        for (element, kind) in [
            (NUMBER, ChangeKind::Zero),
            (NUMBER, ChangeKind::Delete),
            (ZERO, ChangeKind::Zero),
            (ZERO, ChangeKind::Delete),
        ] {
            let mut bench = Bench::new(dialect, MAIN);
            let change = Wish {
                kind,
                value: if kind == ChangeKind::Zero { "0" } else { "5" },
                ..wish(GROS_ISLET, element, "5")
            };
            bench.stand_in.put(change.row("5"));
            let about = format!("{dialect:?} {element} {kind:?}");
            assert_eq!(
                bench.push(std::slice::from_ref(&change)),
                [Sent::Confirmed],
                "{about}"
            );
            let live = bench.values().into_values().next();
            let kept = kind == ChangeKind::Zero && (element == ZERO || dialect == Dialect::V2_43);
            assert_eq!(live.as_deref(), kept.then_some("0"), "{about}");
        }
        // Nothing was there, and nothing has to be.
        let mut bench = Bench::new(dialect, MAIN);
        assert_eq!(
            bench.push(&[wish(GROS_ISLET, NUMBER, "0")]),
            [Sent::Confirmed]
        );
    }
}

#[test]
fn the_chunk_size_changes_nothing_but_the_number_of_imports() {
    for dialect in BOTH {
        for (chunk, posts) in [(1, 8), (3, 4), (1000, 2)] {
            let mut bench = Bench::new(dialect, MAIN);
            bench.chunk = chunk;
            let mut wishes = Vec::new();
            for period in ["202502", "202503"] {
                for unit in [GROS_ISLET, GRANDE_RIVIERE] {
                    for element in [ZERO, NUMBER] {
                        wishes.push(Wish {
                            period: period.to_owned(),
                            ..wish(unit, element, "5")
                        });
                    }
                }
            }
            assert_eq!(bench.push(&wishes), vec![Sent::Confirmed; 8]);
            assert_eq!(bench.posts(), posts, "chunks of {chunk}");
            assert_eq!(bench.stand_in.values().len(), 8);
        }
    }
}

#[test]
fn reading_back_asks_for_24_periods_at_once_and_for_no_unit_without_a_change() {
    for dialect in BOTH {
        let mut bench = Bench::new(dialect, MAIN);
        let months =
            (2022..=2024).flat_map(|year| (1..=12).map(move |month| format!("{year}{month:02}")));
        let wishes: Vec<Wish> = months
            .map(|period| Wish {
                period,
                ..wish(MONCHY, NUMBER, "5")
            })
            .collect();
        assert_eq!(bench.push(&wishes), vec![Sent::Confirmed; 36]);
        let requests = bench.stand_in.requests();
        let reads: Vec<&str> = requests
            .iter()
            .filter(|request| request.method == "GET")
            .map(|request| request.path.as_str())
            .collect();
        let asked: Vec<usize> = reads
            .iter()
            .map(|path| path.matches("&period=").count())
            .collect();
        assert_eq!(asked, [24, 12]);
        assert!(
            reads
                .iter()
                .all(|path| path.matches("&orgUnit=").count() == 1),
            "{reads:?}"
        );
    }
}
