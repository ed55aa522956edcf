//! How a mapping stands: when it last went well, what is open, which periods were never confirmed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::chain::now;
use super::entry::{Acknowledged, CHANGED, MappingEntry, PeriodEntry, body};
use super::past::Past;
use crate::domain::Period;
use crate::exit::{Exit, Problem};

/// A mapping as its runs left it.
#[derive(Debug, Default)]
pub(crate) struct MappingState {
    /// When its last run ended, and its exit code.
    pub(crate) last: Option<(String, u8)>,
    /// Its last run was not accepted anything of what it was due to confirm.
    pub(crate) is_nothing_accepted: bool,
    /// When everything that could be sent was last confirmed: exit 0 or 3.
    pub(crate) success: Option<String>,
    /// When values last changed, and how many.
    pub(crate) values: Option<(String, u64)>,
    /// Those of the periods asked for that no run ever confirmed.
    pub(crate) gaps: Vec<Period>,
    /// The last run ended with 3 for nothing but problems that somebody acknowledged.
    pub(crate) is_excused: bool,
    /// What is open in the periods asked for.
    pub(crate) open: Vec<OpenProblem>,
    /// How much is open in other periods, which no run looks at by itself.
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
    /// Somebody knows of it, now.
    pub(crate) acknowledged: Option<Acknowledged>,
}

/// Clocks that are so far apart count as one.
const LEEWAY: SignedDuration = SignedDuration::from_mins(10);

/// Outcomes after which it is not known, or known not to be, that DHIS2 is as the source has it.
const UNCONFIRMED: [&str; 4] = ["held", "moved", "unconfirmed", "not-sent"];

impl Past {
    /// `periods`: those that a run looks at by itself.
    pub(crate) fn standing(
        &self,
        mapping: &str,
        periods: &[Period],
    ) -> Result<MappingState, Problem> {
        self.read(|| {
            let mut standing = MappingState::default();
            let now = Timestamp::now() + LEEWAY;
            let mut missing: BTreeSet<String> = periods.iter().map(Period::to_string).collect();
            let mut statement = self.connection.prepare(
                "SELECT at, body FROM entry WHERE kind = 'mapping' AND mapping = ? ORDER BY run DESC",
            )?;
            let mut rows = statement.query([mapping])?;
            let open = self.with_acknowledged(mapping, self.open_problems(mapping)?)?;
            while let Some(row) = rows.next()? {
                let entry: MappingEntry = body(row.get_ref(1)?.as_str()?);
                if standing.last.is_none() {
                    standing.is_excused = is_excused(&entry, &open);
                }
                standing.take(&row.get::<_, String>(0)?, &entry, now);
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
            let (open, older) = open
                .into_iter()
                .partition(|problem| is_of(&problem.period, periods));
            let older: Vec<OpenProblem> = older;
            standing.open = open;
            standing.older = older.len() as u64;
            Ok(standing)
        })
    }

    /// Everything that is open, in whatever mapping and period.
    pub(crate) fn all_open(&self) -> Result<Vec<(String, OpenProblem)>, Problem> {
        self.read(|| {
            let mut statement = self
                .connection
                .prepare("SELECT DISTINCT mapping FROM problem ORDER BY mapping")?;
            let mappings = statement.query_map([], |row| row.get::<_, String>(0))?;
            let mut all = Vec::new();
            for mapping in mappings {
                let mapping = mapping?;
                let open = self.open_problems(&mapping)?.into_iter();
                all.extend(open.map(|problem| (mapping.clone(), problem)));
            }
            Ok(all)
        })
    }

    fn with_acknowledged(
        &self,
        mapping: &str,
        mut open: Vec<OpenProblem>,
    ) -> rusqlite::Result<Vec<OpenProblem>> {
        let now = now();
        for known in self.acknowledgements()? {
            let is_of = |problem: &&mut OpenProblem| {
                known.mapping == mapping
                    && problem.whole() == known.subject
                    && known.acknowledged.until > now
            };
            let mine = open.iter_mut().filter(is_of);
            mine.for_each(|problem| problem.acknowledged = Some(known.acknowledged.clone()));
        }
        Ok(open)
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
                acknowledged: None,
            })
        })?;
        problems.collect()
    }
}

impl OpenProblem {
    /// What, why, and of which cell or key: as it is acknowledged.
    pub(crate) fn whole(&self) -> String {
        format!("{} {} {}", self.what, self.reason, self.subject)
    }
}

impl MappingState {
    /// Takes in a run, the latest first.
    fn take(&mut self, at: &str, entry: &MappingEntry, now: Timestamp) {
        // What lies in the future was written by a clock that was wrong: it says nothing of today.
        let is_past = at.parse().is_ok_and(|at: Timestamp| at <= now);
        if self.last.is_none() {
            self.last = Some((at.to_owned(), entry.exit));
            self.is_nothing_accepted = entry.nothing_accepted;
        }
        if self.success.is_none() && succeeded(entry) && is_past {
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

/// Whether all that kept a run from 0 is acknowledged, and all of it is known cell by cell and key by key.
fn is_excused(entry: &MappingEntry, open: &[OpenProblem]) -> bool {
    let looked = |problem: &&OpenProblem| {
        let mut periods = entry.periods.iter();
        periods.any(|period| period.period == problem.period)
    };
    let found: Vec<&OpenProblem> = open.iter().filter(looked).collect();
    let count =
        |counts: &BTreeMap<String, u64>, what: &str| counts.get(what).copied().unwrap_or_default();
    let cells = found
        .iter()
        .filter(|problem| problem.what != "unmapped")
        .count() as u64;
    entry.exit == Exit::Partial.code()
        && entry.problems.is_empty()
        && count(&entry.rows, "invalid") == 0
        && cells >= count(&entry.cells, "blocked") + count(&entry.cells, "rejected")
        && found.iter().all(|problem| problem.acknowledged.is_some())
}

pub(super) fn succeeded(entry: &MappingEntry) -> bool {
    [Exit::Ok.code(), Exit::Partial.code()].contains(&entry.exit) && !entry.nothing_accepted
}

pub(super) fn confirmed(period: &PeriodEntry) -> bool {
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
