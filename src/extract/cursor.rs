//! One query: its columns before a row is read, then its rows. It is run by a cursor and by statements without a name alone, because a
//! pool keeps named ones for whoever comes next.

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{Row, RowIter, SimpleQueryMessage, Transaction};

use super::error::{ExtractError, Stage};
use super::query_error::Running;
use super::session_settings::SessionSettings;
use crate::mapping::{ParameterValues, Statement};

/// A column of a result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResultColumn {
    /// The query's own name for it; `?column?` where it has none.
    pub(crate) name: String,
    /// PostgreSQL's: `text`, `int8`, `numeric`, `bpchar`, `_text` for an array; of a domain, the type below it.
    pub(crate) type_name: String,
}

/// A query that is being read, in a savepoint of its own.
pub(super) struct Cursor<'c, 't> {
    transaction: &'c mut Transaction<'t>,
    statement: &'c Statement<'c>,
    session: &'c SessionSettings,
    parameters: &'c ParameterValues,
}

/// Rows per fetch. A result is read in pieces because `statement_timeout` also counts the time that a slow reader takes.
const FETCH: &str = "fetch 10000 from pg2dhis2_rows";
const FETCHED: u64 = 10_000;

/// PostgreSQL takes nothing but one query that changes nothing behind it.
const ALONE: &str = "declare pg2dhis2_columns no scroll cursor for\n";
/// Tells the names of the columns and reads no row.
const NAMES: &str = "fetch 0 from pg2dhis2_columns";

const NO_PARAMETERS: [(&str, Type); 0] = [];

impl<'c, 't> Cursor<'c, 't> {
    pub(super) fn new(
        transaction: &'c mut Transaction<'t>,
        statement: &'c Statement<'c>,
        session: &'c SessionSettings,
        parameters: &'c ParameterValues,
    ) -> Cursor<'c, 't> {
        Cursor {
            transaction,
            statement,
            session,
            parameters,
        }
    }

    pub(super) fn read(
        mut self,
        check: impl FnOnce(&[ResultColumn]) -> anyhow::Result<Vec<u32>>,
        mut row: impl FnMut(&[Option<&str>]) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let columns = self.columns()?;
        let limits = check(&columns)?;
        if limits.len() != columns.len() {
            let file = &self.statement.sql.file;
            anyhow::bail!("{file}: the check of the columns does not fit them");
        }
        let (front, behind) = in_text_form(&limits);
        self.send(Stage::Preparing, &front, &behind)?;
        let running = self.running(Stage::Running, &front);
        let mut read = 0;
        loop {
            let before = read;
            let mut fetched = fetch(self.transaction).map_err(|error| running.failed(&error))?;
            while let Some(next) = fetched.next().map_err(|error| running.failed(&error))? {
                row(&texts(&next).map_err(|error| running.failed(&error))?)?;
                read += 1;
            }
            if read - before < FETCHED {
                return Ok(read);
            }
        }
    }

    /// The columns of a query that is one plain SELECT, and a refusal of all that is not. The query stands alone first: its errors then
    /// point into the file, and it cannot close the parenthesis that it will stand in.
    fn columns(&mut self) -> Result<Vec<ResultColumn>, ExtractError> {
        self.send(Stage::Preparing, ALONE, "")?;
        let names = self.names()?;
        let types = self.types(names.len())?;
        let columns = names.into_iter().zip(types);
        Ok(columns
            .map(|(name, type_name)| ResultColumn { name, type_name })
            .collect())
    }

    fn names(&mut self) -> Result<Vec<String>, ExtractError> {
        let answer = self.transaction.simple_query(NAMES);
        let answer =
            answer.map_err(|error| self.running(Stage::Preparing, ALONE).failed(&error))?;
        let names = answer.iter().find_map(|message| match message {
            SimpleQueryMessage::RowDescription(columns) => {
                Some(columns.iter().map(|column| column.name().to_owned()))
            }
            _ => None,
        });
        Ok(names.into_iter().flatten().collect())
    }

    /// PostgreSQL looks at no row for `limit 0`, and the outer join makes one of it whose columns have the types of the query.
    fn types(&mut self, columns: usize) -> Result<Vec<String>, ExtractError> {
        if columns == 0 {
            return Ok(Vec::new());
        }
        let names = numbered(columns);
        let oids: Vec<String> = names
            .iter()
            .map(|name| format!("pg_catalog.pg_typeof({name})::pg_catalog.oid"))
            .collect();
        let front = format!(
            "with recursive pg2dhis2_type (number, type) as (select u.number, u.type from (select array[{}] as types
                from (values (1)) as one left join lateral (select * from (\n",
            oids.join(", ")
        );
        let behind = format!(
            "\n) as query limit 0) as q ({}) on true) as t, pg_catalog.unnest(t.types) with ordinality as u (type, number)
            union all select d.number, t.typbasetype from pg2dhis2_type d join pg_catalog.pg_type t on t.oid = d.type and t.typtype = 'd')
            select t.typname::pg_catalog.text from pg2dhis2_type d join pg_catalog.pg_type t on t.oid = d.type
            where t.typtype <> 'd' order by d.number",
            names.join(", ")
        );
        let rows = self.send(Stage::Preparing, &front, &behind)?;
        let running = self.running(Stage::Preparing, &front);
        rows.iter()
            .map(|row| row.try_get(0).map_err(|error| running.failed(&error)))
            .collect()
    }

    /// Sends the query with something in front of it and behind it, as one statement without a name.
    fn send(&mut self, stage: Stage, front: &str, behind: &str) -> Result<Vec<Row>, ExtractError> {
        let text = format!("{front}{}{behind}", self.statement.text);
        let rows = self.transaction.query_typed(&text, &[]);
        rows.map_err(|error| self.running(stage, front).failed(&error))
    }

    fn running(&self, stage: Stage, front: &str) -> Running<'c> {
        Running {
            statement: self.statement,
            stage,
            in_front: front.chars().count(),
            session: self.session,
            parameters: self.parameters,
        }
    }
}

fn fetch<'r>(transaction: &'r mut Transaction<'_>) -> Result<RowIter<'r>, postgres::Error> {
    transaction.query_typed_raw(FETCH, NO_PARAMETERS)
}

/// What stands around the query so that its columns are cut and cast to text by the server.
fn in_text_form(limits: &[u32]) -> (String, String) {
    let names = numbered(limits.len());
    let texts: Vec<String> = names
        .iter()
        .zip(limits)
        .map(|(name, limit)| {
            let limit = (*limit).min(i32::MAX.unsigned_abs());
            format!("pg_catalog.left({name}::pg_catalog.text, {limit})")
        })
        .collect();
    let front = format!(
        "declare pg2dhis2_rows no scroll cursor for select {} from (\n",
        texts.join(", ")
    );
    let names = match names.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    (front, format!("\n) as q{names}"))
}

fn numbered(columns: usize) -> Vec<String> {
    (1..=columns).map(|number| format!("c{number}")).collect()
}

fn texts(row: &Row) -> Result<Vec<Option<&str>>, postgres::Error> {
    (0..row.len()).map(|index| row.try_get(index)).collect()
}
