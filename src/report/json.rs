//! The report for scripts: `--format json`. Its fields are a promise; they are only ever added to.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::of_mapping::{ChangeReport, MappingReport, ServerDryRun};
use super::of_run::Report;
use crate::domain::{
    Author, Cell, CellCounts, HeldCell, KeyGroup, Lag, MovedCell, RowCounts, ShownValue,
    SourceServer, Sums, Text, Uid, sentence,
};
use crate::exit::{Exit, Problem};

const VERSION: &str = "report/1";

pub(super) fn whole(report: &Report) -> Value {
    json!({
        "pg2dhis2": VERSION,
        "version": env!("CARGO_PKG_VERSION"),
        "command": report.command,
        "dry-run": report.dry_run,
        "exit": exit(report.exit()),
        "as-of": report.as_of.to_string(),
        "started": report.started.to_string(),
        "ended": report.ended.to_string(),
        "source": report.source.as_ref().map(source),
        "dhis2": report.dhis2.as_ref().map(|dhis2| json!({
            "url": dhis2.url,
            "version": dhis2.version,
            "time-zone": dhis2.time_zone,
            "system-id": dhis2.system_id,
            "user": dhis2.user,
            "requests": report.requests,
        })),
        "notes": report.notes,
        "relaxed": report.relaxed.iter().map(|relaxed| json!({
            "setting": relaxed.setting, "text": relaxed.text,
        })).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "mappings": report.mappings.iter().map(mapping).collect::<Vec<_>>(),
    })
}

fn source(server: &SourceServer) -> Value {
    let seconds_behind = match server.lag {
        Lag::None => Some(0),
        Lag::Behind(lag) => Some(lag.as_secs()),
        Lag::Unknown => None,
    };
    json!({
        "version": server.version,
        "host": server.host,
        "time": server.time.to_string(),
        "standby": server.is_standby,
        "seconds-behind": seconds_behind,
        "distributed": server.is_distributed,
    })
}

fn mapping(mapping: &MappingReport) -> Value {
    let periods = mapping
        .rows
        .periods
        .keys()
        .chain(mapping.cells.account.periods.keys());
    let periods: BTreeSet<_> = periods.collect();
    json!({
        "name": mapping.name,
        "data-set": mapping.plan.data_set,
        "exit": exit(mapping.exit()),
        "notes": mapping.notes,
        "problems": mapping.all_problems().map(problem).collect::<Vec<_>>(),
        "rows": rows(&mapping.rows.total()),
        "cells": cells(&mapping.cells.account.total()),
        "periods": periods.into_iter().map(|period| json!({
            "period": period,
            "rows": rows(&mapping.rows.periods.get(period).copied().unwrap_or_default()),
            "cells": cells(&mapping.cells.account.periods.get(period).copied().unwrap_or_default()),
        })).collect::<Vec<_>>(),
        "sums": mapping.rows.sums.iter().map(|(element, each)| sums(*element, each)).collect::<Vec<_>>(),
        "keys": mapping.rows.keys.iter().map(key).collect::<Vec<_>>(),
        "rows-of-other-keys": mapping.rows.rows_of_other_keys,
        "left": mapping.cells.left.iter().map(|(why, cells)| json!({ "reason": why, "cells": cells })).collect::<Vec<_>>(),
        "closed": mapping.cells.closed.iter().map(|((period, why), cells)| json!({
            "period": period, "reason": why, "cells": cells,
        })).collect::<Vec<_>>(),
        "changed-since-pin": mapping.server.drift,
        "blocked-by": mapping.cells.blocked_by.iter().map(|(why, cells)| json!({
            "reason": why, "cells": cells, "text": why.to_string(),
        })).collect::<Vec<_>>(),
        "blocked": mapping.cells.blocked.iter().map(|(cell, why)| with(cell, json!({ "reason": why }))).collect::<Vec<_>>(),
        "held": mapping.hold.foreign.iter().map(held).collect::<Vec<_>>(),
        "guards": mapping.hold.guards.iter().map(|trip| json!({
            "guard": trip.guard, "period": trip.period, "text": trip.words,
        })).collect::<Vec<_>>(),
        "digest": mapping.hold.digest,
        "released": mapping.hold.released,
        "stranded-cells": mapping.cells.stranded_cells,
        "stranded": mapping.cells.stranded.iter().map(|(cell, live)| with(cell, json!({ "live": value(live) }))).collect::<Vec<_>>(),
        "refused-by-2.43": mapping.server.newer.iter().map(|(why, cells)| json!({
            "reason": why, "cells": cells, "text": why.to_string(),
        })).collect::<Vec<_>>(),
        "names": names(mapping),
        "complete": complete(mapping),
        "changes": mapping.cells.changes.iter().map(change).collect::<Vec<_>>(),
        "moved": mapping.cells.moved.iter().map(moved).collect::<Vec<_>>(),
        "server-dry-run": mapping.server.dry_run.as_ref().map(server_dry_run),
    })
}

fn change(change: &ChangeReport) -> Value {
    let details = json!({
        "kind": change.kind,
        "old": change.old.as_ref().map(value),
        "new": value(&change.new),
        "foreign": change.author.as_ref().map(author),
        "outcome": change.outcome,
        "code": change.code,
        "text": change.code.as_deref().map(sentence),
    });
    with(&change.cell, details)
}

fn moved(moved: &MovedCell) -> Value {
    let details = json!({
        "expected": moved.expected.as_ref().map(value),
        "found": moved.found.as_ref().map(value),
        "foreign": moved.author.as_ref().map(author),
    });
    with(&moved.cell, details)
}

fn server_dry_run(said: &ServerDryRun) -> Value {
    json!({
        "agrees": said.agrees(),
        "predicted": said.predicted,
        "counted": said.counted,
        "accepted": said.accepted,
        "rejected": said.rejected,
        "unknown": said.unknown,
        "rejects": said.rejects.iter().map(|(cell, code)| with(cell, json!({ "code": code }))).collect::<Vec<_>>(),
        "cannot-know": said.cannot_know,
    })
}

fn held(held: &HeldCell) -> Value {
    let details = json!({
        "live": held.live.as_ref().map(value),
        "desired": value(&held.desired),
        "foreign": held.author.as_ref().map(author),
    });
    with(&held.cell, details)
}

fn author(author: &Author) -> Value {
    json!({ "stored-by": &*author.user, "at": author.when.map(|when| when.to_string()) })
}

/// What people call the objects of the cells that are listed one by one.
fn names(mapping: &MappingReport) -> Value {
    let blocked = mapping.cells.blocked.iter().map(|(cell, _)| cell);
    let stranded = mapping.cells.stranded.iter().map(|(cell, _)| cell);
    let held = mapping.hold.foreign.iter().map(|held| &held.cell);
    let failed = mapping
        .cells
        .changes
        .iter()
        .filter(|change| change.failed());
    let cells = blocked.chain(stranded).chain(held);
    let cells = cells.chain(failed.map(|change| &change.cell));
    let uids: BTreeSet<Uid> = cells
        .flat_map(|cell| {
            let triple = cell.triple;
            [
                triple.data_element,
                triple.category_option_combo,
                triple.attribute_option_combo,
                cell.org_unit,
            ]
        })
        .collect();
    let names = uids.into_iter().filter_map(|uid| {
        let name = mapping.objects.names.get(&uid)?;
        Some(json!({ "id": uid, "name": name, "code": mapping.objects.codes.get(&uid) }))
    });
    names.collect()
}

/// A value as far as it may be told.
fn value(text: &Text) -> Value {
    match text.shown() {
        ShownValue::Number(number) => json!(number),
        ShownValue::Text { characters } => json!({ "characters": characters }),
    }
}

/// The five dimensions in DHIS2's names, and what else is told of the cell.
fn with(cell: &Cell, details: Value) -> Value {
    let mut object = Map::new();
    let dimensions = [
        ("dataElement", cell.triple.data_element.to_string()),
        ("period", cell.period.to_string()),
        ("orgUnit", cell.org_unit.to_string()),
        (
            "categoryOptionCombo",
            cell.triple.category_option_combo.to_string(),
        ),
        (
            "attributeOptionCombo",
            cell.triple.attribute_option_combo.to_string(),
        ),
    ];
    for (name, uid) in dimensions {
        object.insert(name.to_owned(), uid.into());
    }
    if let Value::Object(details) = details {
        object.extend(details);
    }
    object.into()
}

fn rows(counts: &RowCounts) -> Value {
    json!(counts)
}

fn cells(counts: &CellCounts) -> Value {
    let mut object = Map::new();
    object.insert("cells".to_owned(), counts.cells.into());
    for (outcome, count) in counts.iter() {
        object.insert(outcome.name().replace(' ', "-"), count.into());
    }
    object.into()
}

fn key(group: &KeyGroup) -> Value {
    json!({
        "outcome": group.outcome,
        "dimension": group.dimension,
        "key": group.key.masked,
        "period": group.period,
        "rows": group.rows,
    })
}

fn sums(element: Option<Uid>, sums: &Sums) -> Value {
    json!({
        "data-element": element,
        "rows": sums.rows.to_string(),
        "desired": sums.desired.to_string(),
        "excluded": sums.excluded.to_string(),
        "unmapped": sums.unmapped.to_string(),
    })
}

fn exit(exit: Exit) -> Value {
    json!({ "code": exit.code(), "name": exit.name() })
}

fn problem(problem: &Problem) -> Value {
    json!({ "exit": exit(problem.exit), "message": problem.message })
}

fn complete(mapping: &MappingReport) -> Value {
    let Some(complete) = &mapping.complete else {
        return Value::Null;
    };
    let each = complete.registered.iter().map(|registration| {
        json!({
            "period": registration.period,
            "orgUnit": registration.org_unit,
            "attributeOptionCombo": registration.attribute_option_combo,
        })
    });
    json!({
        "registered": complete.registered.len(),
        "already": complete.already,
        "early": complete.early,
        "lacking": complete.lacking,
        "withdrawn": complete.withdrawn,
        "unconfirmed": complete.unconfirmed,
        "registrations": each.collect::<Vec<_>>(),
    })
}
