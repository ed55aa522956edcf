//! Runs and changes for spreadsheets.

use std::io::Write;

use csv::Writer;

use super::text::{changed, outcome};
use crate::history::{Run, RunState, WholeRun};

/// A line for each run and mapping.
pub(super) fn runs(out: &mut dyn Write, runs: &[Run]) -> anyhow::Result<()> {
    let mut lines = Writer::from_writer(out);
    lines.write_record([
        "run",
        "began",
        "ended",
        "command",
        "outcome",
        "exit",
        "mapping",
        "mapping-exit",
        "rows",
        "cells",
        "changed",
        "message",
    ])?;
    for run in runs {
        let (ended, exit, message) = match &run.state {
            RunState::Finished { at, how } => {
                (at.as_str(), how.exit.to_string(), how.message.as_str())
            }
            RunState::Running | RunState::Interrupted => ("", String::new(), ""),
        };
        for plan in &run.started.mappings {
            let entry = run.mappings.iter().find(|(name, _)| *name == plan.name);
            let entry = entry.map(|(_, entry)| entry);
            let count =
                |count: Option<u64>| count.map(|count| count.to_string()).unwrap_or_default();
            lines.write_record([
                &run.number.to_string(),
                &run.at,
                ended,
                &run.started.command,
                outcome(run),
                &exit,
                &plan.name,
                &count(entry.map(|entry| u64::from(entry.exit))),
                &count(entry.map(|entry| entry.rows.get("rows").copied().unwrap_or_default())),
                &count(entry.map(|entry| entry.cells.get("cells").copied().unwrap_or_default())),
                &count(entry.map(changed)),
                message,
            ])?;
        }
    }
    Ok(lines.flush()?)
}

/// A line for each change of a run.
pub(super) fn changes(out: &mut dyn Write, whole: &WholeRun) -> anyhow::Result<()> {
    let mut lines = Writer::from_writer(out);
    lines.write_record([
        "mapping",
        "kind",
        "period",
        "data-element",
        "org-unit",
        "category-option-combo",
        "attribute-option-combo",
        "old",
        "new",
        "outcome",
    ])?;
    for each in &whole.changes {
        let change = &each.change;
        let mut record = vec![each.mapping.as_str(), &change.kind, &each.period];
        record.extend(each.cell.split(' '));
        record.extend([
            change.old.as_deref().unwrap_or_default(),
            change.new.as_deref().unwrap_or_default(),
            &change.outcome,
        ]);
        lines.write_record(record)?;
    }
    Ok(lines.flush()?)
}
