//! What is to be pushed, and what may be spent on it.

use std::time::Instant;

use crate::domain::{Cell, Change, DataElement, DataSet, Engine, LiveRow, OwnUser, Space, is_ours};

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
    /// When the first of the live values was read that the changes are made from.
    pub(crate) read_at: Instant,
    /// Our account, and others whose values count as ours.
    pub(crate) username: &'a str,
    pub(crate) own_users: &'a [OwnUser],
}

impl<'a> Task<'a> {
    pub(super) fn cell_and_change(&self, index: usize) -> Option<(Cell, &'a Change)> {
        let change = self.changes.get(index)?;
        Some((self.space.cell(change.key)?, change))
    }

    pub(super) fn change_and_element(&self, index: usize) -> Option<(&'a Change, &'a DataElement)> {
        let change = self.changes.get(index)?;
        let triple = self.space.triples().get(change.key.triple as usize)?;
        Some((change, self.data_set.elements.get(&triple.data_element)?))
    }

    /// Who stored a row, where that is somebody else.
    pub(super) fn others_name<'r>(&self, row: &LiveRow<'r>) -> Option<&'r str> {
        let is_ours = is_ours(self.username, self.own_users, row.stored_by, || {
            row.updated()
        });
        (!is_ours).then_some(row.stored_by.unwrap_or_default())
    }

    /// Where the change of a cell stands, if there is one.
    pub(super) fn index_of(&self, cell: &Cell) -> Option<usize> {
        let key = self.space.key(cell)?;
        let found = self.changes.binary_search_by_key(&key, |change| change.key);
        found.ok()
    }
}
