//! Tells people what is due, once what happened is recorded. Never changes an outcome, and never takes longer than ten
//! seconds.

mod known;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::cli::SiteArgs;
use crate::exit::{Exit, Problem};
use crate::history::{self, NoteEntry, Notified, Past, RunState};

use crate::notify::{self, AlertMessage, EndedRun, Notice, Origin, Severity, Topic, Way};
use crate::report::{self, Report};
use crate::site::{self, Channel, Site, alarm};

/// The time of all of it; a second is kept for writing down what became of it.
const TIME: Duration = Duration::from_secs(9);

/// What just ended.
struct Event<'e> {
    exit: Exit,
    about: BTreeSet<Option<String>>,
    /// How it ended, if the history does not know; `is_run`: it may.
    lost: Option<EndedRun>,
    is_run: bool,
    names: BTreeMap<String, String>,
    args: &'e SiteArgs,
}

/// A message to a channel that is ready, or why it is not.
struct Letter {
    channel: String,
    ready: Result<(Way, AlertMessage), String>,
}

/// Tells what is due after a run that may have sent something, whose end is recorded.
pub(crate) fn tell(site: &Site, report: &Report, args: &SiteArgs) {
    if report.dry_run || !site.has_alerts() {
        return;
    }
    let mappings = report.mappings.iter();
    let about = mappings.map(|mapping| Some(mapping.name.clone()));
    let mut lost = report.problems.iter();
    let lost = lost.find(|problem| problem.exit == Exit::State);
    let names = report
        .mappings
        .iter()
        .flat_map(|mapping| &mapping.objects.names);
    Event {
        exit: report.exit(),
        about: about.chain([None]).collect(),
        lost: lost.map(end),
        is_run: true,
        names: names
            .map(|(uid, name)| (uid.to_string(), name.clone()))
            .collect(),
        args,
    }
    .tell(site);
}

/// Tells that a command ended before it began to send. `lost`: the same, where the history could not be told of it.
pub(crate) fn tell_never_begun(
    site: &Site,
    mappings: &[String],
    problem: &Problem,
    lost: Option<&Problem>,
    args: &SiteArgs,
) {
    if !site.has_alerts() {
        return;
    }
    let mut about: BTreeSet<Option<String>> = mappings.iter().cloned().map(Some).collect();
    if about.is_empty() {
        about.insert(None);
    }
    Event {
        exit: problem.exit,
        about,
        lost: lost.map(end),
        is_run: false,
        names: BTreeMap::new(),
        args,
    }
    .tell(site);
}

/// Sends a test to every channel: each with its name, and why it did not arrive.
pub(crate) fn test(site: &Site) -> Vec<(String, Result<(), String>)> {
    let host = site::host();
    let until = Instant::now() + TIME;
    let channels = site.channels().into_iter();
    let letters = channels.map(|channel| Letter {
        channel: channel.name,
        ready: channel
            .way
            .map(|way| (way, AlertMessage::test(&host, Timestamp::now()))),
    });
    send(letters.collect(), until)
}

/// The channels that are ready all at once.
fn send(letters: Vec<Letter>, until: Instant) -> Vec<(String, Result<(), String>)> {
    let mut ready = Vec::new();
    let mut states = Vec::new();
    for letter in letters {
        states.push((
            letter.channel,
            letter.ready.map(|letter| ready.push(letter)),
        ));
    }
    let mut sent = notify::send(ready, until).into_iter();
    states
        .into_iter()
        .map(|(channel, state)| (channel, state.and_then(|()| sent.next().unwrap_or(Ok(())))))
        .collect()
}

/// The run as a whole ended so, now.
fn end(problem: &Problem) -> EndedRun {
    EndedRun {
        at: Timestamp::now(),
        mapping: None,
        exit: problem.exit,
        message: problem.message.clone(),
    }
}

impl Event<'_> {
    fn tell(mut self, site: &Site) {
        let until = Instant::now() + TIME;
        let now = Timestamp::now();
        let state = site::is_usable(&site.state).then_some(site.state.as_path());
        let channels = site.channels();
        let alarmed = state.map(remembered).unwrap_or_default();
        let past = state.and_then(|state| Past::open(state, Vec::new()).ok().flatten());
        let run = past.as_ref().filter(|_| self.is_run).and_then(ended);
        if run.is_some() {
            self.lost = None;
        }
        if self.lost.is_some() {
            self.about.insert(None);
        }
        let about = std::mem::take(&mut self.about);
        let known = known::known(past.as_ref(), about, self.lost.clone());
        let told = known::told(past.as_ref(), &alarmed);
        drop(past);
        let origin = Origin {
            host: site::host(),
            at: now,
            names: &self.names,
        };
        let (mut due, mut letters) = (Vec::new(), Vec::new());
        for Channel {
            name,
            audience,
            way,
        } in channels
        {
            let heard = told.get(&name).map_or(&[][..], Vec::as_slice);
            let notices = notify::due(&known, heard, &audience, now);
            if let Some(message) = AlertMessage::of(&notices, &origin) {
                let ready = way.map(|way| (way, message));
                letters.push(Letter {
                    channel: name,
                    ready,
                });
                due.push(notices);
            }
        }
        if letters.is_empty() {
            return;
        }
        let results = send(letters, until);
        note(state, run, &due, &results);
        self.warn(&results);
    }

    /// At exit 0 a person would get a mail from cron for each line.
    fn warn(&self, results: &[(String, Result<(), String>)]) {
        if self.args.quiet || (self.exit == Exit::Ok && self.args.verbose == 0) {
            return;
        }
        for (name, result) in results {
            if let Err(why) = result {
                report::warning(&format!(
                    "{name}: the alert was not delivered ({why}); the next run tries again"
                ));
            }
        }
    }
}

/// The number of the latest run, if it came to its end.
fn ended(past: &Past) -> Option<i64> {
    let latest = past.latest().ok().flatten()?;
    matches!(latest.state, RunState::Finished { .. }).then_some(latest.number)
}

/// Whom we told that nothing can be recorded while nothing could be. Once it can be, the history knows that instead.
fn remembered(state: &Path) -> alarm::ToldChannels {
    let told = alarm::read(state);
    if told.is_empty() {
        return told;
    }
    let notified: Vec<Notified> = told
        .iter()
        .map(|(channel, _)| Notified {
            channel: channel.clone(),
            severity: Severity::Error.name().to_owned(),
            delivered: true,
            ..Notified::default()
        })
        .collect();
    let notes: Vec<NoteEntry<'_>> = notified
        .iter()
        .map(|notified| NoteEntry::Told {
            mapping: "",
            topic: Topic::Exit(Exit::State).to_string(),
            notified,
        })
        .collect();
    if history::keep(state, &notes).is_err() {
        return told;
    }
    // Told twice at worst.
    let _ = alarm::write(state, &Vec::new());
    Vec::new()
}

/// Keeps what was told and what was not; where the history cannot, at least whom we need not tell that again.
fn note(
    state: Option<&Path>,
    run: Option<i64>,
    due: &[Vec<Notice>],
    results: &[(String, Result<(), String>)],
) {
    let Some(state) = state else {
        return;
    };
    let told = results
        .iter()
        .zip(due)
        .flat_map(|((channel, result), due)| {
            due.iter().map(move |notice| {
                let notified = Notified {
                    channel: channel.clone(),
                    severity: notice.severity.name().to_owned(),
                    run,
                    delivered: result.is_ok(),
                    why: result.as_ref().err().cloned(),
                };
                (notice, notified)
            })
        });
    let told: Vec<(&Notice, Notified)> = told.collect();
    let notes: Vec<NoteEntry<'_>> = told
        .iter()
        .map(|(notice, notified)| NoteEntry::Told {
            mapping: notice.mapping.as_deref().unwrap_or_default(),
            topic: notice.what.topic().to_string(),
            notified,
        })
        .collect();
    // Whatever fails here, the outcome stands.
    let _ = match history::keep(state, &notes) {
        Ok(()) => alarm::reserve(state),
        Err(_) => {
            let now = Timestamp::now();
            let heard = told.iter().filter(|(notice, notified)| {
                notified.delivered && notice.what.topic() == Topic::Exit(Exit::State)
            });
            let mut all: alarm::ToldChannels = heard
                .map(|(_, notified)| (notified.channel.clone(), now))
                .collect();
            let others = alarm::read(state).into_iter();
            let others =
                others.filter(|(channel, _)| all.iter().all(|(heard, _)| heard != channel));
            let others: alarm::ToldChannels = others.collect();
            all.extend(others);
            alarm::reserve(state).and_then(|()| alarm::write(state, &all))
        }
    };
}
