//! Ends a command that hangs, whatever it hangs in: the only place from which the process is ended.

use std::io::IsTerminal;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{io, process, thread};

use crate::exit::{Exit, Problem};
use crate::report;

/// For a command whose site file names no `deadline`: an hourly run ends before the next begins.
const DEADLINE: Duration = Duration::from_secs(50 * 60);
/// After its deadline a command ends by itself, without a request more; one that has not by then hangs.
const GRACE: Duration = Duration::from_secs(5);
/// Whoever reads standard error may hang too.
const TELLING: Duration = Duration::from_secs(1);

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Usual,
    /// Periods that somebody asked for; it may be years of them.
    Backfill,
}

/// The time that a command has.
pub(crate) struct Watch {
    pub(crate) deadline: Option<Deadline>,
    doing: Arc<Mutex<&'static str>>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) ends_at: Instant,
    limit: Duration,
}

impl Watch {
    /// Begins to watch; `written` is the deadline of the site file. A backfill by a person at a terminal has none
    /// unless it is written.
    pub(crate) fn begin(written: Option<Duration>, work: Work) -> Watch {
        let unlimited = work == Work::Backfill && io::stderr().is_terminal();
        let limit = written.or(if unlimited { None } else { Some(DEADLINE) });
        // A deadline beyond all clocks is none.
        let deadline = limit.and_then(|limit| {
            let ends_at = Instant::now().checked_add(limit)?;
            Some(Deadline { ends_at, limit })
        });
        let doing = Arc::new(Mutex::new("beginning"));
        if let Some(deadline) = deadline {
            let doing = Arc::clone(&doing);
            thread::spawn(move || end(deadline, &doing));
        }
        Watch { deadline, doing }
    }

    /// Notes what the command does now, to tell it should it hang.
    pub(crate) fn doing(&self, what: &'static str) {
        if let Ok(mut doing) = self.doing.lock() {
            *doing = what;
        }
    }

    /// Whether so much time is left, and more.
    pub(crate) fn has(&self, time: Duration) -> bool {
        self.deadline.is_none_or(|deadline| {
            time < deadline.ends_at.saturating_duration_since(Instant::now())
        })
    }

    /// A problem once the deadline has come: nothing new is to be begun.
    pub(crate) fn ensure_time(&self) -> Result<(), Problem> {
        match self.deadline {
            Some(deadline) if !self.has(Duration::ZERO) => Err(Problem::new(
                Exit::Temporary,
                format!(
                    "the time of the run is over (deadline in [limits], {}); what is left was not begun; the next run goes on from there",
                    shown(deadline.limit)
                ),
            )),
            _ => Ok(()),
        }
    }
}

/// Waits for the deadline and a little longer; who is still there then is ended. The lock on the state folder ends with
/// the process, and a temporary file may be left behind.
fn end(deadline: Deadline, doing: &Mutex<&'static str>) {
    let until = deadline.ends_at + GRACE.min(deadline.limit / 10);
    thread::sleep(until.saturating_duration_since(Instant::now()));
    let doing = doing.lock().map_or("working", |doing| *doing);
    let problem = Problem::new(
        Exit::Temporary,
        format!(
            "hung while {doing}, and was ended after its deadline ([limits], {}); what was sent stays, and the next run compares again",
            shown(deadline.limit)
        ),
    );
    let (told, telling) = mpsc::channel();
    thread::spawn(move || {
        report::error(&problem.into());
        told.send(())
    });
    // Told or not.
    let _ = telling.recv_timeout(TELLING);
    process::exit(Exit::Temporary.code().into());
}

/// `50m`, `1h 30m`, `200ms`.
fn shown(limit: Duration) -> String {
    jiff::SignedDuration::try_from(limit).map_or_else(
        |_| format!("{} s", limit.as_secs()),
        |limit| format!("{limit:#}"),
    )
}
