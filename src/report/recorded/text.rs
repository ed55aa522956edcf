//! Runs for people: a line each, or one on a page.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table};

use crate::domain::escaped;
use crate::history::{
    CHANGED, ChangeOfRun, MappingEntry, ProblemOfRun, Run, RunStart, RunState, ToldOfRun, WholeRun,
};
use crate::report::phrases::{SHOWN, line, many, minute, more, old_and_new};

/// Where the rest of a long list stands.
const REST: &str = "--format json or csv has all";

/// `ok`, `partial`, …, `interrupted`, `running`.
pub(super) fn outcome(run: &Run) -> &str {
    match &run.state {
        RunState::Running => "running",
        RunState::Interrupted => "interrupted",
        RunState::Finished { how, .. } => &how.name,
    }
}

/// Cells of DHIS2 that a run changed.
pub(super) fn changed(mapping: &MappingEntry) -> u64 {
    let counts = CHANGED
        .iter()
        .filter_map(|outcome| mapping.cells.get(*outcome));
    counts.sum()
}

pub(super) fn runs(runs: &[Run]) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header([
        "run",
        "began (UTC)",
        "s",
        "command",
        "outcome",
        "rows",
        "changed",
        "mappings",
        "",
    ]);
    for run in runs {
        let sum = |of: &dyn Fn(&MappingEntry) -> u64| -> String {
            let each = run.mappings.iter().map(|(_, mapping)| of(mapping));
            each.sum::<u64>().to_string()
        };
        let (seconds, message) = match &run.state {
            RunState::Finished { how, .. } => (seconds(how.milliseconds), escaped(&how.message)),
            RunState::Running | RunState::Interrupted => (String::new(), String::new()),
        };
        let names = run
            .started
            .mappings
            .iter()
            .map(|mapping| mapping.name.as_str());
        table.add_row([
            run.number.to_string(),
            minute(&run.at),
            seconds,
            run.started.command.clone(),
            outcome(run).to_owned(),
            sum(&|mapping| mapping.rows.get("rows").copied().unwrap_or_default()),
            sum(&changed),
            names.collect::<Vec<_>>().join(", "),
            message,
        ]);
    }
    for column in [0, 2, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut text = String::new();
    for row in table.to_string().lines() {
        line(&mut text, row);
    }
    text
}

pub(super) fn whole(whole: &WholeRun) -> String {
    let mut text = String::new();
    let run = &whole.run;
    beginning(&mut text, run);
    if let RunState::Interrupted = run.state {
        for (mapping, changes) in &whole.sending {
            let changes = many(changes.changes, "change");
            line(
                &mut text,
                &format!("  {mapping}: {changes} began to be sent"),
            );
        }
    }
    for difference in &whole.differences {
        line(&mut text, &format!("  not as before: {difference}"));
    }
    for plan in &run.started.mappings {
        let entry = run.mappings.iter().find(|(name, _)| *name == plan.name);
        line(&mut text, "");
        line(
            &mut text,
            &format!("{}: {}", plan.name, plan.periods.join(", ")),
        );
        if let Some((_, entry)) = entry {
            mapping(&mut text, entry);
        }
        let changes = whole
            .changes
            .iter()
            .filter(|change| change.mapping == plan.name);
        self::changes(&mut text, changes.collect());
        let problems = whole
            .problems
            .iter()
            .filter(|problem| problem.mapping == plan.name);
        self::problems(&mut text, problems.collect());
    }
    if let RunState::Finished { how, .. } = &run.state {
        line(&mut text, "");
        for problem in &how.problems {
            line(&mut text, &problem.message);
        }
        line(&mut text, &format!("exit {} ({})", how.exit, how.name));
        let notes = how.notes.iter();
        for note in notes.filter(|note| !whole.differences.contains(note)) {
            line(&mut text, &format!("note: {note}"));
        }
    }
    for (concern, after) in &whole.after {
        let failed = if after.failed { "failed: " } else { "" };
        line(&mut text, &format!("{concern}: {failed}{}", after.text));
    }
    for told in &whole.told {
        line(&mut text, &self::told(told));
    }
    text
}

fn told(told: &ToldOfRun) -> String {
    let (channel, topic) = (&told.notified.channel, &told.topic);
    let whose = match told.mapping.as_str() {
        "" => String::new(),
        mapping => format!("{mapping}: "),
    };
    match &told.notified.why {
        None => format!("told: {whose}{topic}, {channel}"),
        Some(why) => format!("not told: {whose}{topic}, {channel} ({why})"),
    }
}

fn beginning(text: &mut String, run: &Run) {
    let started = &run.started;
    let lasted = match &run.state {
        RunState::Finished { how, .. } => {
            format!("{} s, {} requests", seconds(how.milliseconds), how.requests)
        }
        RunState::Running => "going on".to_owned(),
        RunState::Interrupted => "interrupted: it never came to its end".to_owned(),
    };
    line(
        text,
        &format!(
            "run {}: {}, {}, {lasted}",
            run.number, started.command, run.at
        ),
    );
    let by = if started.terminal {
        "at a terminal"
    } else {
        "without a terminal"
    };
    line(
        text,
        &format!(
            "  pg2dhis2 {} {by} on {}, user {}, process {}; as of {} in {}",
            started.version,
            started.host,
            started.uid,
            started.pid,
            started.as_of,
            started.time_zone
        ),
    );
    line(text, &format!("  site file {}", short(&started.site)));
    servers(text, run, started);
}

fn servers(text: &mut String, run: &Run, started: &RunStart) {
    let how = match &run.state {
        RunState::Finished { how, .. } => Some(how),
        RunState::Running | RunState::Interrupted => None,
    };
    if let Some(source) = &started.source {
        let version = how.and_then(|how| how.source_version.as_deref());
        let role = source.role.as_deref().unwrap_or("the system's user");
        let hosts = source.hosts.join(",");
        line(
            text,
            &format!(
                "  source {hosts}/{} as {role}: {}",
                source.database,
                version.map_or("no answer".to_owned(), |version| format!(
                    "PostgreSQL {version}"
                ))
            ),
        );
    }
    let dhis2 =
        how.and_then(|how| Some((how.dhis2_version.as_deref()?, how.dhis2_user.as_deref()?)));
    let answer = match dhis2 {
        Some((version, user)) => format!("DHIS2 {version}, account {user}"),
        None => "no answer".to_owned(),
    };
    line(text, &format!("  target {}: {answer}", started.dhis2));
    for relaxed in how.iter().flat_map(|how| &how.relaxed) {
        let words = format!("  relaxed by {}: {}", relaxed.setting, relaxed.text);
        line(text, &words);
    }
}

fn mapping(text: &mut String, entry: &MappingEntry) {
    line(text, &format!("  rows: {}", counts(&entry.rows)));
    line(text, &format!("  cells: {}", counts(&entry.cells)));
    if entry.periods.len() > 1 {
        for period in &entry.periods {
            let (rows, cells) = (counts(&period.rows), counts(&period.cells));
            line(text, &format!("    {}: {rows}; {cells}", period.period));
        }
    }
    for sums in &entry.sums {
        let element = sums
            .data_element
            .as_deref()
            .unwrap_or("rows without a data element");
        line(
            text,
            &format!(
                "  sum of {element}: {} in rows = {} in cells + {} excluded + {} unmapped",
                sums.rows, sums.desired, sums.excluded, sums.unmapped
            ),
        );
    }
    for trip in &entry.guards {
        let released = if entry.released { ", released" } else { "" };
        line(
            text,
            &format!("  guard {}{released}: {}", trip.guard, trip.text),
        );
    }
    if let Some(digest) = &entry.digest {
        line(text, &format!("  the plan is named {digest}"));
    }
    for drift in &entry.drift {
        line(text, &format!("  {drift}"));
    }
    for note in &entry.notes {
        line(text, &format!("  note: {note}"));
    }
    for problem in &entry.problems {
        line(text, &format!("  {}", problem.message));
    }
}

fn changes(text: &mut String, changes: Vec<&ChangeOfRun>) {
    if changes.is_empty() {
        return;
    }
    line(
        text,
        &format!("  {}:", many(changes.len() as u64, "change")),
    );
    for each in changes.iter().take(SHOWN) {
        let (period, cell) = (&each.period, &each.cell);
        let words = format!(
            "    {} {period} | {cell} | {}",
            each.change.outcome,
            old_and_new(&each.change)
        );
        line(text, &words);
    }
    more(text, changes.len(), REST);
}

fn problems(text: &mut String, problems: Vec<&ProblemOfRun>) {
    for problem in problems.iter().take(SHOWN) {
        let over = if problem.closed { ", over now" } else { "" };
        line(
            text,
            &format!(
                "  {} | {} | first in run {}{over}",
                problem.subject, problem.period, problem.opened
            ),
        );
    }
    more(text, problems.len(), REST);
}

fn counts(counts: &BTreeMap<String, u64>) -> String {
    let each = counts.iter().map(|(name, count)| format!("{count} {name}"));
    match counts.is_empty() {
        true => "none".to_owned(),
        false => each.collect::<Vec<_>>().join(", "),
    }
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{}", milliseconds / 1000, milliseconds % 1000 / 100)
}

/// Enough digits of a digest to tell two apart.
fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}
