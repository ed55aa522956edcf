//! The planted cases of the answer sheet, each by what disappears from DHIS2 when its records never existed.
//!
//! The registry is loaded whole, then the records of one case after the other are taken out of it and March 2025 is
//! run again. What then changes in DHIS2 is what the sheet says of the case, and nothing else is counted of it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::st_lucia::{BOTH, Key, StLucia, T0, expected, repository};

/// What a case adds in March 2025: indicator, disaggregation (its beginning; "" for all), unit ("" for all), how many.
type Adds = (&'static str, &'static str, &'static str, i64);

/// LC-F99 "Residence not stated", LC-F29 Marigot's by priority 100, LC-F25 by 200, LC-F03 Monchy, LC-F18 Grace.
const F99: &str = "BtxW9gXHfuK";
const F29: &str = "ApUGVbVHdAe";
const F25: &str = "HgHERvKgavf";
const F03: &str = "OaNvCC56gXc";

const CASES: [(&str, &[Adds]); 29] = [
    // First record of twenty typed twice counts; ten of the pairs are of March.
    (
        "P01",
        &[
            ("DOSES_PENTA_1", "", "", 10),
            ("DQ_RECORDS", "DQ_DUPLICATE", "", 10),
        ],
    ),
    ("P02", &[("DOSES_PENTA_2", "", "", 10)]),
    (
        "P03",
        &[
            ("DOSES_MMR_1", "AGE_1Y|SEX_M", "", 8),
            ("DOSES_MMR_1", "", "", 8),
        ],
    ),
    (
        "P06",
        &[
            ("DOSES_PENTA_1", "", "", 0),
            ("DQ_RECORDS", "DQ_FUTURE_DATE", "", 12),
        ],
    ),
    (
        "P08",
        &[
            ("DOSES_PENTA_1", "", "", 0),
            ("DQ_RECORDS", "DQ_NO_DATE", "", 5),
        ],
    ),
    (
        "P09",
        &[
            ("DOSES_MMR_2", "AGE_UNK|SEX_F", "", 7),
            ("DOSES_MMR_2", "", "", 7),
        ],
    ),
    ("P10", &[("DOSES_PENTA_1", "AGE_U1|SEX_U", "", 6)]),
    (
        "P11",
        &[
            ("DOSES_PENTA_1", "", "", 10),
            ("DOSES_PENTA_1", "", F99, 10),
        ],
    ),
    ("P12", &[("DOSES_PENTA_1", "", "", 0)]),
    ("P13", &[("DOSES_PENTA_1", "", "", 0)]),
    ("P14", &[("DOSES_YF_1", "", "", 0)]),
    ("P15", &[("DOSES_PENTA_1", "", "", 8)]),
    (
        "P16",
        &[
            ("DOSES_PENTA_1", "", "", 0),
            ("DOSES_PENTA_2", "", "", 0),
            ("DQ_RECORDS", "DQ_TEST_PERSON", "", 9),
        ],
    ),
    (
        "P17",
        &[
            ("DOSES_MMR_1", "", "", 0),
            ("DQ_RECORDS", "DQ_IN_ERROR", "", 7),
            ("DQ_RECORDS", "DQ_NOT_DONE", "", 8),
        ],
    ),
    (
        "P18",
        &[
            ("DOSES_MMR_1", "", "", 0),
            ("DQ_RECORDS", "DQ_DELETED", "", 6),
        ],
    ),
    (
        "P20",
        &[
            ("DOSES_MMR_1", "", "", 0),
            ("DQ_RECORDS", "DQ_HISTORICAL", "", 10),
        ],
    ),
    (
        "P21",
        &[
            ("DOSES_PENTA_1", "AGE_U1", "", 6),
            ("TIMELY_PENTA_1", "TIM_EARLY", "", 6),
        ],
    ),
    (
        "P22",
        &[
            ("DOSES_PENTA_1", "", "", 0),
            ("DQ_RECORDS", "DQ_FUTURE_DATE", "", 3),
        ],
    ),
    // The first birthday and the day after 28 February.
    ("P23", &[("DOSES_MMR_1", "AGE_1Y", "", 5)]),
    (
        "P24",
        &[
            ("DOSES_PENTA_2", "", "", 0),
            ("DQ_RECORDS", "DQ_AFTER_DEATH", "", 2),
        ],
    ),
    ("P25", &[("DOSES_PENTA_1", "", "", 0)]),
    ("P26", &[("DOSES_PENTA_1", "", "", 0)]),
    (
        "P29",
        &[("DOSES_PENTA_1", "", F29, 3), ("DOSES_PENTA_1", "", F25, 0)],
    ),
    ("P30", &[("DOSES_PENTA_1", "", "", 0)]),
    (
        "P32",
        &[("DOSES_MMR_1", "", F03, 4), ("DOSES_MMR_1", "", "", 4)],
    ),
    (
        "P33",
        &[
            ("DOSES_PENTA_2", "", "", 0),
            ("DQ_RECORDS", "DQ_VOID_PERSON", "", 4),
        ],
    ),
    (
        "P35",
        &[
            ("DOSES_MMR_1", "", "", 4),
            ("DQ_RECORDS", "DQ_HISTORICAL", "", 4),
        ],
    ),
    ("P36", &[("DOSES_MMR_1", "AGE_20_59Y", "", 1)]),
    ("P37", &[("DOSES_FLU_1", "", "", 3)]),
];

/// Cases whose records are no doses; told by the report and by what stands in DHIS2.
const OTHERS: [&str; 2] = ["P31", "P38"];

/// Cases that lie in other months, with the month.
const ELSEWHERE: [(&str, &str); 7] = [
    ("P04", "202506"),
    ("P05", "202506"),
    ("P07", "202504"),
    ("P19", "202412"),
    ("P27", "202504 and 202506"),
    ("P28", "202301"),
    ("P39", "202412"),
];

#[test]
fn each_planted_case_adds_to_march_what_the_sheet_says() {
    let site = StLucia::at(BOTH[1], T0);
    let keys = Keys::read();
    let mut lost_before = run(&site);
    let mut before = site.values();
    for (case, adds) in CASES {
        site.take_out(case);
        let lost_after = run(&site);
        let after = site.values();
        for (indicator, disaggregation, unit, wanted) in adds {
            let count = |values| keys.total(values, indicator, disaggregation, unit);
            let added = count(&before) - count(&after);
            assert_eq!(
                added, *wanted,
                "{case}: {indicator} {disaggregation} {unit}"
            );
        }
        let gone: BTreeSet<&str> = lost_before
            .difference(&lost_after)
            .map(String::as_str)
            .collect();
        assert_eq!(gone, keys_of_case(case), "{case}");
        before = after;
        lost_before = lost_after;
    }
}

/// The keys without an answer that a case planted, from the sheet's words. The two towns of P12 that P38 misspells
/// too, and the one of P28, do not vanish with it.
fn keys_of_case(case: &str) -> BTreeSet<&'static str> {
    let keys: &[&str] = match case {
        "P12" => &[
            "BABONO",
            "BEXXON",
            "CANARYS",
            "CHOIZEUL",
            "DENARY",
            "GROSS ISLETT",
            "LABORY",
            "SOUFRERE",
            "VIEU FORTT",
        ],
        "P13" => &["GRANDE RIVIERE", "LA RESSOURCE", "TI ROCHER"],
        "P14" => &["CRUISE SHIP", "MARTINIQUE", "OVERSEAS"],
        "P25" => &["DOSES_PENTA_9"],
        "P26" => &["DOSES_ROTA_1"],
        "P30" => &["Zz9RodneyBx"],
        _ => &[],
    };
    keys.iter().copied().collect()
}

/// Runs March; keys of excluded and unmapped rows, and units that DHIS2 does not have.
fn run(site: &StLucia) -> BTreeSet<String> {
    let report = site.run(T0, &["202503"], &["-m", "epi-monthly"]).json();
    let mapping = &report["mappings"][0];
    let texts = |list: &str, name: &str| -> Vec<String> {
        let items = mapping[list].as_array().unwrap().iter();
        items
            .map(|item| item[name].as_str().unwrap().to_owned())
            .collect()
    };
    texts("keys", "key")
        .into_iter()
        .chain(texts("blocked", "orgUnit"))
        .collect()
}

/// Which data element and combo an indicator and a disaggregation are.
pub(crate) struct Keys {
    pub(crate) elements: BTreeMap<String, String>,
    pub(crate) combos: BTreeMap<String, String>,
}

impl Keys {
    pub(crate) fn read() -> Keys {
        let read = |file: &str| {
            let path = repository().join("mappings").join(file);
            let mut reader = csv::Reader::from_path(path).unwrap();
            let records = reader.records().map(Result::unwrap);
            records
                .map(|record| (record[0].to_owned(), record[1].to_owned()))
                .collect()
        };
        Keys {
            elements: read("epi-indicators.csv"),
            combos: read("epi-disaggregations.csv"),
        }
    }

    pub(crate) fn total(
        &self,
        values: &BTreeMap<Key, String>,
        indicator: &str,
        disaggregation: &str,
        unit: &str,
    ) -> i64 {
        let element = &self.elements[indicator];
        let combos: BTreeSet<&String> = self
            .combos
            .iter()
            .filter(|(name, _)| name.starts_with(disaggregation))
            .map(|(_, uid)| uid)
            .collect();
        values
            .iter()
            .filter(|(key, _)| key[0] == *element && (unit.is_empty() || key[2] == unit))
            .filter(|(key, _)| disaggregation.is_empty() || combos.contains(&key[3]))
            .map(|(_, value)| value.parse::<i64>().unwrap())
            .sum()
    }
}

#[test]
fn p31_the_evening_of_the_last_of_march_is_march() {
    let site = StLucia::at(BOTH[0], T0);
    let keys = Keys::read();
    site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
    let before = site.values();
    site.database.execute(
        "SET session_replication_role = replica;
         DELETE FROM imm.aefi_report WHERE aefi_id IN (SELECT row_id FROM qa.planted_case WHERE case_code = 'P31' AND table_name = 'imm.aefi_report');
         DELETE FROM imm.immunization_session WHERE session_id IN (SELECT row_id FROM qa.planted_case WHERE case_code = 'P31' AND table_name = 'imm.immunization_session');",
    );
    site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
    let after = site.values();
    for (indicator, wanted) in [("AEFI_REPORTS", 4), ("SESSIONS_HELD", 2)] {
        let count = |values| keys.total(values, indicator, "", "");
        assert_eq!(count(&before) - count(&after), wanted, "{indicator}");
    }
}

#[test]
fn p38_two_misspelt_places_of_cases_are_reported() {
    let site = StLucia::at(BOTH[1], T0);
    site.take_out("P12");
    let lost = run(&site);
    assert!(lost.contains("CASTREIS") && lost.contains("MICUOD"));
}

#[test]
fn the_rule_of_the_first_day_of_the_period_counts() {
    // Central Castries: LC-F30 to 2023-12-19, LC-F31 to 2024-12-08, LC-F35 after.
    let site = StLucia::at(BOTH[1], T0);
    site.run(T0, &["202312", "202503", "2024"], &[]).code(3);
    let units = |period: &str| -> BTreeSet<String> {
        let keys = site.values().into_keys().filter(|key| key[1] == period);
        keys.map(|key| key[2].clone()).collect()
    };
    let [f30, f31, f35] = ["B4EBVJlAmzM", "yuLkASpXAVY", "ICGXso5c3qM"];
    // LC-F31 has towns of its own beside, so it always has values.
    assert!(units("202312").contains(f30) && !units("202312").contains(f35));
    assert!(units("202503").contains(f35) && !units("202503").contains(f30));
    assert!(units("2024").contains(f31));
    assert!(!units("2024").contains(f30) && !units("2024").contains(f35));
}

#[test]
fn the_highest_revision_of_the_denominators_counts_and_a_draft_of_rules_does_not() {
    let site = StLucia::at(BOTH[1], T0);
    site.run(T0, &["2024"], &["-m", "epi-targets"]).code(0);
    let total: i64 = site
        .values()
        .values()
        .map(|value| value.parse::<i64>().unwrap())
        .sum();
    let rows = site.database.query(
        "SELECT sum(live_births + surviving_infants + pop_1y + pop_total) FROM ref.target_population t
         WHERE year = 2024 AND revision = (SELECT max(revision) FROM ref.target_population o WHERE o.year = 2024 AND o.municipality_id = t.municipality_id)",
    );
    assert_eq!(rows[0][0].as_deref(), Some(total.to_string().as_str()));
    // Version 4 of the rules is a draft that contradicts itself; using it would have ended in 13.
    let drafts = site.database.query(
        "SELECT count(*) FROM interop.mapping_ruleset WHERE version_no = 4 AND status = 'draft'",
    );
    assert_eq!(drafts[0][0].as_deref(), Some("1"));
}

#[test]
fn every_case_of_the_sheet_is_in_a_table_here() {
    let sheet =
        std::fs::read_to_string(repository().join("tests/st-lucia/answer_sheet.md")).unwrap();
    // Parts A to C; the waves of part D are other tests.
    let sheet = sheet.split("## D.").next().unwrap();
    let named: BTreeSet<&str> = sheet
        .lines()
        .filter_map(|line| line.strip_prefix("| P").map(|_| &line[2..5]))
        .collect();
    let tested = CASES.iter().map(|(case, _)| *case);
    let elsewhere = ELSEWHERE.iter().map(|(case, _)| *case);
    let known: BTreeSet<&str> = tested.chain(OTHERS).chain(elsewhere).collect();
    assert_eq!(named, known);
}

#[test]
fn the_spellings_that_drift_by_nature_are_all_mapped() {
    // No unmapped key but those that were planted: P12, P13, P25, P26 and P38.
    let site = StLucia::at(BOTH[1], T0);
    let report: Value = site
        .run(T0, &["202503"], &["-m", "epi-monthly", "-n"])
        .json();
    let unmapped = report["mappings"][0]["keys"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|key| key["outcome"] == "unmapped");
    let found: BTreeSet<&str> = unmapped.map(|key| key["key"].as_str().unwrap()).collect();
    let mut planted: BTreeSet<&str> = ["P12", "P13", "P25", "P26"]
        .into_iter()
        .flat_map(keys_of_case)
        .collect();
    planted.extend(["CASTREIS", "MICUOD"]);
    assert_eq!(found, planted);
    assert!(expected("t0_rows.csv").len() > 7_000);
}
