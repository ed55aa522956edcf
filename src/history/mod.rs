//! The record of every run, in `history.db` of the state folder: append-only, chained by hash. The only module that names
//! SQLite.

mod afterwards;
mod cell;
mod chain;
mod days;
mod endings;
mod entry;
mod file;
mod month;
mod notes;
mod past;
mod problems;
mod recorder;
mod retention;
mod since;
mod standing;

pub(crate) use afterwards::{After, Concern, Noted};
pub(crate) use cell::{OfCells, OpenOfCell, PastChange};
pub(crate) use chain::moment;
pub(crate) use days::{Day, Went};
pub(crate) use endings::{Ending, How};
pub(crate) use entry::{
    CellChange, Finished, MappingEntry, MappingPlan, PeriodEntry, Place, Setting, Started,
    SumEntry, Told, Tripped,
};
pub(crate) use month::{Month, MonthOfMapping};
pub(crate) use notes::{Acknowledged, Note, Notified, Refused, ToldOfRun, keep};
pub(crate) use past::{Change, Filter, Past, ProblemOfRun, Run, RunState, WholeRun};
pub(crate) use problems::{Found, What};
pub(crate) use recorder::{Died, Recorder};
pub(crate) use standing::{OpenProblem, Standing};

/// Outcomes that changed DHIS2.
pub(crate) const CHANGED: [&str; 4] = ["created", "updated", "zeroed", "deleted"];

/// The file's name in the state folder.
pub(crate) const FILE: &str = "history.db";
