//! The report for people: a short table, then what needs looking at, the worst last.

use std::collections::BTreeMap;
use std::fmt::Write;

use comfy_table::{CellAlignment, Table};

use super::absorb::SHOWN;
use super::output::Reader;
use super::{ChangeReport, MappingReport, Report};
use crate::domain::{
    Cell, CellOutcome, Dimension, Number, RowCounts, RowOutcome, ShownKey, Text, Uid,
};
use crate::exit::Exit;

/// Keys and blocked cells that are told one by one.
const LINES: usize = 20;

/// The whole report.
pub(super) fn whole(report: &Report, reader: Reader) -> String {
    let mut text = String::new();
    for mapping in &report.mappings {
        mapping_text(&mut text, mapping, report, reader);
    }
    for note in &report.notes {
        line(&mut text, &format!("note: {note}"));
    }
    text += &problems(report);
    if report.exit() != Exit::Ok || report.dry_run || reader == Reader::Terminal {
        line(&mut text, &verdict(report));
    }
    text
}

/// Only what went wrong, a line each.
pub(super) fn problems(report: &Report) -> String {
    let mut text = String::new();
    for mapping in &report.mappings {
        for problem in &mapping.problems {
            line(&mut text, &format!("pg2dhis2: {}: {problem}", mapping.name));
        }
    }
    for problem in &report.problems {
        line(&mut text, &format!("pg2dhis2: {problem}"));
    }
    text
}

/// The last line: what it all comes to.
fn verdict(report: &Report) -> String {
    let exit = report.exit();
    let mut rows = RowCounts::default();
    let mut cells = crate::domain::CellCounts::default();
    for mapping in &report.mappings {
        rows.add(&mapping.rows.total());
        cells.add(&mapping.cells.total());
    }
    let mut parts = vec![format!("{} rows", rows.rows)];
    let counted = [
        ("unmapped", rows.unmapped),
        ("excluded", rows.excluded),
        ("empty", rows.empty),
        ("invalid", rows.invalid),
    ];
    parts.extend(
        counted
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(name, count)| format!("{count} {name}")),
    );
    parts.push(format!("{} cells", cells.cells));
    parts.extend(
        cells
            .iter()
            .filter(|(_, count)| *count > 0)
            .map(|(outcome, count)| format!("{count} {}", outcome.name())),
    );
    let dry = if report.dry_run {
        "dry run, nothing was written; "
    } else {
        ""
    };
    format!(
        "{dry}{}: exit {} ({}), {}",
        parts.join(", "),
        exit.code(),
        exit.name(),
        exit.meaning()
    )
}

fn mapping_text(text: &mut String, mapping: &MappingReport, report: &Report, reader: Reader) {
    line(text, &mapping.name);
    line(text, &table(mapping));
    changes(text, mapping, report);
    keys(text, mapping, reader);
    if !mapping.left.is_empty() {
        line(text, "  left as they are:");
        for (why, cells) in &mapping.left {
            line(text, &format!("    {cells:>7}  {why}"));
        }
    }
    if !mapping.closed.is_empty() {
        line(text, "  closed:");
        for ((period, why), cells) in &mapping.closed {
            line(text, &format!("    {cells:>7}  {period}: {why}"));
        }
    }
    blocked(text, mapping);
    held(text, mapping);
    failed(text, mapping);
    text.push('\n');
}

/// A line per period, and one for all; outcomes that nothing has are left out.
fn table(mapping: &MappingReport) -> String {
    let rows = mapping.rows.total();
    let cells = mapping.cells.total();
    let row_columns: Vec<(&str, fn(&RowCounts) -> u64)> = [
        (
            "excluded",
            (|counts| counts.excluded) as fn(&RowCounts) -> u64,
        ),
        ("unmapped", |counts| counts.unmapped),
        ("empty", |counts| counts.empty),
        ("invalid", |counts| counts.invalid),
        ("mapped", |counts| counts.mapped),
    ]
    .into_iter()
    .filter(|(name, count)| *name == "mapped" || count(&rows) > 0)
    .collect();
    let outcomes: Vec<CellOutcome> = cells
        .iter()
        .filter(|(_, count)| *count > 0)
        .map(|(outcome, _)| outcome)
        .collect();
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let mut header = vec!["period".to_owned(), "rows".to_owned()];
    header.extend(row_columns.iter().map(|(name, _)| (*name).to_owned()));
    header.push("cells".to_owned());
    header.extend(outcomes.iter().map(|outcome| outcome.name().to_owned()));
    table.set_header(header);
    let mut add = |name: String, rows: &RowCounts, cells: &crate::domain::CellCounts| {
        let mut line = vec![name, rows.rows.to_string()];
        line.extend(row_columns.iter().map(|(_, count)| count(rows).to_string()));
        line.push(cells.cells.to_string());
        line.extend(
            outcomes
                .iter()
                .map(|outcome| cells.of(*outcome).to_string()),
        );
        table.add_row(line);
    };
    for (period, counts) in &mapping.rows.periods {
        let of_period = mapping
            .cells
            .periods
            .get(period)
            .copied()
            .unwrap_or_default();
        add(period.to_string(), counts, &of_period);
    }
    if mapping.rows.periods.len() > 1 {
        add("all".to_owned(), &rows, &cells);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn changes(text: &mut String, mapping: &MappingReport, report: &Report) {
    let fine = |change: &&ChangeReport| !change.failed();
    let mut ours: Vec<&ChangeReport> = mapping
        .changes
        .iter()
        .filter(fine)
        .filter(|change| !change.foreign)
        .collect();
    ours.sort_by_cached_key(|change| std::cmp::Reverse(change.size()));
    if report.dry_run && !ours.is_empty() {
        line(text, "  the largest changes:");
        for change in ours.into_iter().take(SHOWN) {
            line(text, &format!("    {}", change_line(change, mapping)));
        }
    }
    let theirs: Vec<&ChangeReport> = mapping
        .changes
        .iter()
        .filter(fine)
        .filter(|change| change.foreign)
        .collect();
    if !theirs.is_empty() {
        line(
            text,
            "  stored by somebody else, and overwritten as the mapping says:",
        );
        listed(text, &theirs, |change| change_line(change, mapping));
    }
}

fn change_line(change: &ChangeReport, mapping: &MappingReport) -> String {
    let old = change.old.as_ref().map_or("nothing".to_owned(), shown);
    let new = match change.outcome {
        CellOutcome::Deleted => "nothing".to_owned(),
        _ => shown(&change.new),
    };
    format!("{old} → {new}  {}", named(&change.cell, mapping))
}

fn keys(text: &mut String, mapping: &MappingReport, reader: Reader) {
    for (outcome, title) in [
        (RowOutcome::Excluded, "excluded by a rule:"),
        (
            RowOutcome::Unmapped,
            "unmapped, no data value was made of them:",
        ),
    ] {
        let mut groups: BTreeMap<(Dimension, &ShownKey), u64> = BTreeMap::new();
        for group in mapping
            .rows
            .keys
            .iter()
            .filter(|group| group.outcome == outcome)
        {
            *groups.entry((group.dimension, &group.key)).or_default() += group.rows;
        }
        if groups.is_empty() {
            continue;
        }
        line(text, &format!("  {title}"));
        let mut groups: Vec<((Dimension, &ShownKey), u64)> = groups.into_iter().collect();
        groups.sort_by_key(|(group, rows)| (std::cmp::Reverse(*rows), *group));
        listed(text, &groups, |((dimension, key), rows)| {
            let key = match reader {
                Reader::Terminal => &key.plain,
                Reader::Anybody => &key.veiled,
            };
            format!("{rows:>3} rows, {dimension} {key}")
        });
    }
}

fn blocked(text: &mut String, mapping: &MappingReport) {
    if mapping.blocked_by.is_empty() {
        return;
    }
    line(text, "  blocked, DHIS2 would refuse them:");
    for (why, cells) in &mapping.blocked_by {
        line(text, &format!("    {cells:>7}  {why}"));
    }
    listed(text, &mapping.blocked, |(cell, why)| {
        format!("{}: {why}", named(cell, mapping))
    });
}

fn held(text: &mut String, mapping: &MappingReport) {
    if mapping.held.is_empty() {
        return;
    }
    line(
        text,
        "  held, nothing of this mapping is sent: somebody else stored a value that differs; look at it, then write `foreign`:",
    );
    listed(text, &mapping.held, |cell| named(cell, mapping));
}

fn failed(text: &mut String, mapping: &MappingReport) {
    for (outcome, title) in [
        (CellOutcome::Rejected, "rejected by DHIS2:"),
        (
            CellOutcome::Unconfirmed,
            "unconfirmed, the next run looks again:",
        ),
        (CellOutcome::NotSent, "not sent, the next run does:"),
    ] {
        let of_outcome: Vec<&ChangeReport> = mapping
            .changes
            .iter()
            .filter(|change| change.outcome == outcome)
            .collect();
        if of_outcome.is_empty() {
            continue;
        }
        line(text, &format!("  {title}"));
        listed(text, &of_outcome, |change| {
            let code = change.code.as_deref().unwrap_or_default();
            format!("{code} {}", named(&change.cell, mapping))
                .trim_start()
                .to_owned()
        });
    }
}

/// The first lines of a list, and how many more there are.
fn listed<T>(text: &mut String, items: &[T], words: impl Fn(&T) -> String) {
    for item in items.iter().take(LINES) {
        line(text, &format!("    {}", words(item)));
    }
    if items.len() > LINES {
        line(text, &format!("    … and {} more", items.len() - LINES));
    }
}

/// A cell in names, with the UIDs that DHIS2 knows it by.
fn named(cell: &Cell, mapping: &MappingReport) -> String {
    let name = |uid: Uid| match mapping.names.get(&uid) {
        Some(name) if !name.is_empty() => format!("{name} ({uid})"),
        _ => uid.to_string(),
    };
    let combo = mapping.names.get(&cell.triple.category_option_combo);
    let combo = match combo.map(String::as_str) {
        Some("default") => String::new(),
        _ => format!(", {}", name(cell.triple.category_option_combo)),
    };
    format!(
        "{}, {}, {}{combo}",
        cell.period,
        name(cell.org_unit),
        name(cell.triple.data_element)
    )
}

/// A number; of a text only its length, for it may be anything.
fn shown(value: &Text) -> String {
    match Number::parse(value.as_str()) {
        Ok(_) => value.to_string(),
        Err(_) => format!("text of {} characters", value.as_str().chars().count()),
    }
}

fn line(text: &mut String, words: &str) {
    // Writing to a String does not fail.
    let _ = writeln!(text, "{}", words.trim_end());
}
