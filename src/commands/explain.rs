//! `explain`: where a number of DHIS2 comes from: the rows of the source now, what placed them, what DHIS2 holds, and
//! every change that we made.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cli::ExplainArgs;
use crate::deliver::{Connection, Object, names_of_data_set, one};
use crate::domain::{Asked, Cell, DataSet, Desired, LiveRow, Text, Traced, TripleScope, Uid};
use crate::exit::{Exit, Problem};
use crate::history::{OfCells, Past};
use crate::mapping::Mapping;
use crate::read::{Part, SourceReader};
use crate::report::{self, CellExplained, Explanation, LiveExplained};
use crate::session;
use crate::site::{self, Memory, NewSecret};
use crate::watchdog::Work;

pub(super) fn explain(args: &ExplainArgs) -> anyhow::Result<Exit> {
    let as_of = args.as_of.unwrap_or_else(Timestamp::now);
    let (site, watch) = session::site(&args.site, Work::Usual)?;
    let mappings = site.mappings(&args.mappings.mappings)?;
    let source = SourceReader {
        access: site.source()?,
        as_of,
    };
    let dhis2 = site.dhis2()?;
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
        let part = Part {
            mapping,
            periods: &[args.period],
        };
        let (desired, traced) = source.trace(&part, subject.asked(), &mask, &watch)?;
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
        names.extend(names_of_data_set(data_set));
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
            .live(data_set, &periods, &units, &mut visit)?;
        for (cell, mut live) in found {
            live.ours = connection.owns(live.user.as_deref(), live.when);
            self.at(cell).live = Some(live);
        }
        Ok(())
    }
}

/// What is asked about, in DHIS2's words.
struct Subject<'m> {
    data_element: Uid,
    org_unit: Uid,
    category_option_combo: Option<Uid>,
    /// Those that fill it, with their data sets.
    mappings: Vec<(&'m Mapping, DataSet)>,
}

impl<'m> Subject<'m> {
    fn find(
        args: &ExplainArgs,
        mappings: &'m [Mapping],
        connection: &mut Connection,
    ) -> anyhow::Result<Subject<'m>> {
        let mut all = Vec::new();
        for mapping in mappings {
            all.push((mapping, connection.data_set(mapping.data_set)?));
        }
        let elements = all.iter().flat_map(|(_, data_set)| {
            let elements = data_set.elements.iter();
            elements.map(|(uid, element)| Object::of(*uid, &element.name, data_set))
        });
        let data_element = one("data element", &args.data_element, elements)?;
        let units = all.iter().flat_map(|(_, data_set)| {
            let units = data_set.org_units.iter();
            units.map(|(uid, unit)| Object::of(*uid, &unit.name, data_set))
        });
        // A unit that left the data sets may still hold values.
        let org_unit = one("organisation unit", &args.org_unit, units)
            .or_else(|problem| args.org_unit.parse().map_err(|_| problem))?;
        all.retain(|(mapping, data_set)| fills(mapping, data_set, data_element));
        ensure_any(&all, args)?;
        all.retain(|(mapping, _)| mapping.period_type == args.period.period_type());
        let asked = args.category_option_combo.as_deref();
        let combos = all.iter().flat_map(|(_, data_set)| {
            let element = data_set.elements.get(&data_element);
            let combos = element
                .into_iter()
                .flat_map(|each| each.category_option_combos.iter());
            combos.map(|(uid, name)| Object::of(*uid, name, data_set))
        });
        let category_option_combo = asked.map(|asked| one("category option combo", asked, combos));
        Ok(Subject {
            data_element,
            org_unit,
            category_option_combo: category_option_combo.transpose()?,
            mappings: all,
        })
    }

    fn asked(&self) -> Asked {
        Asked {
            data_element: self.data_element,
            org_unit: self.org_unit,
            category_option_combo: self.category_option_combo,
        }
    }
}

/// Whether a mapping may fill a data element of its data set.
fn fills(mapping: &Mapping, data_set: &DataSet, data_element: Uid) -> bool {
    let scope = mapping.scope();
    let listed = |triples: Vec<TripleScope>| {
        let mut each = triples.iter();
        each.any(|scope| scope.data_elements.contains(&data_element))
    };
    data_set.elements.contains_key(&data_element) && scope.triples.is_none_or(listed)
}

fn ensure_any(mappings: &[(&Mapping, DataSet)], args: &ExplainArgs) -> Result<(), Problem> {
    let fits =
        |(mapping, _): &(&Mapping, DataSet)| mapping.period_type == args.period.period_type();
    let message = match mappings.first() {
        None => format!("no mapping fills the data element {}", args.data_element),
        Some(_) if mappings.iter().any(fits) => return Ok(()),
        Some((mapping, _)) => format!(
            "the periods of {} are {}, and {} is none of them",
            mapping.name, mapping.period_type, args.period
        ),
    };
    Err(Problem::new(Exit::Usage, message))
}
