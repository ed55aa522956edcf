//! Values of ours that no mapping answers for any more: told in every report, and withdrawn by a line that says so. And
//! values that DHIS2 shows no more.

use std::fs;
use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::relay::{relay, relay_before};
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::{BOTH, StLucia, T0};

const MAPPING: &str = "mappings/small.toml";
/// `X_INT`, another element of the data set.
const INTEGER: &str = "NaIvsjCYa37";

const ELEMENTS: &str = "mappings/elements.csv";

/// Two elements in two units, by spreadsheets.
fn site(dialect: rig::dhis2::Dialect, absent: &str) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.write(
        MAPPING,
        &format!(
            "data-set = \"YE8SgpSMBQ9\"\nqueries = [\"query.sql\"]\nperiod = {{ type = \"Monthly\", column = \"period\" }}\n\
             value = \"value\"\nabsent = \"{absent}\"\n\
             [data-element]\ncolumn = \"element\"\nmap-file = \"elements.csv\"\n\
             [org-unit]\ncolumn = \"unit\"\nmap-file = \"units.csv\"\n"
        ),
    );
    site.write(
        ELEMENTS,
        &format!("element,uid\n{NUMBER},{NUMBER}\n{INTEGER},{INTEGER}\n"),
    );
    site.write(
        "mappings/units.csv",
        &format!("unit,uid\n{0},{0}\n{1},{1}\n", UNITS[0], UNITS[1]),
    );
    for (element, unit, value) in [(INTEGER, UNITS[0], "2"), (NUMBER, UNITS[1], "3")] {
        site.database.execute(&format!(
            "INSERT INTO t VALUES ('{element}', '{unit}', '202503', '{value}')"
        ));
    }
    site.run().code(0);
    assert_eq!(site.dhis2.values().len(), 3);
    site
}

#[track_caller]
fn report(site: &SmallSite, code: i32) -> Value {
    let args = ["run", "-p", "202503", "--as-of", NOW, "--format", "json"];
    site.program(&args).code(code).json()["mappings"][0].clone()
}

fn forget_rows_of_the_integer(site: &SmallSite) {
    site.database
        .execute(&format!("DELETE FROM t WHERE element = '{INTEGER}'"));
}

#[test]
fn a_line_taken_out_of_a_spreadsheet_strands_its_values() {
    for dialect in BOTH {
        let site = site(dialect, "zero");
        forget_rows_of_the_integer(&site);
        site.write(ELEMENTS, &format!("element,uid\n{NUMBER},{NUMBER}\n"));
        let told = report(&site, 0);
        assert_eq!(told["stranded-cells"], 1);
        let stranded = &told["stranded"][0];
        assert_eq!(
            (&stranded["dataElement"], &stranded["live"]),
            (&json!(INTEGER), &json!("2"))
        );
        let preview = site
            .program(&["run", "-n", "-p", "202503", "--as-of", NOW])
            .code(0);
        assert!(
            preview
                .stderr
                .contains("stranded, 1 value of ours that no mapping answers for"),
            "{}",
            preview.stderr
        );
        assert!(
            preview.stderr.contains("(X_INT, NaIvsjCYa37)"),
            "{}",
            preview.stderr
        );
        // It is told, and it is not touched.
        assert_eq!(site.dhis2.values().len(), 3);
    }
}

#[test]
fn a_retired_line_withdraws_its_values_even_where_absent_ones_are_left() {
    for (absent, outcome) in [
        ("zero", "zeroed"),
        ("delete", "deleted"),
        ("leave", "deleted"),
    ] {
        for dialect in BOTH {
            let site = site(dialect, absent);
            forget_rows_of_the_integer(&site);
            let lines = format!("element,uid,retired\n{NUMBER},{NUMBER},\nformer,{INTEGER},yes\n");
            site.write(ELEMENTS, &lines);
            let told = report(&site, 0);
            assert_eq!(
                (&told["cells"][outcome], &told["stranded-cells"]),
                (&json!(1), &json!(0))
            );
            let values = site.dhis2.values();
            let left: Vec<&String> = values
                .iter()
                .filter(|((element, ..), _)| element == INTEGER)
                .map(|(_, value)| value)
                .collect();
            assert!(left.iter().all(|value| *value == "0"), "{left:?}");
        }
    }
}

#[test]
fn a_retired_line_maps_nothing_and_stands_beside_no_other_of_its_uid() {
    let site = site(BOTH[1], "leave");
    let lines = format!("element,uid,retired\n{NUMBER},{NUMBER},no\n{INTEGER},{INTEGER},yes\n");
    site.write(ELEMENTS, &lines);
    // Its rows are still there: they are unmapped, and what may be theirs is not withdrawn.
    let told = report(&site, 3);
    assert_eq!(
        (&told["rows"]["unmapped"], &told["cells"]["left"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(site.dhis2.values().len(), 3);

    for (line, words) in [
        (
            format!("other,{NUMBER},yes"),
            "is retired in one line and in use in another",
        ),
        (
            format!("other,{INTEGER},perhaps"),
            "`retired` must be yes, no or empty",
        ),
    ] {
        site.write(
            ELEMENTS,
            &format!("element,uid,retired\n{NUMBER},{NUMBER},\n{line}\n"),
        );
        site.run().code(10).stderr_has(words);
    }
}

#[test]
fn a_unit_that_was_taken_off_the_data_set_strands_its_values_or_names_the_remedy() {
    for dialect in BOTH {
        let site = site(dialect, "zero");
        let units: Vec<Value> = vec![json!({"id": UNITS[1]})];
        let set = json!({"dataSets": [{"id": "YE8SgpSMBQ9", "organisationUnits": units}]});
        site.database
            .execute(&format!("DELETE FROM t WHERE unit = '{}'", UNITS[0]));
        site.dhis2.merge_metadata(&set.to_string());
        // Mapped by a line, it is in scope: what is there cannot be withdrawn any more.
        let told = report(&site, 3);
        assert_eq!(told["blocked-by"][0]["reason"], "org-unit-not-in-data-set");
        assert_eq!(told["blocked-by"][0]["cells"], 2);
        let text = told["blocked-by"][0]["text"].as_str().unwrap();
        assert!(text.ends_with("assign it"), "{text}");

        // By rules, or with its line gone, nobody answers for it.
        site.write(
            "mappings/units.csv",
            &format!("unit,uid\n{0},{0}\n", UNITS[1]),
        );
        let told = report(&site, 0);
        assert_eq!(told["stranded-cells"], 2);
    }
}

#[test]
fn what_another_mapping_of_the_site_answers_for_is_not_stranded() {
    let site = site(BOTH[1], "zero");
    let mapping = fs::read_to_string(site.path(MAPPING)).unwrap();
    site.write(
        "mappings/other.toml",
        &mapping.replace("elements.csv", "others.csv"),
    );
    site.write(ELEMENTS, &format!("element,uid\n{NUMBER},{NUMBER}\n"));
    site.write(
        "mappings/others.csv",
        &format!("element,uid\n{INTEGER},{INTEGER}\n"),
    );
    for (name, element) in [("small", NUMBER), ("other", INTEGER)] {
        site.write(
            &format!("mappings/{name}.sql"),
            &format!("SELECT element, unit, period, value FROM t WHERE element = '{element}' AND period >= to_char(:'period_start'::date, 'YYYYMM')
                      AND period < to_char(:'period_end'::date, 'YYYYMM')"),
        );
        site.replace(
            &format!("mappings/{name}.toml"),
            "query.sql",
            &format!("{name}.sql"),
        );
    }
    for mapping in ["small", "other"] {
        let args = [
            "run", "-m", mapping, "-p", "202503", "--as-of", NOW, "--format", "json",
        ];
        let told = site.program(&args).code(0).json();
        assert_eq!(told["mappings"][0]["stranded-cells"], 0, "{mapping}");
    }
}

#[test]
fn values_that_were_confirmed_and_read_as_nothing_hold_the_mapping() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let run = |more: &[&str]| {
            let args = ["run", "-m", "epi-targets", "-p", "2024", "--as-of", T0];
            site.program(&[&args, more].concat())
        };
        run(&[]).code(0);
        let before = site.values();
        site.dhis2.reset();
        let held = run(&[]).code(4);
        // Four denominators for each of 33 units.
        let words = "2024: DHIS2 shows 0 values, and the last run confirmed 132 of ours; is this the right server";
        assert!(held.stderr.contains(words), "{}", held.stderr);
        assert!(site.dhis2.stored().is_empty());
        // Somebody who knows that it was emptied lets the plan pass.
        let digest = held.stderr.split("--release ").nth(1).unwrap();
        run(&["--release", digest.split_whitespace().next().unwrap()]).code(0);
        assert_eq!(site.values(), before);
    }
}

#[test]
fn a_look_that_fails_is_told_and_stops_nothing() {
    for dialect in BOTH {
        let site = site(dialect, "zero");
        site.database
            .execute("UPDATE t SET value = '9' WHERE value = '5'");
        let spoiled = relay(&site.dhis2.url(), |first, answer| {
            match first.starts_with("GET /api/organisationUnits") {
                true => b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_vec(),
                false => answer,
            }
        });
        site.replace("pg2dhis2.toml", &site.dhis2.url(), &spoiled);
        site.replace("pg2dhis2.toml", "[limits]", "[limits]\nattempts = 1");
        let told = report(&site, 0);
        let note = told["notes"][0].as_str().unwrap();
        assert!(
            note.starts_with("not all values that no mapping answers for were looked for"),
            "{note}"
        );
        assert_eq!(told["cells"]["updated"], 1);
    }
}

#[test]
fn a_look_that_hangs_costs_no_value_of_any_mapping() {
    for dialect in BOTH {
        let site = SmallSite::new(dialect);
        let second = fs::read_to_string(site.path(MAPPING)).unwrap();
        site.replace(
            MAPPING,
            "[data-element]\ncolumn = \"element\"",
            &format!("[data-element]\nuid = \"{NUMBER}\"\ncolumn = \"element\""),
        );
        let second = second.replace(
            "[data-element]\ncolumn = \"element\"",
            &format!("[data-element]\nuid = \"{INTEGER}\"\ncolumn = \"element\""),
        );
        site.write(
            "mappings/zweite.toml",
            &second.replace("query.sql", "second.sql"),
        );
        let query = fs::read_to_string(site.path("mappings/query.sql")).unwrap();
        site.write(
            "mappings/second.sql",
            &(query.trim().to_owned() + &format!(" AND element = '{INTEGER}'")),
        );
        site.write(
            "mappings/query.sql",
            &(query.trim().to_owned() + &format!(" AND element = '{NUMBER}'")),
        );
        site.database.execute(&format!(
            "INSERT INTO t VALUES ('{INTEGER}', '{}', '202503', '7')",
            UNITS[0]
        ));
        // The hierarchy is asked for by that look alone; the answer never comes.
        let url = relay_before(&site.dhis2.url(), |asked, client| {
            if asked.first.contains("path%3Alike") || asked.first.contains("path:like") {
                let mut rest = Vec::new();
                return client.read_to_end(&mut rest).map(|_| ());
            }
            client.write_all(&asked.answer()?)
        });
        site.replace("pg2dhis2.toml", &site.dhis2.url(), &url);
        site.replace(
            "pg2dhis2.toml",
            "wait = \"1ms\"",
            "wait = \"1ms\"\ndeadline = \"8s\"",
        );
        let finished = site.program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"]);
        let report = finished.code(0).json();
        let mut values: Vec<String> = site.dhis2.values().into_values().collect();
        values.sort();
        assert_eq!(values, ["5", "7"]);
        let told = report.to_string();
        assert!(
            told.contains("not all values that no mapping answers for were looked for"),
            "{told}"
        );
    }
}
