//! How the mappings of a site stand: when each last went well, what is open, which periods were never sent.

use jiff::{SignedDuration, Timestamp};

use crate::cli::PeriodArgs;
use crate::exit::Problem;
use crate::history::{MappingState, Past, Run, RunState};
use crate::mapping::Mapping;
use crate::read::periods;
use crate::report::{Age, MappingStatus, SiteStatus};
use crate::site::Site;

/// A mapping without a success for so long is stale, unless somebody says otherwise: three hourly runs failed.
pub(crate) const MAX_AGE: SignedDuration = SignedDuration::from_hours(3);

/// How mappings are looked at.
pub(crate) struct Look<'l> {
    pub(crate) now: Timestamp,
    pub(crate) as_of: Timestamp,
    pub(crate) periods: &'l PeriodArgs,
    /// A mapping whose last success is older is stale.
    pub(crate) max_age: SignedDuration,
}

/// How mappings stand.
pub(crate) fn of(
    site: &Site,
    mappings: &[Mapping],
    past: Option<&Past>,
    look: &Look<'_>,
) -> Result<SiteStatus, Problem> {
    let mut status = SiteStatus {
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
        let periods = periods::of_run(mapping, look.periods, past, look.as_of, &site.time_zone)?;
        let standing = match past {
            Some(past) => past.standing(&mapping.name, &periods)?,
            None => MappingState {
                gaps: periods,
                ..MappingState::default()
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

fn is_interrupted(run: &Run) -> bool {
    matches!(run.state, RunState::Interrupted)
}

fn age(standing: &MappingState, now: Timestamp, max: SignedDuration) -> Age {
    let success: Option<Timestamp> = standing.success.as_ref().and_then(|at| at.parse().ok());
    match success.map(|at| now.duration_since(at)) {
        None => Age::Never,
        Some(age) if age > max => Age::Stale(age),
        Some(age) => Age::Fresh(age),
    }
}
