//! Laws over value types, policies, scopes and places: running twice is running once, and nothing is withdrawn that
//! must not be. The model of DHIS2 and the predicate are written from what is known of it, not from the planner.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::site::{cell, combo, element, uid, unit};
use super::{Live, Scene};
use crate::domain::{
    Absent, Cell, Change, ChangeKind, Engine, Foreign, Incomplete, OrgUnitScope, RowPlace, Uid,
};

const ELEMENTS: [&str; 8] = [
    "count", "kept", "average", "share", "positive", "flag", "note", "choice",
];
const UNITS: [&str; 5] = ["open", "other", "closed", "outside", "UnitUnknwn0"];
const VALUES: [&str; 12] = [
    "0", "0.0", "1", "3", "3.0", "1.50", "-1", "t", "false", "a", " a ", "yes",
];

fn any_cell() -> impl Strategy<Value = Cell> {
    let periods = vec!["202502", "202503", "202504"];
    (
        prop::sample::select(ELEMENTS.to_vec()),
        prop::sample::select(UNITS.to_vec()),
        prop::sample::select(periods),
        0..2_usize,
    )
        .prop_map(|(element, unit, period, number)| {
            let mut cell = cell(element, unit, period);
            cell.triple.category_option_combo = combo(number);
            cell
        })
}

fn live() -> impl Strategy<Value = Live> {
    let stored_by = prop::sample::select(vec![Some("loader"), Some("nurse"), None]);
    let value = prop::sample::select(VALUES.to_vec());
    (
        any_cell(),
        value,
        stored_by,
        prop::bool::weighted(0.2),
        any::<bool>(),
    )
        .prop_map(|(cell, value, stored_by, deleted, commented)| Live {
            stored_by,
            deleted,
            comment: commented.then_some("counted on paper"),
            ..Live::new(cell, value)
        })
}

fn some<T: Clone + std::fmt::Debug + 'static>(all: Vec<T>) -> impl Strategy<Value = Option<T>> {
    prop::option::of(prop::sample::select(all))
}

fn place() -> impl Strategy<Value = RowPlace> {
    let uids = |names: &[&str], uid: fn(&str) -> Uid| {
        names.iter().map(|name| uid(name)).collect::<Vec<Uid>>()
    };
    let mut elements = uids(&ELEMENTS, element);
    elements.push(uid("ElementUnk0"));
    (
        prop::sample::select(vec!["202502", "202503"]),
        some(elements),
        some(vec![combo(0), combo(1)]),
        some(uids(&UNITS, unit)),
    )
        .prop_map(
            |(period, data_element, category_option_combo, org_unit)| RowPlace {
                period: period.parse().unwrap(),
                data_element,
                category_option_combo,
                attribute_option_combo: Some(crate::domain::DEFAULT_COMBO),
                org_unit,
            },
        )
}

fn scope() -> impl Strategy<Value = OrgUnitScope> {
    prop_oneof![
        Just(OrgUnitScope::OfDataSet { below: Vec::new() }),
        Just(OrgUnitScope::OfDataSet {
            below: vec![uid("RegionAaaa0")]
        }),
        Just(OrgUnitScope::Listed([unit("open"), unit("outside")].into())),
        Just(OrgUnitScope::Seen),
    ]
}

fn scene() -> impl Strategy<Value = (Engine, Scene)> {
    let value = prop::sample::select(VALUES.to_vec());
    let why = prop::sample::select(vec![Incomplete::Empty, Incomplete::Invalid]);
    (
        prop::sample::select(vec![Engine::Old, Engine::New]),
        prop::sample::select(vec![Absent::Leave, Absent::Zero, Absent::Delete]),
        prop::sample::select(vec![Foreign::Keep, Foreign::Overwrite]),
        scope(),
        prop::collection::btree_map(any_cell(), value, 0..12),
        prop::collection::btree_map(any_cell(), why, 0..3),
        prop::collection::vec(place(), 0..3),
        prop::collection::vec(live(), 0..30),
    )
        .prop_map(
            |(engine, absent, foreign, scope, desired, incomplete, unplaced, live)| {
                let mut scene = Scene::new(engine);
                scene.policies.absent = absent;
                scene.policies.foreign = foreign;
                scene.scope.org_units = scope;
                let in_run = |cell: &Cell| scene.periods.contains(&cell.period);
                scene.desired = desired
                    .into_iter()
                    .filter(|(cell, _)| in_run(cell))
                    .map(|(cell, value)| (cell, value.to_owned()))
                    .collect();
                scene.incomplete = incomplete
                    .into_iter()
                    .filter(|(cell, _)| in_run(cell))
                    .collect();
                scene.unplaced = unplaced;
                let rows: BTreeMap<Cell, Live> =
                    live.into_iter().map(|row| (row.cell, row)).collect();
                scene.live = rows.into_values().collect();
                (engine, scene)
            },
        )
}

/// What a server stores for a value.
fn stored(engine: Engine, data_element: Uid, value: &str) -> String {
    let is = |names: &[&str]| names.iter().any(|name| element(name) == data_element);
    let value = match engine {
        Engine::Old => value.trim(),
        Engine::New if is(&["count", "kept", "positive"]) => value.trim_end_matches(".0"),
        Engine::New => value,
    };
    match value {
        "1" | "t" | "yes" | "true" if is(&["flag"]) => "true".to_owned(),
        "0" | "f" | "no" | "false" if is(&["flag"]) => "false".to_owned(),
        other => other.to_owned(),
    }
}

/// Does to the rows what DHIS2 does on a change.
fn apply(scene: &mut Scene, engine: Engine, cell: Cell, change: &Change) {
    let data_element = cell.triple.data_element;
    let zero = ["0", "0.0"].contains(&change.value.as_str());
    let insignificant = engine == Engine::Old && data_element == element("count") && zero;
    let place = scene.live.iter().position(|row| row.cell == cell);
    let was_live = place.is_some_and(|place| !scene.live[place].deleted);
    let row = Live {
        deleted: change.kind == ChangeKind::Delete || (insignificant && was_live),
        comment: change.comment().map(|_| "counted on paper"),
        ..Live::new(cell, &stored(engine, data_element, change.value.as_str()))
    };
    match place {
        Some(place) => scene.live[place] = row,
        None if insignificant => {}
        None => scene.live.push(row),
    }
}

/// Whether a row that reached no cell may belong to the cell.
fn may_be(scene: &Scene, cell: Cell) -> bool {
    let element_known = |uid: &Uid| ELEMENTS.iter().any(|name| element(name) == *uid);
    let unit_known = |uid: &Uid| {
        ["open", "other", "closed"]
            .iter()
            .any(|name| unit(name) == *uid)
    };
    let of_desired = scene.desired.iter().map(|(cell, _)| RowPlace {
        period: cell.period,
        data_element: Some(cell.triple.data_element),
        category_option_combo: Some(cell.triple.category_option_combo),
        attribute_option_combo: Some(cell.triple.attribute_option_combo),
        org_unit: Some(cell.org_unit),
    });
    scene
        .unplaced
        .iter()
        .copied()
        .chain(of_desired)
        .any(|place| {
            place.period == cell.period
                && place
                    .data_element
                    .filter(element_known)
                    .is_none_or(|uid| uid == cell.triple.data_element)
                && place
                    .category_option_combo
                    .is_none_or(|uid| uid == cell.triple.category_option_combo)
                && place
                    .org_unit
                    .filter(unit_known)
                    .is_none_or(|uid| uid == cell.org_unit)
        })
}

fn in_scope(scene: &Scene, cell: Cell) -> bool {
    let unit = |name| cell.org_unit == unit(name);
    let units = match &scene.scope.org_units {
        OrgUnitScope::OfDataSet { below } if below.is_empty() => {
            unit("open") || unit("other") || unit("closed")
        }
        OrgUnitScope::OfDataSet { .. } => unit("open") || unit("closed"),
        OrgUnitScope::Listed(_) => unit("open"),
        OrgUnitScope::Seen => false,
    };
    units && scene.periods.contains(&cell.period)
}

proptest! {
    #[test]
    fn running_twice_is_running_once((engine, mut scene) in scene()) {
        let plan = scene.plan();
        for change in &plan.changes {
            apply(&mut scene, engine, plan.space.cell(change.key).unwrap(), change);
        }
        let again = scene.plan();
        let told: Vec<String> = again
            .changes
            .iter()
            .map(|change| format!("{:?} {:?} to {}", again.space.cell(change.key), change.old, change.value))
            .collect();
        prop_assert_eq!(told, Vec::<String>::new());
    }

    #[test]
    fn a_withdrawal_is_of_a_live_value_of_ours_in_scope_that_no_row_may_belong_to((_, scene) in scene()) {
        let plan = scene.plan();
        for change in &plan.changes {
            if matches!(change.kind, ChangeKind::Create | ChangeKind::Update) {
                continue;
            }
            let cell = plan.space.cell(change.key).unwrap();
            let row = scene.live.iter().find(|row| row.cell == cell).unwrap();
            prop_assert!(!row.deleted && row.stored_by == Some("loader"), "{:?}", cell);
            prop_assert!(scene.desired.iter().all(|(desired, _)| *desired != cell), "{:?}", cell);
            prop_assert!(in_scope(&scene, cell), "{:?}", cell);
            prop_assert!(!may_be(&scene, cell), "{:?}", cell);
            let empty = scene.incomplete.iter().any(|(one, why)| *one == cell && *why == Incomplete::Empty);
            prop_assert!(!empty, "{:?}", cell);
            prop_assert!(scene.policies.absent != Absent::Leave);
        }
    }

    /// What is not of ours, not in the run or not in the data set is as it was.
    #[test]
    fn nothing_else_is_touched((_, scene) in scene()) {
        let plan = scene.plan();
        for change in &plan.changes {
            let cell = plan.space.cell(change.key).unwrap();
            let desired = scene.desired.iter().find(|(desired, _)| *desired == cell);
            match change.kind {
                ChangeKind::Create | ChangeKind::Update => {
                    let (_, value) = desired.unwrap();
                    prop_assert_eq!(change.value.as_str(), value);
                }
                ChangeKind::Zero => prop_assert_eq!(change.value.as_str(), "0"),
                ChangeKind::Delete => {
                    prop_assert_eq!(Some(change.value.as_str()), change.old.as_ref().map(|old| old.as_str()));
                }
            }
            prop_assert!(![unit("outside"), unit("UnitUnknwn0")].contains(&cell.org_unit));
            prop_assert!(scene.scope.org_units == OrgUnitScope::Seen || in_scope(&scene, cell));
            if change.author().is_some() {
                prop_assert!(matches!(change.kind, ChangeKind::Update | ChangeKind::Create));
                prop_assert_eq!(scene.policies.foreign, Foreign::Overwrite);
            }
        }
    }
}
