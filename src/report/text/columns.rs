//! The table of a run's report: a line for each period, a column for each count.

use comfy_table::{CellAlignment, Table};

use crate::domain::{CellCounts, CellOutcome, RowCounts, RowOutcome};
use crate::report::of_mapping::MappingReport;

/// A column of the table: its title, and what it counts of a line's rows and cells.
type TableColumn = (&'static str, Box<dyn Fn(&RowCounts, &CellCounts) -> u64>);

/// A line per period, and one for all; outcomes that nothing has are left out.
pub(super) fn table(mapping: &MappingReport) -> String {
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
