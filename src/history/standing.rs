//! How a mapping stands: when it last went well, what is open, which periods were never confirmed.

use std::collections::BTreeSet;

use super::entry::{MappingEntry, PeriodEntry};
use super::past::Past;
use super::since::body;
use crate::domain::Period;
use crate::exit::{Exit, Problem};

/// A mapping as its runs left it.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// Of its last run: when it ended, and its exit code.
    pub(crate) last: Option<(String, u8)>,
    /// When everything that could be sent was last confirmed: exit 0 or 3.
    pub(crate) success: Option<String>,
    /// When values last changed, and how many.
    pub(crate) values: Option<(String, u64)>,
    /// Of the periods asked for: those that no run ever confirmed.
    pub(crate) gaps: Vec<Period>,
    /// In the periods asked for.
    pub(crate) open: Vec<OpenProblem>,
    /// In other periods, which no run looks at by itself.
    pub(crate) older: u64,
}

/// A problem that the last run that looked found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenProblem {
    pub(crate) period: String,
    /// `blocked`, `rejected` or `unmapped`.
    pub(crate) what: String,
    pub(crate) reason: String,
    /// A cell without its period, or a key.
    pub(crate) subject: String,
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) tries: u64,
}

/// Outcomes that changed DHIS2.
const CHANGED: [&str; 4] = ["created", "updated", "zeroed", "deleted"];

/// Outcomes after which it is not known, or known not to be, that DHIS2 is as the source has it.
const UNCONFIRMED: [&str; 3] = ["held", "unconfirmed", "not-sent"];

impl Past {
    /// `periods`: those that a run looks at by itself.
    pub(crate) fn standing(&self, mapping: &str, periods: &[Period]) -> Result<Standing, Problem> {
        self.read(|| {
            let mut standing = Standing::default();
            let mut missing: BTreeSet<String> = periods.iter().map(Period::to_string).collect();
            let mut statement = self.connection.prepare(
                "SELECT at, body FROM entry WHERE kind = 'mapping' AND mapping = ? ORDER BY run DESC",
            )?;
            let mut rows = statement.query([mapping])?;
            while let Some(row) = rows.next()? {
                let entry: MappingEntry = body(row.get_ref(1)?.as_str()?);
                standing.take(&row.get::<_, String>(0)?, &entry);
                if succeeded(&entry) {
                    let confirmed = entry.periods.iter().filter(|period| confirmed(period));
                    confirmed.for_each(|period| _ = missing.remove(&period.period));
                }
                let is_done = standing.success.is_some() && standing.values.is_some();
                if is_done && missing.is_empty() {
                    break;
                }
            }
            standing.gaps = periods.to_vec();
            standing
                .gaps
                .retain(|period| missing.contains(&period.to_string()));
            let (open, older) = self
                .open_problems(mapping)?
                .into_iter()
                .partition(|problem| is_of(&problem.period, periods));
            let older: Vec<OpenProblem> = older;
            standing.open = open;
            standing.older = older.len() as u64;
            Ok(standing)
        })
    }

    pub(super) fn open_problems(&self, mapping: &str) -> rusqlite::Result<Vec<OpenProblem>> {
        let mut statement = self.connection.prepare(
            "SELECT period, subject, first_seen, last_seen, tries FROM problem WHERE mapping = ? ORDER BY subject, period",
        )?;
        let problems = statement.query_map([mapping], |row| {
            let whole: String = row.get(1)?;
            let mut parts = whole.splitn(3, ' ').map(str::to_owned);
            let mut next = || parts.next().unwrap_or_default();
            Ok(OpenProblem {
                what: next(),
                reason: next(),
                subject: next(),
                period: row.get(0)?,
                first: row.get(2)?,
                last: row.get(3)?,
                tries: row.get::<_, i64>(4)?.unsigned_abs(),
            })
        })?;
        problems.collect()
    }
}

impl Standing {
    /// Takes in a run, the latest first.
    fn take(&mut self, at: &str, entry: &MappingEntry) {
        if self.last.is_none() {
            self.last = Some((at.to_owned(), entry.exit));
        }
        if self.success.is_none() && succeeded(entry) {
            self.success = Some(at.to_owned());
        }
        let changed = CHANGED
            .iter()
            .filter_map(|outcome| entry.cells.get(*outcome));
        let changed: u64 = changed.sum();
        if self.values.is_none() && changed > 0 {
            self.values = Some((at.to_owned(), changed));
        }
    }
}

fn succeeded(entry: &MappingEntry) -> bool {
    [Exit::Ok.code(), Exit::Partial.code()].contains(&entry.exit)
}

fn confirmed(period: &PeriodEntry) -> bool {
    let count = |outcome: &str| period.cells.get(outcome).copied().unwrap_or_default();
    UNCONFIRMED
        .iter()
        .map(|outcome| count(outcome))
        .sum::<u64>()
        == 0
}

fn is_of(period: &str, periods: &[Period]) -> bool {
    period
        .parse()
        .is_ok_and(|period: Period| periods.contains(&period))
}
