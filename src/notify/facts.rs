//! What decides whether somebody is told: who listens, how runs ended, what is open, and what was told before.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use crate::domain::Word;
use crate::exit::Exit;

/// The same thing is told once a day while it lasts. Ten minutes less, or what an hourly run tells would come an hour
/// later each day.
pub(crate) const DAY: SignedDuration = SignedDuration::from_mins(24 * 60 - 10);

/// Runs that got nowhere (5, 11) in a row before anybody is told.
pub(crate) const IN_A_ROW: usize = 3;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Severity {
    Notice,
    Warning,
    Error,
}

/// What a channel wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Audience {
    pub(crate) least: Severity,
    /// None: all of them. What is about no mapping in particular is for everybody.
    pub(crate) mappings: Option<Vec<String>>,
}

/// How a run ended for one mapping, or as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct EndedRun {
    pub(crate) at: Timestamp,
    pub(crate) mapping: Option<String>,
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

/// A run that never came to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotedInterruption {
    pub(crate) run: i64,
    /// When the run after it noticed.
    pub(crate) noted: Timestamp,
}

/// A blocked or rejected cell or an unmapped key, in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) mapping: String,
    pub(crate) what: String,
    pub(crate) reason: String,
    pub(crate) subject: String,
    pub(crate) period: String,
    pub(crate) first: Timestamp,
    /// A person knows it until then.
    pub(crate) acknowledged: Option<Timestamp>,
}

/// What the history knows.
#[derive(Debug, Default)]
pub(crate) struct HistoryFacts {
    /// The latest last; from the last success of each mapping on, or from further back.
    pub(crate) ends: Vec<EndedRun>,
    pub(crate) died: Vec<NotedInterruption>,
    pub(crate) open: Vec<Open>,
    /// What the run that just ended was about; None: the run as a whole.
    pub(crate) now_about: BTreeSet<Option<String>>,
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    Exit(Exit),
    Recovered,
    Interrupted,
    Digest,
}

/// A place in the order of what was told, and its moment. Clocks are set back; the order is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) place: i64,
    pub(crate) at: Timestamp,
}

/// When a topic was last told to a channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldBefore {
    pub(crate) mapping: Option<String>,
    pub(crate) topic: Topic,
    /// Last tried, with or without success.
    pub(crate) tried: Stamp,
    pub(crate) delivered: Option<Stamp>,
}

/// One thing to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) mapping: Option<String>,
    pub(crate) severity: Severity,
    pub(crate) what: News,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum News {
    Trouble {
        exit: Exit,
        message: String,
        since: Timestamp,
        /// Runs that ended so.
        runs: usize,
        /// It was told before.
        again: bool,
    },
    Recovered {
        from: Vec<Exit>,
        at: Timestamp,
    },
    Interrupted {
        runs: Vec<i64>,
    },
    Digest {
        new: Vec<Open>,
        /// How many others are open: those that were told before, and those that somebody acknowledged.
        known: usize,
        acknowledged: usize,
    },
}

/// Whether what was told last then may be told again. A moment that is still to come is of a clock that went wrong.
pub(super) fn is_due_again(last: Option<Stamp>, now: Timestamp) -> bool {
    last.is_none_or(|last| last.at > now || now.duration_since(last.at) >= DAY)
}

/// When a topic was last delivered.
pub(super) fn delivered(told: &[ToldBefore], topic: Topic, mapping: Option<&str>) -> Option<Stamp> {
    let mut of_topic = told.iter();
    let of_topic =
        of_topic.find(|each| each.topic == topic && each.mapping.as_deref() == mapping)?;
    of_topic.delivered
}

impl Audience {
    pub(super) fn hears(&self, mapping: Option<&str>) -> bool {
        match (&self.mappings, mapping) {
            (Some(mappings), Some(mapping)) => mappings.iter().any(|each| each == mapping),
            _ => true,
        }
    }
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Notice => "notice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }

    /// How grave an exit code is; None: nobody is told of it by itself.
    pub(crate) fn of(exit: Exit) -> Option<Severity> {
        match exit {
            Exit::Ok | Exit::Usage | Exit::Partial => None,
            Exit::Temporary | Exit::Busy => Some(Severity::Warning),
            Exit::Internal
            | Exit::Held
            | Exit::Config
            | Exit::Credentials
            | Exit::Source
            | Exit::Target
            | Exit::Privacy
            | Exit::State => Some(Severity::Error),
        }
    }
}

impl Word for Severity {
    const WORDS: &'static [(&'static str, Severity)] = &[
        ("error", Severity::Error),
        ("warning", Severity::Warning),
        ("notice", Severity::Notice),
    ];
}

impl News {
    pub(crate) fn topic(&self) -> Topic {
        match self {
            News::Trouble { exit, .. } => Topic::Exit(*exit),
            News::Recovered { .. } => Topic::Recovered,
            News::Interrupted { .. } => Topic::Interrupted,
            News::Digest { .. } => Topic::Digest,
        }
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Topic::Exit(exit) => write!(f, "exit {}", exit.code()),
            Topic::Recovered => f.write_str("recovered"),
            Topic::Interrupted => f.write_str("interrupted"),
            Topic::Digest => f.write_str("digest"),
        }
    }
}

/// None of these.
#[derive(Debug)]
pub(crate) struct NoTopic;

impl FromStr for Topic {
    type Err = NoTopic;

    fn from_str(text: &str) -> Result<Topic, NoTopic> {
        match text {
            "recovered" => Ok(Topic::Recovered),
            "interrupted" => Ok(Topic::Interrupted),
            "digest" => Ok(Topic::Digest),
            other => {
                let code = other
                    .strip_prefix("exit ")
                    .and_then(|code| code.parse().ok());
                let exit = code.and_then(Exit::of_code).ok_or(NoTopic)?;
                Ok(Topic::Exit(exit))
            }
        }
    }
}
