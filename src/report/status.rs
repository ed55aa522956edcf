//! How the mappings stand, in a few lines for monitoring agents and for people.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::output::{document, pretty};
use super::phrases::{line, many, minute};
use crate::cli::{Format, ReportArgs};
use crate::domain::escaped;
use crate::exit::Exit;
use crate::history::{MappingState, OpenProblem};

/// Lines of problems for each mapping.
const LINES: usize = 20;

/// Everything that `status` tells.
pub(crate) struct SiteStatus {
    /// The last run never came to its end: its number, and when it began.
    pub(crate) interrupted: Option<(i64, String)>,
    /// When DHIS2's analytics tables were last built, and when a run was told so.
    pub(crate) analytics: Option<(String, String)>,
    pub(crate) mappings: Vec<MappingStatus>,
}

pub(crate) struct MappingStatus {
    pub(crate) name: String,
    pub(crate) standing: MappingState,
    /// The age of the last success.
    pub(crate) age: Age,
}

/// How long ago something went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Never,
    Fresh(SignedDuration),
    /// Longer ago than it may be.
    Stale(SignedDuration),
}

/// A problem in all its periods.
pub(super) struct ProblemGroup<'p> {
    pub(super) problem: &'p OpenProblem,
    periods: Vec<&'p str>,
    pub(super) first: &'p str,
    last: &'p str,
    tries: u64,
}

/// Shows how the mappings stand.
pub(crate) fn status(status: &SiteStatus, args: &ReportArgs) -> anyhow::Result<()> {
    document(args.output.output.as_deref(), |out| match args.format {
        Format::Text => Ok(out.write_all(status.text().as_bytes())?),
        Format::Json => pretty(out, &status.json()),
    })
}

/// Shows which channels a test arrived by.
pub(crate) fn tests(
    tests: &[(String, Result<(), String>)],
    args: &ReportArgs,
) -> anyhow::Result<()> {
    document(args.output.output.as_deref(), |out| match args.format {
        Format::Text => Ok(out.write_all(tests_text(tests).as_bytes())?),
        Format::Json => pretty(out, &tests_json(tests)),
    })
}

impl SiteStatus {
    /// 0: all is well; 3: something is open; 5: something is stale.
    pub(crate) fn exit(&self) -> Exit {
        let of_mappings = self.mappings.iter().map(MappingStatus::exit);
        let interrupted = self.interrupted.iter().map(|_| Exit::Partial);
        of_mappings.chain(interrupted).fold(Exit::Ok, Exit::graver)
    }

    fn text(&self) -> String {
        let mut text = String::new();
        let count = many(self.mappings.len() as u64, "mapping");
        line(&mut text, &format!("{}: {count}", word(self.exit())));
        if let Some((run, at)) = &self.interrupted {
            let at = minute(at);
            line(
                &mut text,
                &format!("run {run}, begun {at}, never came to its end: interrupted"),
            );
        }
        for mapping in &self.mappings {
            mapping.text(&mut text);
        }
        if let Some((built, seen)) = &self.analytics {
            let (built, seen, behind) = (minute(built), minute(seen), self.behind(built));
            let behind = match behind.is_empty() {
                true => "dashboards show all values".to_owned(),
                false => format!(
                    "dashboards do not show the last values of {} yet",
                    behind.join(", ")
                ),
            };
            line(
                &mut text,
                &format!("DHIS2's analytics tables: built {built}, as of {seen}; {behind}"),
            );
        }
        text
    }

    fn json(&self) -> Value {
        json!({
            "pg2dhis2": "status/1",
            "state": word(self.exit()),
            "exit": self.exit().code(),
            "interrupted": self.interrupted.as_ref().map(|(run, at)| json!({ "run": run, "began": at })),
            "analytics": self.analytics.as_ref().map(|(built, seen)| json!({
                "built": built,
                "seen": seen,
                "behind": !self.behind(built).is_empty(),
            })),
            "mappings": self.mappings.iter().map(MappingStatus::json).collect::<Vec<_>>(),
        })
    }
}

impl SiteStatus {
    /// The mappings that changed values after a moment.
    fn behind(&self, moment: &str) -> Vec<&str> {
        let built: Option<Timestamp> = moment.parse().ok();
        let later = |mapping: &&MappingStatus| {
            let values = mapping.standing.values.as_ref();
            let changed: Option<Timestamp> = values.and_then(|(at, _)| at.parse().ok());
            changed > built && changed.is_some()
        };
        let behind = self.mappings.iter().filter(later);
        behind.map(|mapping| mapping.name.as_str()).collect()
    }
}

impl MappingStatus {
    pub(super) fn exit(&self) -> Exit {
        let standing = &self.standing;
        let last_failed = standing.last.as_ref().is_some_and(|(_, exit)| *exit != 0);
        let last_failed = last_failed && !standing.is_excused;
        let is_open = standing
            .open
            .iter()
            .any(|problem| problem.acknowledged.is_none());
        match self.age {
            Age::Never | Age::Stale(_) => Exit::Temporary,
            Age::Fresh(_) if last_failed || standing.is_nothing_accepted => Exit::Partial,
            Age::Fresh(_) if !is_open && standing.gaps.is_empty() => Exit::Ok,
            Age::Fresh(_) => Exit::Partial,
        }
    }

    fn text(&self, text: &mut String) {
        let standing = &self.standing;
        let success = match (&standing.success, self.age) {
            (Some(at), Age::Fresh(age) | Age::Stale(age)) => {
                format!("last success {} ({} ago)", minute(at), shown(age))
            }
            _ => "no success yet".to_owned(),
        };
        let values = match &standing.values {
            Some((at, count)) => format!("last values {} ({count})", minute(at)),
            None => "no values yet".to_owned(),
        };
        let state = word(self.exit());
        line(
            text,
            &format!("{}: {state}; {success}; {values}", self.name),
        );
        if let Some((at, exit)) = standing.last.as_ref().filter(|(_, exit)| *exit != 0) {
            line(
                text,
                &format!("  its last run, {}, ended with {exit}", minute(at)),
            );
        }
        if standing.is_nothing_accepted {
            let words = "  nothing accepted: all that its last run was due to send was closed, blocked, rejected or held";
            line(text, words);
        }
        let gaps: Vec<String> = standing.gaps.iter().map(ToString::to_string).collect();
        if !gaps.is_empty() {
            line(text, &format!("  never confirmed: {}", gaps.join(", ")));
        }
        let groups = self.groups();
        for group in groups.iter().take(LINES) {
            line(text, &format!("  {}", group.words()));
        }
        if groups.len() > LINES {
            line(text, &format!("  … and {} more", groups.len() - LINES));
        }
        if standing.older > 0 {
            let older = many(standing.older, "problem");
            line(
                text,
                &format!("  {older} in periods that no run looks at by itself"),
            );
        }
    }

    fn json(&self) -> Value {
        let standing = &self.standing;
        let age = match self.age {
            Age::Never => None,
            Age::Fresh(age) | Age::Stale(age) => Some(age.as_secs()),
        };
        json!({
            "name": self.name,
            "state": word(self.exit()),
            "last-run": standing.last.as_ref().map(|(at, exit)| json!({ "at": at, "exit": exit })),
            "last-success": standing.success,
            "nothing-accepted": standing.is_nothing_accepted,
            "age-seconds": age,
            "last-values": standing.values.as_ref().map(|(at, cells)| json!({ "at": at, "cells": cells })),
            "never-confirmed": standing.gaps,
            "open": self.groups().iter().map(ProblemGroup::json).collect::<Vec<_>>(),
            "open-in-older-periods": standing.older,
        })
    }

    /// One for each problem, however many periods it is in.
    pub(super) fn groups(&self) -> Vec<ProblemGroup<'_>> {
        let mut groups: BTreeMap<(&str, &str, &str), ProblemGroup<'_>> = BTreeMap::new();
        for problem in &self.standing.open {
            let key = (
                problem.what.as_str(),
                problem.reason.as_str(),
                problem.subject.as_str(),
            );
            let group = groups.entry(key).or_insert(ProblemGroup {
                problem,
                periods: Vec::new(),
                first: &problem.first,
                last: &problem.last,
                tries: 0,
            });
            group.periods.push(&problem.period);
            group.first = group.first.min(&problem.first);
            group.last = group.last.max(&problem.last);
            group.tries = group.tries.max(problem.tries);
        }
        groups.into_values().collect()
    }
}

impl ProblemGroup<'_> {
    pub(super) fn range(&self) -> String {
        match self.periods.as_slice() {
            [first, .., last] => format!("{first} to {last}"),
            periods => periods.concat(),
        }
    }

    fn words(&self) -> String {
        let (problem, periods) = (self.problem, self.range());
        let known = match &problem.acknowledged {
            Some(acknowledged) => {
                let until = minute(&acknowledged.until);
                format!(", acknowledged until {until} ({})", acknowledged.why)
            }
            None => String::new(),
        };
        format!(
            "{} {} {} in {periods}, since {}, seen {}{known}",
            problem.what,
            problem.reason,
            escaped(&problem.subject),
            minute(self.first),
            many(self.tries, "time")
        )
    }

    fn json(&self) -> Value {
        json!({
            "what": self.problem.what,
            "reason": self.problem.reason,
            "subject": self.problem.subject,
            "periods": self.periods,
            "first": self.first,
            "last": self.last,
            "tries": self.tries,
            "acknowledged": self.problem.acknowledged.as_ref().map(|acknowledged| {
                json!({ "until": acknowledged.until, "why": acknowledged.why })
            }),
        })
    }
}

fn word(exit: Exit) -> &'static str {
    match exit {
        Exit::Ok => "fresh",
        Exit::Temporary => "stale",
        _ => "open",
    }
}

/// An age in its largest whole unit.
fn shown(age: SignedDuration) -> String {
    match (age.as_hours(), age.as_mins()) {
        (hours, _) if hours >= 48 => format!("{} days", hours / 24),
        (hours, _) if hours > 0 => many(hours.unsigned_abs(), "hour"),
        (_, minutes) => many(minutes.unsigned_abs(), "minute"),
    }
}

/// What became of tests of the alerts.
fn tests_text(tests: &[(String, Result<(), String>)]) -> String {
    let mut text = String::new();
    for (channel, result) in tests {
        match result {
            Ok(()) => line(&mut text, &format!("arrived: {channel}")),
            Err(why) => line(&mut text, &format!("did not arrive: {channel} ({why})")),
        }
    }
    text
}

fn tests_json(tests: &[(String, Result<(), String>)]) -> Value {
    let tests = tests.iter().map(|(channel, result)| {
        json!({ "channel": channel, "arrived": result.is_ok(), "why-not": result.as_ref().err() })
    });
    json!({ "pg2dhis2": "alert-tests/1", "alerts": tests.collect::<Vec<_>>() })
}
