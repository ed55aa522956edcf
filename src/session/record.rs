//! Keeps the history of a run while it goes on. A dry run has none.

mod entries;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};

use jiff::Timestamp;

use super::mode::Mode;
use crate::domain::{Cell, Change, ChangeKind, Desired, Period, RowOutcome, Sent, SourceServer};
use crate::exit::{Exit, Problem};
use crate::extract;
use crate::history::{
    AboutToSend, CellChange, Cutoff, Found, InterruptedRun, MappingEntry, MappingPlan, ProblemKind,
    Recorder, RunStart, SentFrom, SourceAddress,
};
use crate::mapping::Mapping;
use crate::plan::Plan;
use crate::read::periods;
use crate::report::Report;
use crate::site::{self, Site};
use entries::{entry, exit, finished, word};

/// The record of a run.
pub(crate) struct Record {
    recorder: Option<Recorder>,
    /// How many periods of each mapping are to be done.
    planned: BTreeMap<String, usize>,
    /// The server that the values were read from.
    pub(super) read_from: Option<SourceServer>,
}

/// What a run is about to do.
pub(crate) struct Intent {
    mappings: Vec<MappingPlan>,
    planned: BTreeMap<String, usize>,
    source: Option<SourceAddress>,
    dhis2: String,
}

impl Intent {
    /// The digests of the files of each mapping.
    pub(super) fn digests(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        let mappings = self.mappings.iter();
        let each = mappings.filter(|mapping| !mapping.digests.is_empty());
        each.map(|mapping| (mapping.name.clone(), mapping.digests.clone()))
            .collect()
    }

    pub(crate) fn new(dhis2: &str) -> Intent {
        Intent {
            mappings: Vec::new(),
            planned: BTreeMap::new(),
            source: None,
            dhis2: dhis2.to_owned(),
        }
    }

    pub(crate) fn reading(mut self, settings: &extract::SourceSettings) -> Intent {
        let hosts = settings.hosts.iter();
        self.source = Some(SourceAddress {
            role: settings.user.clone(),
            hosts: hosts
                .map(|host| format!("{}:{}", host.name, host.port))
                .collect(),
            database: settings.database.clone(),
        });
        self
    }

    /// Periods in time's order. `mapping`: with its files, where they are read.
    pub(crate) fn add(&mut self, name: &str, periods: &[Period], mapping: Option<&Mapping>) {
        self.planned.insert(name.to_owned(), periods.len());
        self.mappings.push(MappingPlan {
            name: name.to_owned(),
            periods: periods::shown(periods),
            digests: mapping
                .map(|mapping| mapping.digests.clone())
                .unwrap_or_default(),
        });
    }
}

impl Record {
    /// Begins the record, before anything is sent; the report tells what died before, and what is not as it was.
    pub(crate) fn begin(
        site: &Site,
        mode: Mode,
        intent: Intent,
        report: &mut Report,
    ) -> Result<Record, Problem> {
        if mode != Mode::Send {
            return Ok(Record {
                recorder: None,
                planned: intent.planned,
                read_from: None,
            });
        }
        let own = std::process::id();
        let mut alive = site::alive(&site.state);
        alive.retain(|pid| *pid != own);
        let started = RunStart {
            command: report.command.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            terminal: io::stdin().is_terminal(),
            as_of: report.as_of.to_string(),
            time_zone: site.time_zone.iana_name().unwrap_or_default().to_owned(),
            host: site::host(),
            uid: site::user(),
            pid: own,
            site: site.digest.clone(),
            source: intent.source,
            dhis2: intent.dhis2,
            mappings: intent.mappings,
        };
        let (recorder, died) = Recorder::begin(&site.state, &started, &alive)?;
        report.notes.extend(died.iter().map(interrupted));
        report.notes.extend(recorder.differences()?);
        Ok(Record {
            recorder: Some(recorder),
            planned: intent.planned,
            read_from: None,
        })
    }

    /// The keys without an answer in a part of a mapping.
    pub(crate) fn keys(&mut self, desired: &Desired) -> Result<(), Problem> {
        let Some(recorder) = &mut self.recorder else {
            return Ok(());
        };
        let keys = desired.rows.keys.iter();
        let keys = keys.filter(|group| group.outcome == RowOutcome::Unmapped);
        let mut found: Vec<Found> = keys
            .map(|group| Found {
                period: group.period,
                reason: group.dimension.table().to_owned(),
                subject: group.key.masked.clone(),
            })
            .collect();
        // The same text may stand for two keys: they are told apart no further.
        found.sort();
        found.dedup();
        let whole = match desired.rows.rows_of_other_keys {
            0 => desired.periods.as_slice(),
            _ => &[],
        };
        recorder.found(&desired.mapping, ProblemKind::Unmapped, whole, &found)
    }

    /// That so many changes are about to be sent.
    pub(crate) fn sending(&mut self, mapping: &str, changes: usize) -> Result<(), Problem> {
        let sending = AboutToSend {
            changes: changes as u64,
            source: self.read_from.as_ref().map(SentFrom::from),
        };
        match &mut self.recorder {
            Some(recorder) if changes > 0 => recorder.sending(mapping, &sending),
            _ => Ok(()),
        }
    }

    /// What became of a part of a mapping, after it was read back.
    pub(crate) fn part(
        &mut self,
        mapping: &str,
        plan: &Plan,
        sent: &[Sent],
    ) -> Result<(), Problem> {
        let Some(recorder) = &mut self.recorder else {
            return Ok(());
        };
        let periods: Vec<Period> = plan.account.periods.keys().copied().collect();
        let blocked: Vec<Found> = plan
            .blocked
            .iter()
            .map(|(cell, why)| Found::cell(cell, word(why)))
            .collect();
        let is_whole = plan.blocked_by.values().sum::<u64>() == plan.blocked.len() as u64;
        let whole = if is_whole { periods.as_slice() } else { &[] };
        recorder.found(mapping, ProblemKind::Blocked, whole, &blocked)?;
        let each = || plan.changes.iter().zip(sent);
        let made = each().filter_map(|(change, sent)| {
            let is_made = matches!(sent, Sent::Confirmed | Sent::Unconfirmed);
            let cell = plan.space.cell(change.key).filter(|_| is_made)?;
            Some((cell, recorded(change, sent)))
        });
        recorder.changed(mapping, made)?;
        let rejected: Vec<Found> = each()
            .filter_map(|(change, sent)| match sent {
                Sent::Rejected { code } => {
                    let cell: Cell = plan.space.cell(change.key)?;
                    Some(Found::cell(&cell, code.to_string()))
                }
                _ => None,
            })
            .collect();
        let is_whole = sent.len() == plan.changes.len()
            && plan.held_changes.is_empty()
            && !sent
                .iter()
                .any(|sent| matches!(sent, Sent::NotSent | Sent::Moved(_)));
        let whole = if is_whole { periods.as_slice() } else { &[] };
        recorder.found(mapping, ProblemKind::Rejected, whole, &rejected)
    }

    /// None for a dry run.
    pub(crate) fn recorder(&mut self) -> Option<&mut Recorder> {
        self.recorder.as_mut()
    }

    /// Ends the record; that it cannot be written is a problem of the report.
    pub(crate) fn finish(&mut self, site: &Site, report: &mut Report) {
        let Some(recorder) = &mut self.recorder else {
            return;
        };
        let of_all = report.problems.iter().map(|problem| problem.exit);
        let of_all = of_all.fold(Exit::Ok, Exit::graver);
        let mappings: Vec<(String, MappingEntry)> = report
            .mappings
            .iter()
            .map(|mapping| {
                let planned = self.planned.get(&mapping.name).copied();
                let exit = exit(mapping, planned.unwrap_or_default(), of_all);
                (mapping.name.clone(), entry(mapping, exit))
            })
            .collect();
        let finished = finished(report);
        let now = report
            .clocks
            .confirmed(Timestamp::now(), site.max_clock_skew());
        let cutoff = now.and_then(|now| site.forget_before(now));
        let cutoff = cutoff.map(|(today, before)| Cutoff { today, before });
        if let Err(problem) = recorder.finish(&mappings, &finished, cutoff) {
            report.problems.push(problem);
        }
    }
}

fn interrupted(died: &InterruptedRun) -> String {
    format!(
        "run {}, begun at {}, never came to its end: interrupted; what it left undone is done now",
        died.run, died.started
    )
}

/// A change as it is kept: numbers whole, of texts only how long they are.
fn recorded(change: &Change, sent: &Sent) -> CellChange {
    CellChange {
        kind: word(&change.kind),
        old: change.old.as_ref().map(|old| old.shown().to_string()),
        new: match change.kind {
            ChangeKind::Delete => None,
            _ => Some(change.value.shown().to_string()),
        },
        outcome: sent.outcome(change.kind).name().to_owned(),
        foreign: change.author().is_some(),
    }
}
