//! The planted cases of the answer sheet that lie in other months than March 2025, by what disappears from DHIS2 when
//! their records never existed.

use std::collections::{BTreeMap, BTreeSet};

use crate::st_lucia::{BOTH, Key, StLucia, T0};
use crate::st_lucia_cases::Keys;

/// What a case adds: month ("" for all that are run), indicator, disaggregation (its beginning), how many.
type Adds = (&'static str, &'static str, &'static str, i64);

const DOSES: [(&str, &[Adds]); 12] = [
    (
        "P01",
        &[
            ("202506", "DOSES_PENTA_1", "", 10),
            ("202506", "DQ_RECORDS", "DQ_DUPLICATE", 10),
        ],
    ),
    // The earliest date counts, and that is in March.
    ("P02", &[("202504", "DOSES_PENTA_2", "", 0)]),
    (
        "P04",
        &[
            ("202506", "DOSES_OPV_3", "", 3),
            ("202506", "DQ_RECORDS", "DQ_DUPLICATE", 6),
        ],
    ),
    ("P05", &[("202506", "DOSES_MMR_1", "", 12)]),
    ("P06", &[("202504", "DOSES_PENTA_1", "", 0)]),
    (
        "P07",
        &[
            ("202412", "DOSES_PENTA_1", "", 0),
            ("202504", "DQ_RECORDS", "DQ_BEFORE_BIRTH", 9),
        ],
    ),
    ("P11", &[("202506", "DOSES_PENTA_1", "", 5)]),
    // Given in December, typed in from April to June.
    (
        "P19",
        &[
            ("202412", "DOSES_PENTA_3", "", 25),
            ("", "DOSES_PENTA_3", "", 25),
            ("202412", "DQ_LATE_ENTRY", "", 0),
            ("", "DQ_LATE_ENTRY", "", 25),
        ],
    ),
    // Born on 29 February, vaccinated on 28 February: not yet one year old.
    (
        "P23",
        &[
            ("202502", "DOSES_MMR_1", "AGE_U1", 2),
            ("202502", "DOSES_MMR_1", "", 2),
        ],
    ),
    ("P24", &[("202412", "DOSES_PENTA_1", "", 5)]),
    ("P36", &[("202506", "DOSES_MMR_1", "AGE_20_59Y", 1)]),
    ("P37", &[("202412", "DOSES_FLU_1", "", 3)]),
];

const MONTHS: [&str; 5] = ["202412", "202502", "202504", "202505", "202506"];

fn total(values: &BTreeMap<Key, String>, keys: &Keys, month: &str, what: [&str; 3]) -> i64 {
    let [indicator, disaggregation, unit] = what;
    let values = values.iter().filter(|(key, _)| key[1].starts_with(month));
    let of_month = values
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    keys.total(&of_month, indicator, disaggregation, unit)
}

#[test]
fn each_planted_case_adds_to_its_other_months_what_the_sheet_says() {
    let site = StLucia::at(BOTH[0], T0);
    site.only(&["doses_administered", "data_quality"]);
    let keys = Keys::read();
    let run = |months: &[&str]| {
        site.run(T0, months, &["-m", "epi-monthly"]).code(0);
        site.values()
    };
    let mut before = run(&MONTHS);
    for (case, adds) in DOSES {
        site.take_out(case);
        let named: BTreeSet<&str> = adds.iter().map(|(month, ..)| *month).collect();
        let named: Vec<&str> = named.into_iter().collect();
        let after = run(if named.contains(&"") { &MONTHS } else { &named });
        for (month, indicator, disaggregation, wanted) in adds {
            let count = |values| total(values, &keys, month, [indicator, disaggregation, ""]);
            let added = count(&before) - count(&after);
            assert_eq!(
                added, *wanted,
                "{case}: {month} {indicator} {disaggregation}"
            );
        }
        before = after;
    }
}

#[test]
fn p27_the_ledger_is_not_rewritten_and_p39_days_without_stock_are_not_added_up() {
    let site = StLucia::at(BOTH[1], T0);
    site.only(&["stock"]);
    let keys = Keys::read();
    let run = || {
        let months = ["202412", "202503", "202504", "202506"];
        site.run(T0, &months, &["-m", "epi-monthly"]).code(0);
        site.values()
    };
    let before = run();

    let la_clery = site.unit_of("LA CLERY", "2024-12-01");
    let days = ["STOCKOUT_DAYS", "VAC_YF", la_clery.as_str()];
    assert_eq!(total(&before, &keys, "202412", days), 4);
    // Two store rooms of that unit were out of it, four days each.
    let args = [
        "extract",
        "-m",
        "epi-monthly",
        "-p",
        "202412",
        "--as-of",
        T0,
    ];
    let extracted = site.program(&args).code(0).stdout;
    let out: Vec<&str> = extracted
        .lines()
        .filter(|row| row.ends_with("\"202412\",\"STOCKOUT_DAYS\",\"VAC_YF\",\"4\"]"))
        .collect();
    assert_eq!(out.len(), 2, "{out:?}");

    site.database.execute(
        "SET session_replication_role = replica;
         DELETE FROM imm.stock_transaction WHERE txn_id IN (SELECT row_id FROM qa.planted_case WHERE case_code = 'P27')",
    );
    let after = run();
    let richfond = site.unit_of("RICHFOND", "2025-03-01");
    let delcer = site.unit_of("DELCER", "2025-06-01");
    for (month, indicator, vaccine, unit, wanted) in [
        ("202503", "STOCK_RECEIVED", "VAC_MMR", &richfond, 100),
        ("202504", "STOCK_RECEIVED", "VAC_MMR", &richfond, 10),
        ("202504", "STOCK_ADJUSTED", "VAC_MMR", &richfond, -100),
        ("202506", "STOCK_RECEIVED", "VAC_BCG", &delcer, 60),
        ("202506", "STOCK_ADJUSTED", "VAC_BCG", &delcer, -60),
    ] {
        let count = |values| total(values, &keys, month, [indicator, vaccine, unit]);
        assert_eq!(
            count(&before) - count(&after),
            wanted,
            "{month} {indicator}"
        );
    }
}

#[test]
fn p28_rows_of_the_months_without_a_rule_are_told_and_not_sent() {
    let site = StLucia::at(BOTH[0], T0);
    site.only(&["doses_administered"]);
    let keys = Keys::read();
    let months = ["202212..202303"];
    let run = || {
        let report = site.run(T0, &months, &["-m", "epi-monthly"]).code(3).json();
        let mapping = &report["mappings"][0];
        let lost = mapping["keys"].as_array().unwrap();
        assert!(lost.iter().all(|group| group["key"] == "DESPINOZE"
            && group["outcome"] == "unmapped"
            && group["dimension"] == "org-unit"));
        let months: Vec<&str> = lost
            .iter()
            .map(|group| group["period"].as_str().unwrap())
            .collect();
        assert_eq!(months, ["202301", "202302"]);
        let sums = mapping["sums"].as_array().unwrap();
        let penta = sums
            .iter()
            .find(|sums| sums["data-element"] == keys.elements["DOSES_PENTA_1"].as_str());
        let unmapped = penta.expect("the element")["unmapped"].as_str().unwrap();
        unmapped.parse::<i64>().unwrap()
    };
    let lost = run();
    let before = site.values();
    site.take_out("P28");
    assert_eq!(lost - run(), 3);
    assert_eq!(site.values(), before);
}
