//! `history`: what runs did, and whether the record of it is as it was written.

use jiff::tz::TimeZone;

use crate::cli::{HistoryArgs, Since};
use crate::exit::{Exit, Problem};
use crate::history::{Filter, Past, moment};
use crate::report;
use crate::site::{self, Site};

pub(super) fn history(args: &HistoryArgs) -> anyhow::Result<Exit> {
    let site = Site::load(args.site.config.as_deref())?;
    let file = args.output.output.as_deref();
    report::ensure_writable(file)?;
    let past = Past::open(&site.state, site::alive(&site.state))?;
    if args.verify {
        return verify(past.as_ref(), args);
    }
    if let Some(number) = args.run {
        let whole = past.map(|past| past.run(number)).transpose()?.flatten();
        let whole = whole.ok_or_else(|| {
            Problem::new(
                Exit::Usage,
                format!("the history has no run {number}; look at `pg2dhis2 history`"),
            )
        })?;
        report::one_run(&whole, args.format, file)?;
        return Ok(Exit::Ok);
    }
    let filter = Filter {
        mappings: args.mappings.clone(),
        since: args.since.map(|since| begin(since, &site.time_zone)),
        failed: args.failed,
        last: args.last,
    };
    let runs = past.map(|past| past.runs(&filter)).transpose()?;
    report::runs(&runs.unwrap_or_default(), args.format, file)?;
    Ok(Exit::Ok)
}

fn verify(past: Option<&Past>, args: &HistoryArgs) -> anyhow::Result<Exit> {
    let file = args.output.output.as_deref();
    let words = match past.map(Past::verify) {
        None => "nothing is recorded yet".to_owned(),
        Some(Ok(checked)) => format!(
            "{} entries, none edited, removed or moved; the last is {} with the hash {}",
            checked.entries, checked.head.0, checked.head.1
        ),
        Some(Err(broken)) => {
            let message =
                format!("the history is not as it was written: {broken}; compare it with a copy");
            return Err(Problem::new(Exit::State, message).into());
        }
    };
    report::sentence(&words, file)?;
    Ok(Exit::Ok)
}

/// The moment as entries have it.
fn begin(since: Since, zone: &TimeZone) -> String {
    match since {
        Since::Moment(at) => moment(at),
        Since::Day(day) => {
            let first = day.at(0, 0, 0, 0);
            match zone.to_ambiguous_timestamp(first).compatible() {
                Ok(at) => moment(at),
                Err(_) => first.to_string(),
            }
        }
    }
}
