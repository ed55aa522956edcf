//! `run`: the whole pass: extract, map, plan, push, verify.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::begin;
use super::conclude::conclude;
use super::mode::Mode;
use super::pass::{Dhis2State, Job, Pass};
use super::record::{Intent, Record};
use super::start::{answerer, answerers, empty_report, memory};
use super::turn::Turn;
use super::{monitoring, periods, relaxed, saved_plan};
use crate::cli::RunArgs;
use crate::domain::Period;
use crate::exit::{Exit, Problem};
use crate::mapping::Mapping;
use crate::push::{Budget, EXTRA_REQUESTS};
use crate::report::{self, MappingReport, Progress, Report};
use crate::site::{self, Dhis2Access, Site, SourceAccess};

pub(super) fn run(args: &RunArgs) -> anyhow::Result<Exit> {
    let started = Timestamp::now();
    let (site, watch) = begin(&args.site, periods::work(&args.periods))?;
    let mappings = site.mappings(&args.mappings.mappings)?;
    let source = site.source()?;
    let dhis2 = site.dhis2()?;
    report::ensure_writable(args.send.report.output.output.as_deref())?;
    saved_plan::ensure_writable(args.send.save_plan.as_deref())?;
    let as_of = periods::as_of(&args.periods, started);
    let mode = args.send.mode();
    let mut report = empty_report("run", mode, as_of, started);
    relaxed::transport(&mut report, &source.settings);
    let jobs = jobs(&mappings, args, as_of, &site, &mut report)?;
    report.in_parts = is_in_parts(&jobs, args);
    let turn = match mode {
        Mode::Send => Some(Turn::take(&site.state, started, &watch, report.in_parts)?),
        Mode::DryRun | Mode::AskServer => None,
    };
    let mask = site::key_mask(&site.state, mode.secret())?;
    let memory = memory(&site, mode, &dhis2.url)?;
    let answerers = match args.mappings.mappings.is_empty() {
        true => mappings.iter().map(answerer).collect(),
        false => answerers(&site, &mut report),
    };
    let intent = intent(&source, &dhis2, &jobs);
    let record = monitoring::begun(&site, Record::begin(&site, mode, intent, &mut report)?);
    let mut pass = Pass {
        site: &site,
        turn,
        rest: &args.backfill,
        progress: Progress::begin(left(&jobs), report.in_parts, &args.site),
        watch,
        source,
        dhis2: Dhis2State::Unasked(Some(Box::new((dhis2, memory)))),
        mask,
        as_of,
        mode,
        keep: args.send.keep(),
        releases: &args.send.release,
        answerers,
        budget: Budget {
            extra_requests: EXTRA_REQUESTS,
        },
        jobs,
        record,
        report,
    };
    pass.all();
    pass.progress.end();
    let mut report = pass.report;
    report.mappings = pass.jobs.into_iter().map(|job| job.report).collect();
    if let Dhis2State::Open(connection) = &pass.dhis2 {
        report.requests = connection.dhis2.requests;
    }
    saved_plan::save(args.send.save_plan.as_deref(), &mut report, |name| {
        digests(&mappings, name)
    });
    let told = (&args.site, &args.send.report);
    conclude(&site, &pass.watch, pass.record, report, told)
}

/// An hourly run has one part of each mapping, or its parts are of no interest to anybody.
fn is_in_parts(jobs: &[Job<'_>], args: &RunArgs) -> bool {
    !args.periods.periods.is_empty() && jobs.iter().any(|job| job.parts.len() > 1)
}

/// Of the files of a mapping.
fn digests(mappings: &[Mapping], name: &str) -> BTreeMap<String, String> {
    let read = mappings.iter().find(|mapping| mapping.name == name);
    read.map(|mapping| mapping.digests.clone())
        .unwrap_or_default()
}

/// Periods of all mappings that are to be done.
fn left(jobs: &[Job<'_>]) -> usize {
    jobs.iter().map(Job::left).sum()
}

fn intent(source: &SourceAccess, dhis2: &Dhis2Access, jobs: &[Job<'_>]) -> Intent {
    let mut intent = Intent::new(&dhis2.url).reading(&source.settings);
    for job in jobs {
        let mut periods: Vec<Period> = job.parts.iter().flatten().copied().collect();
        periods.sort_unstable();
        intent.add(&job.mapping.name, &periods, Some(job.mapping));
    }
    intent
}

/// The mappings that have periods. The others are named in a note.
fn jobs<'m>(
    mappings: &'m [Mapping],
    args: &RunArgs,
    as_of: Timestamp,
    site: &Site,
    report: &mut Report,
) -> Result<Vec<Job<'m>>, Problem> {
    let mut jobs = Vec::new();
    let mut without = Vec::new();
    for mapping in mappings {
        let periods = periods::of_mapping(mapping, &args.periods, as_of, &site.time_zone);
        if periods.is_empty() {
            without.push(mapping.name.as_str());
            continue;
        }
        jobs.push(Job {
            mapping,
            parts: periods::parts(&periods, &args.backfill),
            report: MappingReport::new(&mapping.name),
        });
    }
    periods::ensure_any(&without, mappings.len())?;
    let notes = without
        .iter()
        .map(|name| format!("{name} has no period in what was asked for"));
    report.notes.extend(notes);
    Ok(jobs)
}
