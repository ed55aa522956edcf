//! Where a fault of the source is met: DHIS2 holds 5, the registry says 6 by now, and a wire counts who connects.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::thread;

use postgres::Client;
use rig::dhis2::{Dialect, ValueKey};

use super::super::Met;
use crate::program::{Finished, program};
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::wire::Wire;

/// The default combo.
const COMBO: &str = "HllvX50cXC0";

/// The run of every row.
const RUN: [&str; 5] = ["run", "-p", "202503", "--as-of", NOW];

/// A site that has run, and has something to send again.
pub(super) fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0).silent();
    site.database.execute("UPDATE t SET value = '6'");
    site.dhis2.forget_requests();
    site
}

/// Such a site with lines before `[dhis2]`, where those of the source stand.
pub(super) fn with(source: &str) -> SmallSite {
    let site = site();
    site.replace("pg2dhis2.toml", "[dhis2]", &format!("{source}\n[dhis2]"));
    site
}

pub(super) fn limits(site: &SmallSite, lines: &str) {
    site.replace("pg2dhis2.toml", "[limits]", &format!("[limits]\n{lines}"));
}

/// Values of March 2025: element, unit, value.
pub(super) fn values(of: &[[&str; 3]]) -> BTreeMap<ValueKey, String> {
    let key = |element: &str, unit: &str| {
        let [element, period, unit, combo] = [element, "202503", unit, COMBO].map(str::to_owned);
        (element, period, unit, combo.clone(), combo)
    };
    of.iter()
        .map(|[element, unit, value]| (key(element, unit), (*value).to_owned()))
        .collect()
}

/// What a run does to DHIS2; it says how often the source was asked.
pub(super) fn met(site: &SmallSite, run: impl FnOnce() -> (Finished, usize)) -> Met {
    let before = site.dhis2.values();
    let (run, asked) = run();
    let requests = site.dhis2.requests();
    let posts = requests.iter().filter(|request| request.method == "POST");
    Met {
        run,
        asked,
        posts: posts.count(),
        before,
        after: site.dhis2.values(),
        wanted: values(&[[NUMBER, UNITS[0], "6"]]),
    }
}

/// Runs the site, with a wire to its source.
pub(super) fn wired(site: &SmallSite) -> Met {
    let wire = Wire::into(site, 0);
    met(site, || (site.run(), wire.connections()))
}

/// The same with another query.
pub(super) fn queried(site: &SmallSite, sql: &str) -> Met {
    site.write("mappings/query.sql", sql);
    wired(site)
}

/// Runs the site, and does something again and again until it has ended.
pub(super) fn run_while(site: &SmallSite, mut work: impl FnMut()) -> Finished {
    let folder = site.folder.path();
    thread::scope(|scope| {
        let run = scope.spawn(|| program(folder, &RUN));
        while !run.is_finished() {
            work();
        }
        run.join().expect("the run ended")
    })
}

/// Sessions of the program in a database that wait so, by their process. PostgreSQL answers after a moment, so that
/// asking again and again costs little.
pub(super) fn waiting(session: &mut Client, database: &str, event: &str) -> Vec<i32> {
    let mut sql = "SELECT pid FROM pg_stat_activity, pg_sleep(0.05)
        WHERE application_name LIKE 'pg2dhis2%'"
        .to_owned();
    write!(
        sql,
        " AND datname = '{database}' AND wait_event = '{event}'"
    )
    .expect("a text");
    let rows = session.query(&sql, &[]).expect("PostgreSQL answers");
    rows.iter().map(|row| row.get(0)).collect()
}
