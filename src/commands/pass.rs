//! The whole pass over the mappings of a run, part by part: a snapshot for all of them, closed before DHIS2 is asked.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::deliver::{Orders, deliver, not_sent};
use super::mode::Mode;
use super::record::Record;
use super::start::connect;
use super::target::Connection;
use super::turn::Turn;
use super::{relaxed, results, source};
use crate::cli::BackfillArgs;
use crate::domain::{Desired, KeyMask, Period};
use crate::exit::Problem;
use crate::extract::{ExtractError, Snapshot};
use crate::map::Mapper;
use crate::mapping::Mapping;
use crate::plan::Answerer;
use crate::push::Budget;
use crate::report::{Before, Keep, MappingReport, Progress, Report};
use crate::site::{Dhis2Access, Memory, Site, SourceAccess};
use crate::watchdog::Watch;

/// A mapping with what is to be done and what became of it.
pub(super) struct Job<'m> {
    pub(super) mapping: &'m Mapping,
    /// What is still to be done, in parts.
    pub(super) parts: VecDeque<Vec<Period>>,
    pub(super) report: MappingReport,
}

impl Job<'_> {
    /// Periods that are still to be done.
    pub(super) fn left(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }
}

/// DHIS2 is asked only once there is something to compare, and not again once it has refused.
pub(super) enum Dhis2State {
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

pub(super) struct Pass<'m> {
    pub(super) site: &'m Site,
    /// None: it writes nothing.
    pub(super) turn: Option<Turn>,
    pub(super) rest: &'m BackfillArgs,
    pub(super) progress: Progress,
    pub(super) watch: Watch,
    pub(super) source: SourceAccess,
    pub(super) dhis2: Dhis2State,
    pub(super) mask: KeyMask,
    pub(super) as_of: Timestamp,
    pub(super) mode: Mode,
    pub(super) keep: Keep,
    pub(super) releases: &'m [String],
    pub(super) answerers: Vec<Answerer>,
    pub(super) budget: Budget,
    pub(super) jobs: Vec<Job<'m>>,
    pub(super) record: Record,
    pub(super) report: Report,
}

impl Pass<'_> {
    /// Part by part: a snapshot for all mappings, closed before DHIS2 is asked anything.
    pub(super) fn all(&mut self) {
        while self.is_left() {
            let began = Instant::now();
            let extracted = match self.extract() {
                Ok(extracted) => extracted,
                Err(error) => {
                    self.report.problems.push(Problem::of(&error));
                    return;
                }
            };
            for (index, desired) in extracted {
                self.part(index, desired);
            }
            if matches!(self.dhis2, Dhis2State::Refused) || !self.is_left() {
                return;
            }
            if let Err(problem) = self.give_way(began.elapsed()) {
                self.report.problems.push(problem);
                return;
            }
        }
    }

    fn is_left(&self) -> bool {
        self.jobs.iter().any(|job| !job.parts.is_empty())
    }

    fn part(&mut self, index: usize, desired: Desired) {
        let before = self.jobs.get(index).map(|job| Before::of(&job.report));
        let periods = desired.periods.clone();
        if let Err(problem) = self.deliver(index, desired) {
            log::debug!("ends here: {problem}");
        }
        if let (Some(job), Some(before)) = (self.jobs.get(index), before) {
            self.progress.part(&periods, before, &job.report);
        }
    }

    /// Between two parts: rests as long as was asked for, and lets the run that waits go first. What it found in DHIS2
    /// is read again.
    fn give_way(&mut self, took: Duration) -> Result<(), Problem> {
        let pause = self.rest.pause.map(Duration::try_from);
        let pause = pause.and_then(Result::ok).unwrap_or_default();
        let rest = match self.rest.gentle {
            true => pause.max(took),
            false => pause,
        };
        let Some(turn) = &mut self.turn else {
            return self.watch.rest(rest);
        };
        turn.give_way(&self.site.state, rest, &self.watch)?;
        if let Dhis2State::Open(connection) = &mut self.dhis2 {
            connection.memory = connection.memory.renewed(&self.site.state)?;
        }
        Ok(())
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
            job.parts.pop_front();
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
            let Some(periods) = job.parts.front() else {
                continue;
            };
            self.watch.ensure_time()?;
            let part = desired(&mut snapshot, job.mapping, periods, self.as_of, &self.mask);
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
    mask: &KeyMask,
) -> anyhow::Result<Desired> {
    snapshot.attempt(|snapshot| {
        let mut mapper = Mapper::new(mapping, periods.to_vec());
        results::read(snapshot, mapping, periods, as_of, &mut mapper)?;
        Ok(mapper.finish(mask)?)
    })
}
