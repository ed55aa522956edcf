//! Laws that hold for whatever rows, live values and policies there are: the sums balance, no order matters, running
//! twice is running once, and nothing is withdrawn that must not be.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::model_tests::{Live, Model, ROWS, Row, Site, UNITS, combo, element, period, unit};
use crate::domain::{CellOutcome, ChangeKind, Engine, Foreign};

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = prop_oneof![
        1 => Just(None),
        1 => Just(Some("NaN".to_owned())),
        8 => (-2..12_i64).prop_map(|number| Some(number.to_string())),
    ];
    prop::collection::btree_map(0..ROWS, value, 0..40).prop_map(|rows| {
        rows.into_iter()
            .map(|(number, value)| Row::numbered(number, value))
            .collect()
    })
}

fn live() -> impl Strategy<Value = BTreeMap<(usize, usize, usize, usize), Live>> {
    let cell = (0..2_usize, 0..UNITS, 0..3_usize, 0..2_usize);
    let row = (
        0..6_i64,
        any::<bool>(),
        prop::bool::weighted(0.2),
        any::<bool>(),
    );
    let row = row.prop_map(|(value, ours, deleted, marked)| Live {
        value: value.to_string(),
        ours,
        deleted,
        comment: marked.then(|| "counted on paper".to_owned()),
    });
    prop::collection::btree_map(cell, row, 0..24)
}

fn site() -> impl Strategy<Value = Site> {
    (
        prop::sample::select(vec!["sum", "max", "min"]),
        prop::sample::select(vec!["leave", "zero", "delete"]),
        prop::sample::select(vec!["keep", "overwrite", "hold"]),
        prop::sample::select(vec![Engine::Old, Engine::New]),
    )
        .prop_map(|(combine, absent, foreign, engine)| Site {
            combine,
            absent,
            foreign,
            engine,
        })
}

proptest! {
    #[test]
    fn rows_and_cells_balance(site in site(), rows in rows(), live in live()) {
        let desired = site.map(&rows);
        prop_assert!(desired.rows.balances());
        prop_assert_eq!(desired.rows.total().rows, rows.len() as u64);
        let plan = site.plan(desired, &Model::new(&live), |blocks| blocks);
        let account = plan.account_with(|_, _| CellOutcome::Updated);
        prop_assert!(account.balances());
    }

    #[test]
    fn the_order_of_rows_and_of_live_values_changes_nothing(
        site in site(), rows in rows(), live in live(),
    ) {
        let model = Model::new(&live);
        let plan = site.plan(site.map(&rows), &model, |blocks| blocks);
        let turned: Vec<Row> = rows.iter().rev().cloned().collect();
        let other = site.plan(site.map(&turned), &model, |mut blocks| { blocks.reverse(); blocks });
        prop_assert_eq!(Site::told(&plan), Site::told(&other));
    }

    #[test]
    fn running_twice_is_running_once(site in site(), rows in rows(), live in live()) {
        let mut model = Model::new(&live);
        let plan = site.plan(site.map(&rows), &model, |blocks| blocks);
        if !plan.is_held() {
            model.apply(&plan, site.engine);
            let again = site.plan(site.map(&rows), &model, |blocks| blocks);
            prop_assert_eq!(Site::told(&again).0, BTreeMap::new());
        }
    }

    #[test]
    fn only_what_is_ours_and_surely_absent_is_withdrawn(
        site in site(), rows in rows(), live in live(),
    ) {
        let plan = site.plan(site.map(&rows), &Model::new(&live), |blocks| blocks);
        for change in &plan.changes {
            if !matches!(change.kind, ChangeKind::Zero | ChangeKind::Delete) {
                continue;
            }
            let cell = plan.space.cell(change.key).unwrap();
            let at = |p: usize, u: usize, e: usize, c: usize| {
                cell.period == period(p)
                    && cell.org_unit == unit(u)
                    && cell.triple.data_element == element(e)
                    && cell.triple.category_option_combo == combo(c)
            };
            let (_, found) = live.iter().find(|((p, u, e, c), _)| at(*p, *u, *e, *c)).unwrap();
            prop_assert!(found.ours && !found.deleted);
            // Written from the words of the design, not from the code: every row that may belong here was placed.
            for row in &rows {
                let same_period = cell.period == period(row.period);
                let may_be_element = row.element.is_none_or(|e| cell.triple.data_element == element(e));
                let may_be_combo = row.combo.is_none_or(|c| cell.triple.category_option_combo == combo(c));
                let may_be_unit = row.known_unit().is_none_or(|u| cell.org_unit == unit(u));
                prop_assert!(!(same_period && may_be_element && may_be_combo && may_be_unit), "{:?}", row);
            }
        }
    }

    #[test]
    fn comments_and_marks_go_with_every_change(site in site(), rows in rows(), live in live()) {
        let plan = site.plan(site.map(&rows), &Model::new(&live), |blocks| blocks);
        let commented: BTreeSet<_> = live
            .iter()
            .filter(|(_, row)| row.comment.is_some())
            .map(|((p, u, e, c), _)| Site::cell(*p, *u, *e, *c))
            .collect();
        for change in &plan.changes {
            let cell = plan.space.cell(change.key).unwrap();
            prop_assert_eq!(change.comment().is_some(), commented.contains(&cell));
            prop_assert_eq!(change.follow_up, commented.contains(&cell));
        }
    }

    #[test]
    fn somebody_elses_value_is_changed_only_where_the_mapping_overwrites(
        site in site(), rows in rows(), live in live(),
    ) {
        let desired = site.map(&rows);
        let overwrites = desired.policies.foreign == Foreign::Overwrite;
        let plan = site.plan(desired, &Model::new(&live), |blocks| blocks);
        for change in plan.changes.iter().filter(|change| change.author().is_some()) {
            prop_assert!(overwrites);
            // A deletion of theirs is written over as a value of theirs is.
            prop_assert!(matches!(change.kind, ChangeKind::Update | ChangeKind::Create));
        }
    }
}
