//! Sends the changes of a task in chunks, and what remains of each after refusals and failures.

use std::time::{Duration, Instant};

use super::chunks::chunks;
use super::compare::CellNow;
use super::read_back;
use super::refused::{Batch, Remains, remains};
use super::task::{Budget, Task};
use crate::dhis2::Dhis2;
use crate::dhis2::error::{Dhis2Error, Kind};
use crate::dhis2::import::{OutgoingValue, Purpose};
use crate::dhis2::summary::ImportSummary;
use crate::dhis2::verdict::{Rest, Verdict, verdict};
use crate::domain::{Cell, Change, ChangeKind, Period, Sent, ServerCounts};

/// What was read so lately is sent without being read again. DHIS2 has no way to change a value only if it is still the
/// one that was read, so that what a person does within this time is overwritten.
const FRESH: Duration = Duration::from_secs(5);

/// DHIS2 ≤ 2.42 says so of periods that another import is just creating; those that a version does not know are never
/// sent.
const PERIOD_NOT_VALID: &str = "E7611";

/// A task on its way.
pub(super) struct Sending<'a, 't> {
    pub(super) dhis2: &'a mut Dhis2,
    pub(super) task: &'a Task<'t>,
    pub(super) budget: &'a mut Budget,
    pub(super) purpose: Purpose,
    /// Until it is read back, what may be stored is `Unconfirmed`.
    pub(super) sent: &'a mut [Sent],
    /// What DHIS2 counted, over all imports.
    pub(super) counted: ServerCounts,
    /// When what is to be sent was read.
    pub(super) read_at: Instant,
    /// The first import that failed as often as it may.
    pub(super) failure: Option<Dhis2Error>,
}

impl<'t> Sending<'_, 't> {
    /// Sends what is in this state, every chunk of it, also after one that failed; an error that no chunk would escape ends it.
    pub(super) fn all(&mut self, which: &Sent) -> Result<(), Dhis2Error> {
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
        let mut waiting = vec![Batch::new(chunk, None, self.read_at)];
        while let Some(mut batch) = waiting.pop() {
            if let Err(error) = self.read_again(&mut batch) {
                self.give_up(error)?;
                continue;
            }
            if batch.changes.is_empty() {
                continue;
            }
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
            let Remains { rejected, batches } = remains(self.task.changes, batch, &refusal);
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
                self.counted.add(counts(&summary));
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

    /// What was read too long ago is read again before it is sent.
    fn read_again(&mut self, batch: &mut Batch) -> Result<(), Dhis2Error> {
        match self.purpose == Purpose::Store && batch.read_at.elapsed() > FRESH {
            true => self.look(batch),
            false => Ok(()),
        }
    }

    /// Takes out of a batch what DHIS2 shows to be done, and the cells in which somebody was since they were read. What is
    /// ours and neither is what an import left that broke off; where nothing was sent yet, it is another's all the same.
    pub(super) fn look(&mut self, batch: &mut Batch) -> Result<(), Dhis2Error> {
        let changes = std::mem::take(&mut batch.changes);
        let mut left = Vec::new();
        let sent = &mut *self.sent;
        batch.read_at = Instant::now();
        let looked = read_back::look(self.dhis2, self.task, &changes, &mut |index, standing| {
            let Some(sent) = sent.get_mut(index) else {
                return;
            };
            match standing {
                CellNow::Done => *sent = Sent::Confirmed,
                CellNow::Theirs(moved) => *sent = Sent::Moved(moved),
                CellNow::Ours(moved) if *sent == Sent::NotSent => *sent = Sent::Moved(moved),
                CellNow::AsFound | CellNow::Ours(_) => left.push(index),
            }
        });
        left.sort_unstable();
        batch.changes = left;
        looked
    }

    fn cell(&self, index: usize) -> Option<(Cell, &'t Change)> {
        self.task.cell_and_change(index)
    }

    fn reject(&mut self, changes: &[usize], code: &str) {
        let code = code.into();
        self.set(changes, &Sent::Rejected { code });
    }

    pub(super) fn set(&mut self, changes: &[usize], outcome: &Sent) {
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

/// Why values are not stored whose period DHIS2 says is none.
fn period_not_there(values: usize, period: Option<Period>) -> Dhis2Error {
    let period = period.map(|period| format!(" {period}"));
    Dhis2Error::new(
        Kind::Temporary {
            nothing_sent: false,
        },
        format!(
            "importing {values} values: DHIS2 says that period{} is not valid ({PERIOD_NOT_VALID}), as it does while another import creates it; the next run compares again",
            period.unwrap_or_default()
        ),
    )
}

/// What an import summary counts.
fn counts(summary: &ImportSummary) -> ServerCounts {
    ServerCounts {
        imported: summary.imported,
        updated: summary.updated,
        deleted: summary.deleted,
        ignored: summary.ignored,
    }
}
