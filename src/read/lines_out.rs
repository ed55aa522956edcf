//! Writes the rows of one mapping's queries as JSON Lines, as they come.

use std::io::Write;

use anyhow::Context;
use serde::Serialize;

use super::reader::{Part, SourceReader};
use super::results::{self, Results};
use super::source;
use crate::cli::OutputArgs;
use crate::domain::{Dimension, Period};
use crate::extract::Source;
use crate::map;
use crate::mapping::{Columns, End, EndLine, ExtractHeader, Mapping, ResultLine};
use crate::report;
use crate::watchdog::Watch;

impl SourceReader {
    /// Writes the rows to the file that was named, or to standard output. Rows that were written cannot be taken back, so
    /// that only connecting is tried again.
    pub(crate) fn write_lines(
        &self,
        part: &Part<'_>,
        output: &OutputArgs,
        watch: &Watch,
    ) -> anyhow::Result<()> {
        watch.doing("reading the source");
        let failed =
            |connected: &anyhow::Result<Source>| connected.as_ref().is_err_and(source::may_pass);
        let connect = || source::connect(&self.access);
        let mut source = source::patiently(&self.access, watch, connect, failed)?;
        let Part { mapping, periods } = part;
        let header = ExtractHeader::new(
            &mapping.name,
            periods,
            self.as_of,
            source.server().version.clone(),
            mapping.digests.clone(),
        );
        report::document(output.output.as_deref(), |out| {
            let mut lines = LineWriter {
                mapping,
                out,
                rows: 0,
            };
            lines.write(&header)?;
            let mut snapshot = source.snapshot()?;
            results::read(&mut snapshot, mapping, periods, self.as_of, &mut lines)?;
            snapshot.close()?;
            let end = End { rows: lines.rows };
            lines.write(&EndLine { end })
        })
    }
}

/// Writes results as they come.
struct LineWriter<'l> {
    mapping: &'l Mapping,
    out: &'l mut dyn Write,
    rows: u64,
}

impl LineWriter<'_> {
    fn write(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut *self.out, line)
            .map_err(std::io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .context("writing the rows")
    }
}

impl Results for LineWriter<'_> {
    fn begin_rules(&mut self, dimension: Dimension, columns: &Columns) -> anyhow::Result<Vec<u32>> {
        let lengths = map::check_rules(self.mapping, dimension, columns)?;
        let (columns, types) = columns.0.iter().cloned().unzip();
        self.write(&ResultLine::Rules {
            rules: dimension,
            columns,
            types,
        })?;
        Ok(lengths)
    }

    fn begin_rows(
        &mut self,
        query: &str,
        period: Option<Period>,
        _allowed: &[Period],
        columns: &Columns,
    ) -> anyhow::Result<Vec<u32>> {
        let lengths = map::check_rows(self.mapping, query, columns)?.lengths;
        let (columns, types) = columns.0.iter().cloned().unzip();
        self.write(&ResultLine::Rows {
            query: query.to_owned(),
            period,
            columns,
            types,
        })?;
        Ok(lengths)
    }

    fn row(&mut self, row: &[Option<&str>]) -> anyhow::Result<()> {
        self.rows += 1;
        self.write(&row)
    }
}
