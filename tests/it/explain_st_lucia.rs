//! `explain` answers the questions that St. Lucia's health officers ask: five cases of the answer sheet, with its numbers.

use std::collections::BTreeMap;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::st_lucia::{Key, StLucia, T0, expected};
use crate::st_lucia_cases::Keys;

/// The columns of the spreadsheets whose lines are named.
const ELEMENTS: &str = "epi-indicators.csv";
const COMBOS: &str = "epi-disaggregations.csv";

fn loaded(query: &str, month: &str) -> StLucia {
    let site = StLucia::at(Dialect::V2_43, T0);
    site.only(&[query]);
    run(&site, month);
    site
}

fn run(site: &StLucia, month: &str) {
    let finished = site.run(T0, &[month], &["-m", "epi-monthly"]);
    assert!([0, 3].contains(&finished.code), "{}", finished.stderr);
}

fn explain(site: &StLucia, about: &[&str]) -> Value {
    let args = ["explain", "--format", "json", "--as-of", T0];
    let args: Vec<&str> = args.iter().chain(about).copied().collect();
    site.program(&args).code(0).json()
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().expect("a list")
}

/// The answer for a dimension of a row.
fn by<'v>(row: &'v Value, dimension: &str) -> &'v Value {
    let mut answers = list(row, "by").iter();
    let found = answers.find(|answer| answer["dimension"] == dimension);
    found.expect("an answer")
}

fn number(value: &Value) -> i64 {
    value.as_str().expect("a number").parse().expect("a number")
}

/// The municipalities of the rows and their numbers.
fn by_municipality<'v>(rows: impl IntoIterator<Item = &'v Value>) -> BTreeMap<String, i64> {
    let mut found = BTreeMap::new();
    for row in rows {
        let key = by(row, "org-unit")["key"].as_str().expect("a key");
        *found.entry(key.to_owned()).or_default() += number(&row["value"]);
    }
    found
}

/// The rows of the expected results, of one month, indicator and disaggregation (its beginning).
fn rows_of(month: &str, indicator: &str, disaggregation: &str) -> Vec<(String, i64)> {
    let rows = expected("t0_rows.csv").into_iter().filter(|row| {
        row["period"] == month
            && row["indicator"] == indicator
            && row["disaggregation"].starts_with(disaggregation)
    });
    rows.map(|row| (row["municipality"].clone(), row["value"].parse().unwrap()))
        .collect()
}

/// The line of a file of the site's mappings that begins with this text.
fn line_of(site: &StLucia, file: &str, beginning: &str) -> usize {
    let path = site.folder.path().join("mappings").join(file);
    let text = std::fs::read_to_string(path).expect("the file");
    let place = text.lines().position(|line| line.starts_with(beginning));
    place.expect("the line") + 1
}

/// P05: MMR 1 of six persons who were registered twice counts 12 in June; three pairs are merged, and it counts 9.
#[test]
fn a_value_that_fell_after_persons_were_merged_is_one_that_the_registry_counts_no_more() {
    let site = loaded("doses_administered", "202506");
    let keys = Keys::read();
    let element = &keys.elements["DOSES_MMR_1"];
    let before = site.values();
    site.database.execute(
        "SET session_replication_role = replica;
         UPDATE registry.person AS twin SET merged_into_id = first.person_id
         FROM (SELECT ordinal, min(row_id) AS person_id, max(row_id) AS twin_id FROM qa.planted_case
               WHERE case_code = 'P05' AND table_name = 'registry.person' AND ordinal <= 3 GROUP BY 1) AS first
         WHERE twin.person_id = first.twin_id",
    );
    run(&site, "202506");
    let after = site.values();
    let fallen: Vec<&Key> = before
        .keys()
        .filter(|key| key[0] == *element && before.get(*key) != after.get(*key))
        .collect();
    let mut less = 0;
    for key in fallen {
        let [_, _, unit, combo] = key;
        let told = explain(&site, &["LC_EPI_DOSES_MMR_1", unit, "202506", combo]);
        let cell = &list(&told, "cells")[0];
        let (old, new) = (number(&json!(before[key])), number(&json!(after[key])));
        let rows = by_municipality(list(cell, "rows"));
        assert_eq!(rows.values().sum::<i64>(), new, "{key:?}");
        let desired = if new == 0 {
            Value::Null
        } else {
            json!(new.to_string())
        };
        assert_eq!(cell["desired"], desired);
        assert_eq!(cell["live"]["value"], json!(new.to_string()));
        assert_eq!(cell["live"]["ours"], true);
        let changes = list(cell, "changes");
        assert_eq!(changes.len(), 2);
        assert_eq!(
            (&changes[0]["run"], &changes[0]["new"]),
            (&json!(1), &json!(old.to_string()))
        );
        assert_eq!(changes[1]["old"], json!(old.to_string()));
        assert_eq!(changes[1]["new"], json!(new.to_string()));
        // Neither SQL nor mapping nor servers changed: it is the registry itself.
        assert_eq!(changes[1]["changed-since-the-run-before"], json!([]));
        less += old - new;
    }
    assert_eq!(less, 12 - 9);
}

/// Many-to-one: the values of municipalities that share an organisation unit are added.
#[test]
fn a_value_of_two_communities_is_shown_as_the_sum_of_both() {
    let site = loaded("doses_administered", "202503");
    let keys = Keys::read();
    let mut of_unit: BTreeMap<(String, String), BTreeMap<String, i64>> = BTreeMap::new();
    let disaggregation = "AGE_U1|SEX_F";
    for (municipality, value) in rows_of("202503", "DOSES_BCG_1", disaggregation) {
        let unit = site.unit_of(&municipality, "2025-03-01");
        let places = of_unit
            .entry((unit, disaggregation.to_owned()))
            .or_default();
        places.insert(municipality, value);
    }
    let shared = of_unit.iter().find(|(_, places)| places.len() == 2);
    let ((unit, _), places) = shared.expect("a unit of two municipalities");
    let told = explain(
        &site,
        &[
            "LC_EPI_DOSES_BCG_1",
            unit,
            "202503",
            "LC_AGE_SEX:AGE_U1|SEX_F",
        ],
    );
    let [cell] = list(&told, "cells") else {
        panic!("one cell: {told}");
    };
    assert_eq!(by_municipality(list(cell, "rows")), *places);
    assert_eq!(cell["combine"], "sum");
    let sum: i64 = places.values().sum();
    assert_eq!(cell["desired"], json!(sum.to_string()));
    assert_eq!(cell["live"]["value"], json!(sum.to_string()));
    for row in list(cell, "rows") {
        assert_eq!(row["query"], "doses_administered.sql");
        let element = by(row, "data-element");
        assert_eq!(
            (&element["file"], &element["by"]),
            (&json!(ELEMENTS), &json!("line"))
        );
        assert_eq!(element["line"], line_of(&site, ELEMENTS, "DOSES_BCG_1,"));
        let combo = by(row, "category-option-combo");
        assert_eq!(combo["file"], COMBOS);
        assert_eq!(combo["line"], line_of(&site, COMBOS, "AGE_U1|SEX_F,"));
        assert_eq!(combo["uid"], *keys.combos[disaggregation]);
        let place = by(row, "org-unit");
        assert_eq!(
            (&place["by"], &place["uid"]),
            (&json!("rule"), &json!(unit))
        );
        assert_eq!(place["file"], "mapping_rules.sql");
        assert!(
            place["rule"]["rule"]
                .as_str()
                .unwrap()
                .starts_with("v3/rule ")
        );
    }
}

/// Marchand moves to another organisation unit from January 2025.
#[test]
fn a_municipality_that_moved_is_told_at_its_old_unit_and_at_its_new_one() {
    let site = loaded("doses_administered", "202503");
    let old = site.unit_of("MARCHAND", "2025-03-01");
    let new = site.unit_of("BEXON", "2025-03-01");
    assert_ne!(old, new);
    let rows = rows_of("202503", "DOSES_BCG_1", "");
    let of_marchand = rows.iter().filter(|(place, _)| place == "MARCHAND");
    let of_marchand: i64 = of_marchand.map(|(_, value)| value).sum();
    assert!(of_marchand > 0);
    site.database.execute(&format!(
        "UPDATE interop.data_mapping_rules SET valid_to = '2024-12-31'
         WHERE version_no = 3 AND source_key = 'MARCHAND' AND coalesce(valid_to, '2025-03-01') >= '2025-03-01';
         INSERT INTO interop.data_mapping_rules
         VALUES (999999, 3, 'municipality', 'MARCHAND', 'map', '{new}', NULL, 100, '2025-01-01', NULL, 'moved')"
    ));
    run(&site, "202503");

    let told = explain(&site, &["LC_EPI_DOSES_BCG_1", &old, "202503"]);
    let gone = list(&told, "elsewhere");
    assert_eq!(
        by_municipality(gone),
        BTreeMap::from([("MARCHAND".to_owned(), of_marchand)])
    );
    for row in gone {
        let place = by(row, "org-unit");
        assert_eq!(
            (&place["uid"], &place["rule"]["rule"]),
            (&json!(new), &json!("v3/rule 999999"))
        );
        assert_eq!(place["rule"]["valid-from"], "2025-01-01");
        assert_eq!(
            (
                &place["instead-of"]["uid"],
                &place["instead-of"]["valid-to"]
            ),
            (&json!(old), &json!("2024-12-31"))
        );
    }
    // What went away in our second run is what Marchand had.
    let changes = list(&told, "cells")
        .iter()
        .flat_map(|cell| list(cell, "changes"));
    let second = changes.filter(|change| change["run"] == 2);
    let less: i64 = second
        .map(|change| number(&change["old"]) - number(&change["new"]))
        .sum();
    assert_eq!(less, of_marchand);

    let told = explain(&site, &["LC_EPI_DOSES_BCG_1", &new, "202503"]);
    let rows = list(&told, "cells")
        .iter()
        .flat_map(|cell| list(cell, "rows"));
    assert_eq!(by_municipality(rows)["MARCHAND"], of_marchand);
    assert_eq!(list(&told, "elsewhere"), [] as [Value; 0]);
}

/// P14: Martinique 4, Cruise Ship 3, Overseas 3 (yellow fever, March 2025): a rule leaves them out.
#[test]
fn a_key_that_a_rule_leaves_out_is_told_with_the_rule_and_shown_to_whom_it_may_be() {
    let site = loaded("doses_administered", "202503");
    let unit = site.unit_of("BEXON", "2025-03-01");
    let about = ["LC_EPI_DOSES_YF_1", &unit, "202503"];
    let told = explain(&site, &about);
    let excluded = list(&told, "not-placed").iter();
    let excluded: Vec<&Value> = excluded
        .filter(|row| row["outcome"] == "excluded")
        .collect();
    let wanted = [("MARTINIQUE", 4), ("CRUISE SHIP", 3), ("OVERSEAS", 3)];
    let doses = by_municipality(excluded.iter().copied());
    assert_eq!(
        doses,
        BTreeMap::from(wanted.map(|(key, doses)| (key.to_owned(), doses)))
    );

    // Where no `show-keys` is written, only those keys are shown that have an answer.
    site.replace("mappings/epi-monthly.toml", "show-keys = \".*\"\n", "");
    let args = ["explain", "--as-of", T0];
    let args: Vec<&str> = args.into_iter().chain(about).collect();
    let text = site.program(&args).code(0).stdout;
    let json = explain(&site, &about).to_string();
    for told in [&text, &json] {
        assert!(told.contains("BEXON"), "{told}");
        for (key, _) in wanted {
            let length = format!(", {} characters", key.len());
            assert!(!told.contains(key) && told.contains(&length), "{told}");
        }
    }
    for row in excluded {
        let place = by(row, "org-unit");
        assert_eq!(
            (&place["uid"], &place["rule"]["exclude"]),
            (&Value::Null, &json!(true))
        );
        let label = place["rule"]["rule"].as_str().unwrap();
        let words = format!("{label} of mapping_rules.sql (left out");
        assert!(text.contains(&words), "{text}");
    }
}

/// P39: two store rooms under LC-F31 in December 2024, both out of yellow fever vaccine for four days: 4, not 8.
#[test]
fn days_without_stock_of_two_store_rooms_are_shown_as_the_highest_of_both() {
    let site = loaded("stock", "202412");
    let told = explain(
        &site,
        &[
            "LC EPI - Vaccine stock-out days",
            "LC-F31",
            "202412",
            "EPI Yellow fever",
        ],
    );
    assert_eq!(told["orgUnit"]["name"], "La Clery Wellness Centre");
    let [cell] = list(&told, "cells") else {
        panic!("one cell: {told}");
    };
    let days: Vec<i64> = list(cell, "rows")
        .iter()
        .map(|row| number(&row["value"]))
        .collect();
    assert_eq!(days, [4, 4]);
    assert_eq!(
        (&cell["combine"], &cell["desired"], &cell["live"]["value"]),
        (&json!("max"), &json!("4"), &json!("4"))
    );
    let args = [
        "explain",
        "P2BAd7gA1Qm",
        "LC-F31",
        "202412",
        "VAC_YF",
        "--as-of",
        T0,
    ];
    site.program(&args)
        .code(2)
        .stderr_has("category option combo");
    let args = [
        "explain",
        "P2BAd7gA1Qm",
        "LC-F31",
        "202412",
        "LC_VAC:VAC_YF",
        "--as-of",
        T0,
    ];
    let text = site.program(&args).code(0).stdout;
    assert!(
        text.contains("  source now: 4, the highest of 2 rows\n"),
        "{text}"
    );
}
