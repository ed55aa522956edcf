//! Plans in files: written by a dry run with --save-plan, read by `apply`. Whoever edits one by hand makes it void.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::domain::{CellOutcome, Fingerprint};
use crate::exit::{Exit, Problem};
use crate::plan::{SavedChange, SavedMapping, SavedPlan, SavedServer, VERSION, digest};
use crate::report::{MappingReport, Report};
use crate::site;

/// The first line of the file but for its comma. What follows it is what the digest is of.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstLine {
    pg2dhis2: String,
    digest: String,
}

/// Refuses a file that cannot be written, before anything is read for it.
pub(crate) fn ensure_writable(file: Option<&Path>) -> Result<(), Problem> {
    match file {
        None => Ok(()),
        Some(file) => site::ensure_writable(file).map_err(|error| unwritable(file, &error)),
    }
}

/// Saves what a dry run would change, if a file was named for it and the plan is complete; the report says which.
/// `digests`: those of each mapping's files, as far as they are known.
pub(crate) fn save(
    file: Option<&Path>,
    report: &mut Report,
    digests: &BTreeMap<String, BTreeMap<String, String>>,
) {
    let Some(file) = file else {
        return;
    };
    let shown = file.display();
    let Some(plan) = complete(report, digests) else {
        let note = format!("no plan was saved in {shown}: it would not be complete");
        report.notes.push(note);
        return;
    };
    match plan.and_then(|plan| write(file, &plan)) {
        Ok(digest) => report
            .notes
            .push(format!("the plan is in {shown}; its digest is {digest}")),
        Err(error) => report.problems.push(unwritable(file, &error)),
    }
}

/// Reads a plan, with its digest.
pub(crate) fn read(file: &Path) -> Result<(SavedPlan, String), Problem> {
    let not_ours = |why: &dyn Display| {
        let shown = file.display();
        Problem::new(
            Exit::Usage,
            format!(
                "the plan {shown} {why}; nothing was sent; make one with --dry-run --save-plan"
            ),
        )
    };
    let text = fs::read_to_string(file)
        .map_err(|error| not_ours(&format!("cannot be read ({})", site::reason(&error))))?;
    let Some((first, rest)) = first_line(&text) else {
        return Err(not_ours(&of_another_form(&text)));
    };
    if first.pg2dhis2 != VERSION {
        return Err(not_ours(&OTHER_VERSION));
    }
    let mut fingerprint = Fingerprint::default();
    fingerprint.add(rest.as_bytes());
    if fingerprint.hex() != first.digest {
        return Err(not_ours(&CHANGED));
    }
    // Serde's own words can repeat a value.
    let plan: SavedPlan = serde_json::from_str(&format!("{{{rest}"))
        .map_err(|error| not_ours(&format!("is not of our form at line {}", error.line() + 1)))?;
    match plan.mappings.iter().find_map(SavedMapping::fault) {
        Some(fault) => Err(not_ours(&format!("contradicts itself: {fault}"))),
        None => Ok((plan, first.digest)),
    }
}

const CHANGED: &str = "is not as it was written: cut short, edited or put into another form";
const OTHER_VERSION: &str = "was written by another version of pg2dhis2";

fn first_line(text: &str) -> Option<(FirstLine, &str)> {
    let (first, rest) = text.split_once('\n')?;
    let first = format!("{}}}", first.strip_suffix(',')?);
    Some((serde_json::from_str(&first).ok()?, rest))
}

/// What is wrong with a text that does not begin as a plan does.
fn of_another_form(text: &str) -> &'static str {
    let value: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let version = value.as_ref().and_then(|value| value.get("pg2dhis2"));
    match version.and_then(serde_json::Value::as_str) {
        Some(VERSION) => CHANGED,
        Some(version) if version.starts_with("plan/") => OTHER_VERSION,
        _ => "is no plan that pg2dhis2 wrote",
    }
}

/// The plan of a report; `None` if DHIS2 was not asked for all of it.
fn complete(
    report: &Report,
    digests: &BTreeMap<String, BTreeMap<String, String>>,
) -> Option<io::Result<SavedPlan>> {
    let dhis2 = report.dhis2.as_ref()?;
    if !report.problems.is_empty() || !report.mappings.iter().all(is_complete) {
        return None;
    }
    let mappings = report.mappings.iter();
    let mappings: io::Result<Vec<SavedMapping>> = mappings
        .filter_map(|mapping| saved(mapping, digests.get(&mapping.name)))
        .collect();
    Some(mappings.map(|mappings| SavedPlan {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        created: report.started,
        as_of: report.as_of,
        dhis2: SavedServer {
            url: dhis2.url.clone(),
            version: dhis2.version.clone(),
            user: dhis2.user.clone(),
        },
        mappings,
    }))
}

/// A mapping that is held has a plan, which says so.
fn is_complete(mapping: &MappingReport) -> bool {
    let held = |problem: &Problem| problem.exit == Exit::Held;
    mapping.problems.iter().all(held) && mapping.cells.account.total().of(CellOutcome::NotSent) == 0
}

fn saved(
    mapping: &MappingReport,
    digests: Option<&BTreeMap<String, String>>,
) -> Option<io::Result<SavedMapping>> {
    let changes = mapping.cells.changes.iter().map(|change| {
        let old = change.old.as_ref().map(|old| old.as_str());
        let new = change.new.as_str();
        SavedChange::new(&change.cell, change.kind, old, new, change.author.as_ref())
    });
    let mut changes: Vec<SavedChange> = changes.collect();
    changes.sort_by_cached_key(SavedChange::cell);
    let held = mapping.cells.account.total().of(CellOutcome::Held) > 0
        || mapping
            .problems
            .iter()
            .any(|problem| problem.exit == Exit::Held);
    let (data_set, period_type) = (mapping.plan.data_set?, mapping.plan.period_type?);
    let saved = digest(&changes).map(|digest| SavedMapping {
        name: mapping.name.clone(),
        data_set,
        period_type,
        held,
        max_age: mapping.plan.max_age,
        digest,
        digests: digests.cloned().unwrap_or_default(),
        changes,
    });
    Some(saved.map_err(io::Error::from))
}

/// Writes the plan whole or not at all, for its owner only; its digest.
fn write(file: &Path, plan: &SavedPlan) -> io::Result<String> {
    let mut hashing = Hashing::default();
    body(plan, &mut hashing)?;
    let first = FirstLine {
        pg2dhis2: VERSION.to_owned(),
        digest: hashing.0.hex(),
    };
    let line = serde_json::to_string(&first)?;
    let line = line.strip_suffix('}').unwrap_or(&line);
    site::write_private(file, |out| {
        writeln!(out, "{line},")?;
        body(plan, out)
    })?;
    Ok(first.digest)
}

/// Everything after the first line: a line for each mapping and for each change.
fn body(plan: &SavedPlan, out: &mut dyn Write) -> io::Result<()> {
    let json = |value: &dyn Display| serde_json::to_string(&value.to_string());
    writeln!(out, "\"version\":{},", json(&plan.version)?)?;
    writeln!(out, "\"created\":{},", json(&plan.created)?)?;
    writeln!(out, "\"as-of\":{},", json(&plan.as_of)?)?;
    writeln!(out, "\"dhis2\":{},", serde_json::to_string(&plan.dhis2)?)?;
    writeln!(out, "\"mappings\":[")?;
    for (number, mapping) in plan.mappings.iter().enumerate() {
        writeln!(out, "{}", if number == 0 { "{" } else { ",{" })?;
        writeln!(out, "\"name\":{},", json(&mapping.name)?)?;
        writeln!(out, "\"data-set\":{},", json(&mapping.data_set)?)?;
        writeln!(out, "\"period-type\":{},", json(&mapping.period_type)?)?;
        writeln!(out, "\"held\":{},", mapping.held)?;
        writeln!(out, "\"max-age\":{},", mapping.max_age)?;
        writeln!(out, "\"digest\":{},", json(&mapping.digest)?)?;
        let digests = serde_json::to_string(&mapping.digests)?;
        writeln!(out, "\"digests\":{digests},")?;
        writeln!(out, "\"changes\":[")?;
        for (number, change) in mapping.changes.iter().enumerate() {
            let comma = if number == 0 { "" } else { "," };
            writeln!(out, "{comma}{}", change.line()?)?;
        }
        writeln!(out, "]}}")?;
    }
    writeln!(out, "]}}")
}

#[derive(Default)]
struct Hashing(Fingerprint);

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn unwritable(file: &Path, error: &io::Error) -> Problem {
    let (shown, why) = (file.display(), site::reason(error));
    Problem::new(
        Exit::Config,
        format!("the plan {shown} cannot be written ({why}); name another file with --save-plan"),
    )
}
