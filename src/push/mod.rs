//! Applies a plan's changes to DHIS2: in chunks, refused groups split, everything read back. The only layer that
//! sends an import again.

#[cfg(test)]
mod bench;
mod chunks;
mod compare;
mod failed;
#[cfg(test)]
mod failure_tests;
#[cfg(test)]
mod moved_tests;
mod read_back;
mod refused;
mod rehearse;
mod sending;
mod task;
#[cfg(test)]
mod tests;

use std::time::Instant;

use crate::dhis2::Dhis2;
use crate::dhis2::error::{Dhis2Error, Kind};
use crate::dhis2::import::Purpose;
use crate::domain::{DataSet, Sent, ServerCounts};
pub(crate) use chunks::{CHUNK, LARGEST_CHUNK, SMALLEST_CHUNK};
pub(crate) use compare::needs_no_row;
pub(crate) use rehearse::{ServerAnswer, rehearse};
use sending::Sending;
pub(crate) use task::{Budget, EXTRA_REQUESTS, Task};

#[derive(Debug)]
pub(crate) struct Pushed {
    /// How each change ended, in their order.
    pub(crate) sent: Vec<Sent>,
    /// What ended the sending or the reading back early, if anything did.
    pub(crate) failure: Option<Dhis2Error>,
}

/// Sends the changes and reads them back; once more those that DHIS2 said it stored and does not show, unless somebody
/// else stored something there since.
pub(crate) fn push(dhis2: &mut Dhis2, task: &Task<'_>, budget: &mut Budget) -> Pushed {
    let mut sent = vec![Sent::NotSent; task.changes.len()];
    let mut failure = send(dhis2, task, budget, &mut sent, &Sent::NotSent);
    let again = Task {
        read_at: Instant::now(),
        ..*task
    };
    let is_lost = failure.is_none() && sent.contains(&Sent::Unconfirmed);
    if is_lost && dhis2.waited(1, &not_shown(task.data_set)) {
        failure = send(dhis2, &again, budget, &mut sent, &Sent::Unconfirmed);
    }
    Pushed { sent, failure }
}

/// Sends the changes that are in this state and reads them back; gives what ended either early. After a failure the rest
/// is not sent, and what was is still read back, unless it is our credentials that were refused.
fn send(
    dhis2: &mut Dhis2,
    task: &Task<'_>,
    budget: &mut Budget,
    sent: &mut [Sent],
    which: &Sent,
) -> Option<Dhis2Error> {
    let mut sending = Sending {
        dhis2: &mut *dhis2,
        task,
        budget,
        purpose: Purpose::Store,
        sent: &mut *sent,
        counted: ServerCounts::default(),
        read_at: task.read_at,
        failure: None,
    };
    match sending.all(which) {
        Err(refused) if refused.kind == Kind::Credentials => Some(refused),
        ended => {
            let confirmed = read_back::confirm(dhis2, task, sent);
            ended.err().or(confirmed.err())
        }
    }
}

fn not_shown(data_set: &DataSet) -> Dhis2Error {
    Dhis2Error::new(
        Kind::Temporary {
            nothing_sent: false,
        },
        format!(
            "importing values of data set {}: DHIS2 took them and does not show them",
            data_set.id
        ),
    )
}
