//! One pass over the mappings of a run, part by part: a snapshot of the source for all of them, closed before DHIS2 is
//! asked anything.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::cli::{BackfillArgs, RunArgs};
use crate::deliver::{Delivery, PartOf};
use crate::domain::{Desired, KeyMask, Period};
use crate::exit::Problem;
use crate::history::Past;
use crate::mapping::Mapping;
use crate::read::{Part, SourceReader, periods};
use crate::report::{Before, MappingReport, Progress};
use crate::session::{Intent, Mode, Preparation, Session};
use crate::site::{Dhis2Access, SourceAccess};

/// A mapping with what is to be done and what became of it.
pub(crate) struct Job<'m> {
    mapping: &'m Mapping,
    /// What is still to be done, in parts.
    parts: VecDeque<Vec<Period>>,
    report: MappingReport,
}

pub(crate) struct Pass<'m> {
    pub(crate) source: SourceReader,
    /// Hides keys that no mapping knows.
    pub(crate) mask: KeyMask,
    pub(crate) delivery: Delivery,
    pub(crate) jobs: Vec<Job<'m>>,
    /// How long the pass rests between its parts.
    pub(crate) rest: &'m BackfillArgs,
}

/// The mappings that have periods; the others are named in a note of the report.
pub(crate) fn jobs<'m>(
    mappings: &'m [Mapping],
    args: &RunArgs,
    preparation: &mut Preparation<'_>,
) -> Result<Vec<Job<'m>>, Problem> {
    let report = &mut preparation.report;
    report.as_of = periods::as_of(&args.periods, report.started);
    report.is_led_by_clock = args.periods.periods.is_empty() && args.periods.as_of.is_none();
    let site = &preparation.site;
    let time_zone = &site.time_zone;
    let past = match (Past::open(&site.state, Vec::new()), preparation.orders.mode) {
        // Where there is no state folder, the lock says so.
        (Err(problem), Mode::Send) if site.state.is_dir() => return Err(problem),
        (past, _) => past.ok().flatten(),
    };
    let mut jobs = Vec::new();
    let mut without = Vec::new();
    for mapping in mappings {
        let mut periods = periods::of_mapping(mapping, &args.periods, report.as_of, time_zone);
        if args.periods.periods.is_empty() {
            let missed = periods::missed(mapping, past.as_ref(), report.as_of, time_zone)?;
            if !missed.is_empty() {
                report.notes.push(format!(
                    "{} also looks at {}, which runs were to look at since the last one that confirmed all it was due to",
                    mapping.name,
                    periods::shown(&missed).join(", ")
                ));
            }
            periods.splice(0..0, missed);
        }
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
    // An hourly run has one part of each mapping, or its parts are of no interest to anybody.
    report.in_parts =
        !args.periods.periods.is_empty() && jobs.iter().any(|job| job.parts.len() > 1);
    Ok(jobs)
}

/// What the pass is about to do, for the record.
pub(crate) fn intent(source: &SourceAccess, dhis2: &Dhis2Access, jobs: &[Job<'_>]) -> Intent {
    let mut intent = Intent::new(&dhis2.url).reading(&source.settings);
    for job in jobs {
        let mut periods: Vec<Period> = job.parts.iter().flatten().copied().collect();
        periods.sort_unstable();
        intent.add(&job.mapping.name, &periods, Some(job.mapping));
    }
    intent
}

impl Pass<'_> {
    /// Does it all; what became of each mapping is in its report, what ended the pass early in that of the session.
    pub(crate) fn all(mut self, session: &mut Session<'_>) -> Vec<MappingReport> {
        let left = self.jobs.iter().map(Job::left).sum();
        let mut progress = Progress::begin(left, &session.report, session.orders.site);
        if let Err(problem) = self.parts(session, &mut progress) {
            session.report.problems.push(problem);
        }
        progress.end();
        let mut reports: Vec<MappingReport> = self.jobs.into_iter().map(|job| job.report).collect();
        self.delivery.look_for_stranded(session, &mut reports);
        reports
    }

    fn parts(&mut self, session: &mut Session<'_>, progress: &mut Progress) -> Result<(), Problem> {
        while self.is_left() {
            let began = Instant::now();
            let read = self.read(session).map_err(|error| Problem::of(&error))?;
            for (index, desired) in read {
                self.deliver(index, desired, session, progress);
            }
            if self.delivery.is_refused() || !self.is_left() {
                return Ok(());
            }
            session.give_way(self.rest(began.elapsed()))?;
            self.delivery.renew_memory(&session.site)?;
        }
        Ok(())
    }

    fn is_left(&self) -> bool {
        self.jobs.iter().any(|job| !job.parts.is_empty())
    }

    /// How long to leave the neighbours alone after a part that took so long.
    fn rest(&self, took: Duration) -> Duration {
        let pause = self.rest.pause.map(Duration::try_from);
        let pause = pause.and_then(Result::ok).unwrap_or_default();
        match self.rest.gentle {
            true => pause.max(took),
            false => pause,
        }
    }

    /// Reads the next part of every mapping in one snapshot. A mapping whose result is not what it promises goes no
    /// further.
    fn read(&mut self, session: &mut Session<'_>) -> anyhow::Result<Vec<(usize, Desired)>> {
        let next = self.jobs.iter().enumerate();
        let next = next.filter_map(|(index, job)| Some((index, job.mapping, job.parts.front()?)));
        let (indexes, parts): (Vec<usize>, Vec<Part<'_>>) = next
            .map(|(index, mapping, periods)| (index, Part { mapping, periods }))
            .unzip();
        let read = self.source.read(&parts, &self.mask, &session.watch);
        for job in &mut self.jobs {
            job.parts.pop_front();
        }
        let read = read?;
        session.source_answered(&self.source.access, &read);
        let mut all = Vec::new();
        for (index, desired) in indexes.into_iter().zip(read.parts) {
            match (desired, self.jobs.get_mut(index)) {
                (Ok(desired), _) => all.push((index, desired)),
                (Err(error), Some(job)) => {
                    job.parts.clear();
                    job.report.problems.push(Problem::of(&error));
                }
                (Err(error), None) => return Err(error),
            }
        }
        Ok(all)
    }

    fn deliver(
        &mut self,
        index: usize,
        desired: Desired,
        session: &mut Session<'_>,
        progress: &mut Progress,
    ) {
        let Some(job) = self.jobs.get_mut(index) else {
            return;
        };
        let before = Before::of(&job.report);
        let problems = job.report.problems.len();
        let periods = desired.periods.clone();
        let part = PartOf {
            is_last: job.parts.is_empty(),
            age: None,
        };
        self.delivery
            .deliver(desired, part, session, &mut job.report);
        if job.report.problems.len() > problems {
            job.parts.clear();
        }
        progress.part(&periods, before, &job.report);
    }
}

impl Job<'_> {
    /// Periods that are still to be done.
    fn left(&self) -> usize {
        self.parts.iter().map(Vec::len).sum()
    }
}
