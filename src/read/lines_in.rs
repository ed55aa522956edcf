//! Reads the JSON Lines that `extract` wrote: rows → the desired values of their mapping. Opens no socket.

use std::collections::{BTreeSet, HashMap};
use std::io::BufRead;

use super::results;
use crate::domain::{Desired, Dimension, KeyMask, Period};
use crate::exit::{Exit, Problem};
use crate::map::Mapper;
use crate::mapping::{
    Columns, ExtractHeader, ExtractLine, FileError, Mapping, ResultLine, UidsFrom,
};

/// The rows that `extract` wrote, line by line.
pub(crate) struct WrittenRows<'i> {
    pub(crate) header: ExtractHeader,
    lines: Lines<'i>,
}

struct Lines<'i> {
    input: &'i mut dyn BufRead,
    number: u64,
    line: String,
}

impl<'i> WrittenRows<'i> {
    /// Reads the first line, which says what follows.
    pub(crate) fn begin(input: &'i mut dyn BufRead) -> anyhow::Result<WrittenRows<'i>> {
        let mut lines = Lines {
            input,
            number: 0,
            line: String::new(),
        };
        if !lines.advance()? {
            return Err(not_ours("the input is empty"));
        }
        let header = ExtractHeader::parse(lines.text()).map_err(|error| lines.not_ours(&error))?;
        Ok(WrittenRows { header, lines })
    }

    /// The mapping that the rows are for. Data must not choose which file is opened.
    pub(crate) fn mapping(&self) -> anyhow::Result<String> {
        match self.header.mapping.contains('/') {
            true => Err(self.lines.not_ours(&"it names a path for a mapping")),
            false => Ok(self.header.mapping.clone()),
        }
    }

    /// Maps every row. Rows that were extracted by other files than the mapping has now are refused.
    pub(crate) fn desired(mut self, mapping: &Mapping, mask: &KeyMask) -> anyhow::Result<Desired> {
        ensure_same_files(mapping, &self.header)?;
        ensure_same_type(mapping, &self.header)?;
        let mut mapper = Mapper::new(mapping, self.header.periods.clone());
        let mut times = Times::new(mapping, &self.header.periods);
        self.lines.map(&mut mapper, &mut times)?;
        Ok(mapper.finish(mask)?)
    }
}

impl Lines<'_> {
    /// Reads the next line; false at the end of the input.
    fn advance(&mut self) -> anyhow::Result<bool> {
        self.line.clear();
        self.number += 1;
        let read = self.input.read_line(&mut self.line).map_err(|_| {
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

    /// Hands every row to the mapper.
    fn map(&mut self, mapper: &mut Mapper<'_>, times: &mut Times) -> anyhow::Result<()> {
        let mut rows = 0;
        let mut columns = None;
        loop {
            if !self.advance()? {
                return Err(not_ours(
                    "the input ends in the middle, without its last line",
                ));
            }
            let line = ExtractLine::parse(self.text()).map_err(|error| self.not_ours(&error))?;
            match line {
                ExtractLine::Row(row) => {
                    if columns != Some(row.len()) {
                        return Err(self.not_ours(&"it has not the columns of its result"));
                    }
                    rows += 1;
                    let row: Vec<Option<&str>> = row.iter().map(Option::as_deref).collect();
                    mapper.row(&row)?;
                }
                ExtractLine::Result(result) => columns = Some(self.begin(result, mapper, times)?),
                ExtractLine::End(end) if end.rows != rows => {
                    return Err(not_ours("the input lacks rows that its last line counts"));
                }
                ExtractLine::End(_) => break,
            }
        }
        if self.advance()? {
            return Err(not_ours("the input goes on after its last line"));
        }
        times.ensure_complete().map_err(not_ours)
    }

    /// Begins a result; the number of its columns.
    fn begin(
        &self,
        result: ResultLine,
        mapper: &mut Mapper<'_>,
        times: &mut Times,
    ) -> anyhow::Result<usize> {
        let (ResultLine::Rules { columns, types, .. } | ResultLine::Rows { columns, types, .. }) =
            &result;
        if columns.len() != types.len() {
            return Err(self.not_ours(&"it has not as many types as columns"));
        }
        let names = columns.iter().cloned();
        let columns = Columns(names.zip(types.iter().cloned()).collect());
        match result {
            ResultLine::Rules { rules, .. } => {
                times.rules(rules).map_err(|error| self.not_ours(&error))?;
                mapper.begin_rules(rules, &columns)?;
            }
            ResultLine::Rows { query, period, .. } => {
                let allowed = times
                    .next(&query, period)
                    .map_err(|error| self.not_ours(&error))?;
                mapper.begin_rows(&query, &allowed, &columns)?;
            }
        }
        Ok(columns.0.len())
    }
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
            .filter(|(_, dimension)| matches!(dimension.uids_from, UidsFrom::Rules(_)));
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

fn not_ours(message: &str) -> anyhow::Error {
    Problem::new(
        Exit::Usage,
        format!("{message}; `map` reads what `extract` writes"),
    )
    .into()
}

fn ensure_same_files(mapping: &Mapping, header: &ExtractHeader) -> Result<(), FileError> {
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

fn ensure_same_type(mapping: &Mapping, header: &ExtractHeader) -> anyhow::Result<()> {
    let of_type = |period: &Period| period.period_type() == mapping.period_type;
    if header.periods.iter().all(of_type) {
        Ok(())
    } else {
        Err(not_ours("its periods are not of the mapping's period type"))
    }
}
