//! `status`: how each mapping stands, for monitoring agents and for people.

use jiff::Timestamp;

use crate::aftermath::alerts;
use crate::aftermath::mapping_status::{self, Look, MAX_AGE};
use crate::cli::StatusArgs;
use crate::exit::{Exit, Problem};
use crate::history::Past;
use crate::read::periods;
use crate::report;
use crate::site::{self, Site};

pub(super) fn status(args: &StatusArgs) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let site = Site::load(args.site.config.as_deref())?;
    if args.test_alerts {
        return test_alerts(&site, args);
    }
    let mappings = site.mappings(&args.mappings.mappings)?;
    report::ensure_writable(args.report.output.output.as_deref())?;
    let past = Past::open(&site.state, site::alive(&site.state))?;
    let look = Look {
        now,
        as_of: periods::as_of(&args.periods, now),
        periods: &args.periods,
        max_age: args.max_age.unwrap_or(MAX_AGE),
    };
    let status = mapping_status::of(&site, &mappings, past.as_ref(), &look)?;
    report::status(&status, &args.report)?;
    Ok(status.exit())
}

/// 5 if one of them did not arrive.
fn test_alerts(site: &Site, args: &StatusArgs) -> anyhow::Result<Exit> {
    report::ensure_writable(args.report.output.output.as_deref())?;
    if !site.has_alerts() {
        let message = format!("{} has no [[alert]] to test", site.file.display());
        return Err(Problem::new(Exit::Config, message).into());
    }
    let tests = alerts::test(site);
    report::tests(&tests, &args.report)?;
    let all = tests.iter().all(|(_, result)| result.is_ok());
    Ok(if all { Exit::Ok } else { Exit::Temporary })
}
