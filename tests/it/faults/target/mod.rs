//! Faults of the target and of the host. A source with two values, for two units; DHIS2 has an older value of the first.

mod host;
mod http;
mod imports;
mod overload;
mod transport;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rig::dhis2::{Dialect, Row, ValueKey};
use serde_json::Value;

use super::{Fault, Met};
use crate::program::Finished;
use crate::relay::{Asked, relay_before};
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};

pub(super) const FAULTS: &[&[Fault]] = &[
    transport::FAULTS,
    http::FAULTS,
    overload::FAULTS,
    imports::FAULTS,
    host::FAULTS,
];

/// The first request of every run, and the one that writes.
const FIRST: &str = "GET /api/system/info";
const IMPORT: &str = "POST /api/dataValueSets";

const ALWAYS: usize = usize::MAX;

/// A site whose DHIS2 is behind a relay that counts the requests which met the fault.
struct Bed {
    site: SmallSite,
    met: Arc<AtomicUsize>,
}

/// Whether a request has its answer, or none for ever; others pass.
type IsAnswered = io::Result<bool>;

fn site(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '6')",
        UNITS[1]
    ));
    site.dhis2.put(Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: UNITS[0].to_owned(),
        value: Some("4".to_owned()),
        stored_by: "loader".to_owned(),
        ..Row::default()
    });
    site
}

/// What DHIS2 is to hold, by unit.
fn values(of: &[(&str, &str)]) -> BTreeMap<ValueKey, String> {
    // DHIS2's default combo.
    let combo = || "HllvX50cXC0".to_owned();
    let value = |(unit, value): &(&str, &str)| {
        let (element, period) = (NUMBER.to_owned(), "202503".to_owned());
        let key = (element, period, (*unit).to_owned(), combo(), combo());
        (key, (*value).to_owned())
    };
    of.iter().map(value).collect()
}

fn limits(site: &SmallSite, lines: &str) {
    site.replace("pg2dhis2.toml", "[limits]", &format!("[limits]\n{lines}"));
}

/// Looks at DHIS2 before and after.
fn observed(
    site: &SmallSite,
    run: impl FnOnce() -> Finished,
    asked: impl FnOnce(&Finished) -> usize,
) -> Met {
    site.dhis2.forget_requests();
    let before = site.dhis2.values();
    let run = run();
    let requests = site.dhis2.requests().into_iter();
    Met {
        asked: asked(&run),
        run,
        posts: requests.filter(|request| request.method == "POST").count(),
        before,
        after: site.dhis2.values(),
        wanted: values(&[(UNITS[0], "5"), (UNITS[1], "6")]),
    }
}

/// Nothing of the kind is asked.
fn none(_: &Finished) -> usize {
    0
}

/// A run that tells how often it tried, where nobody is there to count.
fn told_tries(site: &SmallSite) -> Met {
    let run = || site.program(&["run", "-v", "-p", "202503", "--as-of", NOW]);
    observed(site, run, |run| {
        1 + run.stderr.matches("; trying again after ").count()
    })
}

impl Bed {
    /// `meet` counts the requests that meet the fault, before they do.
    fn behind(
        dialect: Dialect,
        mut meet: impl FnMut(&Asked, &mut TcpStream, &AtomicUsize) -> IsAnswered + Send + 'static,
    ) -> Bed {
        let site = site(dialect);
        let met = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&met);
        let url = site.dhis2.url();
        let relay = relay_before(&url, move |asked, client| {
            match meet(asked, client, &counted)? {
                true => Ok(()),
                false => client.write_all(&asked.answer()?),
            }
        });
        site.replace("pg2dhis2.toml", &url, &relay);
        Bed { site, met }
    }

    /// The first so many requests that begin so meet the fault.
    fn meeting(
        dialect: Dialect,
        request: &'static str,
        times: usize,
        mut meet: impl FnMut(&Asked, &mut TcpStream) -> io::Result<()> + Send + 'static,
    ) -> Bed {
        let mut left = times;
        Bed::behind(dialect, move |asked, client, met| {
            if left == 0 || !asked.first.starts_with(request) {
                return Ok(false);
            }
            left -= 1;
            met.fetch_add(1, Ordering::SeqCst);
            meet(asked, client).map(|()| true)
        })
    }

    /// They get these bytes, and DHIS2 does not hear of them.
    fn answering(dialect: Dialect, request: &'static str, times: usize, answer: String) -> Bed {
        Bed::meeting(dialect, request, times, move |_, client| {
            client.write_all(answer.as_bytes())
        })
    }

    fn limits(self, lines: &str) -> Bed {
        limits(&self.site, lines);
        self
    }

    fn run(self) -> Met {
        observed(&self.site, || self.site.run(), |_| self.met())
    }

    fn met(&self) -> usize {
        self.met.load(Ordering::SeqCst)
    }
}

/// An answer of JSON.
fn told(status: u16, body: &Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "HTTP/1.1 {status} Told\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn check(faults: &[Fault]) {
    faults.iter().for_each(Fault::check);
}

#[test]
fn faults_between_us_and_dhis2_end_as_the_table_says() {
    check(transport::FAULTS);
}

#[test]
fn answers_that_are_no_success_end_as_the_table_says() {
    check(http::FAULTS);
}

#[test]
fn servers_that_are_overloaded_end_as_the_table_says() {
    check(overload::FAULTS);
}

#[test]
fn imports_that_do_not_do_what_they_should_end_as_the_table_says() {
    check(imports::FAULTS);
}

#[test]
fn faults_of_the_host_end_as_the_table_says() {
    check(host::FAULTS);
}
