//! The main job on St. Lucia's real queries: exactly the values that were computed independently of them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::st_lucia::{BOTH, Key, StLucia, T0, W1, count, difference, expected, wave};

/// Organisation unit of the planted rule that DHIS2 does not have (answer sheet, P30).
const UNKNOWN_UNIT: &str = "Zz9RodneyBx";

#[test]
fn the_first_load_leaves_exactly_the_expected_values() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let run = site.run(T0, &["202312", "202503", "2024"], &[]).code(3);

        let wanted: BTreeMap<Key, String> = expected("t0_values.csv")
            .into_iter()
            .map(|row| {
                let column = |name: &str| row[name].clone();
                let key = ["dataElement", "period", "orgUnit", "categoryOptionCombo"].map(column);
                (key, row["value"].clone())
            })
            .collect();
        let difference = difference(&site.values(), &wanted);
        assert!(
            difference.is_empty(),
            "{dialect:?}: {} cells differ: {:#?}",
            difference.len(),
            &difference[..difference.len().min(20)]
        );

        let report = run.json();
        let blocked: Vec<&Value> = report["mappings"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|mapping| mapping["blocked"].as_array().unwrap())
            .collect();
        assert_eq!(blocked.len(), 4);
        for cell in blocked {
            assert_eq!(cell["orgUnit"], UNKNOWN_UNIT);
            assert_eq!(cell["reason"], "unknown-org-unit");
        }
        assert_eq!(count(&report, "/cells/created"), wanted.len() as u64);
    }
}

#[test]
fn a_second_run_sends_nothing() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        site.run(T0, &["202503", "2024"], &[]).code(3);
        site.dhis2.forget_requests();
        let before = site.dhis2.stored();
        let report = site.run(T0, &["202503", "2024"], &[]).code(3).json();
        assert_eq!(site.posts(), 0);
        assert_eq!(site.dhis2.stored(), before);
        assert_eq!(count(&report, "/cells/created"), 0);
        assert_eq!(count(&report, "/cells/blocked"), 4);
    }
}

#[test]
fn late_entries_change_exactly_the_expected_cells() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let periods = ["202411..202512", "2024", "2025"];
        site.run(T0, &periods, &[]).code(3);
        let before = site.values();
        site.database.execute(&wave("w1_late_entries.sql"));
        site.dhis2.set_now(W1);
        site.run(W1, &periods, &[]).code(3);
        let after = site.values();

        let mut wanted = before.clone();
        let delta = expected("w1_late_entries_delta.csv");
        assert_eq!(delta.len(), 242);
        for row in &delta {
            let key = ["dataElement", "period", "orgUnit", "categoryOptionCombo"]
                .map(|name| row[name].clone());
            let old = before.get(&key).cloned().unwrap_or_default();
            assert_eq!(old, row["before"], "{dialect:?} {key:?}");
            wanted.insert(key, row["after"].clone());
        }
        assert_eq!(
            difference(&after, &wanted),
            Vec::<String>::new(),
            "{dialect:?}"
        );
    }
}
