//! `map`: JSON Lines → a document that DHIS2 would take. Opens no socket.

use std::collections::{BTreeSet, HashMap};
use std::io::BufRead;

use anyhow::Context;
use jiff::Timestamp;

use super::results;
use crate::cli::MapArgs;
use crate::domain::{Desired, Dimension, Period};
use crate::exit::{Exit, Problem};
use crate::map::{Document, Mapper};
use crate::mapping::{Answers, Columns, FileError, Line, LinesHeader, Mapping, ResultLine};
use crate::plan;
use crate::report;
use crate::site::{self, NewSecret, Site};

pub(super) fn map(args: &MapArgs) -> anyhow::Result<Exit> {
    let site = Site::load(args.site.config.as_deref())?;
    let mask = site::key_mask(&site.state, NewSecret::ThrownAway)?;
    let mut input = report::input(args.input.as_deref())?;
    let mut lines = Input {
        lines: &mut input,
        number: 0,
        line: String::new(),
    };
    if !lines.advance()? {
        return Err(not_ours("the input is empty"));
    }
    let header = LinesHeader::parse(lines.text()).map_err(|error| lines.not_ours(&error))?;
    let asked = match &args.mapping {
        Some(asked) => asked.clone(),
        // Data must not choose which file is opened.
        None if header.mapping.contains('/') => {
            return Err(lines.not_ours(&"it names a path for a mapping"));
        }
        None => header.mapping.clone(),
    };
    let mappings = site.mappings(&[asked])?;
    let mapping = mappings.first().context("the mapping was read")?;
    let pin = site.pin()?;
    if let Some(pin) = &pin {
        mapping.check(pin)?;
    }
    ensure_same_files(mapping, &header)?;
    ensure_same_type(mapping, &header)?;
    let desired = read(lines, mapping, &header)?.finish(&mask)?;
    ensure_balanced(&desired)?;
    if let Some(pin) = &pin {
        let blocked = plan::foreseen(&pin.pin, &desired);
        let notes = blocked.iter().map(|(why, cells)| {
            let shown = &pin.shown;
            let all = desired.cells.len();
            format!("note: DHIS2 would block {cells} of {all} cells, says {shown}: {why}")
        });
        report::notes(&notes.collect::<Vec<_>>(), &args.site);
    }
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
    /// Reads the next line; false at the end of the input.
    fn advance(&mut self) -> anyhow::Result<bool> {
        self.line.clear();
        self.number += 1;
        let read = self.lines.read_line(&mut self.line).map_err(|_| {
            not_ours(&format!(
                "the input cannot be read as text, at line {}",
                self.number
            ))
        })?;
        Ok(read > 0)
    }

    fn text(&self) -> &str {
        self.line.trim_end_matches(['\n', '\r'])
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
    let mut columns = None;
    loop {
        if !input.advance()? {
            return Err(not_ours(
                "the input ends in the middle, without its last line",
            ));
        }
        let line = Line::parse(input.text()).map_err(|error| input.not_ours(&error))?;
        match line {
            Line::Row(row) => {
                if columns != Some(row.len()) {
                    return Err(input.not_ours(&"it has not the columns of its result"));
                }
                rows += 1;
                let row: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
                mapper.row(&row)?;
            }
            Line::Result(result) => {
                let now = begin(result, &mut mapper, &mut times, &input)?;
                columns = Some(now);
            }
            Line::End(end) if end.rows != rows => {
                return Err(not_ours("the input lacks rows that its last line counts"));
            }
            Line::End(_) => break,
        }
    }
    if input.advance()? {
        return Err(not_ours("the input goes on after its last line"));
    }
    times.ensure_complete().map_err(not_ours)?;
    Ok(mapper)
}

/// Begins a result; the number of its columns.
fn begin(
    result: ResultLine,
    mapper: &mut Mapper<'_>,
    times: &mut Times,
    input: &Input<'_>,
) -> anyhow::Result<usize> {
    let (ResultLine::Rules { columns, types, .. } | ResultLine::Rows { columns, types, .. }) =
        &result;
    if columns.len() != types.len() {
        return Err(input.not_ours(&"it has not as many types as columns"));
    }
    let names = columns.iter().cloned();
    let columns = Columns(names.zip(types.iter().cloned()).collect());
    match result {
        ResultLine::Rules { rules, .. } => {
            times.rules(rules).map_err(|error| input.not_ours(&error))?;
            mapper.begin_rules(rules, &columns)?;
        }
        ResultLine::Rows { query, period, .. } => {
            let allowed = times
                .next(&query, period)
                .map_err(|error| input.not_ours(&error))?;
            mapper.begin_rows(&query, &allowed, &columns)?;
        }
    }
    Ok(columns.0.len())
}

/// Which time a query's result is of: the queries run several times where periods have gaps.
struct Times {
    /// The dimensions whose rules are still to come.
    rules: BTreeSet<Dimension>,
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
        let by_rules = mapping
            .dimensions
            .iter()
            .filter(|(_, dimension)| matches!(dimension.answers, Answers::Rules(_)));
        Times {
            rules: by_rules.map(|(dimension, _)| *dimension).collect(),
            queries,
            runs: results::runs(mapping, periods)
                .into_iter()
                .map(|run| run.allowed)
                .collect(),
            seen: HashMap::new(),
        }
    }

    /// Notes that the rules of a dimension are there.
    fn rules(&mut self, dimension: Dimension) -> Result<(), &'static str> {
        if self.rules.remove(&dimension) {
            return Ok(());
        }
        Err("it is a result of rules that the mapping does not have, or has once")
    }

    /// The periods that the rows of a query's next result may be of.
    fn next(&mut self, query: &str, period: Option<Period>) -> Result<Vec<Period>, &'static str> {
        let Some(queries) = self.queries.get(query) else {
            return Err("it is the result of a query that the mapping does not have");
        };
        let seen = self.seen.entry(query.to_owned()).or_default();
        let run = self.runs.get(*seen / queries);
        *seen += 1;
        match run {
            Some(allowed) if period.is_none_or(|period| allowed == &[period]) => {
                Ok(allowed.clone())
            }
            _ => Err("it is the result of a query for other periods than the header names"),
        }
    }

    /// Every query must have run for every period, and all rules: a result that is missing reads as cells that vanished.
    fn ensure_complete(&self) -> Result<(), &'static str> {
        let complete = self.queries.iter().all(|(query, count)| {
            self.seen.get(query).copied().unwrap_or_default() == count * self.runs.len()
        });
        if complete && self.rules.is_empty() {
            Ok(())
        } else {
            Err("the input lacks the result of a query")
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
