//! Facts about the outcomes of cells, told through one small data set and what is changed around it.

mod blocked;
mod changes;
mod closed;
mod completeness;
mod guards;
mod laws;
mod orders;
mod outcomes;
mod saved;
mod site;
mod withdrawals;

use std::collections::BTreeSet;
use std::fmt;

use site::{cell, target};

use super::{Plan, Planner, Search, Target};
use crate::domain::{
    Absent, Cell, CellOutcome, Combine, Complete, Desired, DesiredCell, Engine, Foreign,
    GuardLimits, Incomplete, LiveRow, OrgUnitScope, Period, PeriodType, Policies, RowAccount,
    RowPlace, Scope, Space, TripleScope, Unplaced,
};

/// Everything a plan is made of.
struct Scene {
    target: Target,
    policies: Policies,
    scope: Scope,
    periods: Vec<Period>,
    desired: Vec<(Cell, String)>,
    incomplete: Vec<(Cell, Incomplete)>,
    unplaced: Vec<RowPlace>,
    live: Vec<Live>,
}

/// A row of DHIS2, ours and live unless it says otherwise.
#[derive(Clone, Debug)]
struct Live {
    cell: Cell,
    value: Option<String>,
    comment: Option<&'static str>,
    follow_up: bool,
    stored_by: Option<&'static str>,
    deleted: bool,
}

impl Live {
    fn new(cell: Cell, value: &str) -> Live {
        Live {
            cell,
            value: Some(value.to_owned()),
            comment: None,
            follow_up: false,
            stored_by: Some("loader"),
            deleted: false,
        }
    }

    fn row(&self) -> LiveRow<'_> {
        LiveRow {
            cell: self.cell,
            value: self.value.as_deref(),
            comment: self.comment,
            follow_up: self.follow_up,
            stored_by: self.stored_by,
            last_updated: None,
            deleted: self.deleted,
        }
    }
}

impl fmt::Debug for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene")
            .field("version", &self.target.server.version.text)
            .field("policies", &self.policies)
            .field("units", &self.scope.org_units)
            .field("desired", &self.desired)
            .field("incomplete", &self.incomplete)
            .field("unplaced", &self.unplaced)
            .field("live", &self.live)
            .finish_non_exhaustive()
    }
}

impl Scene {
    fn new(engine: Engine) -> Scene {
        let target = target(engine);
        let elements = &target.data_set.elements;
        let triples = TripleScope {
            data_elements: elements.keys().copied().collect(),
            category_option_combos: site::combos().keys().copied().collect(),
            attribute_option_combos: target
                .data_set
                .attribute_option_combos
                .keys()
                .copied()
                .collect(),
        };
        Scene {
            scope: Scope {
                triples: Some(vec![triples]),
                org_units: OrgUnitScope::OfDataSet { below: Vec::new() },
                retired: BTreeSet::new(),
            },
            target,
            policies: Policies {
                complete: Complete::Never,
                combine: Combine::Sum,
                absent: Absent::Zero,
                foreign: Foreign::Overwrite,
                data_elements: [].into(),
            },
            periods: ["202502", "202503"]
                .map(|period| period.parse().unwrap())
                .to_vec(),
            desired: Vec::new(),
            incomplete: Vec::new(),
            unplaced: Vec::new(),
            live: Vec::new(),
        }
    }

    fn desired(&self) -> Desired {
        let mut space = Space::new(PeriodType::Monthly);
        for (cell, _) in &self.desired {
            space.intern(cell);
        }
        for (cell, _) in &self.incomplete {
            space.intern(cell);
        }
        space.sort();
        let mut cells: Vec<DesiredCell> = self
            .desired
            .iter()
            .map(|(cell, value)| DesiredCell {
                key: space.key(cell).unwrap(),
                value: value.as_str().into(),
            })
            .collect();
        cells.sort_by_key(|cell| cell.key);
        let incomplete = self.incomplete.iter();
        Desired {
            mapping: "small".to_owned(),
            data_set: self.target.data_set.id,
            period_type: PeriodType::Monthly,
            periods: self.periods.clone(),
            incomplete: incomplete
                .map(|(cell, why)| (space.key(cell).unwrap(), *why))
                .collect(),
            space,
            cells,
            unplaced: self
                .unplaced
                .iter()
                .map(|place| Unplaced {
                    place: *place,
                    rows: 1,
                })
                .collect(),
            scope: self.scope.clone(),
            policies: self.policies.clone(),
            guards: GuardLimits::default(),
            rows: RowAccount::default(),
        }
    }

    /// The plan; every cell of it has an outcome.
    fn plan(&self) -> Plan {
        let mut planner = Planner::new(self.desired(), &self.target, Search::default());
        for row in &self.live {
            planner.live(&row.row());
        }
        let (periods, units) = (planner.periods().to_vec(), planner.units());
        planner.compare(&periods, &units);
        let plan = planner.finish();
        assert!(plan.account_with(|_, _| CellOutcome::Updated).balances());
        plan
    }

    /// What the plan says of each cell, those it changes first.
    fn told(&self) -> Vec<String> {
        let plan = self.plan();
        let mut told: Vec<String> = plan
            .changes
            .iter()
            .map(|change| match &change.old {
                Some(old) => format!("{:?} {old} to {}", change.kind, change.value),
                None => format!("{:?} {}", change.kind, change.value),
            })
            .collect();
        told.extend(plan.held.iter().map(|_| "Held".to_owned()));
        told.extend(
            plan.blocked
                .iter()
                .map(|(_, why)| format!("Blocked: {why:?}")),
        );
        let times =
            |why: String, cells: u64| std::iter::repeat_n(why, usize::try_from(cells).unwrap());
        for ((_, why), cells) in &plan.closed {
            told.extend(times(format!("Closed: {why:?}"), *cells));
        }
        for (why, cells) in &plan.left {
            told.extend(times(format!("Left: {why:?}"), *cells));
        }
        let unchanged = plan.account.total().of(CellOutcome::Unchanged);
        told.extend(times("Unchanged".to_owned(), unchanged));
        told
    }

    /// What the plan says of the only cell it looks at.
    #[track_caller]
    fn one(&self) -> String {
        match self.told().as_slice() {
            [] => "no cell".to_owned(),
            [one] => one.clone(),
            more => panic!("{more:?}"),
        }
    }
}

/// A scene about one cell of a data element in March 2025: what it should be, and what it is.
fn scene(engine: Engine, element: &str, desired: Option<&str>, live: Option<&str>) -> Scene {
    let mut scene = Scene::new(engine);
    let cell = cell(element, "open", "202503");
    scene.desired = desired
        .map(|value| (cell, value.to_owned()))
        .into_iter()
        .collect();
    scene.live = live
        .map(|value| Live::new(cell, value))
        .into_iter()
        .collect();
    scene
}

/// What both engines say of it.
#[track_caller]
fn both(
    element: &str,
    desired: Option<&str>,
    live: Option<&str>,
    change: impl Fn(&mut Scene),
) -> String {
    let [old, new] = [Engine::Old, Engine::New].map(|engine| {
        let mut scene = scene(engine, element, desired, live);
        change(&mut scene);
        scene.one()
    });
    assert_eq!(old, new, "the engines differ");
    old
}
