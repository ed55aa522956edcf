//! `apply`: a saved plan → DHIS2, if DHIS2 is still as the plan found it; else nothing.

use jiff::Timestamp;

use crate::cli::ApplyArgs;
use crate::deliver;
use crate::domain::{CellOutcome, Period, RowCounts};
use crate::exit::{Exit, Problem};
use crate::plan::{SavedMapping, SavedPlan};
use crate::report::MappingReport;
use crate::session::{Intent, Preparation, read_saved_plan};
use crate::watchdog::Work;

/// Digits of a digest that people copy, and that are enough to name a plan.
const DIGITS: usize = 12;

pub(super) fn apply(args: &ApplyArgs) -> anyhow::Result<Exit> {
    let mut preparation = Preparation::of(args.into(), Work::Usual)?;
    let access = preparation.site.dhis2()?;
    let (plan, digest) = read_saved_plan(&args.plan)?;
    ensure_same_server(&plan, &access.url)?;
    preparation.report.as_of = plan.as_of;
    preparation.take_turn()?;
    let memory = preparation.memory(&access)?;
    let mut mappings: Vec<MappingReport> = plan.mappings.iter().map(mapping_report).collect();
    let mut session = preparation.begin(intent(&mappings, &access.url))?;
    let released = args.release.iter().any(|named| names(named, &digest));
    let too_old = too_old(&plan, session.report.started, &digest).filter(|_| !released);
    if let Some(problem) = too_old {
        session.report.problems.push(problem);
        deliver::nothing_sent(&plan, &mut mappings, CellOutcome::Held);
    } else if deliver::hold(&plan, &mut mappings) {
        deliver::nothing_sent(&plan, &mut mappings, CellOutcome::Held);
    } else {
        deliver::apply(&plan, access, memory, &mut session, &mut mappings);
    }
    session.conclude(mappings)
}

fn ensure_same_server(plan: &SavedPlan, url: &str) -> Result<(), Problem> {
    let same = |url: &str| url.trim_end_matches('/').to_owned();
    if same(&plan.dhis2.url) == same(url) {
        return Ok(());
    }
    Err(Problem::new(
        Exit::Target,
        format!(
            "the plan is for the DHIS2 at {}, and the site's is at {url}; nothing was sent; make a plan with this site",
            plan.dhis2.url
        ),
    ))
}

/// Whether a digest, or enough of its beginning, names a plan.
fn names(named: &str, digest: &str) -> bool {
    named.len() >= DIGITS && digest.starts_with(named)
}

fn too_old(plan: &SavedPlan, now: Timestamp, digest: &str) -> Option<Problem> {
    let limits = plan.mappings.iter().map(|saved| saved.max_age);
    let limit = limits.min().unwrap_or(u64::MAX);
    // A plan from a clock that is ahead of ours is new.
    let age = u64::try_from(now.duration_since(plan.created).as_secs()).unwrap_or_default();
    if age <= limit {
        return None;
    }
    let message = format!(
        "held: the plan is {} minutes old, and max-age allows {}; nothing was sent; make a new one, or look at this one and \
         apply it with --release {}",
        age / 60,
        limit / 60,
        digest.get(..DIGITS).unwrap_or(digest)
    );
    Some(Problem::new(Exit::Held, message))
}

/// The plan has no rows, but its periods are told.
fn mapping_report(saved: &SavedMapping) -> MappingReport {
    let mut report = MappingReport::new(&saved.name);
    report.plan.data_set = Some(saved.data_set);
    report.plan.period_type = Some(saved.period_type);
    let periods = saved.changes.iter().map(|change| change.cell().period);
    let periods = periods.map(|period| (period, RowCounts::default()));
    report.rows.periods = periods.collect();
    report
}

fn intent(mappings: &[MappingReport], url: &str) -> Intent {
    let mut intent = Intent::new(url);
    for mapping in mappings {
        let periods: Vec<Period> = mapping.rows.periods.keys().copied().collect();
        intent.add(&mapping.name, &periods, None);
    }
    intent
}
