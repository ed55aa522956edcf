//! What is told of one run as a whole.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::of_mapping::MappingReport;
use crate::domain::{Clocks, SourceServer, Uid};
use crate::exit::{Exit, Problem};

/// Everything that is told of one run; it is this large because a run has one moment, two servers and many mappings.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) command: &'static str,
    pub(crate) dry_run: bool,
    /// It is a backfill in parts.
    pub(crate) in_parts: bool,
    pub(crate) as_of: Timestamp,
    /// This host's clock chose the periods. Who says `--period` or `--as-of` chose without it, and what `push` and `apply`
    /// send says its periods itself.
    pub(crate) is_led_by_clock: bool,
    pub(crate) started: Timestamp,
    pub(crate) ended: Timestamp,
    /// The PostgreSQL that answered last.
    pub(crate) source: Option<SourceServer>,
    /// Once it has answered.
    pub(crate) dhis2: Option<Dhis2Facts>,
    /// How far the clocks of others are ahead of this host's, as far as they were asked.
    pub(crate) clocks: Clocks,
    /// Requests to DHIS2.
    pub(crate) requests: u32,
    pub(crate) notes: Vec<String>,
    /// What the site file allows that is refused otherwise, each once.
    pub(crate) relaxed: Vec<Relaxed>,
    /// What is not about one mapping.
    pub(crate) problems: Vec<Problem>,
    pub(crate) mappings: Vec<MappingReport>,
}

/// A setting that gives up some safety, and what it gives up in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Relaxed {
    pub(crate) setting: &'static str,
    pub(crate) text: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Dhis2Facts {
    pub(crate) url: String,
    pub(crate) version: String,
    /// The zone of the clock that it judges closed periods by.
    pub(crate) time_zone: String,
    pub(crate) system_id: Option<String>,
    pub(crate) user: String,
    /// When its analytics tables were last built.
    pub(crate) analytics: Option<Timestamp>,
}

/// Who reads: keys that no mapping knows are shown only to a person at a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReportReader {
    Terminal,
    Anybody,
}

impl Report {
    /// Notes what a setting gives up. A run connects more than once.
    pub(crate) fn relax(&mut self, setting: &'static str, text: String) {
        let relaxed = Relaxed { setting, text };
        if !self.relaxed.contains(&relaxed) {
            self.relaxed.push(relaxed);
        }
    }

    /// What people call the objects of its mappings.
    pub(crate) fn names(&self) -> BTreeMap<Uid, String> {
        let names = self
            .mappings
            .iter()
            .map(|mapping| mapping.objects.names.clone());
        names.flatten().collect()
    }

    /// The gravest of everything.
    pub(crate) fn exit(&self) -> Exit {
        let problems = self.problems.iter().map(|problem| problem.exit);
        let mappings = self.mappings.iter().map(MappingReport::exit);
        problems.chain(mappings).fold(Exit::Ok, Exit::graver)
    }
}
