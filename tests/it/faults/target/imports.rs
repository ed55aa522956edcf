//! Imports that do not do what they should, whatever their status says, and what DHIS2 no longer knows.

use std::io::Write;
use std::sync::{Arc, Mutex};

use rig::dhis2::Apply;
use rig::dhis2::Dialect::{self, V2_42, V2_43};
use serde_json::{Value, json};

use super::super::{Fault, Holds, Met};
use super::{ALWAYS, Bed, IMPORT, limits, none, observed, site, told, values};
use crate::relay::Asked;
use crate::retries::recorded;
use crate::small_site::{NUMBER, SmallSite, UNITS};

const FAILED: &str = "the import failed in DHIS2; its log says why; the next run compares again";
const FLUSH: &str = "three identical imports of 960 new values at once, the first";
const DIED: &str = "the server's database session is terminated during the import";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        number: "F44",
        what: "no answer, and applied after the run, when the source says something else",
        met: overtaken,
        code: 5,
        says: "the next run tries again",
        asked: 1,
        holds: Holds::TheRest,
    },
    Fault {
        number: "F64",
        what: "409, and one of two values is rejected",
        met: || behind_our_back(V2_42, &orphan()),
        code: 3,
        says: "E7617: ",
        asked: 1,
        holds: Holds::TheRest,
    },
    Fault {
        number: "F65",
        what: "409, and both are refused for the closed unit of one",
        met: || behind_our_back(V2_43, &closed()),
        code: 3,
        says: "E8031: ",
        asked: 1,
        holds: Holds::TheRest,
    },
    Fault {
        number: "F66",
        what: "409, the import could not be written, once",
        met: || failing(recorded(FLUSH), 1),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F66",
        what: "409, the import could not be written, every time",
        met: || failing(recorded(FLUSH), ALWAYS),
        code: 5,
        says: FAILED,
        asked: 8,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F66",
        what: "409, the database went away, once",
        met: || failing(recorded(DIED), 1),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F67",
        what: "409 without a summary, once",
        met: || failing(conflict(), 1),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F67",
        what: "409 without a summary, every time",
        met: || failing(conflict(), ALWAYS),
        code: 5,
        says: "has no import summary; the next run compares again",
        asked: 8,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F68",
        what: "200, and one of two values is rejected",
        met: warned,
        code: 3,
        says: "E812",
        asked: 1,
        holds: Holds::TheRest,
    },
    Fault {
        number: "F69",
        what: "200, and all are ignored, for they are unchanged",
        met: || lying(V2_42, 1, counts(0, 2), Apply::All),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F70",
        what: "200, and all are ignored and missing, once",
        met: || lying(V2_43, 1, counts(0, 2), Apply::Nothing),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    // What is not there when it is read back is sent once more.
    Fault {
        number: "F70",
        what: "200, and all are ignored and missing, every time",
        met: || lying(V2_43, ALWAYS, counts(0, 2), Apply::Nothing),
        code: 5,
        says: "unconfirmed, the next run looks again",
        asked: 2,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F70",
        what: "200, and all are counted and missing, every time",
        met: || lying(V2_42, ALWAYS, counts(2, 0), Apply::Nothing),
        code: 5,
        says: "unconfirmed, the next run looks again",
        asked: 2,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F71",
        what: "more are counted than were sent, and they are there",
        met: || lying(V2_43, 1, counts(612, 0), Apply::All),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F71",
        what: "more are counted than were sent, and none is there",
        met: || lying(V2_43, ALWAYS, counts(612, 0), Apply::Nothing),
        code: 5,
        says: "unconfirmed, the next run looks again",
        asked: 2,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F71",
        what: "fewer than none are counted",
        met: || lying(V2_42, 1, counts(-1, 0), Apply::All),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F71",
        what: "counts that are no numbers, every time",
        met: || {
            lying(
                V2_43,
                ALWAYS,
                json!({ "status": "SUCCESS", "importCount": { "imported": "many" } }),
                Apply::Nothing,
            )
        },
        code: 5,
        says: "has no import summary; the next run compares again",
        asked: 8,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F72",
        what: "a rejected index beyond all that were sent",
        met: || lying(V2_43, 1, rejecting(7), Apply::All),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F72",
        what: "a rejected index below all that were sent, and none is there",
        met: || lying(V2_42, 1, rejecting(-5), Apply::Nothing),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F79",
        what: "a unit that DHIS2 no longer knows",
        met: unknown_unit,
        code: 3,
        says: "DHIS2 has no such organisation unit",
        asked: 0,
        holds: Holds::TheRest,
    },
    Fault {
        number: "F79",
        what: "a data set that DHIS2 no longer knows",
        met: unknown_set,
        code: 14,
        says: "DHIS2 has no data set Aaaaaaaaaa1; check data-set in the mapping",
        asked: 0,
        holds: Holds::NothingSent,
    },
];

/// The next run finds the older value and puts it right.
fn overtaken() -> Met {
    let held = Arc::new(Mutex::new(None));
    let holding = Arc::clone(&held);
    let bed = Bed::meeting(V2_43, IMPORT, 1, move |asked, _| {
        *holding.lock().unwrap() = Some(asked.clone());
        Ok(())
    });
    let site = &bed.site;
    limits(site, "attempts = 1");
    let runs = || {
        let first = site.run();
        let late: Asked = held.lock().unwrap().take().expect("an import");
        late.answer().expect("DHIS2 takes it");
        assert_eq!(
            site.dhis2.values(),
            values(&[(UNITS[0], "5"), (UNITS[1], "6")])
        );
        site.database
            .execute("UPDATE t SET value = '7' WHERE value = '5'");
        site.run().code(0).silent();
        first
    };
    let met = observed(site, runs, |_| bed.met());
    let wanted = values(&[(UNITS[0], "7"), (UNITS[1], "6")]);
    Met { wanted, ..met }
}

fn orphan() -> Value {
    json!({ "organisationUnits": [{ "id": UNITS[1], "parent": null }] })
}

fn closed() -> Value {
    json!({ "organisationUnits": [{ "id": UNITS[1], "closedDate": "2025-02-28T00:00:00.000" }] })
}

fn posts(site: &SmallSite, status: u16) -> usize {
    let requests = site.dhis2.requests().into_iter();
    requests
        .filter(|request| request.method == "POST" && request.status == status)
        .count()
}

/// DHIS2 changes after we compared and before we send, so that the value of the second unit is refused.
fn behind_our_back(dialect: Dialect, change: &Value) -> Met {
    let site = site(dialect);
    site.dhis2.merge_metadata_at_first_post(&change.to_string());
    let met = observed(&site, || site.run(), |_| posts(&site, 409));
    the_first_alone(met)
}

fn the_first_alone(met: Met) -> Met {
    let wanted = values(&[(UNITS[0], "5")]);
    Met { wanted, ..met }
}

/// The same where DHIS2 2.43 rejects a value for itself.
fn warned() -> Met {
    let site = site(V2_43);
    site.database
        .execute("UPDATE t SET value = '6.5' WHERE value = '6'");
    let change = json!({ "dataElements": [{ "id": NUMBER, "valueType": "INTEGER" }] });
    site.dhis2.merge_metadata_at_first_post(&change.to_string());
    let met = observed(&site, || site.run(), |_| posts(&site, 200));
    the_first_alone(met)
}

fn failing((status, body): (u16, Value), times: usize) -> Met {
    Bed::answering(V2_42, IMPORT, times, told(status, &body)).run()
}

/// What `CrudControllerAdvice` makes of a `PersistenceException`.
fn conflict() -> (u16, Value) {
    let body = json!({
        "httpStatus": "Conflict", "httpStatusCode": 409, "status": "ERROR", "message": "could not execute statement",
    });
    (409, body)
}

/// DHIS2 answers with this summary, whatever it did.
fn lying(dialect: Dialect, times: usize, summary: Value, apply: Apply) -> Met {
    let body =
        json!({ "httpStatus": "OK", "httpStatusCode": 200, "status": "OK", "response": summary });
    let answer = told(200, &body);
    let bed = Bed::meeting(dialect, IMPORT, times, move |asked, client| {
        if apply == Apply::All {
            asked.answer()?;
        }
        client.write_all(answer.as_bytes())
    });
    bed.run()
}

fn counts(updated: i64, ignored: i64) -> Value {
    json!({ "status": "SUCCESS", "conflicts": [], "rejectedIndexes": [],
        "importCount": { "imported": 0, "updated": updated, "ignored": ignored, "deleted": 0 } })
}

fn rejecting(index: i64) -> Value {
    let mut summary = counts(1, 1);
    summary["status"] = json!("WARNING");
    summary["rejectedIndexes"] = json!([index]);
    summary
}

fn unknown_unit() -> Met {
    let site = site(V2_43);
    site.database
        .execute("UPDATE t SET unit = 'Aaaaaaaaaa1' WHERE value = '6'");
    the_first_alone(observed(&site, || site.run(), none))
}

fn unknown_set() -> Met {
    let site = site(V2_43);
    site.replace("mappings/small.toml", "YE8SgpSMBQ9", "Aaaaaaaaaa1");
    observed(&site, || site.run(), none)
}
