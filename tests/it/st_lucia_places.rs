//! Part B of the answer sheet: which organisation unit a municipality's numbers go to, and by which rule.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::st_lucia::{BOTH, Key, StLucia, T0, expected, repository};
use crate::st_lucia_cases::Keys;

/// Central Castries' units in turn: LC-F30 to 2023-12-19, LC-F31 to 2024-12-08, LC-F35 after.
const F30: &str = "B4EBVJlAmzM";
const F31: &str = "yuLkASpXAVY";
const F35: &str = "ICGXso5c3qM";

/// The rows of the sheet that have no number, and where they are tested.
const UNNUMBERED: [(&str, &str); 6] = [
    // Spellings that drift are all mapped; doses stay where they were given.
    (
        "natural",
        "st_lucia_cases, the_spellings_that_drift_by_nature_are_all_mapped",
    ),
    (
        "natural",
        "st_lucia_places, a_unit_has_the_sum_of_its_municipalities",
    ),
    (
        "rule dates",
        "st_lucia_places, the_rule_of_the_first_day_counts_in_the_months_of_a_move",
    ),
    (
        "draft",
        "st_lucia_places, the_rules_are_those_published_by_the_moment_of_the_run",
    ),
    (
        "many-to-one",
        "st_lucia_places, a_unit_has_the_sum_of_its_municipalities",
    ),
    (
        "revision",
        "st_lucia_cases, the_highest_revision_of_the_denominators_counts_and_a_draft_of_rules_does_not",
    ),
];

#[test]
fn every_row_of_the_sheet_without_a_number_is_in_a_table_here() {
    let sheet =
        std::fs::read_to_string(repository().join("tests/st-lucia/answer_sheet.md")).unwrap();
    let sheet = sheet.split("## D.").next().unwrap();
    let mut named: Vec<&str> = sheet
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" |").next())
        .filter(|case| !case.starts_with('P') && !["Case", "---"].contains(case))
        .collect();
    named.sort_unstable();
    let mut known = UNNUMBERED.map(|(case, _)| case);
    known.sort_unstable();
    assert_eq!(named, known);
    for (_, place) in UNNUMBERED {
        let (file, test) = place.split_once(", ").unwrap();
        let path = repository().join(format!("tests/it/{file}.rs"));
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.contains(&format!("\nfn {test}()")), "{place}");
    }
}

/// The unit of every municipality on the first of March 2025, from the rules themselves.
fn units_of_march(site: &StLucia) -> BTreeMap<String, String> {
    let rows = site.database.query(
        "SELECT DISTINCT ON (source_key) source_key, orgunit_uid FROM interop.data_mapping_rules
         WHERE version_no = 3 AND action = 'map'
           AND valid_from <= '2025-03-01' AND (valid_to IS NULL OR valid_to >= '2025-03-01')
         ORDER BY source_key, priority",
    );
    rows.into_iter()
        .map(|row| {
            let [key, unit] = <[_; 2]>::try_from(row).unwrap();
            (key.unwrap(), unit.unwrap())
        })
        .collect()
}

#[test]
fn a_unit_has_the_sum_of_its_municipalities() {
    let site = StLucia::at(BOTH[0], T0);
    let units = units_of_march(&site);
    let keys = Keys::read();
    let mut wanted: BTreeMap<Key, i64> = BTreeMap::new();
    let mut towns: BTreeMap<Key, u32> = BTreeMap::new();
    for row in expected("t0_rows.csv") {
        let indicator = row["indicator"].as_str();
        let (Some(element), Some(unit)) = (
            keys.elements.get(indicator),
            units.get(&row["municipality"]),
        ) else {
            continue;
        };
        // A unit that DHIS2 does not have; and days without stock, which are not added up.
        if unit == "Zz9RodneyBx" || indicator == "STOCKOUT_DAYS" {
            continue;
        }
        let combo = &keys.combos[&row["disaggregation"]];
        let key = [element, "202503", unit, combo].map(str::to_owned);
        *wanted.entry(key.clone()).or_default() += row["value"].parse::<i64>().unwrap();
        *towns.entry(key).or_default() += 1;
    }
    assert!(towns.values().filter(|towns| **towns > 1).count() > 100);

    let run = site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
    blocked_are_those_of_p30(&run.json(), &keys);
    let days = &keys.elements["STOCKOUT_DAYS"];
    let found: BTreeMap<Key, i64> = site
        .values()
        .into_iter()
        .filter(|(key, _)| key[0] != *days)
        .map(|(key, value)| (key, value.parse().unwrap()))
        .collect();
    assert_eq!(found, wanted);
}

/// The cells of the unit that DHIS2 does not have, one by one.
fn blocked_are_those_of_p30(report: &Value, keys: &Keys) {
    let blocked = report["mappings"][0]["blocked"].as_array().unwrap();
    let found: BTreeSet<[&str; 4]> = blocked
        .iter()
        .map(|cell| {
            ["dataElement", "period", "orgUnit", "categoryOptionCombo"]
                .map(|name| cell[name].as_str().unwrap())
        })
        .collect();
    let lost = expected("t0_unmapped.csv");
    let wanted: BTreeSet<[&str; 4]> = lost
        .iter()
        .filter(|row| row["reason"] == "organisation unit not in DHIS2")
        .map(|row| {
            let element = keys.elements[&row["indicator"]].as_str();
            let combo = keys.combos[&row["disaggregation"]].as_str();
            [element, &row["period"], "Zz9RodneyBx", combo]
        })
        .collect();
    assert_eq!(found, wanted);
    assert_eq!(found.len(), blocked.len());
}

fn units(site: &StLucia, month: &str) -> BTreeSet<String> {
    let keys = site.values().into_iter();
    keys.filter(|(key, value)| key[1] == month && value != "0")
        .map(|([_, _, unit, _], _)| unit)
        .collect()
}

#[test]
fn the_rule_of_the_first_day_counts_in_the_months_of_a_move() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        site.only(&["doses_administered"]);
        let months = ["202312", "202401", "202412", "202501"];
        let report = site.run(T0, &months, &["-m", "epi-monthly"]).code(0).json();
        // DHIS2 2.43 asks on that day, too, whether a unit is open.
        assert_eq!(crate::st_lucia::count(&report, "/cells/blocked"), 0);
        for (month, there, away) in [
            ("202312", F30, F35),
            ("202401", F31, F30),
            ("202412", F31, F35),
            ("202501", F35, F30),
        ] {
            let units = units(&site, month);
            assert!(units.contains(there) && !units.contains(away), "{month}");
        }
        // LC-F31 has towns of its own beside; central Castries is the larger part.
        let doses = |month: &str| -> i64 {
            let values = site.values().into_iter();
            values
                .filter(|(key, _)| key[1] == month && key[2] == F31)
                .map(|(_, value)| value.parse::<i64>().unwrap())
                .sum()
        };
        assert!(doses("202412") > 2 * doses("202501"), "{dialect:?}");
    }
}

#[test]
fn the_rules_are_those_published_by_the_moment_of_the_run() {
    let site = StLucia::at(BOTH[1], T0);
    site.only(&["doses_administered"]);
    // Version 3, which sends central Castries to LC-F35, was published at 13:00 UTC that day; 4 is a draft still.
    let before = "2025-01-06T12:59:59Z";
    site.run(before, &["202501"], &["-m", "epi-monthly"]);
    assert!(!units(&site, "202501").contains(F35));
    let after = "2025-01-06T09:00:00-04:00";
    site.run(after, &["202501"], &["-m", "epi-monthly"]).code(0);
    assert!(units(&site, "202501").contains(F35));

    // The draft sends Bexon elsewhere and contradicts itself; once published, it stops the mapping.
    let held = site.dhis2.stored();
    site.database.execute(
        "UPDATE interop.mapping_ruleset SET status = 'published', published_at = '2025-02-01' WHERE version_no = 4",
    );
    site.run(after, &["202501"], &["-m", "epi-monthly"]).code(0);
    site.dhis2.forget_requests();
    site.run(T0, &["202501"], &["-m", "epi-monthly"]).code(13);
    assert_eq!(site.posts(), 0);
    assert_eq!(site.dhis2.stored(), held);
}

#[test]
fn a_dose_counts_where_it_was_given_and_a_child_where_it_lives() {
    let site = StLucia::at(BOTH[0], T0);
    site.only(&["doses_administered", "cohort_coverage"]);
    let keys = Keys::read();
    // P03: two numbers of one child; the earliest record's town counts, and the child's own where it has none. Both
    // towns report to one unit, so the rows tell them apart.
    let boys_of = |town: &str| -> i64 {
        let args = [
            "extract",
            "-m",
            "epi-monthly",
            "-p",
            "202503",
            "--as-of",
            T0,
        ];
        let begin = format!("[\"{town}\",\"202503\",\"DOSES_MMR_1\",\"AGE_1Y|SEX_M\",\"");
        let rows = site.program(&args).code(0).stdout;
        let row = rows.lines().find_map(|row| row.strip_prefix(&begin));
        row.map_or(0, |row| row.trim_end_matches("\"]").parse().unwrap())
    };
    let before = ["BEXON", "ODSAN"].map(boys_of);
    site.take_out("P03");
    let after = ["BEXON", "ODSAN"].map(boys_of);
    assert_eq!([before[0] - after[0], before[1] - after[1]], [5, 3]);

    // P32: vaccinated in Monchy, living in Grace now.
    let run = || {
        site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
        site.values()
    };
    let before = run();
    site.database.execute(
        "SET session_replication_role = replica;
         DELETE FROM registry.person WHERE person_id IN
             (SELECT row_id FROM qa.planted_case WHERE case_code = 'P32' AND table_name = 'registry.person')",
    );
    let after = run();
    for (indicator, town, wanted) in [
        ("DOSES_MMR_1", "MONCHY", 4),
        ("DOSES_MMR_1", "GRACE", 0),
        ("COH12_CHILDREN", "GRACE", 4),
        ("COH12_CHILDREN", "MONCHY", 0),
    ] {
        let unit = site.unit_of(town, "2025-03-01");
        let count = |values| keys.total(values, indicator, "", &unit);
        assert_eq!(
            count(&before) - count(&after),
            wanted,
            "P32 {indicator} {town}"
        );
    }
}
