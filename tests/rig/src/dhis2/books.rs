//! What a server keeps besides metadata: values, registrations, approvals, lock exceptions and the rest.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::DateTime;
use serde_json::Value;

use super::data_store::Entry;
use super::jobs::Job;
use super::period::Period;
use super::rows::Rows;

/// Data set, period, unit, attribute option combo.
pub(crate) type RegistrationKey = (String, Period, String, String);
/// Workflow, period, unit, attribute option combo.
pub(crate) type ApprovalKey = (String, Period, String, String);

#[derive(Default)]
pub(crate) struct Books {
    pub(crate) rows: Rows,
    pub(crate) registrations: BTreeMap<RegistrationKey, Registration>,
    pub(crate) approvals: BTreeMap<ApprovalKey, Approval>,
    /// Data set, period, unit.
    pub(crate) lock_exceptions: BTreeSet<(String, Period, String)>,
    /// Namespace to key to entry.
    pub(crate) data_store: BTreeMap<String, BTreeMap<String, Entry>>,
    /// When the analytics tables were last built: the beginning of the job, as DHIS2 has it.
    pub(crate) analytics: Option<DateTime>,
    pub(crate) messages: Vec<Value>,
    pub(crate) jobs: Vec<Job>,
    generated: u64,
}

pub(crate) struct Registration {
    pub(crate) date: DateTime,
    pub(crate) stored_by: String,
    pub(crate) completed: bool,
}

pub(crate) struct Approval {
    pub(crate) by: String,
    pub(crate) at: DateTime,
}

impl Books {
    /// A uid no other object has.
    pub(crate) fn generate_uid(&mut self) -> String {
        self.generated += 1;
        format!("Gen{:08}", self.generated)
    }

    /// Empties everything; generated uids go on where they were.
    pub(crate) fn reset(&mut self) {
        *self = Books {
            generated: self.generated,
            ..Books::default()
        };
    }
}
