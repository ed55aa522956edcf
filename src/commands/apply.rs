//! `apply`: a saved plan → DHIS2, if DHIS2 is still as the plan found it; else nothing.

use jiff::Timestamp;

use super::approvals::close_approved;
use super::deliver::{account, send};
use super::mode::Mode;
use super::record::{Intent, Record};
use super::start::{connect, empty_report, memory};
use super::target::{self, Connection, Named};
use super::{alerts, begin};
use super::{saved_plan, server_opinion};
use crate::cli::ApplyArgs;
use crate::domain::{CellAccount, CellOutcome, Period, RowCounts, Sent};
use crate::exit::{Exit, Problem};
use crate::plan::{Recheck, Rechecked, SavedChange, SavedMapping, SavedPlan, Target};
use crate::push::{Budget, EXTRA_REQUESTS};
use crate::report::{self, Keep, MappingReport, MovedCell, Report};
use crate::site::Lock;
use crate::watchdog::Work;

/// Digits of a digest that people copy, and that are enough to name a plan.
const DIGITS: usize = 12;

/// The live values of a mapping are read in blocks of at most so many periods.
const PERIODS: usize = 24;

pub(super) fn apply(args: &ApplyArgs) -> anyhow::Result<Exit> {
    let started = Timestamp::now();
    let (site, watch) = begin(&args.site, Work::Usual)?;
    let access = site.dhis2()?;
    report::ensure_writable(args.report.output.output.as_deref())?;
    let (plan, digest) = saved_plan::read(&args.plan)?;
    ensure_same_server(&plan, &access.url)?;
    let url = access.url.clone();
    let mode = args.dry_run.mode();
    let _lock = match mode {
        Mode::Send => Some(Lock::take(&site.state, started)?),
        Mode::DryRun | Mode::AskServer => None,
    };
    watch.doing("asking DHIS2");
    let mut report = empty_report("apply", mode, plan.as_of, started);
    report.mappings = plan.mappings.iter().map(mapping_report).collect();
    let memory = memory(&site, mode, &url)?;
    let mut record = Record::begin(&site, mode, intent(&report, &url), &mut report)?;
    let released = args.release.iter().any(|named| names(named, &digest));
    if let Some(problem) = too_old(&plan, started, &digest).filter(|_| !released) {
        report.problems.push(problem);
        nothing_sent(&plan, &mut report, CellOutcome::Held);
    } else if hold(&plan, &mut report) {
        nothing_sent(&plan, &mut report, CellOutcome::Held);
    } else {
        match connect(access, memory, &mut report) {
            Ok(mut connection) => {
                apply_all(
                    &mut connection,
                    &plan,
                    mode,
                    args.report.keep(),
                    &mut record,
                    &mut report,
                );
                report.requests = connection.dhis2.requests;
            }
            Err(error) => {
                report.problems.push(Problem::of(&error));
                nothing_sent(&plan, &mut report, CellOutcome::NotSent);
            }
        }
    }
    report.ended = Timestamp::now();
    record.finish(&site, &mut report);
    report::show(&report, &args.site, &args.report)?;
    alerts::tell(&site, &watch, &report, &args.site);
    Ok(report.exit())
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

/// Whether a mapping was held when the plan was made; its report says so.
fn hold(plan: &SavedPlan, report: &mut Report) -> bool {
    let each = plan.mappings.iter().zip(&mut report.mappings);
    for (saved, mapping) in each.filter(|(saved, _)| saved.held) {
        let message = format!(
            "{} was held when the plan was made; nothing of the plan is sent; make a new one once nothing is held",
            saved.name
        );
        mapping.problems.push(Problem::new(Exit::Held, message));
    }
    plan.mappings.iter().any(|saved| saved.held)
}

/// The plan has no rows, but its periods are told.
fn mapping_report(saved: &SavedMapping) -> MappingReport {
    let mut report = MappingReport::new(&saved.name);
    report.data_set = Some(saved.data_set);
    report.period_type = Some(saved.period_type);
    let periods = saved.changes.iter().map(|change| change.cell().period);
    let periods = periods.map(|period| (period, RowCounts::default()));
    report.rows.periods = periods.collect();
    report
}

fn intent(report: &Report, url: &str) -> Intent {
    let mut intent = Intent::new(url);
    for mapping in &report.mappings {
        let periods: Vec<Period> = mapping.rows.periods.keys().copied().collect();
        intent.add(&mapping.name, &periods, None);
    }
    intent
}

/// Accounts for every cell of the plan where none is sent.
fn nothing_sent(plan: &SavedPlan, report: &mut Report, outcome: CellOutcome) {
    for (saved, mapping) in plan.mappings.iter().zip(&mut report.mappings) {
        let mut account = CellAccount::default();
        for change in &saved.changes {
            let counts = account.periods.entry(change.cell().period).or_default();
            counts.cells += 1;
            counts.count(outcome);
        }
        mapping.absorb_cells(&account);
    }
}

/// Looks at all mappings before anything is sent: the plan is applied whole or not at all.
fn apply_all(
    connection: &mut Connection,
    plan: &SavedPlan,
    mode: Mode,
    keep: Keep,
    record: &mut Record,
    report: &mut Report,
) {
    let mut targets = Vec::new();
    for (saved, mapping) in plan.mappings.iter().zip(&mut report.mappings) {
        match find(connection, saved) {
            Ok(target) => {
                mapping.names = target::names(&target);
                mapping.codes = target.data_set.codes.clone();
                targets.push(target);
            }
            Err(error) => mapping.problems.push(Problem::of(&error)),
        }
    }
    if targets.len() < plan.mappings.len() {
        return nothing_sent(plan, report, CellOutcome::NotSent);
    }
    let mut rechecked = Vec::new();
    let each = plan.mappings.iter().zip(&targets);
    for ((saved, target), mapping) in each.zip(&mut report.mappings) {
        match recheck(connection, saved, target) {
            Ok(each) => rechecked.push(each),
            Err(error) => mapping.problems.push(Problem::of(&error)),
        }
    }
    if rechecked.len() < plan.mappings.len() {
        return nothing_sent(plan, report, CellOutcome::NotSent);
    }
    if rechecked.iter().any(|each| !each.moved.is_empty()) {
        return hold_moved(rechecked, report);
    }
    let mut budget = Budget {
        extra_requests: EXTRA_REQUESTS,
    };
    let mut goes_on = true;
    let each = rechecked.into_iter().zip(&targets);
    for ((each, target), mapping) in each.zip(&mut report.mappings) {
        let plan = each.plan;
        let sent = match mode {
            _ if !goes_on => vec![Sent::NotSent; plan.changes.len()],
            Mode::DryRun => vec![Sent::Confirmed; plan.changes.len()],
            Mode::AskServer => server_opinion::ask(connection, &plan, target, &mut budget, mapping),
            // Its problem is in the mapping's report.
            Mode::Send => {
                send(connection, &plan, target, &mut budget, record, mapping).unwrap_or_default()
            }
        };
        let recorded = record.part(&mapping.name, &plan, &sent, false);
        mapping.problems.extend(recorded.err());
        goes_on &= mapping.problems.is_empty();
        account(plan, sent, false, keep, mapping);
    }
}

/// What DHIS2 is like for a mapping of the plan.
fn find(connection: &mut Connection, saved: &SavedMapping) -> anyhow::Result<Target> {
    let named = Named::of_cells(saved.changes.iter().map(SavedChange::cell));
    let target = connection.target_of(saved.data_set, &named)?;
    let (now, then) = (target.data_set.period_type, saved.period_type);
    if now != then {
        let message = format!(
            "data set {} ({}) is {now}, and the plan has {then} periods; nothing was sent; make a new plan",
            target.data_set.name, target.data_set.id
        );
        return Err(Problem::new(Exit::Target, message).into());
    }
    Ok(target)
}

fn recheck(
    connection: &mut Connection,
    saved: &SavedMapping,
    target: &Target,
) -> anyhow::Result<Rechecked> {
    let mut recheck = Recheck::new(saved, target);
    for (periods, units) in recheck.blocks(PERIODS) {
        connection
            .dhis2
            .live(saved.data_set, &periods, &units, &mut |row| {
                recheck.live(&row);
            })?;
    }
    let mut rechecked = recheck.finish();
    close_approved(connection, &mut rechecked.plan, target)?;
    Ok(rechecked)
}

/// A cell moved: nothing is sent of any mapping.
fn hold_moved(rechecked: Vec<Rechecked>, report: &mut Report) {
    for (each, mapping) in rechecked.into_iter().zip(&mut report.mappings) {
        let held = each.plan.account_with(|_, _| CellOutcome::Held);
        mapping.absorb_cells(&held);
        if each.moved.is_empty() {
            continue;
        }
        let message = format!(
            "held: {} of {} cells are no longer as the plan found them; nothing was sent; look at them and make a new plan",
            each.moved.len(),
            held.total().cells
        );
        mapping.problems.push(Problem::new(Exit::Held, message));
        let moved = each.moved.into_iter().map(|moved| MovedCell {
            cell: moved.cell,
            expected: moved.expected,
            found: moved.found,
            author: moved.author,
        });
        mapping.moved = moved.collect();
    }
}
