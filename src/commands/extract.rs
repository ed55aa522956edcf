//! `extract`: PostgreSQL → JSON Lines.

use std::io::Write;

use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;

use super::begin;
use super::periods;
use super::results::{self, Results};
use super::source;
use crate::cli::ExtractArgs;
use crate::domain::{Dimension, Period};
use crate::exit::Exit;
use crate::extract::Source;
use crate::map;
use crate::mapping::{Columns, End, EndLine, LinesHeader, Mapping, ResultLine};
use crate::report;

pub(super) fn extract(args: &ExtractArgs) -> anyhow::Result<Exit> {
    let as_of = periods::as_of(&args.periods, Timestamp::now());
    let (site, watch) = begin(&args.site, periods::work(&args.periods))?;
    let mappings = site.mappings(std::slice::from_ref(&args.mapping))?;
    let Some(mapping) = mappings.first() else {
        return Ok(Exit::Ok);
    };
    let periods = periods::of_mapping(mapping, &args.periods, as_of, &site.time_zone);
    if periods.is_empty() {
        periods::ensure_any(&[&mapping.name], 1)?;
    }
    let access = site.source()?;
    watch.doing("reading the source");
    let failed = |result: &anyhow::Result<Source>| result.as_ref().is_err_and(source::may_pass);
    // Rows that were written cannot be taken back, so that only connecting is tried again.
    let mut source = source::patiently(&access, &watch, || source::connect(&access), failed)?;
    let header = LinesHeader::new(
        &mapping.name,
        &periods,
        as_of,
        source.server_version(),
        mapping.digests.clone(),
    );
    report::document(args.output.output.as_deref(), |out| {
        let mut lines = Lines {
            mapping,
            out,
            rows: 0,
        };
        lines.write(&header)?;
        let mut snapshot = source.snapshot()?;
        results::read(&mut snapshot, mapping, &periods, as_of, &mut lines)?;
        snapshot.close()?;
        let end = End { rows: lines.rows };
        lines.write(&EndLine { end })
    })?;
    Ok(Exit::Ok)
}

/// Writes results as they come.
struct Lines<'l> {
    mapping: &'l Mapping,
    out: &'l mut dyn Write,
    rows: u64,
}

impl Lines<'_> {
    fn write(&mut self, line: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer(&mut *self.out, line)
            .map_err(std::io::Error::from)
            .and_then(|()| self.out.write_all(b"\n"))
            .context("writing the rows")
    }
}

impl Results for Lines<'_> {
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
