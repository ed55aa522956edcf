//! No answer from DHIS2, or not a whole one.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::time::Duration;

use rig::dhis2::Dialect::{V2_42, V2_43};
use serde_json::{Value, json};

use super::super::{Fault, Holds, Met};
use super::{ALWAYS, Bed, FIRST, IMPORT, limits, observed, site, told, told_tries};
use crate::bounded::{BOMB, HEAD, endless, whole};
use crate::relay::Asked;
use crate::tls_front::Identity;
use crate::trust::dhis2_behind;

const AGAIN: &str = "the next run tries again";

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        number: "F38",
        what: "connection refused",
        met: refused,
        code: 5,
        says: "connection refused; the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F39",
        what: "a host name that nobody knows",
        met: unknown_name,
        code: 5,
        says: "host name not found; the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F40",
        what: "a black hole",
        met: black_hole,
        code: 5,
        says: "no connection in time; the next run tries again",
        asked: 2,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F41",
        what: "a certificate of another authority",
        met: || behind_tls(&Identity::of("localhost"), &Identity::of("localhost")),
        code: 14,
        says: "certificate not trusted",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F41",
        what: "a certificate for another host",
        met: || itself(&Identity::of("elsewhere.example")),
        code: 14,
        says: "certificate not trusted",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F41",
        what: "a certificate that has expired",
        met: || itself(&Identity::expired("localhost")),
        code: 14,
        says: "check url and ca-file in [dhis2]",
        asked: 0,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F42",
        what: "cut before it is applied, once",
        met: || Bed::meeting(V2_43, IMPORT, 1, |_, _| Ok(())).run(),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    // Twice whole, then each half as often as is left of five times.
    Fault {
        number: "F42",
        what: "cut before it is applied, every time",
        met: || Bed::meeting(V2_42, IMPORT, ALWAYS, |_, _| Ok(())).run(),
        code: 5,
        says: AGAIN,
        asked: 8,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F43",
        what: "cut after it is applied, once",
        met: || applied(1),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F43",
        what: "cut after it is applied, every time",
        met: || applied(ALWAYS),
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F44",
        what: "no answer, and applied when it is sent again",
        met: late,
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F45",
        what: "half applied, then 500",
        met: half,
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F46",
        what: "no answer for ever",
        met: silence,
        code: 5,
        says: "no answer in time; the next run tries again",
        asked: 2,
        holds: Holds::AsBefore,
    },
    Fault {
        number: "F47",
        what: "a head that drips",
        met: || dripping("HTTP/1.1 200 OK\r\nX-Slow: ", "first-byte"),
        code: 5,
        says: "no answer in time; the next run tries again",
        asked: 2,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F47",
        what: "a body that drips",
        met: || dripping(&format!("{HEAD}Content-Length: 100000\r\n\r\n"), "body"),
        code: 5,
        says: "the answer was not complete in time; the next run tries again",
        asked: 2,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F48",
        what: "an answer to an import that is shorter than announced",
        met: shorter,
        code: 0,
        says: "",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F48",
        what: "live values of no announced length that end in the middle",
        met: ends_in_the_middle,
        code: 5,
        says: "the answer was cut short; the next run tries again",
        asked: 5,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F49",
        what: "a document without end",
        met: || {
            Bed::meeting(V2_43, FIRST, ALWAYS, |_, client| {
                endless(client, &format!("{HEAD}\r\n"), " ")
            })
            .run()
        },
        code: 14,
        says: "larger than 32 MiB; check url in [dhis2]",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F49",
        what: "an answer to an import without end",
        met: endless_summary,
        code: 14,
        says: "larger than 8 MiB; check url in [dhis2]",
        asked: 1,
        holds: Holds::All,
    },
    Fault {
        number: "F49",
        what: "half a GiB in a few MiB of gzip",
        met: gzip,
        code: 14,
        says: "is url in [dhis2] a DHIS2",
        asked: 1,
        holds: Holds::NothingSent,
    },
    Fault {
        number: "F50",
        what: "bytes that are no HTTP",
        met: || {
            Bed::answering(
                V2_43,
                FIRST,
                ALWAYS,
                "\u{16}\u{3}\u{1} this is no HTTP\r\n\r\n".to_owned(),
            )
            .run()
        },
        code: 14,
        says: "not an HTTP answer",
        asked: 1,
        holds: Holds::NothingSent,
    },
];

fn leading_to(url: &str, lines: &str) -> Met {
    let site = site(V2_43);
    site.replace("pg2dhis2.toml", &site.dhis2.url(), url);
    limits(&site, lines);
    told_tries(&site)
}

fn refused() -> Met {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", free.local_addr().expect("its address"));
    drop(free);
    leading_to(&url, "")
}

fn unknown_name() -> Met {
    // RFC 6761, section 6.4: no name ends so.
    leading_to("https://dhis2.invalid/", "")
}

/// A port whose queue is full, so that the system drops whoever else knocks.
fn black_hole() -> Met {
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address: SocketAddr = deaf.local_addr().expect("its address");
    let moment = Duration::from_millis(300);
    let mut queue = Vec::new();
    while let Ok(waiting) = TcpStream::connect_timeout(&address, moment) {
        queue.push(waiting);
        assert!(queue.len() < 900, "the queue does not fill");
    }
    let url = format!("http://{address}/");
    leading_to(&url, "connect = \"300ms\"\nattempts = 2")
}

/// Counts the bytes that were told behind the handshake.
fn behind_tls(shown: &Identity, trusted: &Identity) -> Met {
    let (site, front) = dhis2_behind(shown, Some(trusted));
    observed(&site, || site.run(), |_| front.heard())
}

fn itself(shown: &Identity) -> Met {
    behind_tls(shown, shown)
}

fn applied(times: usize) -> Met {
    let bed = Bed::meeting(V2_43, IMPORT, times, |asked, _| asked.answer().map(drop));
    bed.run()
}

fn late() -> Met {
    let mut held = None;
    let mut sent = 0;
    let bed = Bed::behind(V2_43, move |asked, _, met| {
        if !asked.first.starts_with(IMPORT) {
            return Ok(false);
        }
        sent += 1;
        if sent == 1 {
            met.fetch_add(1, Ordering::SeqCst);
            held = Some(asked.request.clone());
            return Ok(true);
        }
        if let Some(late) = held.take() {
            asked.answer_to(&late)?;
        }
        Ok(false)
    });
    bed.run()
}

/// The request with the first half of its values.
fn first_half(asked: &Asked) -> Vec<u8> {
    let text = String::from_utf8(asked.request.clone()).expect("ASCII");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    let mut body: Value = serde_json::from_str(body).expect("JSON");
    let values = body["dataValues"].as_array_mut().expect("values");
    values.truncate(values.len() / 2);
    assert_eq!(values.len(), 1);
    let body = body.to_string();
    let kept: Vec<&str> = head
        .lines()
        .filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"))
        .collect();
    let (head, length) = (kept.join("\r\n"), body.len());
    format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}

fn half() -> Met {
    let bed = Bed::meeting(V2_42, IMPORT, 1, |asked, client| {
        asked.answer_to(&first_half(asked))?;
        let error = json!({ "httpStatus": "Internal Server Error", "httpStatusCode": 500, "status": "ERROR" });
        client.write_all(told(500, &error).as_bytes())
    });
    bed.run()
}

fn silence() -> Met {
    let mut kept = Vec::new();
    let bed = Bed::meeting(V2_43, IMPORT, ALWAYS, move |_, client| {
        kept.push(client.try_clone()?);
        Ok(())
    });
    bed.limits("first-byte = \"1s\"\nattempts = 2").run()
}

fn dripping(beginning: &str, limit: &str) -> Met {
    let beginning = beginning.to_owned();
    let bed = Bed::meeting(V2_43, FIRST, ALWAYS, move |_, client| {
        client.write_all(beginning.as_bytes())?;
        // The program says no more, so that reading takes this long.
        client.set_read_timeout(Some(Duration::from_millis(20)))?;
        loop {
            let _ = client.read(&mut [0; 64]);
            client.write_all(b" ")?;
        }
    });
    let limits = format!("{limit} = \"400ms\"\nattempts = 2");
    bed.limits(&limits).run()
}

fn shorter() -> Met {
    let bed = Bed::meeting(V2_42, IMPORT, 1, |asked, client| {
        let answer = asked.answer()?;
        client.write_all(&answer[..answer.len() - 10])
    });
    bed.run()
}

fn ends_in_the_middle() -> Met {
    let live = "GET /api/dataValueSets";
    let bed = Bed::meeting(V2_43, live, ALWAYS, |asked, client| {
        let answer = String::from_utf8(asked.answer()?).map_err(io::Error::other)?;
        let (_, body) = answer.split_once("\r\n\r\n").expect("a head");
        client.write_all(format!("{HEAD}\r\n{}", &body[..body.len() - 10]).as_bytes())
    });
    bed.run()
}

fn endless_summary() -> Met {
    let bed = Bed::meeting(V2_43, IMPORT, ALWAYS, |asked, client| {
        asked.answer()?;
        endless(client, &format!("{HEAD}\r\n"), " ")
    });
    bed.run()
}

fn gzip() -> Met {
    let bed = Bed::meeting(V2_43, FIRST, ALWAYS, |_, client| {
        whole(client, "Content-Encoding: gzip\r\n", &BOMB)
    });
    bed.run()
}
