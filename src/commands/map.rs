//! `map`: JSON Lines → a document that DHIS2 would take. Opens no socket.

use std::collections::HashMap;
use std::io::BufRead;

use anyhow::Context;
use jiff::Timestamp;

use super::results;
use crate::cli::MapArgs;
use crate::domain::{Desired, Period};
use crate::exit::{Exit, Problem};
use crate::map::{Document, Mapper};
use crate::mapping::{Columns, FileError, Line, LinesHeader, Mapping, ResultLine};
use crate::report;
use crate::site::{self, Keep, Site};

pub(super) fn map(args: &MapArgs) -> anyhow::Result<Exit> {
    let site = Site::load(args.site.config.as_deref())?;
    let veil = site::veil(&site.state, Keep::Nowhere)?;
    let mut input = report::input(args.input.as_deref())?;
    let mut lines = Input {
        lines: &mut input,
        number: 0,
        line: String::new(),
    };
    let header = match lines.next()? {
        Some(line) => LinesHeader::parse(line).map_err(|error| lines.not_ours(&error))?,
        None => return Err(not_ours("the input is empty")),
    };
    let asked = args
        .mapping
        .clone()
        .unwrap_or_else(|| header.mapping.clone());
    let mappings = site.mappings(&[asked])?;
    let mapping = mappings.first().context("the mapping was read")?;
    ensure_same_files(mapping, &header)?;
    ensure_same_type(mapping, &header)?;
    let desired = read(lines, mapping, &header)?.finish(&veil)?;
    ensure_balanced(&desired)?;
    let document = Document {
        desired: &desired,
        created: Timestamp::now().to_string(),
    };
    report::document(args.output.output.as_deref(), |out| {
        serde_json::to_writer(&mut *out, &document)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .context("writing the document")
    })?;
    Ok(Exit::Ok)
}

/// A sum that does not come out is a bug, and nothing may rest on it.
pub(super) fn ensure_balanced(desired: &Desired) -> Result<(), Problem> {
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

struct Input<'i> {
    lines: &'i mut dyn BufRead,
    number: u64,
    line: String,
}

impl Input<'_> {
    /// The next line; None at the end of the input.
    fn next(&mut self) -> anyhow::Result<Option<&str>> {
        self.line.clear();
        self.number += 1;
        let read = self.lines.read_line(&mut self.line).map_err(|_| {
            not_ours(&format!(
                "the input cannot be read as text, at line {}",
                self.number
            ))
        })?;
        Ok((read > 0).then(|| self.line.trim_end_matches(['\n', '\r'])))
    }

    fn not_ours(&self, error: &dyn std::fmt::Display) -> anyhow::Error {
        not_ours(&format!("line {} of the input: {error}", self.number))
    }
}

fn not_ours(message: &str) -> anyhow::Error {
    Problem::new(
        Exit::Usage,
        format!("{message}; `map` reads what `extract` writes"),
    )
    .into()
}

/// Maps every row of the input.
fn read<'m>(
    mut input: Input<'_>,
    mapping: &'m Mapping,
    header: &LinesHeader,
) -> anyhow::Result<Mapper<'m>> {
    let mut mapper = Mapper::new(mapping, header.periods.clone());
    let mut times = Times::new(mapping, &header.periods);
    let mut rows = 0;
    loop {
        let Some(line) = input.next()? else {
            return Err(not_ours(
                "the input ends in the middle, without its last line",
            ));
        };
        let line = Line::parse(line)
            .map_err(|error| not_ours(&format!("a line of the input: {error}")))?;
        match line {
            Line::Row(row) => {
                rows += 1;
                let row: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
                mapper.row(&row)?;
            }
            Line::Result(ResultLine::Rules {
                rules,
                columns,
                types,
            }) => {
                mapper.begin_rules(rules, &together(columns, types))?;
            }
            Line::Result(ResultLine::Rows {
                query,
                period,
                columns,
                types,
            }) => {
                let allowed = times
                    .next(&query, period)
                    .map_err(|error| input.not_ours(&error))?;
                mapper.begin_rows(&query, &allowed, &together(columns, types))?;
            }
            Line::End(end) if end.rows != rows => {
                return Err(not_ours("the input lacks rows that its last line counts"));
            }
            Line::End(_) => break,
        }
    }
    if input.next()?.is_some() {
        return Err(not_ours("the input goes on after its last line"));
    }
    times.ensure_complete().map_err(|error| not_ours(&error))?;
    Ok(mapper)
}

fn together(columns: Vec<String>, types: Vec<String>) -> Columns {
    Columns(columns.into_iter().zip(types).collect())
}

/// Which time a query's result is of: the queries run several times where periods have gaps.
struct Times {
    queries: HashMap<String, usize>,
    runs: Vec<Vec<Period>>,
    seen: HashMap<String, usize>,
}

impl Times {
    fn new(mapping: &Mapping, periods: &[Period]) -> Times {
        let mut queries: HashMap<String, usize> = HashMap::new();
        for sql in &mapping.queries {
            *queries.entry(sql.file.clone()).or_default() += 1;
        }
        Times {
            queries,
            runs: results::runs(mapping, periods)
                .into_iter()
                .map(|run| run.allowed)
                .collect(),
            seen: HashMap::new(),
        }
    }

    /// The periods that the rows of a query's next result may be of.
    fn next(&mut self, query: &str, period: Option<Period>) -> Result<Vec<Period>, String> {
        let Some(queries) = self.queries.get(query) else {
            return Err("it is the result of a query that the mapping does not have".to_owned());
        };
        let seen = self.seen.entry(query.to_owned()).or_default();
        let run = self.runs.get(*seen / queries);
        *seen += 1;
        match run {
            Some(allowed) if period.is_none_or(|period| allowed == &[period]) => {
                Ok(allowed.clone())
            }
            _ => Err(
                "it is the result of a query for other periods than the header names".to_owned(),
            ),
        }
    }

    /// Every query must have run for every period: a result that is missing reads as cells that vanished.
    fn ensure_complete(&self) -> Result<(), String> {
        let complete = self.queries.iter().all(|(query, count)| {
            self.seen.get(query).copied().unwrap_or_default() == count * self.runs.len()
        });
        if complete {
            Ok(())
        } else {
            Err("the input lacks the result of a query".to_owned())
        }
    }
}

fn ensure_same_files(mapping: &Mapping, header: &LinesHeader) -> Result<(), FileError> {
    let files = mapping.digests.keys().chain(header.digests.keys());
    let changed: Vec<&str> = files
        .filter(|file| mapping.digests.get(*file) != header.digests.get(*file))
        .map(String::as_str)
        .collect();
    match changed.first() {
        None => Ok(()),
        Some(first) => Err(FileError::whole(
            &mapping.file,
            format!("{first} is not what it was when the rows were extracted; run `extract` again"),
        )),
    }
}

fn ensure_same_type(mapping: &Mapping, header: &LinesHeader) -> anyhow::Result<()> {
    let of_type = |period: &Period| period.period_type() == mapping.period_type;
    if header.periods.iter().all(of_type) {
        Ok(())
    } else {
        Err(not_ours("its periods are not of the mapping's period type"))
    }
}
