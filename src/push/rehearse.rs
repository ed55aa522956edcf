//! DHIS2's own dry run of a plan: the same imports as a push would send, none of which stores anything.

use super::sending::Sending;
use super::task::{Budget, Task};
use crate::dhis2::Dhis2;
use crate::dhis2::error::Dhis2Error;
use crate::dhis2::import::Purpose;
use crate::domain::{Sent, ServerCounts};

/// What DHIS2 says would become of the changes.
#[derive(Debug)]
pub(crate) struct Rehearsed {
    /// The answer for each change, in their order.
    pub(crate) answers: Vec<ServerAnswer>,
    pub(crate) counted: ServerCounts,
    /// What ended the asking early, if anything did.
    pub(crate) failure: Option<Dhis2Error>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerAnswer {
    /// It passed the checks.
    Accepted,
    /// The error code says why.
    Refused(Box<str>),
    /// Not asked, or no answer.
    Unknown,
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
        counted: ServerCounts::default(),
        read_at: task.read_at,
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
fn answer(sent: Sent) -> ServerAnswer {
    match sent {
        Sent::Rejected { code } => ServerAnswer::Refused(code),
        Sent::Unconfirmed | Sent::Confirmed => ServerAnswer::Accepted,
        Sent::NotSent | Sent::Moved(_) => ServerAnswer::Unknown,
    }
}
