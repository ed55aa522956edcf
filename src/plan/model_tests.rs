//! For property tests: a small site, rows for it, and a model of what DHIS2 does with a change.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Plan, Planner, Search, Target};
use crate::domain::{
    Account, Cell, CellOutcome, Change, ChangeKind, DEFAULT_COMBO, DataElement, DataSet, Desired,
    Engine, KeyMask, LiveRow, OrgUnit, Period, PeriodType, Server, Triple, Uid, ValueType, Version,
};
use crate::map::Mapper;
use crate::mapping::{Codes, Columns, Mapping, parse};

/// Units of the data set; one more is mapped to, and DHIS2 does not have it.
pub(super) const UNITS: usize = 2;

/// Different rows: 2 periods, 5 municipalities, 4 indicators, 3 disaggregations.
pub(super) const ROWS: usize = 2 * 5 * 4 * 3;

pub(super) fn period(number: usize) -> Period {
    ["202501", "202502"][number].parse().unwrap()
}

pub(super) fn unit(number: usize) -> Uid {
    ["UnitAaaaaa0", "UnitAaaaaa1", "UnitAaaaaa2"][number]
        .parse()
        .unwrap()
}

pub(super) fn element(number: usize) -> Uid {
    ["ElementAaa0", "ElementAaa1", "ElementAaa2"][number]
        .parse()
        .unwrap()
}

pub(super) fn combo(number: usize) -> Uid {
    ["ComboAaaaa0", "ComboAaaaa1"][number].parse().unwrap()
}

/// A row with what its keys stand for.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) period: usize,
    municipality: usize,
    indicator: usize,
    disaggregation: usize,
    value: Option<String>,
    pub(super) element: Option<usize>,
    pub(super) combo: Option<usize>,
}

impl Row {
    pub(super) fn numbered(number: usize, value: Option<String>) -> Row {
        let (indicator, disaggregation) = (number / 10 % 4, number / 40);
        Row {
            period: number % 2,
            municipality: number / 2 % 5,
            indicator,
            disaggregation,
            value,
            element: Some(indicator).filter(|element| *element < 3),
            combo: Some(disaggregation).filter(|combo| *combo < 2),
        }
    }

    /// Two municipalities report to one unit, one to a unit that DHIS2 does not have, one to nobody knows which.
    pub(super) fn known_unit(&self) -> Option<usize> {
        [Some(0), Some(0), Some(1), None, None][self.municipality]
    }
}

/// A live value.
#[derive(Clone, Debug)]
pub(super) struct Live {
    pub(super) value: String,
    pub(super) ours: bool,
    pub(super) deleted: bool,
    pub(super) comment: Option<String>,
}

/// The choices of a mapping, and the server it is for.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) combine: &'static str,
    pub(super) absent: &'static str,
    pub(super) foreign: &'static str,
    pub(super) engine: Engine,
}

type Told = (
    BTreeMap<Cell, (ChangeKind, String)>,
    BTreeMap<Period, Vec<u64>>,
);

impl Site {
    pub(super) fn cell(p: usize, u: usize, e: usize, c: usize) -> Cell {
        Cell {
            period: period(p),
            org_unit: unit(u),
            triple: Triple {
                data_element: element(e),
                category_option_combo: combo(c),
                attribute_option_combo: DEFAULT_COMBO,
            },
        }
    }

    fn mapping(&self) -> Mapping {
        let map = |name: &str, column: &str, keys: &[(&str, Uid)]| {
            let keys: Vec<String> = keys
                .iter()
                .map(|(key, uid)| format!("{key} = \"{uid}\""))
                .collect();
            format!(
                "[{name}]\ncolumn = \"{column}\"\nmap = {{ {} }}\n",
                keys.join(", ")
            )
        };
        let text = format!(
            "data-set = \"DataSetAaa0\"\nqueries = [\"q.sql\"]\nperiod = {{ type = \"Monthly\", column = \"p\" }}\n\
             value = \"v\"\ncombine = \"{}\"\nabsent = \"{}\"\nforeign = \"{}\"\n{}{}{}",
            self.combine,
            self.absent,
            self.foreign,
            map(
                "data-element",
                "i",
                &[("i0", element(0)), ("i1", element(1)), ("i2", element(2))]
            ),
            map(
                "category-option-combo",
                "d",
                &[("d0", combo(0)), ("d1", combo(1))]
            ),
            map(
                "org-unit",
                "m",
                &[
                    ("m0", unit(0)),
                    ("m1", unit(0)),
                    ("m2", unit(1)),
                    ("m3", unit(2))
                ]
            ),
        );
        let mut read_file = |_: &str| Ok("SELECT 1".to_owned());
        let codes = Codes::Pinned(None);
        parse("small", "small.toml", &text, &mut read_file, codes).unwrap()
    }

    pub(super) fn map(&self, rows: &[Row]) -> Desired {
        let mapping = self.mapping();
        let periods = vec![period(0), period(1)];
        let mut mapper = Mapper::new(&mapping, periods.clone());
        let columns = ["m", "i", "d", "p"].map(|name| (name.to_owned(), "text".to_owned()));
        let mut columns = columns.to_vec();
        columns.push(("v".to_owned(), "numeric".to_owned()));
        mapper
            .begin_rows("q.sql", &periods, &Columns(columns))
            .unwrap();
        for row in rows {
            let texts = [
                format!("m{}", row.municipality),
                format!("i{}", row.indicator),
                format!("d{}", row.disaggregation),
                period(row.period).to_string(),
            ];
            let mut cells: Vec<Option<&str>> =
                texts.iter().map(|text| Some(text.as_str())).collect();
            cells.push(row.value.as_deref());
            mapper.row(&cells).unwrap();
        }
        mapper.finish(&KeyMask::new(Vec::new())).unwrap()
    }

    /// `order` may turn the blocks in which live values are shown; the rows of a block are turned with them.
    pub(super) fn plan(
        &self,
        desired: Desired,
        model: &Model,
        order: impl Fn(Vec<Uid>) -> Vec<Uid>,
    ) -> Plan {
        let target = target(self.engine);
        let mut planner = Planner::new(desired, &target, Search::default());
        let periods = planner.periods().to_vec();
        for unit in order(planner.units()) {
            for period in &periods {
                for (cell, row) in &model.0 {
                    if cell.org_unit == unit && cell.period == *period {
                        planner.live(&row.as_row(*cell));
                    }
                }
                planner.compare(&[*period], &[unit]);
            }
        }
        planner.finish()
    }

    /// What a plan says, in a form that can be compared.
    pub(super) fn told(plan: &Plan) -> Told {
        let changes = plan.changes.iter().map(|change| {
            let cell = plan.space.cell(change.key).unwrap();
            (cell, (change.kind, change.value.to_string()))
        });
        let account = plan.account_with(|_, _| CellOutcome::Updated);
        let counts = account
            .periods
            .iter()
            .map(|(period, counts)| (*period, counts.iter().map(|(_, count)| count).collect()));
        (changes.collect(), counts.collect())
    }
}

/// What DHIS2 holds.
pub(super) struct Model(BTreeMap<Cell, Live>);

impl Model {
    pub(super) fn new(live: &BTreeMap<(usize, usize, usize, usize), Live>) -> Model {
        let rows = live.iter();
        Model(
            rows.map(|((p, u, e, c), row)| (Site::cell(*p, *u, *e, *c), row.clone()))
                .collect(),
        )
    }

    pub(super) fn apply(&mut self, plan: &Plan, engine: Engine) {
        for change in &plan.changes {
            self.change(plan.space.cell(change.key).unwrap(), change, engine);
        }
    }

    /// An insignificant zero deletes a live row on the old engine, and is stored over a deleted one.
    fn change(&mut self, cell: Cell, change: &Change, engine: Engine) {
        let insignificant = cell.triple.data_element == element(0) && engine == Engine::Old;
        let was_live = self.0.get(&cell).is_some_and(|row| !row.deleted);
        let drops = insignificant && change.value.as_str() == "0" && was_live;
        let row = Live {
            value: change.value.to_string(),
            ours: true,
            deleted: change.kind == ChangeKind::Delete || drops,
            comment: change.comment().map(str::to_owned),
        };
        self.0.insert(cell, row);
    }
}

impl Live {
    fn as_row(&self, cell: Cell) -> LiveRow<'_> {
        LiveRow {
            cell,
            value: Some(&self.value),
            comment: self.comment.as_deref(),
            follow_up: self.comment.is_some(),
            stored_by: Some(if self.ours { "loader" } else { "admin" }),
            last_updated: None,
            deleted: self.deleted,
        }
    }
}

/// Element 0 does not keep zeros, element 1 does, element 2 is an average.
fn target(engine: Engine) -> Target {
    let combos = Rc::new(BTreeMap::from([
        (combo(0), String::new()),
        (combo(1), String::new()),
    ]));
    let elements = (0..3).map(|number| {
        let aggregation = if number == 2 { "AVERAGE" } else { "SUM" };
        let described = DataElement {
            name: String::new(),
            may_read: true,
            value_type: ValueType::Number,
            zero_is_significant: number == 1,
            aggregation_type: aggregation.to_owned(),
            options: None,
            comment_options: None,
            category_option_combos: Rc::clone(&combos),
        };
        (element(number), described)
    });
    let units = (0..UNITS).map(|number| {
        let described = OrgUnit {
            name: String::new(),
            path: format!("/country/{}", unit(number)),
            opened: None,
            closed: None,
        };
        (unit(number), described)
    });
    Target {
        server: server(engine),
        account: account(),
        data_set: DataSet {
            id: "DataSetAaa0".parse().unwrap(),
            name: String::new(),
            period_type: PeriodType::Monthly,
            expiry_days: 0.0,
            open_future_periods: 0,
            input_periods: Vec::new(),
            attribute_option_combos: BTreeMap::from([(DEFAULT_COMBO, "default".to_owned())]),
            elements: elements.collect(),
            org_units: units.collect(),
            may_read: true,
            may_write: true,
            codes: BTreeMap::new(),
            workflow: None,
            lock_exceptions: BTreeSet::new(),
            open_periods_after_co_end_date: 0,
            options_of: BTreeMap::new(),
            category_options: BTreeMap::new(),
        },
        own_users: Vec::new(),
        own_deletions: BTreeSet::new(),
        other_units: BTreeMap::new(),
        other_elements: BTreeMap::new(),
        changed_since_pin: BTreeSet::new(),
    }
}

fn server(engine: Engine) -> Server {
    let minor = if engine == Engine::Old { 42 } else { 43 };
    Server {
        version: Version {
            minor,
            patch: 5,
            text: String::new(),
        },
        now: "2026-01-01T00:00:00".parse().unwrap(),
        time_zone: "Etc/UTC".to_owned(),
        system_id: None,
        analytics: None,
        note: None,
    }
}

fn account() -> Account {
    Account {
        username: "loader".to_owned(),
        authorities: ["F_DATAVALUE_ADD".to_owned()].into(),
        capture_paths: vec!["/country".to_owned()],
        view_paths: vec!["/country".to_owned()],
    }
}
