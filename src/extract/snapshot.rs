//! One moment of the source: queries run in it, and every row arrives as PostgreSQL's own text.

use std::collections::BTreeMap;
use std::error::Error;

use postgres::fallible_iterator::FallibleIterator;
use postgres::types::private::BytesMut;
use postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Portal, Row, Transaction};

use super::error::{self, ExtractError, ExtractErrorKind, Running, Stage};
use super::session_settings::SessionSettings;
use crate::mapping::{Parameter, Sql};

/// A REPEATABLE READ, READ ONLY transaction. Dropping it ends it too, without a word.
pub(crate) struct Snapshot<'a> {
    transaction: Transaction<'a>,
    session: &'a SessionSettings,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ResultColumn {
    /// The query's own name for it; `?column?` where it has none.
    pub(crate) name: String,
    /// PostgreSQL's: `text`, `int8`, `numeric`, `bpchar`, `_text` for an array; of a domain, the type below it.
    pub(crate) type_name: String,
}

/// Rows per fetch. A portal is read in pieces because `statement_timeout` also counts the time that a slow reader takes.
const FETCH: i32 = 10_000;

impl<'a> Snapshot<'a> {
    pub(super) fn new(transaction: Transaction<'a>, session: &'a SessionSettings) -> Snapshot<'a> {
        Snapshot {
            transaction,
            session,
        }
    }

    /// Runs `work` under a savepoint; when it fails, rolls back to that, so that the next mapping can go on. Once the connection is lost,
    /// this and every later attempt fails.
    pub(crate) fn attempt<T>(
        &mut self,
        work: impl FnOnce(&mut Snapshot<'_>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let failed = |error: postgres::Error| {
            error::in_session("starting the next mapping on the source", &error)
        };
        let savepoint = self.transaction.savepoint("mapping").map_err(failed)?;
        let mut inner = Snapshot {
            transaction: savepoint,
            session: self.session,
        };
        match work(&mut inner) {
            Ok(value) => {
                inner.transaction.commit().map_err(failed)?;
                Ok(value)
            }
            Err(reason) => {
                // Its own reason says more than a roll-back that fails because the connection is gone; the next attempt shows that.
                if let Err(error) = inner.transaction.rollback() {
                    log::debug!("{}", failed(error));
                }
                Err(reason)
            }
        }
    }

    /// Runs one query and gives the number of its rows. `check` sees the columns before a row is read and answers with the most characters
    /// to read of each, or refuses. `row` gets each row, a text or None for NULL per column.
    pub(crate) fn rows(
        &mut self,
        sql: &Sql,
        parameters: &BTreeMap<String, Parameter>,
        check: impl FnOnce(&[ResultColumn]) -> anyhow::Result<Vec<u32>>,
        mut row: impl FnMut(&[Option<&str>]) -> anyhow::Result<()>,
    ) -> anyhow::Result<u64> {
        let values = values(sql, parameters)?;
        let types: Vec<Type> = values.iter().map(|value| value.declared.clone()).collect();
        let columns = self.columns(sql, &types)?;
        let limits = check(&columns)?;
        if limits.len() != columns.len() {
            anyhow::bail!("{}: the check of the columns does not fit them", sql.file);
        }
        let query = in_text_form(sql, &limits);
        let running = self.running(sql, Stage::Running, query.in_front);
        let portal = self.open(running, &query.text, &types, &values)?;
        let mut read = 0;
        loop {
            let before = read;
            let mut fetched = self
                .transaction
                .query_portal_raw(&portal, FETCH)
                .map_err(|error| running.failed(&error))?;
            while let Some(next) = fetched.next().map_err(|error| running.failed(&error))? {
                row(&texts(&next).map_err(|error| running.failed(&error))?)?;
                read += 1;
            }
            if read - before < u64::from(FETCH.unsigned_abs()) {
                return Ok(read);
            }
        }
    }

    /// Ends the transaction, so that the source holds nothing for us any more. Rolled back, for PostgreSQL lets some functions write
    /// even in a read-only transaction (up to 15: `lo_create`), and a query may call them.
    pub(crate) fn close(self) -> Result<(), ExtractError> {
        self.transaction
            .rollback()
            .map_err(|error| error::in_session("closing the snapshot of the source", &error))
    }

    /// The columns of a query that is one plain SELECT, and a refusal of all that is not. The query is parsed alone first: its errors then
    /// point into the file, and it cannot close the parenthesis that it will stand in.
    fn columns(&mut self, sql: &Sql, types: &[Type]) -> Result<Vec<ResultColumn>, ExtractError> {
        // A query may call set_config; the next one does not inherit it.
        self.transaction
            .batch_execute(&self.session.commands)
            .map_err(|error| error::in_session("setting up the session on the source", &error))?;
        let alone = self.running(sql, Stage::Preparing, 0);
        let statement = self
            .transaction
            .prepare_typed(&sql.text, types)
            .map_err(|error| alone.failed(&error))?;
        let inside = in_text_form(sql, &[]);
        let wrapped = self.running(sql, Stage::Preparing, inside.in_front);
        self.transaction
            .prepare_typed(&inside.text, types)
            .map_err(|error| not_a_query(sql, wrapped.failed(&error)))?;
        let columns = statement.columns().iter().map(|column| ResultColumn {
            name: column.name().to_owned(),
            type_name: column.type_().name().to_owned(),
        });
        Ok(columns.collect())
    }

    fn open(
        &mut self,
        running: Running<'_>,
        text: &str,
        types: &[Type],
        values: &[Value],
    ) -> Result<Portal, ExtractError> {
        let values: Vec<&(dyn ToSql + Sync)> = values
            .iter()
            .map(|value| value as &(dyn ToSql + Sync))
            .collect();
        let statement = self
            .transaction
            .prepare_typed(text, types)
            .map_err(|error| running.failed(&error))?;
        self.transaction
            .bind(&statement, &values)
            .map_err(|error| running.failed(&error))
    }

    fn running<'s>(&self, sql: &'s Sql, stage: Stage, in_front: usize) -> Running<'s> {
        let SessionSettings {
            statement_timeout,
            lock_timeout,
            ..
        } = *self.session;
        Running {
            sql,
            stage,
            in_front,
            statement_timeout,
            lock_timeout,
        }
    }
}

struct Wrapped {
    text: String,
    /// Characters in front of the query's own text.
    in_front: usize,
}

/// The query as a table whose columns are cut and cast to text by the server. PostgreSQL lets nothing but a SELECT stand there.
fn in_text_form(sql: &Sql, limits: &[u32]) -> Wrapped {
    let (mut list, mut names) = (Vec::new(), Vec::new());
    for (number, limit) in (1..).zip(limits) {
        let limit = (*limit).min(i32::MAX.unsigned_abs());
        list.push(format!(
            "pg_catalog.left(c{number}::pg_catalog.text, {limit})"
        ));
        names.push(format!("c{number}"));
    }
    let front = format!("select {} from (\n", list.join(", "));
    let names = if names.is_empty() {
        String::new()
    } else {
        format!(" ({})", names.join(", "))
    };
    Wrapped {
        text: format!("{front}{}\n) as q{names}", sql.text),
        in_front: front.chars().count(),
    }
}

fn texts(row: &Row) -> Result<Vec<Option<&str>>, postgres::Error> {
    (0..row.len()).map(|index| row.try_get(index)).collect()
}

fn refused(sql: &Sql, why: &str) -> ExtractError {
    ExtractError::new(ExtractErrorKind::Source, format!("{}: {why}", sql.file))
}

/// The query was sound by itself and is not as a table: it is no query, or changes something.
fn not_a_query(sql: &Sql, error: ExtractError) -> ExtractError {
    match error.kind {
        ExtractErrorKind::Source => {
            refused(sql, "only one plain query can be read (SELECT, VALUES, TABLE, or WITH … SELECT that changes nothing)").and(error)
        }
        _ => error,
    }
}

/// A parameter in text form, which PostgreSQL parses as its declared type.
#[derive(Debug)]
struct Value {
    declared: Type,
    text: String,
}

fn values(sql: &Sql, parameters: &BTreeMap<String, Parameter>) -> Result<Vec<Value>, ExtractError> {
    let value = |name: &String| match parameters.get(name) {
        Some(parameter) => Ok(Value::from(parameter)),
        None => Err(refused(
            sql,
            &format!("its parameter :'{name}' has no value here"),
        )),
    };
    sql.parameters.iter().map(value).collect()
}

impl From<&Parameter> for Value {
    fn from(parameter: &Parameter) -> Value {
        let (declared, text) = match parameter {
            Parameter::Text(text) => (Type::TEXT, text.clone()),
            Parameter::BigInt(number) => (Type::INT8, number.to_string()),
            Parameter::Boolean(truth) => (Type::BOOL, truth.to_string()),
            Parameter::Date(date) => (Type::DATE, date.to_string()),
            Parameter::Timestamptz(moment) => (Type::TIMESTAMPTZ, moment.to_string()),
        };
        Value { declared, text }
    }
}

impl ToSql for Value {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.text.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}
