//! The accounting equations, checked on a report from outside: every row and every cell ends in exactly one outcome.

use serde_json::Value;

const OF_ROWS: [&str; 5] = ["excluded", "unmapped", "empty", "invalid", "mapped"];

/// The equations that do not hold in a report of `--format json`, in words. `rows` is what the registry has for the
/// periods of the run, where the run came so far as to read them.
pub fn faults_of_report(report: &Value, rows: Option<usize>) -> Vec<String> {
    let mut faults = Vec::new();
    let read = list(&report["mappings"]).map(|mapping| number(&mapping["rows"]["rows"]));
    let (read, rows) = (
        read.sum::<i64>(),
        rows.and_then(|rows| i64::try_from(rows).ok()),
    );
    if rows.is_some_and(|rows| rows != read) {
        faults.push(format!(
            "rows of the registry: {rows:?}, of them {read} read"
        ));
    }
    for mapping in list(&report["mappings"]) {
        let mut check = |what: &str, total: i64, parts: i64| {
            if total != parts {
                faults.push(format!("{what}: {total} in all, {parts} in parts"));
            }
        };
        let (all_rows, all_cells) = (&mapping["rows"], &mapping["cells"]);
        check("rows", number(&all_rows["rows"]), of_rows(all_rows));
        check("cells", number(&all_cells["cells"]), of_cells(all_cells));
        let sum = |part: fn(&Value) -> i64| -> i64 { list(&mapping["periods"]).map(part).sum() };
        let rows_of_periods = sum(|period| of_rows(&period["rows"]));
        check(
            "rows of periods",
            number(&all_rows["rows"]),
            rows_of_periods,
        );
        let cells_of_periods = sum(|period| of_cells(&period["cells"]));
        check(
            "cells of periods",
            number(&all_cells["cells"]),
            cells_of_periods,
        );
        for sums in list(&mapping["sums"]) {
            let parts = ["desired", "excluded", "unmapped"].map(|part| number(&sums[part]));
            let what = format!("sum of {}", sums["data-element"]);
            check(&what, number(&sums["rows"]), parts.iter().sum());
        }
    }
    faults
}

fn of_rows(counts: &Value) -> i64 {
    OF_ROWS.map(|outcome| number(&counts[outcome])).iter().sum()
}

/// Every member but the total is an outcome.
fn of_cells(counts: &Value) -> i64 {
    let members = counts.as_object().into_iter().flatten();
    let outcomes = members.filter(|(name, _)| *name != "cells");
    outcomes.map(|(_, count)| number(count)).sum()
}

/// Sums are text, for they are exact.
fn number(value: &Value) -> i64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_i64().or(text).unwrap_or_default()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
