//! Every recorded answer to an import, held against the rows that were stored after it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{Among, Offenders, Rest, Verdict, verdict};
use crate::dhis2::import::OutgoingValue;
use crate::dhis2::summary::summary;
use crate::domain::{Cell, Period, Triple, Uid};

/// One import of a recording: what was sent and what became of it.
struct Import {
    /// `scenario, step`
    name: String,
    sent: Vec<Sent>,
    status: u64,
    answer: Vec<u8>,
}

struct Sent {
    cell: Cell,
    value: String,
    deleted: bool,
    /// The stored row of the cell before and after, if any.
    before: Option<Value>,
    after: Option<Value>,
}

impl Import {
    fn verdict(&self) -> Option<Verdict> {
        let values: Vec<OutgoingValue<'_>> = self
            .sent
            .iter()
            .map(|sent| OutgoingValue {
                cell: sent.cell,
                value: &sent.value,
                comment: None,
                follow_up: false,
                deleted: sent.deleted,
            })
            .collect();
        Some(verdict(&summary(&self.answer)?, &values))
    }
}

impl Sent {
    /// The row says what was sent, in the form DHIS2 stores it; a delete, a blank and a zero may leave none.
    fn is_stored(&self) -> bool {
        let live = self
            .after
            .as_ref()
            .filter(|row| row["deleted"] == false)
            .and_then(|row| row["value"].as_str());
        let sent = self.value.trim();
        match live {
            None => self.deleted || sent.is_empty() || ["0", "0.0"].contains(&sent),
            Some(_) if self.deleted => false,
            Some(live) => {
                let truth = match sent.to_ascii_lowercase().as_str() {
                    "true" | "t" | "1" | "yes" => "true",
                    "false" | "f" | "0" | "no" => "false",
                    _ => sent,
                };
                let live = live.trim();
                live == sent || live == truth || sent.strip_suffix(".0") == Some(live)
            }
        }
    }
}

fn recordings(version: &str) -> Vec<Import> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden/exchanges")
        .join(version);
    let mut imports = Vec::new();
    for entry in fs::read_dir(folder).expect("the recordings") {
        let text = fs::read(entry.expect("an entry").path()).expect("a recording");
        let recording: Value = serde_json::from_slice(&text).expect("JSON");
        let mut before = BTreeMap::new();
        for (number, step) in recording["steps"]
            .as_array()
            .expect("steps")
            .iter()
            .enumerate()
        {
            let after = rows(&step["stored"]);
            let name = format!("{}, {number}", recording["name"].as_str().expect("a name"));
            imports.extend(import(name, step, &before, &after));
            before = after;
        }
    }
    imports
}

/// Stored rows by element, period, unit and combos.
fn rows(stored: &Value) -> BTreeMap<[String; 5], Value> {
    let key = |row: &Value| {
        ["de", "pe", "ou", "coc", "aoc"].map(|name| row[name].as_str().expect("text").to_owned())
    };
    let rows = stored.as_array().expect("rows").iter();
    rows.map(|row| (key(row), row.clone())).collect()
}

/// Leaves out what is no import for good: dry runs, jobs, deletions by strategy, bodies that are not JSON.
fn import(
    name: String,
    step: &Value,
    before: &BTreeMap<[String; 5], Value>,
    after: &BTreeMap<[String; 5], Value>,
) -> Option<Import> {
    let request = &step["request"];
    let path = request["path"].as_str().expect("a path");
    let other = ["dryRun=true", "async=true", "importStrategy=DELETE"];
    let body = &request["body"];
    if request["method"] != "POST"
        || !path.starts_with("/api/dataValueSets")
        || other.iter().any(|parameter| path.contains(parameter))
        || body["dryRun"] == true
    {
        return None;
    }
    let sent = body["dataValues"].as_array()?.iter().map(|value| {
        let cell = cell(value);
        let key = [
            cell.triple.data_element.to_string(),
            format!("{} {}", cell.period.period_type(), cell.period.start()),
            cell.org_unit.to_string(),
            cell.triple.category_option_combo.to_string(),
            cell.triple.attribute_option_combo.to_string(),
        ];
        Sent {
            cell,
            value: match &value["value"] {
                Value::Number(number) => number.to_string(),
                other => other.as_str().unwrap_or_default().to_owned(),
            },
            deleted: value["deleted"] == true,
            before: before.get(&key).cloned(),
            after: after.get(&key).cloned(),
        }
    });
    Some(Import {
        name,
        sent: sent.collect(),
        status: step["response"]["status"].as_u64().expect("a status"),
        answer: serde_json::to_vec(&step["response"]["body"]).expect("JSON"),
    })
}

/// What is missing is the default, as DHIS2 has it; what is malformed stands for something that is never stored.
fn cell(value: &Value) -> Cell {
    let uid = |name: &str| -> Uid {
        let text = value[name].as_str().filter(|text| !text.is_empty());
        text.unwrap_or("HllvX50cXC0")
            .parse()
            .unwrap_or("Zzzzzzzzzzz".parse().expect("a UID"))
    };
    let period: Option<Period> = value["period"].as_str().and_then(|text| text.parse().ok());
    Cell {
        period: period.unwrap_or("190001".parse().expect("a period")),
        org_unit: uid("orgUnit"),
        triple: Triple {
            data_element: uid("dataElement"),
            category_option_combo: uid("categoryOptionCombo"),
            attribute_option_combo: uid("attributeOptionCombo"),
        },
    }
}

fn check(version: &str) {
    let mut judged = 0;
    for import in recordings(version) {
        let Some(verdict) = import.verdict() else {
            assert!(
                ![200, 409].contains(&import.status) || import.sent.is_empty(),
                "{}: no summary",
                import.name
            );
            continue;
        };
        judged += 1;
        for (index, sent) in import.sent.iter().enumerate() {
            let about = format!("{version} {}, value {index}: {verdict:?}", import.name);
            let rejected = verdict
                .rejected
                .iter()
                .any(|rejected| rejected.index == index);
            if rejected || verdict.refused.is_some() {
                assert_eq!(sent.before, sent.after, "refused, yet changed: {about}");
            } else if verdict.rest == Rest::Stored {
                assert!(sent.is_stored(), "not stored: {about}\n{:?}", sent.after);
            }
        }
    }
    assert!(
        judged > 90,
        "only {judged} imports of {version} were judged"
    );
}

#[test]
fn nothing_that_2_42_did_not_store_is_taken_as_stored_and_nothing_it_stored_as_rejected() {
    check("2.42.5.2");
}

#[test]
fn nothing_that_2_43_did_not_store_is_taken_as_stored_and_nothing_it_stored_as_rejected() {
    check("2.43.1");
}

fn verdict_of(version: &str, name: &str) -> Verdict {
    let import = recordings(version)
        .into_iter()
        .find(|import| import.name == name);
    import.expect("the recording").verdict().expect("a summary")
}

fn rejected(verdict: &Verdict) -> Vec<(usize, &str)> {
    verdict
        .rejected
        .iter()
        .map(|one| (one.index, one.code.as_str()))
        .collect()
}

#[test]
fn an_unassigned_unit_costs_one_value_on_2_42_and_is_named_on_2_43() {
    let old = verdict_of("2.42.5.2", "mixed-unit-unassigned, 0");
    assert_eq!(rejected(&old), [(3, "E7636")]);
    assert_eq!(old.rest, Rest::Stored);

    let new = verdict_of("2.43.1", "mixed-unit-unassigned, 0")
        .refused
        .expect("a refusal");
    assert_eq!(
        (new.code.as_str(), new.offenders),
        ("E8022", Offenders::Named(vec![3]))
    );
}

#[test]
fn offenders_are_found_by_what_each_code_names() {
    for (name, code, offenders) in [
        (
            "mixed-unknown-element, 0",
            "E8020",
            Offenders::Named(vec![3]),
        ),
        (
            "mixed-element-nowhere, 0",
            "E8020",
            Offenders::Named(vec![3]),
        ),
        ("mixed-unknown-unit, 0", "E8022", Offenders::Named(vec![3])),
        ("mixed-unit-closed, 0", "E8031", Offenders::Named(vec![3])),
        ("mixed-unknown-aoc, 0", "E8023", Offenders::Named(vec![3])),
        (
            "mixed-default-coc-disaggregated, 0",
            "E8024",
            Offenders::Named(vec![3]),
        ),
        (
            "mixed-malformed-element, 0",
            "E8104",
            Offenders::Named(vec![3]),
        ),
        ("mixed-duplicate, 0", "E8128", Offenders::Named(vec![0, 3])),
        (
            "mixed-future-period, 0",
            "E8030",
            Offenders::Unknown(Among::Units),
        ),
        ("blind, 0", "E8010", Offenders::All),
        ("attribute-combo, 1", "E8032", Offenders::All),
    ] {
        let refused = verdict_of("2.43.1", name).refused.expect("a refusal");
        assert_eq!(
            (refused.code.as_str(), refused.offenders),
            (code, offenders),
            "{name}"
        );
    }
}

#[test]
fn a_data_set_that_is_not_ours_refuses_everything_on_2_42() {
    for (name, code) in [("blind, 0", "E7601"), ("data-set-missing, 2", "E7600")] {
        let refused = verdict_of("2.42.5.2", name).refused.expect("a refusal");
        assert_eq!(
            (refused.code.as_str(), refused.offenders),
            (code, Offenders::All),
            "{name}"
        );
    }
}

#[test]
fn unchanged_values_and_zeros_that_are_not_kept_prove_nothing() {
    for name in ["write-new-same-changed, 1", "write-zero, 0"] {
        let verdict = verdict_of("2.42.5.2", name);
        assert_eq!(
            (verdict.rejected.len(), verdict.rest),
            (0, Rest::Unsure),
            "{name}"
        );
    }
}

#[test]
fn servers_that_fail_behind_their_answer_are_not_believed() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/exchanges/faults.json");
    let text = fs::read(path).expect("the recordings");
    let faults: Vec<Value> = serde_json::from_slice(&text).expect("JSON");
    let rest = |version: &str, what: &str| {
        let mut found = faults.iter().filter(|fault| fault["server"] == version);
        let fault = found.find(|fault| {
            fault["what"]
                .as_str()
                .is_some_and(|text| text.contains(what))
        });
        let body = serde_json::to_vec(&fault.expect("the fault")["body"]).expect("JSON");
        let value = OutgoingValue {
            cell: cell(&Value::Null),
            value: "1",
            comment: None,
            follow_up: false,
            deleted: false,
        };
        summary(&body).map(|summary| verdict(&summary, &vec![value; 960]).rest)
    };
    assert_eq!(rest("2.42.5.2", "the third"), Some(Rest::Broken));
    assert_eq!(
        rest("2.42.5.2", "terminated during the import"),
        Some(Rest::Broken)
    );
    assert_eq!(
        rest("2.42.5.2", "the same import right after"),
        Some(Rest::Stored)
    );
    assert_eq!(rest("2.43.1", "terminated during the import"), None);
    assert_eq!(rest("2.43.1", "read-only"), Some(Rest::Unsure));
}

#[test]
fn counts_above_what_was_sent_and_indexes_beyond_it_prove_nothing() {
    let value = OutgoingValue {
        cell: cell(&Value::Null),
        value: "1",
        comment: None,
        follow_up: false,
        deleted: false,
    };
    for response in [
        r#"{"status":"SUCCESS","importCount":{"imported":0,"updated":3,"ignored":0,"deleted":0}}"#,
        r#"{"status":"WARNING","importCount":{"imported":0,"updated":1,"ignored":1,"deleted":0},"rejectedIndexes":[2]}"#,
        r#"{"status":"WARNING","importCount":{"imported":2,"updated":0,"ignored":0,"deleted":0},"rejectedIndexes":[0]}"#,
    ] {
        let answer = format!(r#"{{"response":{response}}}"#);
        let summary = summary(answer.as_bytes()).expect("a summary");
        let verdict = verdict(&summary, &[value, value]);
        assert_eq!(
            (verdict.rejected.len(), verdict.refused, verdict.rest),
            (0, None, Rest::Unsure),
            "{response}"
        );
    }
}
