//! A server or a proxy that has too much to do, or to take.

use std::io::Write;
use std::sync::atomic::Ordering;

use jiff::{Timestamp, ToSpan};
use rig::dhis2::Dialect::V2_43;

use super::super::{Fault, Holds, Met};
use super::http::{error, first, once};
use super::{Bed, FIRST};
use crate::wrong_target::empty;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        number: "F63",
        what: "408, every time",
        met: || first(&empty("408 Late", "")),
        code: 5,
        says: "overloaded (408); the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F63",
        what: "425, every time",
        met: || first(&empty("425 Early", "")),
        code: 5,
        says: "overloaded (425); the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F63",
        what: "408 to an import, once",
        met: || once(&empty("408 Late", "")),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F73",
        what: "a proxy that takes one value and not two",
        met: || proxy_taking(1),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    // The whole and its first half.
    Fault {
        number: "F73",
        what: "a proxy that takes no value at all",
        met: || proxy_taking(0),
        code: 14,
        says: "(413); set chunk in [dhis2] lower, or the proxy's limit higher",
        asked: 2,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F74",
        what: "429 for longer than the run has left",
        met: || busy("7", "6s"),
        code: 5,
        says: "overloaded (429); the next run tries again",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F74",
        what: "429 for thirty years, of which five minutes would count",
        met: || busy("1000000000", "4m"),
        code: 5,
        says: "overloaded (429)",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F74",
        what: "429 until a day far ahead",
        met: || busy_until(1),
        code: 5,
        says: "overloaded (429)",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F74",
        what: "429 until a day that is over",
        met: || busy_until(-1),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F74",
        what: "429 until nobody knows when",
        met: || busy("soon", "4m"),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F75",
        what: "500, every time",
        met: || first(&empty("500 No", "")),
        code: 5,
        says: "overloaded (500); the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F75",
        what: "502, every time",
        met: || first(&empty("502 No", "")),
        code: 5,
        says: "overloaded (502); the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F75",
        what: "503, every time",
        met: || first(&empty("503 No", "")),
        code: 5,
        says: "overloaded (503); the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F75",
        what: "504, every time",
        met: || first(&empty("504 No", "")),
        code: 5,
        says: "overloaded (504); the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F75",
        what: "500 to an import, once",
        met: || {
            once(&error(
                500,
                "Internal Server Error",
                "Unable to commit against JDBC Connection",
            ))
        },
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
];

fn proxy_taking(values: usize) -> Met {
    let bed = Bed::behind(V2_43, move |asked, client, met| {
        let text = String::from_utf8_lossy(&asked.request);
        if text.matches("\"dataElement\"").count() <= values {
            return Ok(false);
        }
        met.fetch_add(1, Ordering::SeqCst);
        client.write_all(empty("413 Too Large", "").as_bytes())?;
        Ok(true)
    });
    bed.run()
}

/// Once, with this `Retry-After`.
fn busy(until: &str, deadline: &str) -> Met {
    let answer = empty("429 Busy", &format!("Retry-After: {until}\r\n"));
    let bed = Bed::answering(V2_43, FIRST, 1, answer);
    bed.limits(&format!("deadline = \"{deadline}\"")).run()
}

fn busy_until(days: i64) -> Met {
    let then = Timestamp::now() + (days * 24).hours();
    let date = then.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    busy(&date, "4m")
}
