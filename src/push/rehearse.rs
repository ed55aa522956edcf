//! DHIS2's own dry run of a plan: the same imports as a push would send, none of which stores anything.

use super::{Budget, Sending, Task};
use crate::dhis2::Dhis2;
use crate::dhis2::error::Dhis2Error;
use crate::dhis2::import::Purpose;
use crate::dhis2::summary::ImportSummary;
use crate::domain::Sent;

/// What DHIS2 says would become of the changes.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    /// Of each change, in their order.
    pub(crate) answers: Vec<Answer>,
    pub(crate) counted: Counted,
    /// What ended the asking early, if anything did.
    pub(crate) failure: Option<Dhis2Error>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It passed the checks.
    Accepted,
    /// With the error code.
    Refused(Box<str>),
    /// Not asked, or no answer.
    Unknown,
}

/// The counts of import summaries, added up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counted {
    pub(crate) imported: u64,
    pub(crate) updated: u64,
    pub(crate) deleted: u64,
    pub(crate) ignored: u64,
}

/// Asks DHIS2 about all changes, refused groups split as when they are sent. Reads nothing back.
pub(crate) fn rehearse(dhis2: &mut Dhis2, task: &Task<'_>, budget: &mut Budget) -> Rehearsed {
    let mut sent = vec![Sent::NotSent; task.changes.len()];
    let mut sending = Sending {
        dhis2,
        task,
        budget,
        purpose: Purpose::DryRun,
        sent: &mut sent,
        counted: Counted::default(),
        failure: None,
    };
    let failure = sending.all(&Sent::NotSent).err();
    let counted = sending.counted;
    Rehearsed {
        answers: sent.into_iter().map(answer).collect(),
        counted,
        failure,
    }
}

/// What would be stored is nowhere to be read back: without a rejection it passed.
fn answer(sent: Sent) -> Answer {
    match sent {
        Sent::Rejected { code } => Answer::Refused(code),
        Sent::Unconfirmed | Sent::Confirmed => Answer::Accepted,
        Sent::NotSent => Answer::Unknown,
    }
}

impl Counted {
    pub(super) fn add(&mut self, summary: &ImportSummary) {
        self.imported = self.imported.saturating_add(summary.imported);
        self.updated = self.updated.saturating_add(summary.updated);
        self.deleted = self.deleted.saturating_add(summary.deleted);
        self.ignored = self.ignored.saturating_add(summary.ignored);
    }
}
