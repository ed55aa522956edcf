//! What entries say: the bodies, as they stand in the database and as `--format json` shows them. Members are only ever
//! added, with a default for the entries of older programs.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Outcomes that changed DHIS2.
pub(crate) const CHANGED: [&str; 4] = ["created", "updated", "zeroed", "deleted"];

/// How a run began, written before DHIS2 is written to; it is this large because a run that dies leaves nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct RunStart {
    pub(crate) command: String,
    /// The program's.
    pub(crate) version: String,
    /// Whether a person at a terminal started it.
    pub(crate) terminal: bool,
    pub(crate) as_of: String,
    pub(crate) time_zone: String,
    pub(crate) host: String,
    /// The system's user.
    pub(crate) uid: u32,
    pub(crate) pid: u32,
    /// SHA-256 of the site file.
    pub(crate) site: String,
    /// PostgreSQL as the site names it: role, hosts and database; none of `push` and `apply`.
    pub(crate) source: Option<SourceAddress>,
    /// DHIS2's address.
    pub(crate) dhis2: String,
    pub(crate) mappings: Vec<MappingPlan>,
}

/// Where PostgreSQL is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct SourceAddress {
    pub(crate) role: Option<String>,
    pub(crate) hosts: Vec<String>,
    pub(crate) database: String,
}

/// What is about to be sent, and which source it was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct AboutToSend {
    pub(crate) changes: u64,
    /// None: `push` and `apply` know of no source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<SentFrom>,
}

/// The server that values were read from, and where in its life it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct SentFrom {
    pub(crate) host: String,
    pub(crate) standby: bool,
    /// The server's own clock.
    pub(crate) time: String,
    /// PostgreSQL's name of the cluster, as text because few programs read so large a number.
    pub(crate) system: Option<String>,
    pub(crate) timeline: u32,
    pub(crate) log_bytes: u64,
}

/// What is to be done of a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct MappingPlan {
    pub(crate) name: String,
    /// Unbroken sequences, such as `202501..202503`.
    pub(crate) periods: Vec<String>,
    /// SHA-256 of each of its files; empty where the run does not read them.
    pub(crate) digests: BTreeMap<String, String>,
}

/// What became of a mapping, written at the end of the run; it is this large because it is the whole report in counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct MappingEntry {
    pub(crate) exit: u8,
    pub(crate) data_set: Option<String>,
    /// Counts by outcome; those that nothing has are left out.
    pub(crate) rows: BTreeMap<String, u64>,
    pub(crate) cells: BTreeMap<String, u64>,
    pub(crate) periods: Vec<PeriodEntry>,
    pub(crate) sums: Vec<SumEntry>,
    /// Cells by reason.
    pub(crate) left: BTreeMap<String, u64>,
    pub(crate) closed: BTreeMap<String, u64>,
    pub(crate) blocked: BTreeMap<String, u64>,
    pub(crate) guards: Vec<Tripped>,
    /// The name of the plan that guards held.
    pub(crate) digest: Option<String>,
    pub(crate) released: bool,
    /// Everything that was due was closed, blocked, rejected or held: that is no success, whatever the exit code.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) nothing_accepted: bool,
    /// What DHIS2 changed since the pin, a sentence each.
    pub(crate) drift: Vec<String>,
    pub(crate) notes: Vec<String>,
    pub(crate) stranded: u64,
    /// Units and periods that were registered as complete.
    pub(crate) completed: u64,
    pub(crate) problems: Vec<RecordedProblem>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct PeriodEntry {
    pub(crate) period: String,
    pub(crate) rows: BTreeMap<String, u64>,
    pub(crate) cells: BTreeMap<String, u64>,
}

/// Exact sums of a data element, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct SumEntry {
    /// None: rows without one.
    pub(crate) data_element: Option<String>,
    pub(crate) rows: String,
    pub(crate) desired: String,
    pub(crate) excluded: String,
    pub(crate) unmapped: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Tripped {
    pub(crate) guard: String,
    pub(crate) period: Option<String>,
    pub(crate) text: String,
}

/// A problem as the report told it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct RecordedProblem {
    pub(crate) exit: u8,
    pub(crate) message: String,
}

/// A setting that gave up some safety, and what it gave up in a sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Setting {
    pub(crate) setting: String,
    pub(crate) text: String,
}

/// How a run ended; it is this large because it is all that is kept of the servers and the run as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Finished {
    pub(crate) exit: u8,
    pub(crate) name: String,
    /// The gravest problem, or what the exit code means.
    pub(crate) message: String,
    pub(crate) milliseconds: u64,
    /// Those to DHIS2.
    pub(crate) requests: u32,
    /// PostgreSQL's version, once it has answered.
    pub(crate) source_version: Option<String>,
    pub(crate) dhis2_version: Option<String>,
    /// Our account there.
    pub(crate) dhis2_user: Option<String>,
    pub(crate) dhis2_system_id: Option<String>,
    pub(crate) dhis2_time_zone: Option<String>,
    /// When its analytics tables were last built, as it said (RFC 3339); none: never, or it did not say.
    pub(crate) dhis2_analytics: Option<String>,
    /// How many seconds the clocks of others were ahead of the host's; none: they were not asked.
    pub(crate) source_clock_ahead: Option<i64>,
    pub(crate) dhis2_clock_ahead: Option<i64>,
    /// What the site file allowed that is refused otherwise.
    pub(crate) relaxed: Vec<Setting>,
    pub(crate) notes: Vec<String>,
    /// Those that are not about one mapping.
    pub(crate) problems: Vec<RecordedProblem>,
}

/// One change that was sent, and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct CellChange {
    /// `create`, `update`, `zero`, `delete`.
    pub(crate) kind: String,
    /// A number, or how long a text is.
    pub(crate) old: Option<String>,
    pub(crate) new: Option<String>,
    pub(crate) outcome: String,
    /// The old value was last stored by somebody else.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) foreign: bool,
}

/// A run that was refused before it began.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Refused {
    pub(crate) exit: u8,
    pub(crate) name: String,
    pub(crate) message: String,
    pub(crate) command: String,
    /// Those that were asked for by name.
    pub(crate) mappings: Vec<String>,
}

/// Something that was told to a channel, or was not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Notified {
    pub(crate) channel: String,
    pub(crate) severity: String,
    /// The run after which it was told; none: it was refused.
    pub(crate) run: Option<i64>,
    pub(crate) delivered: bool,
    /// Why it was not.
    pub(crate) why: Option<String>,
}

/// That a person knows of a problem.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct Acknowledged {
    /// A moment.
    pub(crate) until: String,
    pub(crate) why: String,
    /// The system's user.
    pub(crate) uid: u32,
}

/// What is done after a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Concern {
    Heartbeat,
    Metrics,
    Page,
    DataStore,
    Analytics,
}

/// One entry: that it failed, or what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(crate) struct After {
    /// A sentence.
    pub(crate) text: String,
    pub(crate) failed: bool,
    /// DHIS2's job that builds the analytics tables, which was begun or has ended.
    pub(crate) job: Option<String>,
    pub(crate) ended: bool,
}

impl Concern {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Concern::Heartbeat => "heartbeat",
            Concern::Metrics => "metrics",
            Concern::Page => "page",
            Concern::DataStore => "data-store",
            Concern::Analytics => "analytics",
        }
    }
}

impl After {
    pub(crate) fn failed(text: String) -> After {
        After {
            text,
            failed: true,
            ..After::default()
        }
    }
}

/// What somebody edited is told by `--verify`; here it reads as nothing.
pub(super) fn body<T: DeserializeOwned + Default>(text: &str) -> T {
    serde_json::from_str(text).unwrap_or_default()
}
