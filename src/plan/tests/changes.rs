//! What a change carries, and that it matters not how live values are shown to the planner.

use super::site::{cell, combo};
use super::{Live, Planner, Scene};
use crate::domain::{Absent, Cell, CellOutcome, ChangeKind, Engine, Foreign};

/// The only change of a scene about one live row with a comment and a mark.
fn marked(desired: Option<&str>, change: impl Fn(&mut Scene)) -> crate::domain::Change {
    let mut scene = super::scene(Engine::New, "kept", desired, Some("3"));
    scene.live[0].comment = Some("counted on paper");
    scene.live[0].follow_up = true;
    change(&mut scene);
    let mut changes = scene.plan().changes;
    assert_eq!(changes.len(), 1);
    changes.remove(0)
}

#[test]
fn comment_and_mark_go_with_every_change() {
    let delete = |scene: &mut Scene| scene.policies.absent = Absent::Delete;
    let deleted = |scene: &mut Scene| {
        scene.live[0].deleted = true;
        scene.target.own_deletions.insert(scene.live[0].cell);
    };
    let without_value = |scene: &mut Scene| scene.live[0].value = None;
    for (change, kind, value, old) in [
        (
            marked(Some("5"), |_| {}),
            ChangeKind::Update,
            "5",
            Some("3"),
        ),
        (marked(None, |_| {}), ChangeKind::Zero, "0", Some("3")),
        (marked(None, delete), ChangeKind::Delete, "3", Some("3")),
        (marked(Some("5"), deleted), ChangeKind::Create, "5", None),
        (
            marked(Some("5"), without_value),
            ChangeKind::Create,
            "5",
            None,
        ),
    ] {
        assert_eq!((change.kind, change.value.as_str()), (kind, value));
        assert_eq!(change.old.as_ref().map(|old| old.as_str()), old);
        assert_eq!(change.comment(), Some("counted on paper"), "{kind:?}");
        assert!(change.follow_up, "{kind:?}");
        assert!(change.author().is_none());
    }
}

#[test]
fn a_change_of_somebody_elses_value_or_of_their_deletion_says_so() {
    let theirs = |scene: &mut Scene| scene.live[0].stored_by = Some("nurse");
    assert!(marked(Some("5"), theirs).author().is_some());
    let deleted = |scene: &mut Scene| {
        scene.live[0].stored_by = Some("nurse");
        scene.live[0].deleted = true;
    };
    assert!(marked(Some("5"), deleted).author().is_some());
    // Our name on a deleted row is no proof: DHIS2 2.42 leaves it there when a person deletes.
    let by_whom = |scene: &mut Scene| scene.live[0].deleted = true;
    assert!(marked(Some("5"), by_whom).author().is_some());
}

/// Cells of two periods, units and combos.
fn all() -> Vec<Cell> {
    let mut cells = Vec::new();
    for period in ["202502", "202503"] {
        for unit in ["open", "other"] {
            for element in ["count", "kept"] {
                for number in [0, 1] {
                    let mut cell = cell(element, unit, period);
                    cell.triple.category_option_combo = combo(number);
                    cells.push(cell);
                }
            }
        }
    }
    cells
}

/// Every second cell is desired, every third is live.
fn many() -> Scene {
    let mut scene = Scene::new(Engine::New);
    for (number, cell) in all().into_iter().enumerate() {
        if number % 2 == 0 {
            scene.desired.push((cell, (number + 10).to_string()));
        }
        if number % 3 == 0 {
            scene.live.push(Live::new(cell, "3"));
        }
    }
    scene
}

#[test]
fn changes_are_ordered_by_period_unit_and_the_rest() {
    let plan = many().plan();
    let cells: Vec<Cell> = plan
        .changes
        .iter()
        .map(|change| plan.space.cell(change.key).unwrap())
        .collect();
    assert!(cells.len() > 8 && cells.is_sorted());
}

#[test]
fn blocks_of_any_shape_and_order_give_the_same_plan() {
    let scene = many();
    let whole = scene.told();
    for turned in [false, true] {
        let mut planner = Planner::new(scene.desired(), &scene.target, super::Search::default());
        let (mut periods, mut units) = (planner.periods().to_vec(), planner.units());
        if turned {
            periods.reverse();
            units.reverse();
        }
        for unit in &units {
            for period in &periods {
                let mut rows: Vec<&Live> = scene
                    .live
                    .iter()
                    .filter(|row| row.cell.org_unit == *unit && row.cell.period == *period)
                    .collect();
                if turned {
                    rows.reverse();
                }
                for row in rows {
                    planner.live(&row.row());
                }
                planner.compare(&[*period], &[*unit]);
            }
        }
        let plan = planner.finish();
        assert!(plan.account_with(|_, _| CellOutcome::Created).balances());
        assert_eq!(
            plan.changes.len(),
            whole.iter().filter(|line| *line != "Unchanged").count()
        );
        let values: Vec<String> = plan
            .changes
            .iter()
            .map(|change| change.value.to_string())
            .collect();
        let expected: Vec<String> = scene
            .plan()
            .changes
            .iter()
            .map(|change| change.value.to_string())
            .collect();
        assert_eq!(values, expected);
    }
}

#[test]
fn a_row_that_is_shown_twice_is_one_cell() {
    let mut scene = many();
    let whole = scene.told();
    let again = scene.live.clone();
    scene.live.extend(again);
    assert_eq!(scene.told(), whole);
}

#[test]
fn one_held_value_holds_the_mapping() {
    let mut scene = many();
    scene.policies.foreign = Foreign::Hold;
    assert!(!scene.plan().is_held());
    let desired_and_live = &mut scene.live[0];
    desired_and_live.stored_by = Some("nurse");
    let plan = scene.plan();
    assert!(plan.is_held());
    assert_eq!(plan.held.len(), 1);
    assert_eq!(plan.held[0].cell, scene.live[0].cell);
    let account = plan.account_with(|_, _| CellOutcome::Held);
    assert!(account.balances());
    assert_eq!(
        account.total().of(CellOutcome::Held),
        plan.changes.len() as u64 + 1
    );
}

#[test]
fn a_cell_of_a_block_that_was_not_read_is_missing_in_the_account() {
    let scene = many();
    let mut planner = Planner::new(scene.desired(), &scene.target, super::Search::default());
    let periods = planner.periods().to_vec();
    let units = planner.units();
    planner.compare(&periods[..1], &units);
    let plan = planner.finish();
    assert!(!plan.account_with(|_, _| CellOutcome::Created).balances());
}
