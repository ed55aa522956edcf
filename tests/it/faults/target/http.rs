//! Whole answers that are not of DHIS2, or with which it refuses us: pages, redirects, statuses.

use rig::dhis2::Dialect::{V2_42, V2_43};
use serde_json::{Value, json};

use super::super::{Fault, Holds, Met};
use super::{ALWAYS, Bed, FIRST, IMPORT, observed, site, told};
use crate::wrong_target::{empty, page, system_info};

const PAGE: &str = "<html>Back in five minutes</html>";
const FORM: &str = "<html><form><input type=\"password\"></form></html>";
const NOT_OURS: &str = "not DHIS2's JSON but text/html (200); check url in [dhis2] and proxies";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        number: "F51",
        what: "a login form instead of the first answer",
        met: || first(&page("text/html", FORM)),
        code: 14,
        says: NOT_OURS,
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F51",
        what: "a login form instead of the answer to an import",
        met: || import(&page("text/html", FORM)),
        code: 14,
        says: NOT_OURS,
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F52",
        what: "a redirect to the login form",
        met: || first(&moved("302 Found", "/dhis-web-login/")),
        code: 14,
        says: "redirects to /dhis-web-login/; set url in [dhis2]",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F52",
        what: "an import that is redirected to the login form",
        met: || import(&moved("302 Found", "/login/")),
        code: 14,
        says: "redirects to /login/; set url in [dhis2]",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F53",
        what: "a redirect to another host",
        met: || first(&moved("301 Moved", "https://elsewhere.example/")),
        code: 14,
        says: "redirects to https://elsewhere.example/; set url in [dhis2]",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F53",
        what: "an import that is redirected with its body",
        met: || import(&moved("307 Moved", "https://elsewhere.example/")),
        code: 14,
        says: "redirects to https://elsewhere.example/; set url in [dhis2]",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F54",
        what: "a page for people",
        met: || first(&page("text/html", PAGE)),
        code: 14,
        says: NOT_OURS,
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F54",
        what: "a page for people instead of the answer to an import",
        met: || import(&page("text/html", PAGE)),
        code: 14,
        says: NOT_OURS,
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F55",
        what: "200 and an empty body, every time",
        met: || import(&page("application/json", "")),
        code: 5,
        says: "has no import summary; the next run compares again",
        asked: 8,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F55",
        what: "200 and {}, once",
        met: || once(&page("application/json", "{}")),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F55",
        what: "200 and a summary without counts, once",
        met: || once(&told(200, &json!({ "response": { "status": "SUCCESS" } }))),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F56",
        what: "400",
        met: || import(&error(400, "Bad Request", "Value type not supported")),
        code: 14,
        says: "refused the request (400)",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F57",
        what: "401",
        met: wrong_token,
        code: 12,
        says: "no run tries these credentials again until ",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F57",
        what: "401 to an import, as of a 2.42 whose database became read-only",
        met: || import(&error(401, "Unauthorized", "Unauthorized")),
        code: 5,
        says: "401 after DHIS2 had let us in",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F58",
        what: "an account that is locked",
        met: || first(&error(401, "Unauthorized", "User account is locked")),
        code: 12,
        says: "(401 User account is locked)",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F59",
        what: "a token that has expired",
        met: || {
            first(&error(
                401,
                "Unauthorized",
                "Failed to authenticate API token, token has expired.",
            ))
        },
        code: 12,
        says: "the token has expired; make a new one in DHIS2",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F60",
        what: "403",
        met: || first(&error(403, "Forbidden", "Access is denied")),
        code: 12,
        says: "(403 Access is denied); give the account the right; not tried again",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F60",
        what: "403 to an import",
        met: || import(&error(403, "Forbidden", "Access is denied")),
        code: 12,
        says: "forbids it to the account (403); give the account the right",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F61",
        what: "404",
        met: || first(&empty("404 Not Found", "")),
        code: 14,
        says: "no DHIS2 API there (404); check url in [dhis2]",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F62",
        what: "405",
        met: || import(&empty("405 No", "")),
        code: 14,
        says: "refused the request (405); check url in [dhis2]",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F62",
        what: "406",
        met: || import(&empty("406 No", "")),
        code: 14,
        says: "refused the request (406); check url in [dhis2]",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F62",
        what: "415",
        met: || import(&empty("415 No", "")),
        code: 14,
        says: "refused the request (415); check url in [dhis2]",
        asked: 1,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F76",
        what: "501",
        met: || first(&empty("501 No", "")),
        code: 14,
        says: "refused the request (501); check url in [dhis2]",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F76",
        what: "505",
        met: || first(&empty("505 No", "")),
        code: 14,
        says: "refused the request (505); check url in [dhis2]",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F76",
        what: "418",
        met: || first(&empty("418 No", "")),
        code: 14,
        says: "refused the request (418); check url in [dhis2]",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F78",
        what: "a calendar that is not the ISO one",
        met: || first(&system_info("2.42.0", "ethiopian")),
        code: 14,
        says: "the calendar of this DHIS2 is \"ethiopian\"",
        asked: 1,
        holds: Holds::NothingSent,
    },
];

/// Every time instead of the answer to the first request of a run.
pub(super) fn first(answer: &str) -> Met {
    Bed::answering(V2_42, FIRST, ALWAYS, answer.to_owned()).run()
}

/// Every time instead of the answer to an import, of which DHIS2 does not hear.
fn import(answer: &str) -> Met {
    Bed::answering(V2_43, IMPORT, ALWAYS, answer.to_owned()).run()
}

pub(super) fn once(answer: &str) -> Met {
    Bed::answering(V2_43, IMPORT, 1, answer.to_owned()).run()
}

fn moved(status: &str, location: &str) -> String {
    empty(status, &format!("location: {location}\r\n"))
}

/// A `WebMessage`, DHIS2's form of a refusal.
pub(super) fn error(status: u16, name: &str, message: &str) -> String {
    let body: Value = json!({
        "httpStatus": name, "httpStatusCode": status, "status": "ERROR", "message": message,
    });
    told(status, &body)
}

fn wrong_token() -> Met {
    let site = site(V2_43);
    let wrong = "d2p_wrong000000000000000000000000000000000000000002";
    site.write("dhis2.token", wrong);
    observed(&site, || site.run(), |_| site.dhis2.requests().len())
}
