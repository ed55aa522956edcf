//! Applies a plan's changes to DHIS2: in chunks, refused groups split, everything read back. The only layer that
//! sends an import again.

#[cfg(test)]
mod bench;
mod chunks;
mod compare;
mod failed;
#[cfg(test)]
mod failure_tests;
mod read_back;
mod refused;
mod rehearse;
#[cfg(test)]
mod tests;

use crate::dhis2::Dhis2;
use crate::dhis2::error::{Dhis2Error, Kind};
use crate::dhis2::import::{OutgoingValue, Purpose};
use crate::dhis2::verdict::{Rest, Verdict, verdict};
use crate::domain::{Cell, Change, ChangeKind, DataSet, Engine, Sent, ServerCounts, Space};
use chunks::chunks;
pub(crate) use chunks::{CHUNK, LARGEST_CHUNK, SMALLEST_CHUNK};
pub(crate) use compare::needs_no_row;
use failed::{PERIOD_NOT_VALID, period_not_there};
use refused::{Batch, Remains, remains};
pub(crate) use rehearse::{ServerAnswer, rehearse};

/// Imports that a run may send in addition, to find out which values of a refused group can be stored.
pub(crate) const EXTRA_REQUESTS: u32 = 64;

/// What a run may still spend.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    pub(crate) extra_requests: u32,
}

/// The changes of one data set.
#[derive(Clone, Copy)]
pub(crate) struct Task<'a> {
    pub(crate) data_set: &'a DataSet,
    pub(crate) engine: Engine,
    pub(crate) space: &'a Space,
    /// Sorted by key, none twice.
    pub(crate) changes: &'a [Change],
    /// At most so many values go into one import.
    pub(crate) chunk: usize,
}

#[derive(Debug)]
pub(crate) struct Pushed {
    /// How each change ended, in their order.
    pub(crate) sent: Vec<Sent>,
    /// What ended the sending or the reading back early, if anything did.
    pub(crate) failure: Option<Dhis2Error>,
}

/// Sends the changes and reads them back; once more those that DHIS2 said it stored and does not show.
pub(crate) fn push(dhis2: &mut Dhis2, task: &Task<'_>, budget: &mut Budget) -> Pushed {
    let mut sent = vec![Sent::NotSent; task.changes.len()];
    let mut failure = send(dhis2, task, budget, &mut sent, &Sent::NotSent);
    let is_lost = failure.is_none() && sent.contains(&Sent::Unconfirmed);
    if is_lost && dhis2.waited(1, &not_shown(task.data_set)) {
        failure = send(dhis2, task, budget, &mut sent, &Sent::Unconfirmed);
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

struct Sending<'a, 't> {
    dhis2: &'a mut Dhis2,
    task: &'a Task<'t>,
    budget: &'a mut Budget,
    purpose: Purpose,
    /// Until it is read back, what may be stored is `Unconfirmed`.
    sent: &'a mut [Sent],
    /// What DHIS2 counted, over all imports.
    counted: ServerCounts,
    /// The first import that failed as often as it may.
    failure: Option<Dhis2Error>,
}

impl<'t> Sending<'_, 't> {
    /// Sends what is in this state, every chunk of it, also after one that failed; an error that no chunk would escape ends it.
    fn all(&mut self, which: &Sent) -> Result<(), Dhis2Error> {
        for chunk in chunks(self.task.changes, self.task.chunk) {
            // A change of another space would have no cell; it stays unsent.
            let wanted = |index: &usize| self.sent.get(*index) == Some(which);
            let known = chunk.filter(|index| wanted(index) && self.cell(*index).is_some());
            let known: Vec<usize> = known.collect();
            if !known.is_empty() {
                self.chunk(known)?;
            }
        }
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Sends a chunk, and as long as the budget lasts what remains of it after each refusal or failure.
    fn chunk(&mut self, chunk: Vec<usize>) -> Result<(), Dhis2Error> {
        let mut waiting = vec![Batch::new(chunk, None)];
        while let Some(batch) = waiting.pop() {
            if let Some(code) = &batch.refused_with
                && batch.tried == 0
            {
                if self.budget.extra_requests == 0 {
                    self.reject(&batch.changes, code);
                    continue;
                }
                self.budget.extra_requests -= 1;
            }
            let next = match self.import(&batch.changes) {
                Ok(verdict) => self.take(batch, verdict),
                Err(error) => self.again(batch, error),
            };
            match next {
                Ok(next) => waiting.extend(next.into_iter().rev()),
                Err(error) => self.give_up(error)?,
            }
        }
        Ok(())
    }

    /// Notes what an import did with a batch; gives what is still to be sent of it.
    fn take(&mut self, batch: Batch, verdict: Verdict) -> Result<Vec<Batch>, Dhis2Error> {
        self.dhis2.patience.succeeded();
        if let Some(refusal) = verdict.refused {
            let Remains { rejected, batches } = remains(self.task.changes, batch.changes, &refusal);
            log::info!(
                "{}: {} values refused, {} imports to go",
                refusal.code,
                rejected.len(),
                batches.len()
            );
            self.reject(&rejected, &refusal.code);
            return Ok(batches);
        }
        self.set(&batch.changes, &Sent::Unconfirmed);
        let mut later = Vec::new();
        for rejected in verdict.rejected {
            let change = batch.changes.get(rejected.index).copied();
            match rejected.code.as_str() {
                PERIOD_NOT_VALID => later.extend(change),
                code => self.reject(change.as_slice(), code),
            }
        }
        let Some(first) = later.first() else {
            return Ok(Vec::new());
        };
        let period = self.cell(*first).map(|(cell, _)| cell.period);
        let error = period_not_there(later.len(), period);
        let changes = later;
        self.again(Batch { changes, ..batch }, error)
    }

    /// After a failure that is not to be tried again: the next batch may fare better, but not after too many.
    fn give_up(&mut self, error: Dhis2Error) -> Result<(), Dhis2Error> {
        if !error.is_temporary() {
            return Err(error);
        }
        self.dhis2.patience.exhausted();
        let first = self.failure.get_or_insert(error);
        match self.dhis2.patience.is_over() {
            true => Err(first.clone()),
            false => Ok(()),
        }
    }

    /// Sends a batch once.
    fn import(&mut self, batch: &[usize]) -> Result<Verdict, Dhis2Error> {
        let values: Vec<OutgoingValue<'_>> = batch
            .iter()
            .filter_map(|index| self.cell(*index))
            .map(|(cell, change)| outgoing(cell, change))
            .collect();
        match self
            .dhis2
            .import(self.task.data_set.id, &values, self.purpose)
        {
            Ok(summary) => {
                self.counted.add(rehearse::counts(&summary));
                let verdict = verdict(&summary, &values);
                match verdict.rest {
                    Rest::Broken => {
                        self.may_be_stored(batch);
                        let what = format!(
                            "importing {} values of data set {}: the import failed in DHIS2; its log says why; the next run compares again",
                            values.len(),
                            self.task.data_set.id
                        );
                        Err(Dhis2Error::new(
                            Kind::Temporary {
                                nothing_sent: false,
                            },
                            what,
                        ))
                    }
                    _ => Ok(verdict),
                }
            }
            Err(error) => {
                // Only these say that nothing was stored.
                let nothing = [Kind::Credentials, Kind::Temporary { nothing_sent: true }];
                if !nothing.contains(&error.kind) && !error.is_too_large() {
                    self.may_be_stored(batch);
                }
                Err(error)
            }
        }
    }

    /// After an import that ended in an error.
    fn may_be_stored(&mut self, batch: &[usize]) {
        if self.purpose == Purpose::Store {
            self.set(batch, &Sent::Unconfirmed);
        }
    }

    fn cell(&self, index: usize) -> Option<(Cell, &'t Change)> {
        let change = self.task.changes.get(index)?;
        Some((self.task.space.cell(change.key)?, change))
    }

    fn reject(&mut self, changes: &[usize], code: &str) {
        let code = code.into();
        self.set(changes, &Sent::Rejected { code });
    }

    fn set(&mut self, changes: &[usize], outcome: &Sent) {
        for index in changes {
            if let Some(sent) = self.sent.get_mut(*index) {
                *sent = outcome.clone();
            }
        }
    }
}

fn outgoing(cell: Cell, change: &Change) -> OutgoingValue<'_> {
    OutgoingValue {
        cell,
        value: change.value.as_str(),
        comment: change.comment(),
        follow_up: change.follow_up,
        deleted: change.kind == ChangeKind::Delete,
    }
}
