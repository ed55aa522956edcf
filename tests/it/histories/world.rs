//! The site of a history: what happens to its registry, its files, its DHIS2 and the people there, and what is known of it.

use std::collections::{BTreeMap, BTreeSet};

use rig::dhis2::{Dialect, Request};
use serde_json::{Value, json};

use super::facts::{Facts, Stored, cell_of, stored_row};
use super::steps::{
    Act, Cell, ELEMENTS, History, INDICATORS, KNOWN_UNITS, Line, PERIODS, RowKey, Rule, Step,
    TOWNS, UNITS,
};
use crate::program::Finished;
use crate::small_site::{NOW, SmallSite};

const DATA_SET: &str = "YE8SgpSMBQ9";

const MAPPING: &str = r#"
data-set = "YE8SgpSMBQ9"
queries = ["query.sql"]
period = { type = "Monthly", column = "period" }
value = "value"
combine = "sum"
absent = "ABSENT"
foreign = "FOREIGN"

[guards]
max-unmapped = "100%"
max-excluded = "100%"
max-withdrawn = "100%"
max-withdrawn-of-one = "100%"
max-changed = "100%"
max-decrease = "100%"
min-rows = 0

[data-element]
column = "indicator"
map-file = "lines.csv"

[org-unit]
column = "town"
rules = "rules.sql"
"#;

const QUERY: &str = "SELECT town, indicator, period, value FROM doses
WHERE period >= to_char(:'period_start'::date, 'YYYYMM') AND period < to_char(:'period_end'::date, 'YYYYMM')
";

pub(super) struct World {
    site: SmallSite,
    pub(super) facts: Facts,
    /// The policy of the mapping, to which it returns after a run that overwrites.
    policy: &'static str,
    /// To be taken off the data set at the next post of values.
    pub(super) leaving: BTreeSet<usize>,
}

impl World {
    /// Nothing has run yet.
    pub(super) fn new(history: &History, foreign: &'static str) -> World {
        let dialect = match history.starts_as_2_43 {
            true => Dialect::V2_43,
            false => Dialect::V2_42,
        };
        let site = SmallSite::new(dialect);
        site.database.execute(
            "CREATE TABLE doses (town text, indicator text, period text, value text, PRIMARY KEY (town, indicator, period));
             CREATE TABLE rules (town text, period text, uid text, exclude boolean, PRIMARY KEY (town, period));",
        );
        site.write("mappings/query.sql", QUERY);
        site.write(
            "mappings/rules.sql",
            "SELECT town AS key, uid, exclude, to_date(period, 'YYYYMM') AS valid_from, to_date(period, 'YYYYMM') AS valid_to FROM rules",
        );
        let mut world = World {
            site,
            facts: Facts {
                rows: BTreeMap::new(),
                rules: BTreeMap::new(),
                lines: [Line::InUse; ELEMENTS.len()],
                significant: [false, true, false],
                assigned: [true; KNOWN_UNITS],
                closed: [false; KNOWN_UNITS],
                expired: false,
                dialect,
                absent: history.absent,
                foreign,
                deleted_by_people: BTreeSet::new(),
            },
            policy: foreign,
            leaving: BTreeSet::new(),
        };
        world.start(history);
        world
    }

    fn start(&mut self, history: &History) {
        // Two towns share a unit, and the constant one shares its unit with another.
        for (town, unit) in [0, 0, 1, 2, 1].into_iter().enumerate() {
            self.apply(&Step::Move(town, Some(Rule::Unit(unit))));
        }
        for period in 0..PERIODS.len() {
            self.apply(&Step::Put((TOWNS.len() - 1, 1, period), Some("3")));
        }
        for (key, value) in &history.rows {
            self.apply(&Step::Put(*key, *value));
        }
        self.write_mapping();
        self.write_lines();
        self.merge_data_set();
    }

    pub(super) fn apply(&mut self, step: &Step) {
        match *step {
            Step::Put(key, value) => self.put(key, value),
            Step::Remove(number) => self.remove(number),
            Step::Type(cell, value, commented) => {
                let comment = if commented { "&comment=on%20paper" } else { "" };
                self.by_hand("POST", cell, &format!("&value={value}{comment}"));
            }
            Step::Touch(number, act) => self.touch(number, act),
            Step::Rule(town, period, rule) => self.rule(town, period, rule),
            Step::Move(town, rule) => {
                for period in 0..PERIODS.len() {
                    self.rule(town, period, rule);
                }
            }
            Step::Line(element, line) => {
                self.facts.lines[element] = line;
                self.write_lines();
            }
            Step::Assigned(unit, assigned) => {
                self.facts.assigned[unit] = assigned;
                self.merge_data_set();
            }
            Step::Closed(unit, closed) => {
                self.facts.closed[unit] = closed;
                let date = closed.then_some("2026-09-15T00:00:00.000");
                self.merge(
                    "organisationUnits",
                    json!({ "id": UNITS[unit], "closedDate": date }),
                );
            }
            Step::Significant(element, significant) => {
                self.facts.significant[element] = significant;
                let id = ELEMENTS[element];
                self.merge(
                    "dataElements",
                    json!({ "id": id, "zeroIsSignificant": significant }),
                );
            }
            Step::Expired(expired) => {
                self.facts.expired = expired;
                self.merge_data_set();
            }
            Step::Upgrade => {
                self.facts.dialect = Dialect::V2_43;
                let export = json!({ "dialect": "2.43" });
                self.site.dhis2.merge_metadata(&export.to_string());
            }
            Step::UnassignedWhilePosting(unit) => {
                self.leaving.insert(unit);
            }
            Step::OverwriteOnce => {
                self.facts.foreign = "overwrite";
                self.write_mapping();
            }
        }
    }

    /// Runs both periods.
    pub(super) fn run(&mut self) -> Finished {
        self.site.dhis2.forget_requests();
        if !self.leaving.is_empty() {
            let kept = |unit: &usize| self.facts.assigned[*unit] && !self.leaving.contains(unit);
            let export =
                json!({ "dataSets": [{ "id": DATA_SET, "organisationUnits": ids(kept) }] });
            self.site
                .dhis2
                .merge_metadata_at_first_post(&export.to_string());
        }
        let args = [
            "run",
            "-p",
            "202609..202610",
            "--as-of",
            NOW,
            "--format",
            "json",
        ];
        self.site.program(&args)
    }

    /// The run is over: what left while values were posted is gone, and the mapping has its own policy again.
    pub(super) fn after_run(&mut self) {
        if self.posts() > 0 {
            for unit in std::mem::take(&mut self.leaving) {
                self.facts.assigned[unit] = false;
            }
        }
        let stored = self.stored();
        self.facts
            .deleted_by_people
            .retain(|cell| stored.get(cell).is_some_and(|row| row.deleted));
        self.facts.foreign = self.policy;
        self.write_mapping();
    }

    /// Posts of the program since its last start.
    pub(super) fn posts(&self) -> usize {
        let by_us = |request: &&Request| {
            request.method == "POST" && request.account.as_deref() == Some("loader")
        };
        self.site.dhis2.requests().iter().filter(by_us).count()
    }

    pub(super) fn stored(&self) -> BTreeMap<Cell, Stored> {
        let rows = self.site.dhis2.stored();
        rows.iter()
            .map(|row| (cell_of(row), stored_row(row)))
            .collect()
    }

    fn put(&mut self, key: RowKey, value: Option<&str>) {
        let (town, indicator, period) = texts(key);
        let text = value.map_or("NULL".to_owned(), |value| format!("'{value}'"));
        self.site.database.execute(&format!(
            "INSERT INTO doses VALUES ('{town}', '{indicator}', '{period}', {text})
             ON CONFLICT (town, indicator, period) DO UPDATE SET value = excluded.value"
        ));
        self.facts.rows.insert(key, value.map(str::to_owned));
    }

    /// The rows of the constant town, which are the last of their kind, stay.
    fn remove(&mut self, number: usize) {
        let constant = TOWNS.len() - 1;
        let keys = self
            .facts
            .rows
            .keys()
            .filter(|(town, _, _)| *town != constant);
        let keys: Vec<RowKey> = keys.copied().collect();
        if keys.is_empty() {
            return;
        }
        let key = keys[number % keys.len()];
        let (town, indicator, period) = texts(key);
        self.site.database.execute(&format!(
            "DELETE FROM doses WHERE (town, indicator, period) = ('{town}', '{indicator}', '{period}')"
        ));
        self.facts.rows.remove(&key);
    }

    fn rule(&mut self, town: usize, period: usize, rule: Option<Rule>) {
        let (name, month) = (TOWNS[town], PERIODS[period]);
        let insert = match rule {
            None => String::new(),
            Some(Rule::Exclude) => {
                format!("INSERT INTO rules VALUES ('{name}', '{month}', NULL, true)")
            }
            Some(Rule::Unit(unit)) => {
                format!(
                    "INSERT INTO rules VALUES ('{name}', '{month}', '{}', false)",
                    UNITS[unit]
                )
            }
        };
        self.site.database.execute(&format!(
            "DELETE FROM rules WHERE town = '{name}' AND period = '{month}'; {insert}"
        ));
        match rule {
            Some(rule) => self.facts.rules.insert((town, period), rule),
            None => self.facts.rules.remove(&(town, period)),
        };
    }

    /// What a comment or a mark makes of a deleted row differs by version, and is nobody's wish: live values only.
    fn touch(&mut self, number: usize, act: Act) {
        let stored = self.stored();
        let live = stored.iter().filter(|(_, row)| row.live().is_some());
        let live: Vec<Cell> = live.map(|(cell, _)| *cell).collect();
        if live.is_empty() {
            return;
        }
        let cell = live[number % live.len()];
        match act {
            Act::Comment => self.by_hand("POST", cell, "&comment=looked%20at"),
            Act::Mark => self.by_hand("PUT", cell, ""),
            Act::Delete => self.by_hand("DELETE", cell, ""),
        }
    }

    /// DHIS2 may refuse what a person asks for; then nothing has happened.
    fn by_hand(&mut self, method: &str, cell: Cell, more: &str) {
        let was_live = self.is_live(cell);
        self.ask(method, cell, more);
        match (was_live, self.is_live(cell)) {
            (_, true) => self.facts.deleted_by_people.remove(&cell),
            (true, false) => self.facts.deleted_by_people.insert(cell),
            (false, false) => return,
        };
    }

    fn is_live(&self, cell: Cell) -> bool {
        self.stored().get(&cell).and_then(Stored::live).is_some()
    }

    fn ask(&self, method: &str, (element, unit, period): Cell, more: &str) {
        let (element, unit, period) = (ELEMENTS[element], UNITS[unit], PERIODS[period]);
        let (path, body) = match method {
            // The one call that leaves the name of whoever stored the value, on 2.42.
            "PUT" => (
                "dataValues/followup".to_owned(),
                json!({ "dataElement": element, "period": period, "orgUnit": unit, "followup": true }),
            ),
            _ => (
                format!("dataValues?de={element}&pe={period}&ou={unit}{more}"),
                Value::Null,
            ),
        };
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}api/{path}", self.site.dhis2.url()))
            .header("content-type", "application/json")
            // admin:district
            .header("authorization", "Basic YWRtaW46ZGlzdHJpY3Q=");
        let answer = match method {
            "DELETE" => ureq::run(request.body(()).expect("a request")),
            _ => ureq::run(request.body(body.to_string()).expect("a request")),
        };
        match answer {
            Ok(_) | Err(ureq::Error::StatusCode(409)) => {}
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }

    fn write_mapping(&self) {
        let text = MAPPING
            .replace("ABSENT", self.facts.absent)
            .replace("FOREIGN", self.facts.foreign);
        self.site.write("mappings/small.toml", &text);
    }

    fn write_lines(&self) {
        let mut text = "indicator,uid,retired\n".to_owned();
        for (element, line) in self.facts.lines.into_iter().enumerate() {
            let retired = match line {
                Line::InUse => "",
                Line::Retired => "yes",
                Line::Gone => continue,
            };
            text += &format!("{},{},{retired}\n", INDICATORS[element], ELEMENTS[element]);
        }
        self.site.write("mappings/lines.csv", &text);
    }

    fn merge_data_set(&self) {
        let assigned = |unit: &usize| self.facts.assigned[*unit];
        // The first period ends 54 days before now, the second 23 days before.
        let days = if self.facts.expired { 30 } else { 0 };
        self.merge(
            "dataSets",
            json!({ "id": DATA_SET, "expiryDays": days, "organisationUnits": ids(assigned) }),
        );
    }

    fn merge(&self, kind: &str, object: Value) {
        self.site
            .dhis2
            .merge_metadata(&json!({ kind: [object] }).to_string());
    }
}

fn ids(kept: impl Fn(&usize) -> bool) -> Vec<Value> {
    let units = (0..KNOWN_UNITS).filter(kept);
    units.map(|unit| json!({ "id": UNITS[unit] })).collect()
}

fn texts((town, indicator, period): RowKey) -> (&'static str, &'static str, &'static str) {
    (TOWNS[town], INDICATORS[indicator], PERIODS[period])
}
