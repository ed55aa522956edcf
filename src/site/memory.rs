//! What a run must remember of DHIS2 because DHIS2 does not tell it, in one short file of the state folder.
//!
//! The cells we deleted: DHIS2 ≤ 2.42 keeps our name on a value that a person deleted, so that a correction could not be
//! told from a withdrawal of ours. And how many values of ours were confirmed in a period: should all of them read as
//! nothing, it is DHIS2 or the account that changed. And the totals of data elements in each period, so that a total that
//! stands out is seen without reading a year of values every hour.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::files;
use crate::domain::{Cell, Number, Period, PeriodTotals, Triple, Uid};
use crate::exit::{Exit, Problem};

const FILE: &str = "memory.tsv";
const UNFINISHED: &str = "unfinished";
const HEADER: &str = "dhis2\tkind\t…";

/// What is remembered of one DHIS2 server; the lines of others, such as one to rehearse with, are kept as they are. If the file is lost, our
/// deletions count as somebody else's, which a person is asked about; nothing worse.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    file: PathBuf,
    /// The server's address.
    server: String,
    deletions: BTreeSet<Cell>,
    confirmed: BTreeMap<ConfirmedPeriod, Confirmed>,
    totals: BTreeMap<ConfirmedPeriod, BTreeMap<Uid, Number>>,
    others: Vec<String>,
}

/// A period of a mapping's data set.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConfirmedPeriod {
    pub(crate) mapping: String,
    pub(crate) data_set: Uid,
    pub(crate) period: Period,
}

/// What was confirmed of a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Confirmed {
    /// Values of ours.
    pub(crate) values: u64,
    /// The period was not over yet, so that more was to come.
    pub(crate) is_unfinished: bool,
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

    /// The memory as it is now, after another run.
    pub(crate) fn renewed(&self, state: &Path) -> Result<Memory, Problem> {
        Memory::load(state, &self.server)
    }

    /// The cells that are deleted because we deleted them.
    pub(crate) fn deletions(&self) -> &BTreeSet<Cell> {
        &self.deletions
    }

    /// How many values of ours the last run confirmed, by period.
    pub(crate) fn confirmed(&self, mapping: &str, data_set: Uid) -> BTreeMap<Period, Confirmed> {
        let own = self
            .confirmed
            .iter()
            .filter(|(scope, _)| scope.mapping == mapping && scope.data_set == data_set);
        own.map(|(scope, confirmed)| (scope.period, *confirmed))
            .collect()
    }

    /// The totals of data elements that the last run which read a period saw in it.
    pub(crate) fn totals(&self, mapping: &str, data_set: Uid) -> PeriodTotals {
        let mut totals = PeriodTotals::default();
        for (scope, each) in &self.totals {
            if scope.mapping == mapping && scope.data_set == data_set {
                *totals.know(scope.period) = each.clone();
            }
        }
        totals
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

    /// Takes in what a run confirmed: cells that are gone now, values of ours that are there, and totals.
    pub(crate) fn remember(
        &mut self,
        gone: Vec<Cell>,
        confirmed: BTreeMap<ConfirmedPeriod, Confirmed>,
        totals: BTreeMap<ConfirmedPeriod, BTreeMap<Uid, Number>>,
    ) -> Result<(), Problem> {
        let mut changed = false;
        for cell in gone {
            changed |= self.deletions.insert(cell);
        }
        for (scope, count) in confirmed {
            changed |= self.confirmed.insert(scope, count) != Some(count);
        }
        for (scope, each) in totals {
            if self.totals.get(&scope) != Some(&each) {
                self.totals.insert(scope, each);
                changed = true;
            }
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
            [_, "confirmed", mapping, data_set, period, count, rest @ ..] => {
                let confirmed = Confirmed {
                    values: count.parse().ok()?,
                    is_unfinished: match rest {
                        [] => false,
                        [word] => (*word == UNFINISHED).then_some(true)?,
                        _ => return None,
                    },
                };
                let scope = ConfirmedPeriod::read(mapping, data_set, period)?;
                self.confirmed.insert(scope, confirmed);
            }
            [_, "totals", mapping, data_set, period, each] => {
                let total = |text: &str| {
                    let (data_element, total) = text.split_once('=')?;
                    Some((data_element.parse().ok()?, Number::parse(total).ok()?))
                };
                let totals: Option<_> = each.split_terminator(' ').map(total).collect();
                let scope = ConfirmedPeriod::read(mapping, data_set, period)?;
                self.totals.insert(scope, totals?);
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
        for (scope, confirmed) in &self.confirmed {
            write!(file, "{server}\tconfirmed\t{scope}\t{}", confirmed.values)?;
            match confirmed.is_unfinished {
                true => writeln!(file, "\t{UNFINISHED}")?,
                false => writeln!(file)?,
            }
        }
        for (scope, totals) in &self.totals {
            let each = totals.iter().map(|(uid, total)| format!("{uid}={total}"));
            let each: Vec<String> = each.collect();
            writeln!(file, "{server}\ttotals\t{scope}\t{}", each.join(" "))?;
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

impl ConfirmedPeriod {
    fn read(mapping: &str, data_set: &str, period: &str) -> Option<ConfirmedPeriod> {
        Some(ConfirmedPeriod {
            mapping: unescaped(mapping),
            data_set: data_set.parse().ok()?,
            period: period.parse().ok()?,
        })
    }
}

impl fmt::Display for ConfirmedPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mapping = escaped(&self.mapping);
        write!(f, "{mapping}\t{}\t{}", self.data_set, self.period)
    }
}

/// What a name may have that would end a field or a line, and how it is written.
const ESCAPES: [(char, &str); 4] = [('\\', "\\\\"), ('\t', "\\t"), ('\n', "\\n"), ('\r', "\\r")];

/// A name in one field, whatever stands in it.
fn escaped(name: &str) -> String {
    let mut written = String::new();
    for letter in name.chars() {
        match ESCAPES.iter().find(|(known, _)| *known == letter) {
            Some((_, escape)) => written.push_str(escape),
            None => written.push(letter),
        }
    }
    written
}

fn unescaped(field: &str) -> String {
    let mut name = String::new();
    let mut rest = field;
    while let Some(first) = rest.chars().next() {
        let escape = ESCAPES.iter().find(|(_, escape)| rest.starts_with(escape));
        let (letter, length) = escape.map_or((first, first.len_utf8()), |(letter, escape)| {
            (*letter, escape.len())
        });
        name.push(letter);
        rest = rest.get(length..).unwrap_or_default();
    }
    name
}

#[cfg(test)]
mod tests {
    use super::ConfirmedPeriod;

    #[test]
    fn a_name_that_would_end_a_line_is_one_field_and_is_read_as_it_was() {
        let data_set = "YE8SgpSMBQ9".parse().unwrap();
        let period = "202503".parse().unwrap();
        for mapping in ["plain", "a\tb", "a\nb\r", "back\\slash\\t", "é"] {
            let scope = ConfirmedPeriod {
                mapping: mapping.to_owned(),
                data_set,
                period,
            };
            let written = scope.to_string();
            assert_eq!(written.lines().count(), 1, "{written:?}");
            let fields: Vec<&str> = written.split('\t').collect();
            let [name, data_set, period] = fields[..] else {
                panic!("{written:?}");
            };
            assert_eq!(ConfirmedPeriod::read(name, data_set, period), Some(scope));
        }
    }
}
