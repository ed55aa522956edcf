//! Holds what the program did against what should come out.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use rig::dhis2::StandIn;
use serde_json::Value;

const EXPECTED: &str = "tests/st-lucia/expected/t0_values.csv";

/// How the cells of all mappings of a report ended.
pub(crate) struct Account {
    pub(crate) cells: u64,
    pub(crate) unchanged: u64,
    pub(crate) blocked: u64,
}

impl Account {
    /// Adds up the mappings of a report of `run --format json`.
    pub(crate) fn of(report: &Value) -> Result<Self> {
        let mappings = report
            .get("mappings")
            .and_then(Value::as_array)
            .context("no mappings")?;
        let sum = |outcome: &str| -> Result<u64> {
            let count = |mapping: &Value| mapping.get("cells")?.get(outcome)?.as_u64();
            let counts: Option<Vec<u64>> = mappings.iter().map(count).collect();
            Ok(counts
                .with_context(|| format!("no count of {outcome}"))?
                .iter()
                .sum())
        };
        Ok(Self {
            cells: sum("cells")?,
            unchanged: sum("unchanged")?,
            blocked: sum("blocked")?,
        })
    }
}

/// Compares the values in DHIS2 with the expected ones of `periods`; their number.
pub(crate) fn ensure_expected(dhis2: &StandIn, periods: &[&str]) -> Result<usize> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EXPECTED);
    let mut reader = csv::Reader::from_path(path).context(EXPECTED)?;
    let mut expected = BTreeMap::new();
    for line in reader.deserialize() {
        let [element, period, unit, combo, value]: [String; 5] = line?;
        if periods.contains(&period.as_str()) {
            expected.insert([element, period, unit, combo], value);
        }
    }
    let stored: BTreeMap<[String; 4], String> = dhis2
        .values()
        .into_iter()
        .map(|((element, period, unit, combo, _), value)| ([element, period, unit, combo], value))
        .collect();
    let differs = stored
        .iter()
        .find(|(cell, value)| expected.get(*cell) != Some(*value));
    ensure!(
        differs.is_none(),
        "DHIS2 holds a value that {EXPECTED} does not: {differs:?}"
    );
    ensure!(
        stored.len() == expected.len(),
        "{} values are missing",
        expected.len() - stored.len()
    );
    Ok(stored.len())
}
