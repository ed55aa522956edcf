//! A quarter of a year at a ministry, hour by hour: what its people type, when the program runs, and what comes of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rig::dhis2::Dialect;
use rig::drill::{
    Absent, Combine, Dice, Drill, Mapping, Oracle, Policy, Ran, Rows, change, faults_of_report,
};

use crate::fault;

pub(crate) const DAYS: usize = 90;
const UPGRADE: usize = 45;
const TROUBLED: usize = 20;
/// In so many hours of a hundred the standby is read.
const STANDBY: usize = 10;
/// In so many hours of a hundred somebody types.
const TYPED: usize = 40;

/// Days of the months of a quarter of 2025, each with the month before it, which people still correct.
const MONTHS: [(&str, &str, usize); 3] = [
    ("202502", "202503", 31),
    ("202503", "202504", 30),
    ("202504", "202505", 29),
];

/// Beside the history, the state folder holds a lock, a secret and a short memory; more would be a leak.
const LARGEST_STATE: u64 = 64 * 1024;
/// The history grows by a run at a time, and by what that changed.
const LARGEST_RUN: u64 = 8 * 1024;

pub(crate) struct Quarter {
    drill: Drill,
    mapping: Mapping,
    rows: Rows,
    dice: Dice,
    pub(crate) runs: usize,
    pub(crate) troubled: usize,
    pub(crate) killed: usize,
    pub(crate) imports: usize,
    pub(crate) codes: BTreeMap<String, usize>,
    pub(crate) largest_state: u64,
    faults: Vec<String>,
}

impl Quarter {
    pub(crate) fn begin(program: &Path) -> Quarter {
        let mapping = mapping();
        let drill = Drill::start_followed(program, Dialect::V2_42, &moment(0, 0), &mapping);
        drill.set_two_mappings(&mapping);
        Quarter {
            drill,
            mapping,
            rows: Rows::new(),
            dice: Dice::new(90),
            runs: 0,
            troubled: 0,
            killed: 0,
            imports: 0,
            codes: BTreeMap::new(),
            largest_state: 0,
            faults: Vec::new(),
        }
    }

    pub(crate) fn day(&mut self, day: usize) {
        if day == UPGRADE {
            self.drill.dhis2.merge_metadata(r#"{"dialect": "2.43"}"#);
        }
        for hour in 0..24 {
            if self.dice.chance(TYPED) {
                let (before, current, _) = month(day);
                let periods = [before, current].map(str::to_owned);
                change(&mut self.rows, &mut self.dice, &periods, 2);
                self.drill.set_rows(&self.rows);
            }
            self.drill.relay.expect(None);
            self.choose_server(hour);
            if self.dice.chance(TROUBLED) {
                self.troubled += 1;
                fault::happen(&self.drill, &mut self.dice);
            }
            self.hour(day, hour);
        }
    }

    /// Mostly the registry's server itself is read. Its standby is read now and then, and falls behind for some hours of
    /// every second day.
    fn choose_server(&mut self, hour: usize) {
        match hour {
            8 if self.dice.chance(50) => self.drill.fall_behind(),
            14 => self.drill.catch_up(),
            _ => {}
        }
        match self.dice.chance(STANDBY) {
            true => self.drill.read_standby(),
            false => self.drill.read_primary(),
        }
    }

    /// One run, as cron starts it.
    fn hour(&mut self, day: usize, hour: usize) {
        let now = moment(day, hour);
        self.drill.dhis2.set_now(&now);
        let oracle = self.oracle(day);
        self.drill.dhis2.forget_requests();
        let before = self.drill.dhis2.values();
        let ran = self.drill.run(&["--as-of", &now]);
        self.runs += 1;
        let requests = self.drill.dhis2.requests();
        self.imports += requests
            .iter()
            .filter(|request| request.method == "POST")
            .count();
        self.count(&ran);
        self.largest_state = self.largest_state.max(size(&self.drill.state()));
        let mut wrong = match &ran.report {
            Some(report) => faults_of_report(report, Some(oracle.rows)),
            None if ran.code.is_none() => Vec::new(),
            None => vec![format!("no report: {}", ran.stderr)],
        };
        if ran.code == Some(0) {
            wrong.extend(oracle.faults(&self.drill.dhis2.values()));
        }
        if ran.code == Some(4) && self.drill.dhis2.values() != before {
            wrong.push("a run that was held changed DHIS2".to_owned());
        }
        let told = wrong.into_iter().map(|wrong| format!("{now}: {wrong}"));
        self.faults.extend(told);
    }

    /// What must be there after a run now: the current month, and the two that its look-back names.
    fn oracle(&self, day: usize) -> Oracle {
        let (_, current, _) = month(day);
        let number: u32 = current.parse().expect("a month");
        let periods = [number - 2, number - 1, number].map(|period| period.to_string());
        Oracle::of(
            &self.rows,
            &self.mapping,
            &periods,
            self.drill.dhis2.values(),
        )
    }

    fn count(&mut self, ran: &Ran) {
        let code = match ran.code {
            Some(code) => code.to_string(),
            None => {
                self.killed += 1;
                "(killed)".to_owned()
            }
        };
        *self.codes.entry(code).or_default() += 1;
    }

    /// One line about the time until the end of a day.
    pub(crate) fn told(&self, day: usize) -> String {
        let codes = self
            .codes
            .iter()
            .map(|(code, count)| format!("{code}: {count}"));
        let codes: Vec<String> = codes.collect();
        format!(
            "day {:>2}: {:>4} runs, exit {}; {} imports, {} values in DHIS2, {} wrong",
            day + 1,
            self.runs,
            codes.join(", "),
            self.imports,
            self.drill.dhis2.values().len(),
            self.faults.len()
        )
    }

    /// A last hour without a fault; then all four months must be in DHIS2 as the registry has them.
    pub(crate) fn end(&mut self) -> Vec<String> {
        self.drill.relay.expect(None);
        self.drill.read_primary();
        let now = moment(DAYS - 1, 23);
        let all = ["202502", "202503", "202504", "202505"].map(str::to_owned);
        let oracle = Oracle::of(&self.rows, &self.mapping, &all, self.drill.dhis2.values());
        // The first takes what an unlucky last hour left and any answer not yet given; the second has nothing to do.
        for _ in 0..2 {
            self.drill.dhis2.forget_requests();
            let ran = self.drill.run(&["--as-of", &now]);
            self.runs += 1;
            self.count(&ran);
        }
        let idle = self.drill.dhis2.requests();
        if idle.iter().any(|request| request.method == "POST") {
            self.faults
                .push("the last run had something to send".to_owned());
        }
        self.faults
            .extend(oracle.faults(&self.drill.dhis2.values()));
        let largest = LARGEST_STATE + LARGEST_RUN * self.runs as u64;
        if self.largest_state > largest {
            let size = self.largest_state;
            self.faults
                .push(format!("the state folder grew to {size} bytes"));
        }
        std::mem::take(&mut self.faults)
    }
}

fn mapping() -> Mapping {
    let policy = |absent, combine| Policy { absent, combine };
    Mapping {
        policies: [
            policy(Absent::Zero, Combine::Sum),
            policy(Absent::Zero, Combine::Sum),
            policy(Absent::Delete, Combine::Max),
        ],
        places: [("north", 0), ("north-hill", 0), ("south", 1), ("east", 2)].into(),
    }
}

/// The month before, the month that a day is in, and which day of it.
fn month(day: usize) -> (&'static str, &'static str, usize) {
    let mut left = day;
    for (before, current, days) in MONTHS {
        if left < days {
            return (before, current, left + 1);
        }
        left -= days;
    }
    unreachable!("the quarter has {DAYS} days")
}

fn moment(day: usize, hour: usize) -> String {
    let (_, current, of_month) = month(day);
    let (year, month) = current.split_at(4);
    format!("{year}-{month}-{of_month:02}T{hour:02}:07:00Z")
}

fn size(folder: &Path) -> u64 {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = files.filter_map(|file| Some(file.metadata().ok()?.len()));
    sizes.sum()
}
