//! The job that builds DHIS2's analytics tables, which dashboards read: starting it, and looking whether it goes on.

use std::collections::BTreeMap;

use jiff::civil::DateTime;
use serde::Deserialize;

use super::Dhis2;
use super::error::Dhis2Error;
use super::method::Method;
use super::request::{unanswered, unreadable};

/// DHIS2's name of the job.
const JOB: &str = "ANALYTICS_TABLE";

/// One that has said nothing for so long is over: it died with the server, which tells nobody.
const SILENT_HOURS: i64 = 24;

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Build {
    /// It waits, or goes on.
    Unfinished,
    /// When it ended, in the server's own time.
    Done(String),
    Failed(String),
}

#[derive(Deserialize)]
struct Started {
    response: BuildResponse,
}

#[derive(Deserialize)]
struct BuildResponse {
    id: String,
}

/// A note of a job; DHIS2 tells the newest first.
#[derive(Deserialize)]
#[serde(default)]
#[derive(Default)]
struct Note {
    level: String,
    time: String,
    completed: bool,
}

impl Dhis2 {
    /// Starts the job for the last so many years, this one included; its id. Needs `F_PERFORM_MAINTENANCE`.
    pub(crate) fn build_analytics(&mut self, last_years: u32) -> Result<String, Dhis2Error> {
        let doing = "starting DHIS2's analytics tables";
        let years = last_years.to_string();
        let query = [("lastYears", years.as_str())];
        let path = "resourceTables/analytics";
        let answer = self.change(doing, Method::Post, path, &query, b"")?;
        let body = answer.bytes().map_err(|error| unanswered(doing, &error))?;
        let started: Started =
            serde_json::from_slice(&body).map_err(|error| unreadable(doing, error))?;
        Ok(started.response.id)
    }

    /// Whether one that anybody started goes on. `now`: the server's clock.
    pub(crate) fn builds_analytics(&mut self, now: DateTime) -> Result<bool, Dhis2Error> {
        let doing = "asking for DHIS2's running jobs";
        let jobs: BTreeMap<String, Vec<Note>> =
            self.document(doing, &format!("system/tasks/{JOB}"), &[])?;
        Ok(jobs.values().any(|notes| goes_on(notes, now)))
    }

    /// How one stands that we started.
    pub(crate) fn analytics_build(&mut self, job: &str) -> Result<Build, Dhis2Error> {
        let doing = "asking for DHIS2's analytics tables";
        let notes: Vec<Note> = self.document(doing, &format!("system/tasks/{JOB}/{job}"), &[])?;
        Ok(match notes.into_iter().next() {
            Some(note) if note.completed && note.level == "ERROR" => Build::Failed(note.time),
            Some(note) if note.completed => Build::Done(note.time),
            _ => Build::Unfinished,
        })
    }
}

fn goes_on(notes: &[Note], now: DateTime) -> bool {
    notes.first().is_some_and(|newest| {
        let at: Option<DateTime> = newest.time.parse().ok();
        let is_recent = at.is_none_or(|at| now.duration_since(at).as_hours() < SILENT_HOURS);
        !newest.completed && is_recent
    })
}

#[cfg(test)]
mod tests {
    use super::{Note, goes_on};

    #[test]
    fn a_job_goes_on_until_its_newest_note_says_otherwise_or_is_a_day_old() {
        let now = "2026-11-24T10:00:00".parse().expect("a time");
        let note = |time: &str, completed| Note {
            level: "INFO".to_owned(),
            time: time.to_owned(),
            completed,
        };
        let early = "2026-11-24T09:00:00.000";
        assert!(goes_on(&[note(early, false), note(early, true)], now));
        assert!(!goes_on(&[note(early, true), note(early, false)], now));
        assert!(!goes_on(&[note("2026-11-23T09:59:59.000", false)], now));
        assert!(!goes_on(&[], now));
    }
}
