//! Whose turn it is: one run at a time, and between the parts of a backfill the run that waits goes first.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::exit::{Exit, Problem};
use crate::site::{Backfill, Lock, Next};
use crate::watchdog::Watch;

/// So often a run that waits looks whether it is its turn.
const LOOK: Duration = Duration::from_millis(50);
/// Looks at a place that may just be looked at by somebody else.
const LOOKS: usize = 4;

/// Whether the work of a run is cut into parts that others may run between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    AtOnce,
    InParts,
}

/// The right to run, for a while.
#[derive(Debug)]
pub(crate) struct Turn {
    started: Timestamp,
    lock: Option<Lock>,
    backfill: Option<Backfill>,
}

impl Turn {
    /// Takes the lock. Where a backfill goes on in parts, others wait for the end of its part; no other run is waited for.
    pub(crate) fn take(
        state: &Path,
        started: Timestamp,
        watch: &Watch,
        pace: Pace,
    ) -> Result<Turn, Problem> {
        if pace == Pace::InParts {
            return Turn::of_backfill(state, started);
        }
        let turn = |lock| Turn {
            started,
            lock: Some(lock),
            backfill: None,
        };
        let busy = match Lock::take(state, started) {
            Err(problem) if problem.exit == Exit::Busy => problem,
            taken => return taken.map(turn),
        };
        let Some(_next) = next(state, watch) else {
            return Err(busy);
        };
        watch.doing("waiting for a part of a backfill to end");
        let taken = await_lock(state, started, watch).map(turn);
        taken.map_err(|problem| match problem.exit {
            Exit::Temporary => busy,
            _ => problem,
        })
    }

    /// Two backfills do not wait for each other.
    fn of_backfill(state: &Path, started: Timestamp) -> Result<Turn, Problem> {
        Ok(Turn {
            started,
            lock: Some(Lock::take(state, started)?),
            backfill: Some(Backfill::begin(state, started)?),
        })
    }

    /// Rests, lets the run that waits go first, and goes on when it is through.
    pub(crate) fn give_way(
        &mut self,
        state: &Path,
        rest: Duration,
        watch: &Watch,
    ) -> Result<(), Problem> {
        let Some(backfill) = &self.backfill else {
            return Ok(());
        };
        self.lock = None;
        watch.doing("giving way between two parts");
        let mut rested = watch.rest(rest);
        while rested.is_ok() && backfill.is_awaited() {
            rested = watch.rest(LOOK);
        }
        // What comes after the last part is done with the lock too, if it is free; nothing is sent without it.
        match rested {
            Ok(()) => self.lock = Some(await_lock(state, self.started, watch)?),
            Err(_) => self.lock = Lock::take(state, self.started).ok(),
        }
        rested
    }
}

/// The place of the run that goes next, unless somebody has it.
fn next(state: &Path, watch: &Watch) -> Option<Next> {
    (0..LOOKS).find_map(|look| {
        let is_time = look == 0 || watch.wait(LOOK);
        is_time.then(|| Next::take(state)).flatten()
    })
}

fn await_lock(state: &Path, started: Timestamp, watch: &Watch) -> Result<Lock, Problem> {
    loop {
        match Lock::take(state, started) {
            Err(problem) if problem.exit == Exit::Busy => watch.rest(LOOK)?,
            taken => return taken,
        }
    }
}
