//! Reads what was recorded: the latest runs, and one run whole.

use rusqlite::{OptionalExtension, params};

use super::differences::differences;
use super::entry::{AboutToSend, After, CellChange, Finished, MappingEntry, RunStart, body};
use super::notes::ToldOfRun;
use super::past::Past;
use crate::exit::Problem;

/// Which runs are asked for.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Those that had one of these; none: all.
    pub(crate) mappings: Vec<String>,
    /// Those that began then or later (RFC 3339, UTC).
    pub(crate) since: Option<String>,
    /// Those that did not end with 0.
    pub(crate) failed: bool,
    /// The latest so many.
    pub(crate) last: usize,
}

#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) number: i64,
    pub(crate) at: String,
    pub(crate) started: RunStart,
    pub(crate) state: RunState,
    pub(crate) mappings: Vec<(String, MappingEntry)>,
}

#[derive(Debug)]
pub(crate) enum RunState {
    /// It is going on.
    Running,
    /// It never came to its end.
    Interrupted,
    Finished {
        at: String,
        how: Box<Finished>,
    },
}

/// A run with all that it did.
pub(crate) struct WholeRun {
    pub(crate) run: Run,
    pub(crate) changes: Vec<ChangeOfRun>,
    /// Changes that were about to be sent, by mapping and part.
    pub(crate) sending: Vec<(String, AboutToSend)>,
    pub(crate) problems: Vec<ProblemOfRun>,
    /// What was not as it was in the run before.
    pub(crate) differences: Vec<String>,
    /// What was done for those who watch from elsewhere, and is worth an entry.
    pub(crate) after: Vec<(String, After)>,
    /// What people were told because of it, or were not.
    pub(crate) told: Vec<ToldOfRun>,
}

pub(crate) struct ChangeOfRun {
    pub(crate) mapping: String,
    pub(crate) period: String,
    /// Data element, organisation unit, category and attribute option combo.
    pub(crate) cell: String,
    pub(crate) change: CellChange,
}

/// A problem that was there in a run.
pub(crate) struct ProblemOfRun {
    pub(crate) mapping: String,
    pub(crate) period: String,
    /// What, why, and of which cell or key.
    pub(crate) subject: String,
    /// The run that met it first.
    pub(crate) opened: i64,
    /// This run did not find it any more.
    pub(crate) closed: bool,
}

impl Past {
    /// The latest last.
    pub(crate) fn runs(&self, filter: &Filter) -> Result<Vec<Run>, Problem> {
        self.read(|| {
            let mut statement = self.connection.prepare(
                "SELECT run FROM entry WHERE kind = 'started' AND at >= ? ORDER BY run DESC",
            )?;
            let since = filter.since.as_deref().unwrap_or_default();
            let mut numbers = statement.query([since])?;
            let mut runs = Vec::new();
            while let Some(row) = numbers.next()?
                && runs.len() < filter.last
            {
                if let Some(run) = self.one(row.get(0)?)?
                    && filter.takes(&run)
                {
                    runs.push(run);
                }
            }
            runs.reverse();
            Ok(runs)
        })
    }

    /// The run that began last.
    pub(crate) fn latest(&self) -> Result<Option<Run>, Problem> {
        let filter = Filter {
            last: 1,
            ..Filter::default()
        };
        Ok(self.runs(&filter)?.pop())
    }

    /// One run with everything it did; None if there is none of this number.
    pub(crate) fn run(&self, number: i64) -> Result<Option<WholeRun>, Problem> {
        self.read(|| {
            let Some(run) = self.one(number)? else {
                return Ok(None);
            };
            Ok(Some(WholeRun {
                changes: self.changes(number)?,
                sending: self.sending(number)?,
                problems: self.problems(&run)?,
                differences: differences(&self.connection, number)?,
                after: self.after(number)?,
                told: self.told_of(number)?,
                run,
            }))
        })
    }

    fn one(&self, number: i64) -> rusqlite::Result<Option<Run>> {
        let begun = self
            .connection
            .prepare_cached("SELECT at, body FROM entry WHERE kind = 'started' AND run = ?")?
            .query_row([number], |row| {
                Ok((row.get::<_, String>(0)?, body(row.get_ref(1)?.as_str()?)))
            })
            .optional()?;
        let Some((at, started)) = begun else {
            return Ok(None);
        };
        let mut statement = self.connection.prepare_cached(
            "SELECT mapping, body FROM entry WHERE run = ? AND kind = 'mapping' ORDER BY seq",
        )?;
        let mappings = statement.query_map([number], |row| {
            Ok((row.get(0)?, body(row.get_ref(1)?.as_str()?)))
        })?;
        Ok(Some(Run {
            number,
            at,
            state: self.state(number, &started)?,
            mappings: mappings.collect::<rusqlite::Result<_>>()?,
            started,
        }))
    }

    fn state(&self, number: i64, started: &RunStart) -> rusqlite::Result<RunState> {
        let ended = self
            .connection
            .prepare_cached("SELECT at, body FROM entry WHERE run = ? AND kind = 'finished'")?
            .query_row([number], |row| {
                Ok(RunState::Finished {
                    at: row.get(0)?,
                    how: Box::new(body(row.get_ref(1)?.as_str()?)),
                })
            })
            .optional()?;
        let is_noted: bool = self
            .connection
            .prepare_cached(
                "SELECT EXISTS (SELECT 1 FROM entry WHERE run = ? AND kind = 'interrupted')",
            )?
            .query_row([number], |row| row.get(0))?;
        Ok(match ended {
            Some(ended) => ended,
            None if !is_noted && self.alive.contains(&started.pid) => RunState::Running,
            None => RunState::Interrupted,
        })
    }

    fn changes(&self, run: i64) -> rusqlite::Result<Vec<ChangeOfRun>> {
        let mut statement = self.connection.prepare(
            "SELECT mapping, period, subject, body FROM entry WHERE run = ? AND kind = 'change' ORDER BY seq",
        )?;
        let changes = statement.query_map([run], |row| {
            Ok(ChangeOfRun {
                mapping: row.get(0)?,
                period: row.get(1)?,
                cell: row.get(2)?,
                change: body(row.get_ref(3)?.as_str()?),
            })
        })?;
        changes.collect()
    }

    fn sending(&self, run: i64) -> rusqlite::Result<Vec<(String, AboutToSend)>> {
        let mut statement = self.connection.prepare(
            "SELECT mapping, body FROM entry WHERE run = ? AND kind = 'sending' ORDER BY seq",
        )?;
        let parts = statement.query_map([run], |row| {
            Ok((row.get(0)?, body(row.get_ref(1)?.as_str()?)))
        })?;
        parts.collect()
    }

    /// Those of the run's mappings that were opened by then and not closed before.
    fn problems(&self, run: &Run) -> rusqlite::Result<Vec<ProblemOfRun>> {
        let mut statement = self.connection.prepare(
            "SELECT o.mapping, o.period, o.subject, o.run,
                 (SELECT min(c.run) FROM entry c WHERE c.kind = 'closed' AND c.mapping = o.mapping AND c.period = o.period
                  AND c.subject = o.subject AND c.seq > o.seq) AS closed
             FROM entry o WHERE o.kind = 'opened' AND o.mapping = ?1 AND o.run <= ?2 AND (closed IS NULL OR closed >= ?2)
             ORDER BY o.period, o.subject",
        )?;
        let mut problems = Vec::new();
        for mapping in &run.started.mappings {
            let found = statement.query_map(params![mapping.name, run.number], |row| {
                let closed: Option<i64> = row.get(4)?;
                Ok(ProblemOfRun {
                    mapping: row.get(0)?,
                    period: row.get(1)?,
                    subject: row.get(2)?,
                    opened: row.get(3)?,
                    closed: closed == Some(run.number),
                })
            })?;
            for problem in found {
                problems.push(problem?);
            }
        }
        Ok(problems)
    }
}

impl Filter {
    fn takes(&self, run: &Run) -> bool {
        let named = |name: &String| self.mappings.contains(name);
        let mut names = run.started.mappings.iter().map(|mapping| &mapping.name);
        let of_mapping = self.mappings.is_empty() || names.any(named);
        of_mapping && (!self.failed || run.failed())
    }
}

impl Run {
    /// Whether it did not end with 0; one that is going on has not failed.
    pub(crate) fn failed(&self) -> bool {
        match &self.state {
            RunState::Running => false,
            RunState::Interrupted => true,
            RunState::Finished { how, .. } => how.exit != 0,
        }
    }
}
