//! Rows, mapping and faults thrown by dice, each seed a trial: a run ends with 0 exactly when DHIS2 holds what the
//! registry says, and its accounts balance.

use serde_json::{Value, json};

use super::accounts::faults_of_report;
use super::dice::Dice;
use super::metadata::{DATA_SET, DOSES, UNITS, VISITS};
use super::oracle::{Mapping, Oracle, Rows};
use super::scenes::{any_mapping, change, spoil};
use super::{Drill, Ran};
use crate::dhis2::Apply;
use crate::relay::{Fate, Fault};

/// The clock of both sides.
pub const NOW: &str = "2026-11-23T12:00:00Z";

const FATES: [Fate; 7] = [
    Fate::Dropped,
    Fate::Unanswered,
    Fate::Cut,
    Fate::Status(500),
    Fate::Status(502),
    Fate::Status(503),
    Fate::Status(504),
];

/// How many requests a run makes that sends something, more or less.
const REQUESTS: usize = 14;

/// How the world goes wrong in a run.
#[derive(Debug)]
enum Trouble {
    Nothing,
    OnTheWay(Fault),
    /// The next import is answered so, and carried out or not.
    Lie(u16, Value, Apply),
    /// Metadata change between plan and import.
    BehindOurBack(String),
}

impl Trouble {
    fn any(dice: &mut Dice) -> Trouble {
        match dice.below(5) {
            0 => Trouble::Nothing,
            1 | 2 => Trouble::OnTheWay(Fault {
                fate: dice.one_of(&FATES),
                first: 1 + dice.below(REQUESTS),
                times: dice.one_of(&[1, 1, 1, 50]),
            }),
            3 => any_lie(dice),
            _ => Trouble::BehindOurBack(any_change_of_metadata(dice)),
        }
    }

    fn happen(&self, drill: &Drill) {
        drill.relay.expect(None);
        match self {
            Trouble::Nothing => {}
            Trouble::OnTheWay(fault) => drill.relay.expect(Some(*fault)),
            Trouble::Lie(status, body, apply) => {
                drill
                    .dhis2
                    .answer_next_post_with(*status, body.clone(), *apply);
            }
            Trouble::BehindOurBack(export) => drill.dhis2.merge_metadata_at_first_post(export),
        }
    }

    /// Where DHIS2 stays silent nobody can know what it holds.
    fn blinds(&self) -> bool {
        let is_lasting = matches!(self, Trouble::OnTheWay(fault) if fault.times > 1);
        is_lasting || self.blinds_for_good()
    }

    /// DHIS2 does not show values of a data element that has left the data set, right as they may be.
    fn blinds_for_good(&self) -> bool {
        matches!(self, Trouble::BehindOurBack(export) if export.contains("dataSetElements"))
    }
}

fn any_lie(dice: &mut Dice) -> Trouble {
    let apply = dice.one_of(&[Apply::Nothing, Apply::All]);
    let (status, body) = match dice.below(6) {
        0 => (503, json!({})),
        1 => (
            500,
            json!({ "httpStatusCode": 500, "status": "ERROR", "message": "told" }),
        ),
        2 => (
            409,
            summary(
                "ERROR",
                "The import process failed: Failed to flush BatchHandler",
                0,
            ),
        ),
        3 => (
            200,
            summary("SUCCESS", "Import process completed successfully", 3),
        ),
        4 => (
            200,
            summary("SUCCESS", "Import process completed successfully", 0),
        ),
        _ => (
            200,
            summary("SUCCESS", "Import process completed successfully", 612),
        ),
    };
    Trouble::Lie(status, body, apply)
}

/// A web message of 2.42 in the form of the recordings (`faults.json`).
fn summary(status: &str, description: &str, imported: u32) -> Value {
    json!({
        "httpStatus": "Told", "httpStatusCode": 200, "status": status, "message": "told",
        "response": {
            "status": status, "description": description,
            "importCount": { "imported": imported, "updated": 0, "ignored": 0, "deleted": 0 },
            "conflicts": [], "rejectedIndexes": [], "responseType": "ImportSummary",
        },
    })
}

fn any_change_of_metadata(dice: &mut Dice) -> String {
    let unit = dice.one_of(&UNITS);
    let others = UNITS.iter().filter(|id| **id != unit);
    let others: Vec<Value> = others.map(|id| json!({ "id": id })).collect();
    let set = |changed: Value| {
        let mut set = json!({ "id": DATA_SET });
        set.as_object_mut()
            .expect("an object")
            .extend(changed.as_object().expect("an object").clone());
        json!({ "dataSets": [set] })
    };
    let export = match dice.below(3) {
        0 => set(json!({ "organisationUnits": others })),
        1 => {
            let left = [DOSES, VISITS].map(|id| json!({ "dataElement": { "id": id } }));
            set(json!({ "dataSetElements": left }))
        }
        _ => {
            json!({ "organisationUnits": [{ "id": unit, "closedDate": "2024-12-31T00:00:00.000" }] })
        }
    };
    export.to_string()
}

fn periods() -> Vec<String> {
    vec!["202502".to_owned(), "202503".to_owned()]
}

fn run(drill: &Drill) -> Ran {
    drill.run(&["-p", "202502..202503", "--as-of", NOW])
}

/// A first load, some changes, a run in trouble, and a run without; the error says in which run what did not hold.
///
/// # Errors
/// When a run says that all is well and it is not, or the other way round, or when its accounts do not balance.
pub fn trial(drill: &Drill, seed: u64) -> Result<(), String> {
    let mut dice = Dice::new(seed);
    let mapping = any_mapping(&mut dice);
    drill.reset();
    drill.set_mapping(&mapping);
    let mut rows = Rows::new();
    let (few, more) = (dice.below(20), dice.below(12));
    change(&mut rows, &mut dice, &periods(), few);
    drill.set_rows(&rows);
    let check = |rows: &Rows, trouble: &Trouble, is_blind: bool, told: &str| {
        check(drill, rows, &mapping, trouble, is_blind)
            .map_err(|error| format!("seed {seed}, {told}: {error}"))
    };
    check(&rows, &Trouble::Nothing, false, "first load")?;
    change(&mut rows, &mut dice, &periods(), more);
    if dice.chance(30) {
        spoil(&mut rows, &mut dice, &periods());
    }
    drill.set_rows(&rows);
    let trouble = Trouble::any(&mut dice);
    check(&rows, &trouble, trouble.blinds(), "in trouble")?;
    let is_blind = trouble.blinds_for_good();
    check(&rows, &Trouble::Nothing, is_blind, "afterwards")
        .map_err(|error| format!("{error}\nafter {trouble:?}"))
}

/// One run, held against what DHIS2 must hold then. Of a blind one, only a wrong 0 is a fault.
fn check(
    drill: &Drill,
    rows: &Rows,
    mapping: &Mapping,
    trouble: &Trouble,
    is_blind: bool,
) -> Result<(), String> {
    let oracle = Oracle::of(rows, mapping, &periods(), drill.dhis2.values());
    trouble.happen(drill);
    let ran = run(drill);
    let mut faults = oracle.faults(&drill.dhis2.values());
    let is_well = faults.is_empty() && oracle.unplaced == 0;
    let fits = match is_blind {
        true => ran.code != Some(0) || is_well,
        false => (ran.code == Some(0)) == is_well,
    };
    let accounts = ran
        .report
        .as_ref()
        .map(|report| faults_of_report(report, Some(oracle.rows)));
    let accounts = accounts.unwrap_or_else(|| vec!["there is no report".to_owned()]);
    if fits && accounts.is_empty() {
        return Ok(());
    }
    faults.extend(accounts);
    Err(format!(
        "exit {:?}, {} rows unplaced, {faults:#?}\n{trouble:?}\n{mapping:?}\n{rows:?}\n{}\n{:#}",
        ran.code,
        oracle.unplaced,
        ran.stderr,
        ran.report.unwrap_or_default()
    ))
}
