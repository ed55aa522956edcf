//! How the mappings stand as Prometheus reads it (text exposition format 0.0.4), for the node exporter's textfile
//! collector. Counts and names of mappings only.

use std::fmt::Write;

use crate::domain::CellOutcome;
use crate::history::{MappingEntry, MappingState};

/// Outcomes of rows, as the history names them.
const ROWS: [&str; 5] = ["excluded", "unmapped", "empty", "invalid", "mapped"];

/// Problems that last from run to run.
const PROBLEMS: [&str; 3] = ["blocked", "rejected", "unmapped"];

/// What is told of the last run and of every mapping of the site.
pub(crate) struct Metrics {
    pub(crate) run: i64,
    /// Unix time, in seconds, when it ended.
    pub(crate) ended: f64,
    pub(crate) seconds: f64,
    pub(crate) exit: u8,
    /// Those to DHIS2.
    pub(crate) requests: u32,
    /// Unix time, in seconds, when DHIS2's analytics tables were last built, as far as it is known.
    pub(crate) analytics: Option<f64>,
    pub(crate) mappings: Vec<MappingMetrics>,
}

pub(crate) struct MappingMetrics {
    pub(crate) name: String,
    pub(crate) standing: MappingState,
    /// What its last run ended with.
    pub(crate) last: Option<MappingEntry>,
}

/// A metric's samples, below its help and type.
struct Family {
    text: String,
    name: &'static str,
}

impl Metrics {
    /// The whole file.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        text += &build();
        text += &self.of_run();
        text += &self.of_time();
        text += &self.of_counts();
        text
    }

    fn of_run(&self) -> String {
        let one = |name, help, value: f64| {
            let mut family = Family::new(name, help);
            family.sample(&[], value);
            family.text
        };
        let mut text = one(
            "pg2dhis2_last_run_number",
            "Number of the last run in the history.",
            self.run as f64,
        );
        text += &one(
            "pg2dhis2_last_run_timestamp_seconds",
            "When the last run ended, as Unix time.",
            self.ended,
        );
        text += &one(
            "pg2dhis2_last_exit_code",
            "Exit code of the last run; 0 is well, 3 is partial.",
            self.exit.into(),
        );
        text += &one(
            "pg2dhis2_run_duration_seconds",
            "How long the last run took.",
            self.seconds,
        );
        text += &one(
            "pg2dhis2_requests",
            "Requests of the last run to DHIS2.",
            self.requests.into(),
        );
        if let Some(built) = self.analytics {
            text += &one(
                "pg2dhis2_analytics_success_timestamp_seconds",
                "When the analytics tables of DHIS2 were last built, as the last run was told, as Unix time.",
                built,
            );
        }
        text
    }

    /// When each mapping last did what; left out where it never did.
    fn of_time(&self) -> String {
        let mut success = Family::new(
            "pg2dhis2_last_success_timestamp_seconds",
            "When a run of the mapping last ended with 0 or 3, as Unix time.",
        );
        let mut values = Family::new(
            "pg2dhis2_last_values_timestamp_seconds",
            "When a run of the mapping last changed values in DHIS2, as Unix time.",
        );
        let mut exit = Family::new(
            "pg2dhis2_mapping_last_exit_code",
            "Exit code of the last run of the mapping.",
        );
        for mapping in &self.mappings {
            let (standing, label) = (&mapping.standing, [("mapping", mapping.name.as_str())]);
            if let Some(at) = standing.success.as_deref().and_then(unix) {
                success.sample(&label, at);
            }
            let changed = standing.values.as_ref().and_then(|(at, _)| unix(at));
            if let Some(at) = changed {
                values.sample(&label, at);
            }
            if let Some((_, code)) = &standing.last {
                exit.sample(&label, (*code).into());
            }
        }
        success.text + &values.text + &exit.text
    }

    /// Every outcome is told, also one that nothing has: a series that comes and goes cannot be watched.
    fn of_counts(&self) -> String {
        let mut rows = Family::new(
            "pg2dhis2_rows",
            "Rows of the last run of the mapping by what became of them.",
        );
        let mut cells = Family::new(
            "pg2dhis2_cells",
            "Cells of the last run of the mapping by what became of them.",
        );
        let mut open = Family::new(
            "pg2dhis2_open_problems",
            "Blocked or rejected cells and keys without an answer that are open now.",
        );
        let mut gaps = Family::new(
            "pg2dhis2_gap_periods",
            "Periods a run looks at by itself that no run ever confirmed.",
        );
        for mapping in &self.mappings {
            let name = mapping.name.as_str();
            let empty = MappingEntry::default();
            let last = mapping.last.as_ref().unwrap_or(&empty);
            let of_last = |counts: &std::collections::BTreeMap<String, u64>, outcome: &str| {
                counts.get(outcome).copied().unwrap_or_default() as f64
            };
            for outcome in ROWS {
                let count = of_last(&last.rows, outcome);
                rows.sample(&[("mapping", name), ("outcome", outcome)], count);
            }
            for outcome in CellOutcome::ALL {
                let outcome = outcome.name().replace(' ', "-");
                let count = of_last(&last.cells, &outcome);
                cells.sample(&[("mapping", name), ("outcome", &outcome)], count);
            }
            for what in PROBLEMS {
                let each = mapping.standing.open.iter();
                let count = each.filter(|problem| problem.what == what).count();
                open.sample(&[("mapping", name), ("what", what)], count as f64);
            }
            gaps.sample(&[("mapping", name)], mapping.standing.gaps.len() as f64);
        }
        rows.text + &cells.text + &open.text + &gaps.text
    }
}

impl Family {
    fn new(name: &'static str, help: &str) -> Family {
        let mut text = String::new();
        // Writing to a String does not fail, here and below.
        let _ = writeln!(text, "# HELP {name} {help}");
        let _ = writeln!(text, "# TYPE {name} gauge");
        Family { text, name }
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let each = labels.iter();
        let each = each.map(|(name, value)| format!("{name}=\"{}\"", escaped(value)));
        let labels: Vec<String> = each.collect();
        let _ = match labels.is_empty() {
            true => writeln!(self.text, "{} {value}", self.name),
            false => writeln!(self.text, "{}{{{}}} {value}", self.name, labels.join(",")),
        };
    }
}

fn build() -> String {
    let mut family = Family::new("pg2dhis2_build_info", "The program that ran last.");
    family.sample(&[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    family.text
}

/// A label's value: backslash, quote and line end are the characters that mean something.
fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

fn unix(moment: &str) -> Option<f64> {
    let moment: jiff::Timestamp = moment.parse().ok()?;
    Some(moment.as_millisecond() as f64 / 1e3)
}
