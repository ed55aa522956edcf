//! `explain` beside the demo: who stored what, what was never placed, what somebody may not ask, and what is not told.

use rig::dhis2::{Dialect, Row};
use serde_json::{Value, json};

use crate::program::Finished;
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::terminal::with_everything_at_a_terminal;

fn explain(site: &SmallSite, more: &[&str]) -> Finished {
    let args = ["explain", NUMBER, UNITS[0], "202503", "--as-of", NOW];
    let args: Vec<&str> = args.iter().chain(more).copied().collect();
    site.program(&args)
}

fn told(site: &SmallSite) -> Value {
    explain(site, &["--format", "json"]).code(0).json()
}

#[test]
fn it_sends_nothing_and_works_before_the_first_run() {
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let site = SmallSite::new(dialect);
        let told = told(&site);
        let cell = &told["cells"][0];
        assert_eq!(
            (&cell["desired"], &cell["live"]),
            (&json!("5"), &Value::Null)
        );
        assert_eq!(
            (&cell["changes"], &told["history-since"]),
            (&json!([]), &Value::Null)
        );
        let text = explain(&site, &[]).code(0).stdout;
        for words in [
            "source now: 5, 1 row\n",
            "DHIS2 now: no value\n",
            "no run is recorded yet\n",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let requests = site.dhis2.requests();
        assert!(requests.iter().all(|request| request.method == "GET"));
        assert!(!site.path("state").exists());
    }
}

#[test]
fn a_value_that_somebody_typed_over_ours_is_told_with_who_and_when_and_every_change_of_ours() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    site.database.execute("UPDATE t SET value = '7'");
    site.run().code(0);
    site.dhis2.put(Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: UNITS[0].to_owned(),
        combo: "HllvX50cXC0".to_owned(),
        value: Some("9".to_owned()),
        stored_by: "admin".to_owned(),
        ..Row::default()
    });
    let told = told(&site);
    let cell = &told["cells"][0];
    let live = &cell["live"];
    assert_eq!(
        (&live["value"], &live["storedBy"], &live["ours"]),
        (&json!("9"), &json!("admin"), &json!(false))
    );
    assert!(live["lastUpdated"].is_string());
    let changes = cell["changes"].as_array().unwrap().iter();
    let changes: Vec<_> = changes
        .map(|change| (&change["old"], &change["new"], &change["outcome"]))
        .collect();
    assert_eq!(
        changes,
        [
            (&Value::Null, &json!("5"), &json!("created")),
            (&json!("5"), &json!("7"), &json!("updated"))
        ]
    );
    let text = explain(&site, &[]).code(0).stdout;
    assert!(text.contains("DHIS2 now: 9, stored by admin on "), "{text}");
    assert!(text.contains("run 2 (run): updated 5 → 7\n"), "{text}");
}

#[test]
fn what_changed_before_a_value_did_stands_beside_it() {
    let site = SmallSite::new(Dialect::V2_43);
    site.run().code(0);
    site.replace(
        "mappings/query.sql",
        "period, value FROM",
        "period, value || '0' AS value FROM",
    );
    site.run().code(0);
    let text = explain(&site, &[]).code(0).stdout;
    assert!(
        text.contains(
            "updated 5 → 50\n      not as before: small: query.sql changed since run 1\n"
        ),
        "{text}"
    );
}

#[test]
fn keys_that_no_mapping_knows_are_shown_at_a_terminal_alone_and_texts_nowhere() {
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "mappings/small.toml",
        "[org-unit]\ncolumn = \"unit\"",
        &format!(
            "[org-unit]\ncolumn = \"unit\"\nmap = {{ HERE = \"{}\" }}",
            UNITS[0]
        ),
    );
    site.database.execute(&format!(
        "UPDATE t SET unit = 'HERE'; INSERT INTO t VALUES ('{NUMBER}', 'Jane Roe', '202503', 'Janet Roe')"
    ));
    let args = ["explain", NUMBER, UNITS[0], "202503", "--as-of", NOW];
    let json = explain(&site, &["--format", "json"]).code(0).stdout;
    let text = explain(&site, &[]).code(0).stdout;
    for told in [&json, &text] {
        assert!(!told.contains("Roe"), "{told}");
        assert!(
            told.contains(", 8 characters") && told.contains("text of 9 characters"),
            "{told}"
        );
    }
    assert!(
        text.contains("of \"HERE\": mappings/small.toml, line 13\n"),
        "{text}"
    );
    let screen = with_everything_at_a_terminal(site.folder.path(), &args);
    assert!(
        screen.contains("unknown of \"Jane Roe\": it stands in no line"),
        "{screen}"
    );
    assert!(!screen.contains("Janet"), "{screen}");
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_was_meant() {
    let site = SmallSite::new(Dialect::V2_43);
    let refused = |args: [&str; 3], words: &str| {
        let args: Vec<&str> = ["explain"].into_iter().chain(args).collect();
        site.refused(site.program(&args), 2, words);
    };
    refused(
        ["X_NUN", UNITS[0], "202503"],
        "no data element of the site's data sets has the name, code or UID \"X_NUN\"; did you mean \"X_NUM\"?",
    );
    refused(
        ["X_NUM", "Nowhere at all", "202503"],
        "no organisation unit",
    );
    refused(
        ["X_NUM", UNITS[0], "2025"],
        "the periods of small are Monthly, and 2025 is none of them",
    );
}

#[test]
fn a_cell_that_dhis2_would_not_take_is_told_with_since_when() {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute("UPDATE t SET value = 'many'");
    site.run().code(3);
    let told = told(&site);
    let open = &told["cells"][0]["open-problems"][0];
    assert!(
        open["what"].as_str().unwrap().starts_with("blocked "),
        "{told}"
    );
    assert_eq!(open["tries"], 1);
    assert_eq!(told["cells"][0]["desired"], "text of 4 characters");
}

#[test]
fn a_value_column_and_rows_without_a_value_are_told_with_the_line_that_names_them() {
    let site = SmallSite::new(Dialect::V2_43);
    let wide = format!(
        "data-set = \"YE8SgpSMBQ9\"\nqueries = [\"query.sql\"]\nperiod = {{ type = \"Monthly\", column = \"period\" }}\n\
         combine = \"sum\"\nabsent = \"leave\"\n[values]\ncases = {{ data-element = \"{NUMBER}\" }}\n[org-unit]\ncolumn = \"unit\"\n\
         map = {{ HERE = \"{0}\", THERE = \"{0}\" }}\n",
        UNITS[0]
    );
    site.write("mappings/small.toml", &wide);
    site.write(
        "mappings/query.sql",
        "SELECT unit, period, value::bigint AS cases FROM t WHERE period = to_char(:'period_start'::date, 'YYYYMM')",
    );
    site.database
        .execute("UPDATE t SET unit = 'HERE'; INSERT INTO t VALUES ('', 'THERE', '202503', NULL)");
    let told = told(&site);
    let cell = &told["cells"][0];
    assert_eq!(
        (&cell["desired"], &cell["incomplete"]),
        (&json!("5"), &json!("empty"))
    );
    let rows = cell["rows"].as_array().unwrap();
    let outcomes: Vec<&Value> = rows.iter().map(|row| &row["outcome"]).collect();
    assert_eq!(outcomes, ["mapped", "empty"]);
    for row in rows {
        let by = row["by"].as_array().unwrap();
        let line = |dimension: &str| {
            let mut all = by.iter();
            let answer = all.find(|answer| answer["dimension"] == dimension);
            answer.expect("an answer")["line"].clone()
        };
        assert_eq!(
            (line("data-element"), line("org-unit")),
            (json!(7), json!(10))
        );
    }
    let text = explain(&site, &[]).code(0).stdout;
    let words = "source now: 5, the sum of 2 rows; a row without a value leaves what DHIS2 has\n";
    assert!(text.contains(words), "{text}");
}
