//! The cells that we deleted in DHIS2: a short list in the state folder. DHIS2 ≤ 2.42 keeps our name on a value that a
//! person deleted, so that without it a correction could not be told from a withdrawal of ours.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::domain::{Cell, Triple};
use crate::exit::{Exit, Problem};

const FILE: &str = "deletions";

/// A list that is lost makes our deletions somebody else's, which a person is asked about; nothing worse.
#[derive(Debug)]
pub(crate) struct Deletions {
    file: PathBuf,
    cells: BTreeSet<Cell>,
}

impl Deletions {
    /// Reads the list; none is an empty one.
    pub(crate) fn load(state: &Path) -> Result<Deletions, Problem> {
        let file = state.join(FILE);
        let text = match fs::read_to_string(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.map_err(|error| unusable(&file, &super::reason(&error)))?,
        };
        let cells = text.lines().map(cell).collect::<Option<_>>();
        match cells {
            Some(cells) => Ok(Deletions { file, cells }),
            None => Err(unusable(&file, "it is not as it was written")),
        }
    }

    /// Of a run that records nothing and could not read the list.
    pub(crate) fn none() -> Deletions {
        Deletions {
            file: PathBuf::new(),
            cells: BTreeSet::new(),
        }
    }

    pub(crate) fn cells(&self) -> &BTreeSet<Cell> {
        &self.cells
    }

    /// Adds cells that are gone now, and takes out those that will be back, before they are.
    pub(crate) fn update(
        &mut self,
        gone: impl Iterator<Item = Cell>,
        back: impl Iterator<Item = Cell>,
    ) -> Result<(), Problem> {
        let mut changed = false;
        for cell in back {
            changed |= self.cells.remove(&cell);
        }
        for cell in gone {
            changed |= self.cells.insert(cell);
        }
        if !changed {
            return Ok(());
        }
        super::write_private(&self.file, |file| {
            for cell in &self.cells {
                let triple = cell.triple;
                writeln!(
                    file,
                    "{} {} {} {} {}",
                    triple.data_element,
                    cell.period,
                    cell.org_unit,
                    triple.category_option_combo,
                    triple.attribute_option_combo
                )?;
            }
            Ok(())
        })
        .map_err(|error| unusable(&self.file, &super::reason(&error)))
    }
}

fn cell(line: &str) -> Option<Cell> {
    let mut words = line.split(' ');
    let data_element = words.next()?.parse().ok()?;
    let period = words.next()?.parse().ok()?;
    let org_unit = words.next()?.parse().ok()?;
    let triple = Triple {
        data_element,
        category_option_combo: words.next()?.parse().ok()?,
        attribute_option_combo: words.next()?.parse().ok()?,
    };
    let cell = Cell {
        period,
        org_unit,
        triple,
    };
    words.next().is_none().then_some(cell)
}

fn unusable(file: &Path, why: &str) -> Problem {
    Problem::new(
        Exit::State,
        format!(
            "the list of what was deleted, {}, cannot be used ({why}); nothing more was sent; mend it, or take it away: \
             then what was deleted counts as deleted by somebody else",
            file.display()
        ),
    )
}
