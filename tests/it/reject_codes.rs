//! Every code with which DHIS2 refuses a value: we block it before it is sent, with the reason and the name; where DHIS2
//! changes behind our back, the refusal is told of the very cell. The neighbour lands either way.

mod changes;
mod never_met;
mod objects;
mod options_and_times;
mod situations;

use std::collections::BTreeSet;

use rig::dhis2::{Dialect, Row, ValueKey};
use serde_json::{Value, json};

use crate::program::Finished;
use crate::small_site::{NOW, SmallSite};
use changes::{X_EXP, lock_exceptions};
use never_met::{FROM_243, NEVER_MET, UP_TO_242};
use situations::{Cell, DEFAULT, Dhis2, Foreseen, Situation, all};

const MAPPING: &str = r#"
data-set = "SET"
queries = ["query.sql"]
period = { type = "Monthly", column = "period" }
value = "value"
absent = "leave"
foreign = "overwrite"
parameters = { data_set = "SET" }
data-element = { column = "element" }
category-option-combo = { column = "combo" }
attribute-option-combo = { column = "attribute_combo" }
org-unit = { column = "unit" }
"#;

const QUERY: &str = "SELECT element, unit, period, combo, attribute_combo, value FROM t
WHERE period >= to_char(:'period_start'::date, 'YYYYMM') AND period < to_char(:'period_end'::date, 'YYYYMM')
  AND data_set = :'data_set'
";

/// A site whose source has the two cells of a situation, one mapping for each data set. What changes in DHIS2 at the
/// import of the first is there before the second is read.
fn site(situation: &Situation, dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.dhis2.watch_imports();
    site.write("mappings/query.sql", QUERY);
    site.database.execute(
        "DROP TABLE t;
         CREATE TABLE t (data_set text, element text, unit text, period text, combo text, attribute_combo text, value text)",
    );
    let (bad, good) = (situation.bad, situation.good);
    for (cell, file) in [(bad, "small"), (good, "then")] {
        if file == "small" || cell.data_set != bad.data_set {
            let text = MAPPING.replace("SET", cell.data_set);
            site.write(&format!("mappings/{file}.toml"), &text);
        }
        site.database.execute(&format!(
            "INSERT INTO t VALUES ('{}', '{}', '{}', '{}', '{}', '{}', '{}')",
            cell.data_set,
            cell.element,
            cell.unit,
            cell.period,
            cell.combo,
            cell.attribute_combo,
            cell.value
        ));
        if let Some((text, times)) = cell.comment {
            site.dhis2.put(Row {
                element: cell.element.to_owned(),
                period: cell.period.to_owned(),
                unit: cell.unit.to_owned(),
                value: Some(LIVE.to_owned()),
                comment: Some(text.repeat(times)),
                stored_by: "loader".to_owned(),
                ..Row::default()
            });
        }
    }
    site.dhis2.merge_metadata(&(situation.before)().to_string());
    site
}

/// The live value of a cell that has a comment.
const LIVE: &str = "4";

fn run(site: &SmallSite, situation: &Situation, format: &str) -> Finished {
    let mut args = vec!["run", "--as-of", NOW, "--format", format];
    let periods = BTreeSet::from([situation.bad.period, situation.good.period]);
    args.extend(periods.iter().flat_map(|period| ["-p", period]));
    site.program(&args)
}

/// A cell in the five dimensions of a report or a body.
fn dimensions(cell: &Value) -> ValueKey {
    let text = |name: &str| cell[name].as_str().expect("a dimension").to_owned();
    (
        text("dataElement"),
        text("period"),
        text("orgUnit"),
        text("categoryOptionCombo"),
        text("attributeOptionCombo"),
    )
}

impl Cell {
    fn key(&self) -> ValueKey {
        let owned = str::to_owned;
        (
            owned(self.element),
            owned(self.period),
            owned(self.unit),
            owned(self.combo),
            owned(self.attribute_combo),
        )
    }
}

/// Everything listed under a name in the mappings of a report.
fn listed<'r>(report: &'r Value, list: &'r str) -> impl Iterator<Item = &'r Value> {
    let mappings = report["mappings"].as_array().expect("mappings").iter();
    mappings.flat_map(move |mapping| mapping[list].as_array().expect("a list"))
}

/// What a report lists of a cell.
fn of_cell<'r>(report: &'r Value, list: &'r str, cell: &Cell) -> Vec<&'r Value> {
    let key = cell.key();
    let all = listed(report, list);
    all.filter(|each| dimensions(each) == key).collect()
}

/// The neighbour has what the source says; the cell has that too, or what it had before.
#[track_caller]
fn check_stored(site: &SmallSite, situation: &Situation, taken: bool) {
    let (bad, good) = (situation.bad, situation.good);
    let values = site.dhis2.values();
    let what = situation.what;
    let stored = |cell: &Cell| values.get(&cell.key()).map(String::as_str);
    assert_eq!(stored(&good), Some(good.value), "{what}: the neighbour");
    let before = bad.comment.map(|_| LIVE);
    let expected = if taken { Some(bad.value) } else { before };
    assert_eq!(stored(&bad), expected, "{what}");
}

/// The program tells what the cell is called.
#[track_caller]
fn check_names(report: &Value, situation: &Situation, reason: &str) {
    let bad = situation.bad;
    let mut called = vec![bad.element];
    // A unit that is gone has no name any more.
    if reason != "unknown-org-unit" {
        called.push(bad.unit);
    }
    if reason.contains("option-") {
        let combos = [bad.combo, bad.attribute_combo].into_iter();
        called.extend(combos.filter(|combo| *combo != DEFAULT));
    }
    for id in called {
        let named = |each: &&Value| each["id"] == id && each["name"] != "";
        let told = listed(report, "names").find(named);
        assert!(told.is_some(), "{}: {id} has no name", situation.what);
    }
}

fn check_foreseen(situation: &Situation, dialect: Dialect, foreseen: Foreseen) {
    let site = site(situation, dialect);
    site.dhis2.merge_metadata(&(situation.change)().to_string());
    let finished = run(&site, situation, "json");
    let (what, bad) = (situation.what, situation.bad);
    let report = finished.json();
    let code = match foreseen {
        Foreseen::Blocked(reason) => {
            let blocked = of_cell(&report, "blocked", &bad);
            assert_eq!(blocked.len(), 1, "{dialect:?} {what}: {report:#}");
            assert_eq!(blocked[0]["reason"], reason, "{dialect:?} {what}");
            check_names(&report, situation, reason);
            3
        }
        Foreseen::Closed(reason) => {
            let closed: Vec<&Value> = listed(&report, "closed").collect();
            let expected = json!({"period": bad.period, "reason": reason, "cells": 1});
            assert_eq!(closed, [&expected], "{dialect:?} {what}");
            0
        }
        Foreseen::Refused(words) => {
            let told = listed(&report, "problems").filter_map(|told| told["message"].as_str());
            let told: Vec<&str> = told.collect();
            assert!(told.len() == 1 && told[0].contains(words), "{told:?}");
            14
        }
        Foreseen::Sent => 0,
    };
    assert_eq!(finished.code, code, "{dialect:?} {what}: {report:#}");
    let imports = site.dhis2.imports();
    let sent = imports
        .iter()
        .flat_map(|body| body["dataValues"].as_array());
    let sent: Vec<ValueKey> = sent.flatten().map(dimensions).collect();
    let is_sent = foreseen == Foreseen::Sent;
    assert_eq!(sent.contains(&bad.key()), is_sent, "{dialect:?} {what}");
    assert_eq!(sent.len(), 1 + usize::from(is_sent), "{dialect:?} {what}");
    check_stored(&site, situation, is_sent);
}

fn check_unforeseen(situation: &Situation, dialect: Dialect, dhis2: Dhis2) {
    let code = match dhis2 {
        Dhis2::Rejects(code) => Some(code),
        Dhis2::Takes => None,
        Dhis2::Always(_) => return,
    };
    let site = site(situation, dialect);
    let change = (situation.change)().to_string();
    site.dhis2.merge_metadata_at_first_post(&change);
    let finished = run(&site, situation, "json");
    let what = format!("{dialect:?} {}", situation.what);
    let report = finished.json();
    let changes = of_cell(&report, "changes", &situation.bad);
    assert_eq!(changes.len(), 1, "{what}: {report:#}");
    match code {
        Some(code) => {
            assert_eq!(changes[0]["outcome"], "rejected", "{what}: {report:#}");
            assert_eq!(changes[0]["code"], code, "{what}");
            let text = changes[0]["text"].as_str().expect("a sentence");
            assert!(!text.contains("does not know the code"), "{what}: {text}");
        }
        None => assert!(changes[0]["text"].is_null(), "{what}: {report:#}"),
    }
    let expected = if code.is_some() { 3 } else { 0 };
    assert_eq!(finished.code, expected, "{what}: {report:#}");
    check_stored(&site, situation, code.is_none());
}

const DIALECTS: [(Dialect, usize); 2] = [(Dialect::V2_42, 0), (Dialect::V2_43, 1)];

#[test]
fn what_dhis2_would_refuse_is_not_sent_and_its_neighbour_lands() {
    for situation in all() {
        for (dialect, at) in DIALECTS {
            check_foreseen(&situation, dialect, situation.foreseen[at]);
        }
    }
}

#[test]
fn what_dhis2_refuses_unforeseen_is_told_of_that_cell_and_its_neighbour_lands() {
    for situation in all() {
        for (dialect, at) in DIALECTS {
            check_unforeseen(&situation, dialect, situation.dhis2[at]);
        }
    }
}

#[test]
fn every_code_is_met_or_has_a_reason_why_it_never_is() {
    let mut met = BTreeSet::new();
    for situation in all() {
        for dhis2 in situation.dhis2 {
            match dhis2 {
                Dhis2::Rejects(code) | Dhis2::Always(code) => met.insert(code),
                Dhis2::Takes => continue,
            };
        }
    }
    let never: BTreeSet<&str> = NEVER_MET.iter().map(|(code, _)| *code).collect();
    assert_eq!(never.len(), NEVER_MET.len());
    assert!(met.is_disjoint(&never));
    let all: BTreeSet<&str> = UP_TO_242.into_iter().chain(FROM_243).collect();
    let told: BTreeSet<&str> = met.union(&never).copied().collect();
    assert_eq!(told, all);
}

#[test]
fn a_report_in_text_tells_a_code_with_our_sentence_and_a_closed_cell_with_the_remedy() {
    let expiring = |situation: &Situation| situation.bad.data_set == X_EXP;
    let situation = all().find(expiring).expect("a data set with expiry days");
    let remedy = "the data set's expiry days are over; a lock exception opens it for a unit";
    let name = "Gros Islet Polyclinic";
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let unforeseen = site(&situation, dialect);
        let change = (situation.change)().to_string();
        unforeseen.dhis2.merge_metadata_at_first_post(&change);
        let told = run(&unforeseen, &situation, "text").code(3).stderr;
        let sentence = match dialect {
            Dialect::V2_42 => format!("    E7640: {remedy}\n"),
            Dialect::V2_43 => {
                "    E8030: the data set takes no value for the period now: ".to_owned()
            }
        };
        assert!(told.contains(&sentence), "{told}");
        assert!(told.contains(name), "{told}");

        let foreseen = site(&situation, dialect);
        foreseen.dhis2.merge_metadata(&change);
        let dry = ["run", "-p", "202503", "--as-of", NOW, "--dry-run"];
        let told = foreseen.program(&dry).code(0).stderr;
        assert!(told.contains(&format!("202503: {remedy}")), "{told}");
        run(&foreseen, &situation, "text").code(0).silent();
        check_stored(&foreseen, &situation, false);
        // Somebody does what the remedy says.
        let exception = lock_exceptions(X_EXP, "202503", &[situation.bad.unit]);
        let exception = json!({ "lockExceptions": exception });
        foreseen.dhis2.merge_metadata(&exception.to_string());
        run(&foreseen, &situation, "text").code(0).silent();
        check_stored(&foreseen, &situation, true);
    }
}
