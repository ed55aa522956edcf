//! The report for people: a short table, then what needs looking at, the worst last.

mod columns;
mod details;
mod registered;
mod server_says;

use super::of_mapping::MappingReport;
use super::of_run::{Report, ReportReader};
use super::phrases::{counted, line, many};
use crate::domain::{CellCounts, RowCounts, RowOutcome};
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
    for row in columns::table(mapping).lines() {
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
