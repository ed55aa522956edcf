//! `explain`: where a number of DHIS2 comes from: the rows of the source now, what placed them, what DHIS2 holds, and
//! every change that we made.

mod find;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::begin;
use super::results;
use super::source;
use super::target::Connection;
use crate::cli::ExplainArgs;
use crate::domain::{Asked, Cell, DataSet, Desired, KeyMask, LiveRow, Text, Traced};
use crate::exit::Exit;
use crate::history::{OfCells, Past};
use crate::map::Mapper;
use crate::mapping::Mapping;
use crate::report::{self, CellExplained, Explanation, LiveExplained};
use crate::site::{self, Memory, NewSecret, SourceAccess};
use crate::watchdog::{Watch, Work};
use find::Subject;

pub(super) fn explain(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let as_of = args.as_of.unwrap_or_else(Timestamp::now);
    let (site, watch) = begin(&args.site, Work::Usual)?;
    let mappings = site.mappings(&args.mappings.mappings)?;
    let (source, dhis2) = (site.source()?, site.dhis2()?);
    report::ensure_writable(args.report.output.output.as_deref())?;
    let past = Past::open(&site.state, site::alive(&site.state))?;
    let mask = site::key_mask(&site.state, NewSecret::ThrownAway)?;
    watch.doing("asking DHIS2");
    let mut connection = Connection::open(dhis2, Memory::default())?;
    let subject = Subject::find(args, &mappings, &mut connection)?;
    let past = past.map(|past| past.of_cells(subject.data_element, subject.org_unit, args.period));
    let mut cells = Cells::default();
    cells.take_past(past.transpose()?.unwrap_or_default(), subject.asked());
    let mut explanation = begun(args, &subject, as_of);
    for (mapping, data_set) in &subject.mappings {
        cells.take_live(&mut connection, data_set, &subject, args)?;
        if mapping.start.is_some_and(|start| args.period < start) {
            let note = format!(
                "{} reads nothing of {}, for it begins later",
                mapping.name, args.period
            );
            explanation.notes.push(note);
            continue;
        }
        watch.doing("reading the source");
        let (desired, traced) = read(&source, &watch, mapping, args, as_of, &subject, &mask)?;
        cells.take_rows(mapping, &desired, traced, &mut explanation);
    }
    explanation.since = cells.since.take();
    explanation.cells = cells.cells.into_values().collect();
    report::explain(&explanation, &args.report)?;
    Ok(Exit::Ok)
}

fn begun(args: &ExplainArgs, subject: &Subject<'_>, as_of: Timestamp) -> Explanation {
    let mut names = BTreeMap::new();
    let mut codes = BTreeMap::new();
    for (_, data_set) in &subject.mappings {
        names.extend(find::names(data_set));
        codes.extend(data_set.codes.clone());
    }
    let mappings = subject.mappings.iter();
    Explanation {
        data_element: subject.data_element,
        org_unit: subject.org_unit,
        period: args.period,
        as_of,
        names,
        codes,
        mappings: mappings.map(|(mapping, _)| mapping.name.clone()).collect(),
        cells: Vec::new(),
        not_placed: Vec::new(),
        elsewhere: Vec::new(),
        more: 0,
        since: None,
        notes: Vec::new(),
    }
}

/// The rows of a mapping for the period, as a run would read and place them.
fn read(
    source: &SourceAccess,
    watch: &Watch,
    mapping: &Mapping,
    args: &ExplainArgs,
    as_of: Timestamp,
    subject: &Subject<'_>,
    mask: &KeyMask,
) -> anyhow::Result<(Desired, Traced)> {
    let once = || {
        let mut connected = source::connect(source)?;
        let mut snapshot = connected.snapshot()?;
        let mut mapper = Mapper::new(mapping, vec![args.period]);
        mapper.trace(subject.asked());
        results::read(&mut snapshot, mapping, &[args.period], as_of, &mut mapper)?;
        snapshot.close()?;
        let traced = mapper.traced(mask);
        Ok((mapper.finish(mask)?, traced))
    };
    let failed = |read: &anyhow::Result<(Desired, Traced)>| matches!(read, Err(error) if source::may_pass(error));
    source::patiently(source, watch, once, failed)
}

/// The cells that have rows, a live value or a past.
#[derive(Default)]
struct Cells {
    cells: BTreeMap<Cell, CellExplained>,
    since: Option<String>,
}

impl Cells {
    fn at(&mut self, cell: Cell) -> &mut CellExplained {
        self.cells.entry(cell).or_insert_with(|| CellExplained {
            cell,
            mapping: None,
            rows: Vec::new(),
            combine: None,
            desired: None,
            incomplete: None,
            live: None,
            open: Vec::new(),
            changes: Vec::new(),
        })
    }

    fn take_past(&mut self, past: OfCells, asked: Asked) {
        self.since = past.since;
        for (cell, changes) in past.changes {
            if asked.has(&cell) {
                self.at(cell).changes = changes;
            }
        }
        for (cell, open) in past.open {
            if asked.has(&cell) {
                self.at(cell).open = open;
            }
        }
    }

    fn take_rows(
        &mut self,
        mapping: &Mapping,
        desired: &Desired,
        traced: Traced,
        explanation: &mut Explanation,
    ) {
        for row in traced.placed {
            if let Some(cell) = row.place.cell() {
                self.at(cell).rows.push(row);
            }
        }
        for (cell, explained) in &mut self.cells {
            let answers = desired.scope.has(&cell.triple) || !explained.rows.is_empty();
            if !answers || explained.mapping.is_some() {
                continue;
            }
            explained.mapping = Some(mapping.name.clone());
            explained.combine = Some(mapping.policies.combine(cell.triple.data_element));
            let Some(key) = desired.space.key(cell) else {
                continue;
            };
            let place = desired.cells.binary_search_by_key(&key, |each| each.key);
            let known = place.ok().and_then(|place| desired.cells.get(place));
            explained.desired = known.map(|each| each.value.clone());
            explained.incomplete = desired.incomplete.get(&key).copied();
        }
        let named = |rows: Vec<_>| rows.into_iter().map(|row| (mapping.name.clone(), row));
        explanation.not_placed.extend(named(traced.not_placed));
        explanation.elsewhere.extend(named(traced.elsewhere));
        explanation.more += traced.more;
    }

    fn take_live(
        &mut self,
        connection: &mut Connection,
        data_set: &DataSet,
        subject: &Subject<'_>,
        args: &ExplainArgs,
    ) -> anyhow::Result<()> {
        let asked = subject.asked();
        let mut found: Vec<(Cell, LiveExplained)> = Vec::new();
        let mut visit = |row: LiveRow<'_>| {
            if asked.has(&row.cell) {
                let live = LiveExplained {
                    value: row.value.map(Text::from),
                    deleted: row.deleted,
                    user: row.stored_by.map(str::to_owned),
                    when: row.updated(),
                    ours: false,
                };
                found.push((row.cell, live));
            }
        };
        let (periods, units) = ([args.period], [subject.org_unit]);
        connection
            .dhis2
            .live(data_set.id, &periods, &units, &mut visit)?;
        for (cell, mut live) in found {
            live.ours = connection.owns(live.user.as_deref(), live.when);
            self.at(cell).live = Some(live);
        }
        Ok(())
    }
}
