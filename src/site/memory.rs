//! What a run must remember of DHIS2 because DHIS2 does not tell it, in one short file of the state folder.
//!
//! The cells we deleted: DHIS2 ≤ 2.42 keeps our name on a value that a person deleted, so that a correction could not be
//! told from a withdrawal of ours. And how many values of ours were confirmed in a period: should all of them read as
//! nothing, it is DHIS2 or the account that changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files;
use crate::domain::{Cell, Period, Triple, Uid};
use crate::exit::{Exit, Problem};

const FILE: &str = "memory.tsv";
const HEADER: &str = "dhis2\tkind\t…";

/// What is remembered of one DHIS2 server; the lines of others, such as one to rehearse with, are kept as they are. If the file is lost, our
/// deletions count as somebody else's, which a person is asked about; nothing worse.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    file: PathBuf,
    /// The server's address.
    server: String,
    deletions: BTreeSet<Cell>,
    confirmed: BTreeMap<ConfirmedPeriod, u64>,
    others: Vec<String>,
}

/// A period of a mapping's data set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConfirmedPeriod {
    pub(crate) mapping: String,
    pub(crate) data_set: Uid,
    pub(crate) period: Period,
}

impl Memory {
    /// Reads the file; without one there is nothing to remember.
    pub(crate) fn load(state: &Path, server: &str) -> Result<Memory, Problem> {
        let mut memory = Memory {
            file: state.join(FILE),
            server: server.trim_end_matches('/').to_owned(),
            ..Memory::default()
        };
        let text = match fs::read_to_string(&memory.file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(memory),
            read => read.map_err(|error| memory.unusable(&files::reason(&error)))?,
        };
        for (index, line) in text.lines().enumerate().skip(1) {
            if memory.take(line).is_none() {
                let why = format!("line {} is not as it was written", index + 1);
                return Err(memory.unusable(&why));
            }
        }
        Ok(memory)
    }

    /// As it is now, after another run.
    pub(crate) fn renewed(&self, state: &Path) -> Result<Memory, Problem> {
        Memory::load(state, &self.server)
    }

    /// The cells that are deleted because we deleted them.
    pub(crate) fn deletions(&self) -> &BTreeSet<Cell> {
        &self.deletions
    }

    /// How many values of ours the last run confirmed, by period.
    pub(crate) fn confirmed(&self, mapping: &str, data_set: Uid) -> BTreeMap<Period, u64> {
        let own = self
            .confirmed
            .iter()
            .filter(|(scope, _)| scope.mapping == mapping && scope.data_set == data_set);
        own.map(|(scope, count)| (scope.period, *count)).collect()
    }

    /// Cells that will hold a value again are taken out before they do.
    pub(crate) fn will_be_back(&mut self, cells: &[Cell]) -> Result<(), Problem> {
        let before = self.deletions.len();
        for cell in cells {
            self.deletions.remove(cell);
        }
        match self.deletions.len() == before {
            true => Ok(()),
            false => self.write(),
        }
    }

    /// Takes in what a run confirmed: cells that are gone now, and values of ours that are there.
    pub(crate) fn remember(
        &mut self,
        gone: Vec<Cell>,
        confirmed: BTreeMap<ConfirmedPeriod, u64>,
    ) -> Result<(), Problem> {
        let mut changed = false;
        for cell in gone {
            changed |= self.deletions.insert(cell);
        }
        for (scope, count) in confirmed {
            changed |= self.confirmed.insert(scope, count) != Some(count);
        }
        match changed {
            true => self.write(),
            false => Ok(()),
        }
    }

    /// Takes a line in; None for one that we did not write.
    fn take(&mut self, line: &str) -> Option<()> {
        let fields: Vec<&str> = line.split('\t').collect();
        match fields.as_slice() {
            [server, ..] if *server != self.server => self.others.push(line.to_owned()),
            [
                _,
                "deleted",
                data_element,
                period,
                org_unit,
                category,
                attribute,
            ] => {
                self.deletions.insert(Cell {
                    period: period.parse().ok()?,
                    org_unit: org_unit.parse().ok()?,
                    triple: Triple {
                        data_element: data_element.parse().ok()?,
                        category_option_combo: category.parse().ok()?,
                        attribute_option_combo: attribute.parse().ok()?,
                    },
                });
            }
            [_, "confirmed", mapping, data_set, period, count] => {
                let scope = ConfirmedPeriod {
                    mapping: (*mapping).to_owned(),
                    data_set: data_set.parse().ok()?,
                    period: period.parse().ok()?,
                };
                self.confirmed.insert(scope, count.parse().ok()?);
            }
            _ => return None,
        }
        Some(())
    }

    fn write(&self) -> Result<(), Problem> {
        files::write_private(&self.file, |file| self.lines(file))
            .map_err(|error| self.unusable(&files::reason(&error)))
    }

    fn lines(&self, file: &mut dyn Write) -> io::Result<()> {
        let server = &self.server;
        writeln!(file, "{HEADER}")?;
        for line in &self.others {
            writeln!(file, "{line}")?;
        }
        for cell in &self.deletions {
            let (period, unit, triple) = (cell.period, cell.org_unit, cell.triple);
            writeln!(
                file,
                "{server}\tdeleted\t{}\t{period}\t{unit}\t{}\t{}",
                triple.data_element, triple.category_option_combo, triple.attribute_option_combo
            )?;
        }
        for (scope, count) in &self.confirmed {
            let (mapping, data_set, period) = (&scope.mapping, scope.data_set, scope.period);
            writeln!(
                file,
                "{server}\tconfirmed\t{mapping}\t{data_set}\t{period}\t{count}"
            )?;
        }
        Ok(())
    }

    fn unusable(&self, why: &str) -> Problem {
        Problem::new(
            Exit::State,
            format!(
                "{}, what earlier runs found in DHIS2, cannot be used ({why}); nothing more was sent; mend it, make room, or take \
                 it away: then what we deleted counts as deleted by somebody else",
                self.file.display()
            ),
        )
    }
}
