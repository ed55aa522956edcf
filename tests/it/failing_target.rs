//! A DHIS2 that fails in the middle: every request of a run in turn gets no answer, half of one, or another's.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use rig::dhis2::Dialect;

use crate::program::Finished;
use crate::relay::relay;
use crate::small_site::SmallSite;
use crate::st_lucia::BOTH;

/// The requests of a run that sends a value: what their first lines begin with.
const REQUESTS: [&str; 6] = [
    "GET /api/system/info",
    "GET /api/me",
    "GET /api/dataSets",
    "GET /api/dataElements",
    "GET /api/dataValueSets",
    "POST /api/dataValueSets",
];

/// What becomes of an answer.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Overloaded,
    /// The head is whole and tells of more than there is.
    HalfABody,
    HalfAHead,
    Nothing,
    Garbage,
    Page,
    LoginForm,
    Refused,
    Moved,
}

/// Faults that may go away by themselves.
const PASSING: [Fault; 4] = [
    Fault::Overloaded,
    Fault::HalfABody,
    Fault::HalfAHead,
    Fault::Nothing,
];

fn spoiled(fault: Fault, answer: &[u8]) -> Vec<u8> {
    let html = |body: &str| {
        let length = body.len();
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    let text = match fault {
        Fault::HalfABody => return answer[..answer.len() - 10].to_vec(),
        Fault::HalfAHead => return answer[..20].to_vec(),
        Fault::Nothing => return Vec::new(),
        Fault::Garbage => "\u{16}\u{3}\u{1} this is no HTTP\r\n\r\n".to_owned(),
        Fault::Page => html("<html>Back in five minutes</html>"),
        Fault::LoginForm => html("<html><form><input type=\"password\"></form></html>"),
        Fault::Overloaded => "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Fault::Refused => "HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
        Fault::Moved => {
            "HTTP/1.1 301 Moved\r\nLocation: https://elsewhere.example/\r\nContent-Length: 0\r\n\r\n"
                .to_owned()
        }
    };
    text.into_bytes()
}

/// Which answers are spoiled: the first so many to requests that begin so.
type Plan = Option<(&'static str, Fault, usize)>;

/// A site behind a relay, with a value that lands and one that is blocked.
struct Relayed {
    site: SmallSite,
    plan: Arc<Mutex<Plan>>,
}

impl Relayed {
    fn new(dialect: Dialect) -> Relayed {
        let site = SmallSite::new(dialect);
        // An element of another data set, so that the data elements are asked for.
        site.database
            .execute("INSERT INTO t VALUES ('YADstg5hq3J', 'VsF9dWr6arv', '202503', '1')");
        let plan = Arc::new(Mutex::new(None));
        let shared: Arc<Mutex<Plan>> = Arc::clone(&plan);
        let url = site.dhis2.url();
        let relay = relay(&url, move |first, answer| {
            match &mut *shared.lock().unwrap() {
                Some((request, fault, left)) if *left > 0 && first.starts_with(*request) => {
                    *left -= 1;
                    spoiled(*fault, &answer)
                }
                _ => answer,
            }
        });
        site.replace("pg2dhis2.toml", &url, &relay);
        Relayed { site, plan }
    }

    /// A run against an empty DHIS2.
    fn run(&self, request: &'static str, fault: Fault, times: usize) -> Finished {
        self.site.dhis2.reset();
        // What earlier runs confirmed is gone, and refused logins are forgotten.
        let _ = fs::remove_dir_all(self.site.path("state"));
        self.site.dhis2.forget_requests();
        *self.plan.lock().unwrap() = Some((request, fault, times));
        self.site.run()
    }
}

#[test]
fn one_failure_that_may_pass_is_got_over() {
    for dialect in BOTH {
        let relayed = Relayed::new(dialect);
        for request in REQUESTS {
            for fault in PASSING {
                let run = relayed.run(request, fault, 1);
                assert_eq!(
                    run.code, 3,
                    "{dialect:?} {request} {fault:?}: {}",
                    run.stderr
                );
                assert_eq!(relayed.site.dhis2.values().len(), 1);
            }
        }
    }
}

#[test]
fn failures_that_go_on_end_the_run() {
    let relayed = Relayed::new(Dialect::V2_43);
    for request in REQUESTS {
        for fault in PASSING {
            let run = relayed.run(request, fault, 100);
            if request.starts_with("POST") {
                // Every POST had its effect, which reading back shows.
                assert_eq!(run.code, 3, "{request} {fault:?}: {}", run.stderr);
                assert_eq!(relayed.site.dhis2.values().len(), 1);
            } else {
                relayed.site.refused(run, 5, "the next run tries again");
            }
        }
    }
}

#[test]
fn a_value_that_nobody_can_confirm_is_looked_at_again_by_the_next_run() {
    let site = SmallSite::new(Dialect::V2_43);
    let url = site.dhis2.url();
    let (mut sent, mut runs) = (false, 0);
    // From the first POST on nothing is answered, until the second run.
    let relay = relay(&url, move |first, answer| {
        runs += usize::from(first.starts_with(REQUESTS[0]));
        sent |= first.starts_with("POST");
        match sent && runs < 2 {
            true => Vec::new(),
            false => answer,
        }
    });
    site.replace("pg2dhis2.toml", &url, &relay);
    let run = site.run().code(5);
    let told = "unconfirmed, the next run looks again";
    assert!(run.stderr.contains(told), "{}", run.stderr);
    site.run().code(0).silent();
    assert_eq!(site.dhis2.values().len(), 1);
}

#[test]
fn answers_that_are_not_dhis2s_end_the_run_at_any_request() {
    let relayed = Relayed::new(Dialect::V2_42);
    for request in REQUESTS {
        for (fault, code, words) in [
            (Fault::Garbage, 14, "check url in [dhis2]"),
            (Fault::Page, 14, "not DHIS2's JSON but text/html"),
            (Fault::LoginForm, 14, "not DHIS2's JSON but text/html"),
            (Fault::Refused, 5, "not tried again in this run"),
            (Fault::Moved, 14, "https://elsewhere.example/"),
        ] {
            let run = relayed.run(request, fault, 1).code(code).stderr_has(words);
            let lines = run.stderr.lines();
            let told = lines.filter(|line| line.starts_with("pg2dhis2: "));
            assert_eq!(told.count(), 1, "{request} {fault:?}: {}", run.stderr);
            let asked = relayed.site.dhis2.requests();
            let last = asked.last().expect("a request");
            let line = format!("{} {}", last.method, last.path);
            // What a POST did is read back, unless that would be one more login.
            let read_back = code == 14 && request == REQUESTS[5] && line.starts_with(REQUESTS[4]);
            let ended = read_back || line.starts_with(request);
            assert!(ended, "{fault:?}: {line} after {request}");
        }
    }
}

#[test]
fn a_server_that_never_answers_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let site = SmallSite::new(Dialect::V2_43);
    let url = format!("http://{}/", silent.local_addr().unwrap());
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &url);
    let limit = "[limits]\nfirst-byte = \"200ms\"";
    site.replace("pg2dhis2.toml", "[limits]", limit);
    site.refused(site.run(), 5, "no answer in time; the next run tries again");
}

#[test]
fn https_where_only_http_is_spoken_is_told_as_such() {
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = plain.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in plain.incoming().flatten() {
            let _ = stream.read(&mut [0; 1024]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let site = SmallSite::new(Dialect::V2_43);
    let url = format!("https://{address}/");
    site.replace("pg2dhis2.toml", &site.dhis2.url(), &url);
    let told = "no TLS at that address; check url and ca-file in [dhis2]";
    site.refused(site.run(), 14, told);
}
