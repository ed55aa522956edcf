//! Runs the queries of a mapping, rules first, and hands every result on: to the mapper, or to the lines of `extract`.

use std::cell::RefCell;

use jiff::{Timestamp, ToSpan};

use super::periods;
use crate::domain::{Desired, Dimension, Period};
use crate::exit::{Exit, Problem};
use crate::extract::{ResultColumn, Snapshot};
use crate::map::Mapper;
use crate::mapping::{Columns, Mapping, ParameterValues, Sql, UidsFrom};

/// Takes the results of a mapping's queries. The `begin` methods refuse columns that the mapping does not declare,
/// and return the most characters to read of each.
pub(crate) trait Results {
    fn begin_rules(&mut self, dimension: Dimension, columns: &Columns) -> anyhow::Result<Vec<u32>>;

    /// `period`: the one the query runs for, if it runs for one; `allowed`: those its rows may be of.
    fn begin_rows(
        &mut self,
        query: &str,
        period: Option<Period>,
        allowed: &[Period],
        columns: &Columns,
    ) -> anyhow::Result<Vec<u32>>;

    fn row(&mut self, row: &[Option<&str>]) -> anyhow::Result<()>;
}

impl Results for Mapper<'_> {
    fn begin_rules(&mut self, dimension: Dimension, columns: &Columns) -> anyhow::Result<Vec<u32>> {
        Ok(Mapper::begin_rules(self, dimension, columns)?)
    }

    fn begin_rows(
        &mut self,
        query: &str,
        _period: Option<Period>,
        allowed: &[Period],
        columns: &Columns,
    ) -> anyhow::Result<Vec<u32>> {
        Ok(Mapper::begin_rows(self, query, allowed, columns)?)
    }

    fn row(&mut self, row: &[Option<&str>]) -> anyhow::Result<()> {
        Ok(Mapper::row(self, row)?)
    }
}

/// Reads everything a mapping needs for some periods, in one snapshot.
pub(crate) fn read(
    snapshot: &mut Snapshot<'_>,
    mapping: &Mapping,
    periods: &[Period],
    as_of: Timestamp,
    into: &mut dyn Results,
) -> anyhow::Result<()> {
    let mut parameters = mapping.parameters.clone();
    parameters.insert("as_of".to_owned(), snapshot.moment(as_of));
    for (name, dimension) in &mapping.dimensions {
        if let UidsFrom::Rules(sql) = &dimension.uids_from {
            let begin =
                |into: &mut dyn Results, columns: &Columns| into.begin_rules(*name, columns);
            result(snapshot, sql, &parameters, into, begin)?;
        }
    }
    for run in runs(mapping, periods) {
        let parameters = run.parameters(&parameters)?;
        for sql in &mapping.queries {
            let begin = |into: &mut dyn Results, columns: &Columns| {
                into.begin_rows(&sql.file, run.period, &run.allowed, columns)
            };
            result(snapshot, sql, &parameters, into, begin)?;
        }
    }
    Ok(())
}

/// One time that the queries run.
pub(crate) struct QueryRun {
    pub(crate) period: Option<Period>,
    pub(crate) allowed: Vec<Period>,
}

/// A query with a period column runs once for each unbroken sequence, any other once for each period.
pub(crate) fn runs(mapping: &Mapping, periods: &[Period]) -> Vec<QueryRun> {
    if mapping.period_column.is_some() {
        return periods::sequences(periods)
            .into_iter()
            .map(|allowed| QueryRun {
                period: None,
                allowed,
            })
            .collect();
    }
    periods
        .iter()
        .map(|period| QueryRun {
            period: Some(*period),
            allowed: vec![*period],
        })
        .collect()
}

impl QueryRun {
    fn parameters(&self, others: &ParameterValues) -> anyhow::Result<ParameterValues> {
        let mut parameters = others.clone();
        if let (Some(first), Some(last)) = (self.allowed.first(), self.allowed.last()) {
            let end = last.end().checked_add(1.day()).map_err(|_| {
                let message = format!("period {last} is too late: no day follows its last one");
                Problem::new(Exit::Usage, message)
            })?;
            parameters.insert("period_start".to_owned(), first.start().to_string());
            parameters.insert("period_end".to_owned(), end.to_string());
        }
        if let Some(period) = self.period {
            parameters.insert("period".to_owned(), period.to_string());
        }
        Ok(parameters)
    }
}

fn result(
    snapshot: &mut Snapshot<'_>,
    sql: &Sql,
    parameters: &ParameterValues,
    into: &mut dyn Results,
    begin: impl FnOnce(&mut dyn Results, &Columns) -> anyhow::Result<Vec<u32>>,
) -> anyhow::Result<()> {
    let started = std::time::Instant::now();
    // Both closures need it, one after the other.
    let into = RefCell::new(into);
    let rows = snapshot.rows(
        sql,
        parameters,
        |columns| begin(&mut **into.borrow_mut(), &as_columns(columns)),
        |row| into.borrow_mut().row(row),
    )?;
    log::info!("{}: {rows} rows in {:.1?}", sql.file, started.elapsed());
    Ok(())
}

/// A sum that does not come out is a bug, and nothing may rest on it.
pub(crate) fn ensure_balanced(desired: &Desired) -> Result<(), Problem> {
    if desired.rows.balances() {
        return Ok(());
    }
    Err(Problem::new(
        Exit::Internal,
        format!(
            "the rows of {} do not add up; this is a bug of pg2dhis2, and nothing was sent",
            desired.mapping
        ),
    ))
}

fn as_columns(columns: &[ResultColumn]) -> Columns {
    let columns = columns.iter();
    Columns(
        columns
            .map(|column| (column.name.clone(), column.type_name.clone()))
            .collect(),
    )
}
