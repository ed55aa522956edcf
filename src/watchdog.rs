//! Ends a command that hangs, whatever it hangs in: the only place from which the process is ended.

use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{process, thread};

use crate::exit::{Exit, Problem};
use crate::report;

/// The time of a command whose site file names no `deadline`: an hourly run ends before the next begins.
const DEADLINE: Duration = Duration::from_secs(50 * 60);
/// After its deadline a command ends by itself, without a request more; one that has not by then hangs.
const GRACE: Duration = Duration::from_secs(5);
/// The time of what comes after a run whose outcome is told already: it may not change the outcome.
const AFTERWARDS: Duration = Duration::from_secs(120);
/// Whoever reads standard error may hang too.
const TELLING: Duration = Duration::from_secs(1);

/// What a command is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    Usual,
    /// Periods that a person at a terminal asked for; it may be years of them.
    BackfillByHand,
}

/// The time that a command has.
pub(crate) struct Watch {
    pub(crate) deadline: Option<Deadline>,
    doing: Arc<Mutex<Doing>>,
}

/// What goes on.
#[derive(Clone, Copy, Debug)]
enum Doing {
    /// A part of the work.
    Work(&'static str),
    /// It is over since then, and ended so.
    Over(Instant, Exit),
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) ends_at: Instant,
    limit: Duration,
}

impl Watch {
    /// Begins to watch; `written` is the deadline of the site file. A backfill by hand has none unless it is
    /// written. Nothing is begun that nobody can watch.
    pub(crate) fn begin(written: Option<Duration>, work: Work) -> Result<Watch, Problem> {
        let limit = limit(written, work);
        // A deadline beyond all clocks is none.
        let deadline = limit.and_then(|limit| {
            let ends_at = Instant::now().checked_add(limit)?;
            Some(Deadline { ends_at, limit })
        });
        let doing = Arc::new(Mutex::new(Doing::Work("beginning")));
        if let Some(deadline) = deadline {
            let doing = Arc::clone(&doing);
            let watching = thread::Builder::new().spawn(move || end(deadline, &doing));
            watching.map_err(|_| {
                Problem::new(
                    Exit::Temporary,
                    "the system has no memory, or no thread, for what watches the deadline; nothing was sent; the next run tries again",
                )
            })?;
        }
        Ok(Watch { deadline, doing })
    }

    /// Notes what the command does now, to tell it should it hang.
    pub(crate) fn doing(&self, what: &'static str) {
        if let Ok(mut doing) = self.doing.lock() {
            *doing = Doing::Work(what);
        }
    }

    /// Notes that the work is over, and how it ended. What comes after it has a time of its own, whatever was left of that
    /// of the work; should it hang, the process ends as the work did.
    pub(crate) fn over(&self, exit: Exit) {
        if let Ok(mut doing) = self.doing.lock() {
            *doing = Doing::Over(Instant::now(), exit);
        }
    }

    /// Waits, if that leaves time for more; whether it did.
    pub(crate) fn wait(&self, time: Duration) -> bool {
        let has_time = self.has(time);
        if has_time {
            thread::sleep(time);
        }
        has_time
    }

    /// Waits; a problem where the deadline comes before the end of it.
    pub(crate) fn rest(&self, time: Duration) -> Result<(), Problem> {
        match (self.wait(time), self.deadline) {
            (false, Some(deadline)) => Err(over(deadline)),
            _ => Ok(()),
        }
    }

    /// Whether so much time is left, and more.
    fn has(&self, time: Duration) -> bool {
        self.deadline.is_none_or(|deadline| {
            time < deadline.ends_at.saturating_duration_since(Instant::now())
        })
    }

    /// A problem once the deadline has come: nothing new is to be begun.
    pub(crate) fn ensure_time(&self) -> Result<(), Problem> {
        match self.deadline {
            Some(deadline) if !self.has(Duration::ZERO) => Err(over(deadline)),
            _ => Ok(()),
        }
    }
}

fn over(deadline: Deadline) -> Problem {
    Problem::new(
        Exit::Temporary,
        format!(
            "the time of the run is over (deadline in [limits], {}); what is left was not begun; the next run goes on from there",
            shown(deadline.limit)
        ),
    )
}

fn limit(written: Option<Duration>, work: Work) -> Option<Duration> {
    match (written, work) {
        (Some(limit), _) => Some(limit),
        (None, Work::Usual) => Some(DEADLINE),
        (None, Work::BackfillByHand) => None,
    }
}

/// Waits for the deadline and a little longer; who is still there then is ended. The lock on the state folder ends with
/// the process, and a temporary file may be left behind.
fn end(deadline: Deadline, doing: &Mutex<Doing>) {
    let until = deadline.ends_at + GRACE.min(deadline.limit / 10);
    thread::sleep(until.saturating_duration_since(Instant::now()));
    let doing = match doing.lock().map(|doing| *doing) {
        Ok(Doing::Work(doing)) => doing,
        Ok(Doing::Over(since, exit)) => {
            thread::sleep((since + AFTERWARDS).saturating_duration_since(Instant::now()));
            process::exit(exit.code().into());
        }
        Err(_) => "working",
    };
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Watch, Work, limit, shown};

    #[test]
    fn only_a_backfill_by_hand_has_no_deadline_unless_it_is_written() {
        let minutes = |minutes: u64| Some(Duration::from_secs(minutes * 60));
        assert_eq!(limit(None, Work::Usual), minutes(50));
        assert_eq!(limit(None, Work::BackfillByHand), None);
        assert_eq!(limit(minutes(7), Work::BackfillByHand), minutes(7));
    }

    #[test]
    fn before_the_deadline_there_is_time_and_beyond_it_none() {
        let watch = Watch::begin(Some(Duration::from_secs(3_600)), Work::Usual).unwrap();
        assert!(watch.ensure_time().is_ok());
        assert!(watch.has(Duration::from_secs(3_000)));
        assert!(!watch.has(Duration::from_secs(3_601)));
    }

    #[test]
    fn a_limit_is_shown_as_it_is_written() {
        assert_eq!(shown(Duration::from_secs(3_000)), "50m");
        assert_eq!(shown(Duration::from_millis(200)), "200ms");
    }
}
