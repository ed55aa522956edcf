//! The record of every run, in `history.db` of the state folder: append-only, chained by hash. The only module that names
//! SQLite.

mod afterwards;
mod chain;
mod days;
mod differences;
mod endings;
mod entry;
mod file;
mod mapping_state;
mod month;
mod notes;
mod of_cells;
mod past;
mod problems;
mod recorder;
mod regular_look;
mod retention;
mod runs;
mod sent_from;

pub(crate) use afterwards::Noted;
pub(crate) use chain::moment;
pub(crate) use days::{RunsOfDay, Went};
pub(crate) use endings::{Ending, How};
pub(crate) use entry::{
    AboutToSend, Acknowledged, After, CHANGED, CellChange, Concern, Finished, MappingEntry,
    MappingPlan, Notified, PeriodEntry, RecordedProblem, Refused, RunStart, SentFrom, Setting,
    SourceAddress, SumEntry, Tripped,
};
pub(crate) use mapping_state::{MappingState, OpenProblem};
pub(crate) use month::{Month, MonthOfMapping};
pub(crate) use notes::{NoteEntry, ToldOfRun, keep};
pub(crate) use of_cells::{OfCells, OpenOfCell, PastChange};
pub(crate) use past::Past;
pub(crate) use problems::{Found, ProblemKind};
pub(crate) use recorder::{InterruptedRun, Recorder};
pub(crate) use regular_look::RegularLook;
pub(crate) use retention::Cutoff;
pub(crate) use runs::{ChangeOfRun, Filter, ProblemOfRun, Run, RunState, WholeRun};
pub(crate) use sent_from::NewerSource;
