//! `run`: the whole pass: extract, map, plan, push, verify.

use jiff::Timestamp;

use super::begin;
use super::deliver::{Orders, deliver, not_sent};
use super::mode::Mode;
use super::record::{Intent, Record};
use super::start::{answerer, answerers, connect, empty_report, memory};
use super::target::Connection;
use super::{alerts, periods, relaxed, results, saved_plan, source};
use crate::cli::RunArgs;
use crate::domain::{Desired, Period, Veil};
use crate::exit::{Exit, Problem};
use crate::extract::{ExtractError, Snapshot};
use crate::map::Mapper;
use crate::mapping::Mapping;
use crate::plan::Answerer;
use crate::push::{Budget, EXTRA_REQUESTS};
use crate::report::{self, Keep, MappingReport, Report};
use crate::site::{self, Dhis2Access, Lock, Memory, Site, SourceAccess};
use crate::watchdog::Watch;

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
    let (_lock, secret) = match mode {
        Mode::Send => (Some(Lock::take(&site.state, started)?), site::Keep::InState),
        Mode::DryRun | Mode::AskServer => (None, site::Keep::Nowhere),
    };
    let veil = site::veil(&site.state, secret)?;
    let memory = memory(&site, mode, &dhis2.url)?;
    let answerers = match args.mappings.mappings.as_slice() {
        [] => mappings.iter().map(answerer).collect(),
        _ => answerers(&site, &mut report),
    };
    let intent = intent(&source, &dhis2, &jobs);
    let record = Record::begin(&site, mode, intent, &mut report)?;
    let mut pass = Pass {
        watch,
        source,
        dhis2: Dhis2State::Unasked(Some(Box::new((dhis2, memory)))),
        veil,
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
    let mut report = pass.report;
    report.mappings = pass.jobs.into_iter().map(|job| job.report).collect();
    if let Dhis2State::Open(connection) = &pass.dhis2 {
        report.requests = connection.dhis2.requests;
    }
    saved_plan::save(args.send.save_plan.as_deref(), &mut report, |name| {
        let read = mappings.iter().find(|mapping| mapping.name == name);
        read.map(|mapping| mapping.digests.clone())
            .unwrap_or_default()
    });
    report.ended = Timestamp::now();
    pass.record.finish(&site, &mut report);
    report::show(&report, &args.site, &args.send.report)?;
    alerts::tell(&site, &pass.watch, &report, &args.site);
    Ok(report.exit())
}

fn intent(source: &SourceAccess, dhis2: &Dhis2Access, jobs: &[Job<'_>]) -> Intent {
    let mut intent = Intent::new(&dhis2.url).reading(&source.settings);
    for job in jobs {
        let periods: Vec<Period> = job.parts.iter().rev().flatten().copied().collect();
        intent.add(&job.mapping.name, &periods, Some(job.mapping));
    }
    intent
}

/// A mapping with what is to be done and what became of it.
struct Job<'m> {
    mapping: &'m Mapping,
    /// What is still to be done, in parts; the next one last.
    parts: Vec<Vec<Period>>,
    report: MappingReport,
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
        let mut parts = periods::parts(&periods);
        parts.reverse();
        jobs.push(Job {
            mapping,
            parts,
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

/// DHIS2 is asked only once there is something to compare, and not again once it has refused.
enum Dhis2State {
    Unasked(Option<Box<(Dhis2Access, Memory)>>),
    Open(Box<Connection>),
    Refused,
}

/// What one snapshot of the source gave.
struct Read {
    /// What the role may do beyond reading.
    excess: Vec<String>,
    /// Of PostgreSQL.
    version: String,
    /// The next part of each mapping that has one.
    parts: Vec<(usize, anyhow::Result<Desired>)>,
}

struct Pass<'m> {
    watch: Watch,
    source: SourceAccess,
    dhis2: Dhis2State,
    veil: Veil,
    as_of: Timestamp,
    mode: Mode,
    keep: Keep,
    releases: &'m [String],
    answerers: Vec<Answerer>,
    budget: Budget,
    jobs: Vec<Job<'m>>,
    record: Record,
    report: Report,
}

impl Pass<'_> {
    /// Part by part: a snapshot for all mappings, closed before DHIS2 is asked anything.
    fn all(&mut self) {
        while self.jobs.iter().any(|job| !job.parts.is_empty()) {
            let extracted = match self.extract() {
                Ok(extracted) => extracted,
                Err(error) => {
                    self.report.problems.push(Problem::of(&error));
                    return;
                }
            };
            for (index, desired) in extracted {
                if let Err(problem) = self.deliver(index, desired) {
                    log::debug!("ends here: {problem}");
                }
            }
            if matches!(self.dhis2, Dhis2State::Refused) {
                return;
            }
        }
    }

    /// Reads the next part of every mapping in one snapshot, again if that fails in a way that may pass. A mapping whose
    /// result is not what it promises goes no further; a lost connection ends all.
    fn extract(&mut self) -> anyhow::Result<Vec<(usize, Desired)>> {
        self.watch.doing("reading the source");
        let failed = |read: &anyhow::Result<Read>| match read {
            Err(error) => source::may_pass(error),
            Ok(read) => read
                .parts
                .iter()
                .any(|(_, part)| matches!(part, Err(error) if source::may_pass(error))),
        };
        let read = source::patiently(&self.source, &self.watch, || self.read(), failed);
        for job in &mut self.jobs {
            job.parts.pop();
        }
        let Read {
            version,
            excess,
            parts,
        } = read?;
        relaxed::role(&mut self.report, &self.source.settings, &excess);
        self.report.source = Some(version);
        let mut extracted = Vec::new();
        for (index, part) in parts {
            match (part, self.jobs.get_mut(index)) {
                (Ok(desired), _) => extracted.push((index, desired)),
                (Err(error), Some(job)) => {
                    job.parts.clear();
                    job.report.problems.push(Problem::of(&error));
                }
                (Err(error), None) => return Err(error),
            }
        }
        Ok(extracted)
    }

    /// One snapshot, from connecting to closing.
    fn read(&self) -> anyhow::Result<Read> {
        let mut source = source::connect(&self.source)?;
        let version = source.server_version();
        let mut snapshot = source.snapshot()?;
        let mut parts = Vec::new();
        for (index, job) in self.jobs.iter().enumerate() {
            let Some(periods) = job.parts.last() else {
                continue;
            };
            self.watch.ensure_time()?;
            let part = desired(&mut snapshot, job.mapping, periods, self.as_of, &self.veil);
            match part {
                Err(error) if is_lost(&error) => return Err(error),
                part => parts.push((index, part)),
            }
        }
        snapshot.close()?;
        let excess = source.excess_rights().to_vec();
        Ok(Read {
            version,
            excess,
            parts,
        })
    }

    fn deliver(&mut self, index: usize, desired: Desired) -> Result<(), Problem> {
        self.watch.doing("asking DHIS2");
        let Some(job) = self.jobs.get_mut(index) else {
            return Ok(());
        };
        if let Dhis2State::Unasked(access) = &mut self.dhis2
            && let Some(access) = access.take()
        {
            let (access, memory) = *access;
            self.dhis2 = match connect(access, memory, &mut self.report) {
                Ok(mut connection) => {
                    connection.answerers = std::mem::take(&mut self.answerers);
                    Dhis2State::Open(Box::new(connection))
                }
                Err(error) => {
                    self.report.problems.push(Problem::of(&error));
                    Dhis2State::Refused
                }
            };
        }
        let Dhis2State::Open(connection) = &mut self.dhis2 else {
            job.report.absorb_cells(&not_sent(&desired));
            job.report.absorb_rows(desired.rows);
            return Ok(());
        };
        let before = job.report.problems.len();
        let orders = Orders {
            mode: self.mode,
            keep: self.keep,
            releases: self.releases,
            is_last: job.parts.is_empty(),
            age: None,
        };
        let delivered = deliver(
            connection,
            desired,
            &orders,
            &mut self.budget,
            &mut self.record,
            &mut job.report,
        );
        if job.report.problems.len() > before {
            job.parts.clear();
        }
        if delivered.is_err() || connection.dhis2.patience.has_given_up() {
            self.report.requests = connection.dhis2.requests;
            self.dhis2 = Dhis2State::Refused;
        }
        delivered
    }
}

/// Whether no other query will fare better.
fn is_lost(error: &anyhow::Error) -> bool {
    let fault = error.downcast_ref::<ExtractError>();
    fault.is_some_and(|fault| fault.kind.ends_all())
}

fn desired(
    snapshot: &mut Snapshot<'_>,
    mapping: &Mapping,
    periods: &[Period],
    as_of: Timestamp,
    veil: &Veil,
) -> anyhow::Result<Desired> {
    snapshot.attempt(|snapshot| {
        let mut mapper = Mapper::new(mapping, periods.to_vec());
        results::read(snapshot, mapping, periods, as_of, &mut mapper)?;
        Ok(mapper.finish(veil)?)
    })
}
