//! What goes wrong in a fifth of the hours.

use rig::dhis2::Apply;
use rig::drill::{Dice, Drill};
use rig::relay::{Fate, Fault};
use serde_json::{Value, json};

const FATES: [Fate; 8] = [
    Fate::Dropped,
    Fate::Unanswered,
    Fate::Cut,
    Fate::Status(429),
    Fate::Status(500),
    Fate::Status(503),
    Fate::KilledBefore,
    Fate::KilledAfter,
];

/// How many requests a run makes that sends something, more or less.
const REQUESTS: usize = 15;

/// Lets something go wrong in the next run. Some faults come too late for it, as in life.
pub(crate) fn happen(drill: &Drill, dice: &mut Dice) {
    if dice.chance(75) {
        drill.relay.expect(Some(Fault {
            fate: dice.one_of(&FATES),
            first: 1 + dice.below(REQUESTS),
            times: dice.one_of(&[1, 1, 2, 100]),
        }));
        return;
    }
    let apply = dice.one_of(&[Apply::Nothing, Apply::All]);
    let (status, body) = match dice.below(5) {
        0 => (
            500,
            json!({ "httpStatusCode": 500, "status": "ERROR", "message": "told" }),
        ),
        1 => (
            409,
            summary(
                "ERROR",
                "The import process failed: Failed to flush BatchHandler",
                0,
            ),
        ),
        2 => (
            200,
            summary("SUCCESS", "Import process completed successfully", 0),
        ),
        3 => (
            200,
            summary("SUCCESS", "Import process completed successfully", 3),
        ),
        _ => (
            200,
            summary("SUCCESS", "Import process completed successfully", 612),
        ),
    };
    drill.dhis2.answer_next_post_with(status, body, apply);
}

/// A web message in the form of the recordings (`tests/golden/exchanges/faults.json`).
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
