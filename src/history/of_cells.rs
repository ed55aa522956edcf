//! What was ever done to the cells that somebody asks about, and what keeps them from being done now.

use std::collections::BTreeMap;

use rusqlite::params;

use super::differences::{self, differences};
use super::entry::{CellChange, body};
use super::past::Past;
use crate::domain::{Cell, Period, Triple, Uid};
use crate::exit::Problem;

/// One change that a run made, or tried.
#[derive(Clone, Debug)]
pub(crate) struct PastChange {
    pub(crate) run: i64,
    /// When it was read back.
    pub(crate) at: String,
    /// That made it: `run`, `push`, `apply`.
    pub(crate) command: String,
    pub(crate) mapping: String,
    pub(crate) change: CellChange,
    /// What was not as in the run before.
    pub(crate) differences: Vec<String>,
}

/// Something that keeps a value from a cell since a run met it first.
#[derive(Clone, Debug)]
pub(crate) struct OpenOfCell {
    pub(crate) mapping: String,
    /// `blocked` or `rejected`, and why.
    pub(crate) what: String,
    pub(crate) first_seen: String,
    pub(crate) last_seen: String,
    pub(crate) tries: u64,
}

/// What the history has of some cells.
#[derive(Debug, Default)]
pub(crate) struct OfCells {
    /// The oldest first.
    pub(crate) changes: BTreeMap<Cell, Vec<PastChange>>,
    pub(crate) open: BTreeMap<Cell, Vec<OpenOfCell>>,
    /// When the oldest run began that is kept; what was done before is not known.
    pub(crate) since: Option<String>,
}

impl Past {
    /// The cells of a data element in an organisation unit and a period, whatever their combos.
    pub(crate) fn of_cells(
        &self,
        data_element: Uid,
        org_unit: Uid,
        period: Period,
    ) -> Result<OfCells, Problem> {
        let beginning = format!("{data_element} {org_unit}");
        self.read(|| {
            let since = self.connection.query_row(
                "SELECT min(at) FROM entry WHERE kind = 'started'",
                [],
                |row| row.get(0),
            )?;
            Ok(OfCells {
                changes: self.changes_of(&beginning, period)?,
                open: self.open_of(&beginning, period)?,
                since,
            })
        })
    }

    fn changes_of(
        &self,
        beginning: &str,
        period: Period,
    ) -> rusqlite::Result<BTreeMap<Cell, Vec<PastChange>>> {
        // `!` is the character after the blank.
        let mut statement = self.connection.prepare(
            "SELECT run, at, mapping, subject, body FROM entry
             WHERE kind = 'change' AND subject > ?1 || ' ' AND subject < ?1 || '!' AND period = ?2 ORDER BY seq",
        )?;
        let mut rows = statement.query(params![beginning, period.to_string()])?;
        let mut found: BTreeMap<Cell, Vec<PastChange>> = BTreeMap::new();
        let mut runs: BTreeMap<i64, (String, Vec<String>)> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let run: i64 = row.get(0)?;
            let known = match runs.get(&run).cloned() {
                Some(known) => known,
                None => self.beginning_of(run)?,
            };
            let (command, differences) = runs.entry(run).or_insert(known).clone();
            let subject: String = row.get(3)?;
            if let Some(cell) = cell(&subject, period) {
                found.entry(cell).or_default().push(PastChange {
                    run,
                    at: row.get(1)?,
                    command,
                    mapping: row.get(2)?,
                    change: body(row.get_ref(4)?.as_str()?),
                    differences,
                });
            }
        }
        Ok(found)
    }

    /// The command of a run, and what was not as in the run before.
    fn beginning_of(&self, run: i64) -> rusqlite::Result<(String, Vec<String>)> {
        let started = differences::started(&self.connection, run)?.unwrap_or_default();
        Ok((started.command, differences(&self.connection, run)?))
    }

    fn open_of(
        &self,
        beginning: &str,
        period: Period,
    ) -> rusqlite::Result<BTreeMap<Cell, Vec<OpenOfCell>>> {
        let mut statement = self.connection.prepare(
            "SELECT mapping, subject, first_seen, last_seen, tries FROM problem
             WHERE period = ?2 AND instr(subject, ' ' || ?1 || ' ') > 0 ORDER BY mapping, subject",
        )?;
        let mut rows = statement.query(params![beginning, period.to_string()])?;
        let mut found: BTreeMap<Cell, Vec<OpenOfCell>> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let subject: String = row.get(1)?;
            let place = subject.find(&format!(" {beginning} "));
            let Some((what, subject)) = place.map(|place| subject.split_at(place)) else {
                continue;
            };
            if let Some(cell) = cell(subject.trim_start(), period) {
                found.entry(cell).or_default().push(OpenOfCell {
                    mapping: row.get(0)?,
                    what: what.to_owned(),
                    first_seen: row.get(2)?,
                    last_seen: row.get(3)?,
                    tries: u64::try_from(row.get::<_, i64>(4)?).unwrap_or_default(),
                });
            }
        }
        Ok(found)
    }
}

/// The cell that an entry names: data element, organisation unit, category and attribute option combo.
fn cell(subject: &str, period: Period) -> Option<Cell> {
    let mut parts = subject.split(' ').map(|part| part.parse::<Uid>().ok());
    let (data_element, org_unit) = (parts.next()??, parts.next()??);
    Some(Cell {
        period,
        org_unit,
        triple: Triple {
            data_element,
            category_option_combo: parts.next()??,
            attribute_option_combo: parts.next()??,
        },
    })
}
