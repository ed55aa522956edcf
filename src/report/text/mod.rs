//! The report for people: a short table, then what needs looking at, the worst last.

mod details;
mod registered;
mod server_says;

use comfy_table::{CellAlignment, Table};

use super::of_mapping::MappingReport;
use super::of_run::{Report, ReportReader};
use super::phrases::{counted, line, many};
use crate::domain::{CellCounts, CellOutcome, RowCounts, RowOutcome};
use crate::exit::Exit;

/// The whole report.
pub(super) fn whole(report: &Report, reader: ReportReader) -> String {
    let mut text = String::new();
    for mapping in &report.mappings {
        mapping_text(&mut text, mapping, report, reader);
    }
    for mapping in &report.mappings {
        for note in &mapping.notes {
            line(&mut text, &format!("note: {}: {note}", mapping.name));
        }
    }
    for note in &report.notes {
        line(&mut text, &format!("note: {note}"));
    }
    for relaxed in &report.relaxed {
        let words = format!("note: relaxed by {}: {}", relaxed.setting, relaxed.text);
        line(&mut text, &words);
    }
    text += &problems(report);
    if report.exit() != Exit::Ok || report.dry_run || reader == ReportReader::Terminal {
        for words in verdict(report).lines() {
            line(&mut text, words);
        }
    }
    text
}

/// Only what went wrong, a line each.
pub(super) fn problems(report: &Report) -> String {
    let mut text = String::new();
    for mapping in &report.mappings {
        for problem in mapping.all_problems() {
            text += &self::problem(&format!("{}: {problem}", mapping.name));
        }
    }
    for problem in &report.problems {
        text += &self::problem(&problem.message);
    }
    text
}

/// The line of a problem.
pub(super) fn problem(message: &str) -> String {
    let mut text = String::new();
    line(&mut text, &format!("pg2dhis2: {message}"));
    text
}

/// The last lines: what it all comes to.
fn verdict(report: &Report) -> String {
    let mut rows = RowCounts::default();
    let mut cells = CellCounts::default();
    for mapping in &report.mappings {
        rows.add(&mapping.rows.total());
        cells.add(&mapping.cells.account.total());
    }
    let mut of_rows: Vec<(RowOutcome, u64)> = rows.iter().collect();
    // What arrived is told first.
    of_rows.sort_by_key(|(outcome, _)| *outcome != RowOutcome::Mapped);
    let of_rows = of_rows
        .iter()
        .map(|(outcome, count)| (outcome.name(), *count));
    let of_cells = cells.iter().map(|(outcome, count)| (outcome.name(), count));
    let exit = report.exit();
    let ends = match report.dry_run {
        true => "dry run, nothing was written; a run would exit",
        false => "exit",
    };
    format!(
        "{}: {}\n{}: {}\n{ends} {} ({}): {}",
        many(rows.rows, "row"),
        counted(of_rows),
        many(cells.cells, "cell"),
        counted(of_cells),
        exit.code(),
        exit.name(),
        exit.meaning()
    )
}

fn mapping_text(text: &mut String, mapping: &MappingReport, report: &Report, reader: ReportReader) {
    line(text, &mapping.name);
    for row in table(mapping).lines() {
        line(text, row);
    }
    details::changes(text, mapping, report);
    details::keys(text, mapping, reader);
    details::drift(text, mapping);
    details::stay(text, mapping);
    details::blocked(text, mapping);
    details::held(text, mapping);
    details::guards(text, mapping);
    details::asides(text, mapping);
    registered::registered(text, mapping, report);
    details::failed(text, mapping);
    details::moved(text, mapping);
    server_says::server_says(text, mapping);
    text.push('\n');
}

/// A column of the table: its title, and what it counts of a line's rows and cells.
type TableColumn = (&'static str, Box<dyn Fn(&RowCounts, &CellCounts) -> u64>);

/// A line per period, and one for all; outcomes that nothing has are left out.
fn table(mapping: &MappingReport) -> String {
    let all = (mapping.rows.total(), mapping.cells.account.total());
    let columns: Vec<TableColumn> = columns()
        .into_iter()
        .filter(|(title, count)| ALWAYS.contains(title) || count(&all.0, &all.1) > 0)
        .collect();
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    let titles = columns.iter().map(|(title, _)| (*title).to_owned());
    table.set_header(std::iter::once("period".to_owned()).chain(titles));
    let mut add = |name: String, rows: &RowCounts, cells: &CellCounts| {
        let counts = columns
            .iter()
            .map(|(_, count)| count(rows, cells).to_string());
        table.add_row(std::iter::once(name).chain(counts));
    };
    for (period, rows) in &mapping.rows.periods {
        let cells = mapping.cells.account.periods.get(period).copied();
        add(period.to_string(), rows, &cells.unwrap_or_default());
    }
    if mapping.rows.periods.len() > 1 {
        add("all".to_owned(), &all.0, &all.1);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

/// Columns that stand in every table.
const ALWAYS: [&str; 3] = ["rows", "mapped", "cells"];

fn columns() -> Vec<TableColumn> {
    let mut columns: Vec<TableColumn> = vec![("rows", Box::new(|rows, _| rows.rows))];
    for outcome in RowOutcome::ALL {
        columns.push((outcome.name(), Box::new(move |rows, _| rows.of(outcome))));
    }
    columns.push(("cells", Box::new(|_, cells| cells.cells)));
    for outcome in CellOutcome::ALL {
        columns.push((outcome.name(), Box::new(move |_, cells| cells.of(outcome))));
    }
    columns
}
