//! `status`: how each mapping stands, for monitoring agents and for people.

use jiff::{SignedDuration, Timestamp};

use super::{alerts, periods};
use crate::cli::{PeriodArgs, StatusArgs};
use crate::exit::{Exit, Problem};
use crate::history::{Past, Run, RunState, Standing};
use crate::mapping::Mapping;
use crate::report::{self, Age, MappingStatus, Status};
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
        max_age: args.max_age,
    };
    let status = of(&site, &mappings, past.as_ref(), &look)?;
    report::history::status(&status, &args.report)?;
    Ok(status.exit())
}

/// How mappings are looked at.
pub(super) struct Look<'l> {
    pub(super) now: Timestamp,
    pub(super) as_of: Timestamp,
    pub(super) periods: &'l PeriodArgs,
    /// Of the last success.
    pub(super) max_age: SignedDuration,
}

/// How mappings stand.
pub(super) fn of(
    site: &Site,
    mappings: &[Mapping],
    past: Option<&Past>,
    look: &Look<'_>,
) -> Result<Status, Problem> {
    let mut status = Status {
        interrupted: None,
        analytics: None,
        mappings: Vec::new(),
    };
    if let Some(past) = past {
        status.analytics = past.analytics()?;
        let latest = past.latest()?;
        status.interrupted = latest
            .filter(is_interrupted)
            .map(|run| (run.number, run.at));
    }
    for mapping in mappings {
        let periods = periods::of_mapping(mapping, look.periods, look.as_of, &site.time_zone);
        let standing = match past {
            Some(past) => past.standing(&mapping.name, &periods)?,
            None => Standing {
                gaps: periods,
                ..Standing::default()
            },
        };
        status.mappings.push(MappingStatus {
            name: mapping.name.clone(),
            age: age(&standing, look.now, look.max_age),
            standing,
        });
    }
    Ok(status)
}

/// 5 if one of them did not arrive.
fn test_alerts(site: &Site, args: &StatusArgs) -> anyhow::Result<Exit> {
    report::ensure_writable(args.report.output.output.as_deref())?;
    if !site.has_alerts() {
        let message = format!("{} has no [[alert]] to test", site.file.display());
        return Err(Problem::new(Exit::Config, message).into());
    }
    let tests = alerts::test(site);
    report::history::tests(&tests, &args.report)?;
    let all = tests.iter().all(|(_, result)| result.is_ok());
    Ok(if all { Exit::Ok } else { Exit::Temporary })
}

fn is_interrupted(run: &Run) -> bool {
    matches!(run.state, RunState::Interrupted)
}

fn age(standing: &Standing, now: Timestamp, max: SignedDuration) -> Age {
    let success: Option<Timestamp> = standing.success.as_ref().and_then(|at| at.parse().ok());
    match success.map(|at| now.duration_since(at)) {
        None => Age::Never,
        Some(age) if age > max => Age::Stale(age),
        Some(age) => Age::Fresh(age),
    }
}
