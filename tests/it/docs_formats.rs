//! The lines, documents and reports that `docs/formats.md` tells are those that the program writes.

use std::collections::BTreeSet;

use rig::dhis2::{Dialect, Row};
use serde_json::Value;

use crate::docs::{doc, names, quoted, table};
use crate::readme::{blocks, shown_site};
use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::{StLucia, T0};

#[test]
fn the_lines_in_the_docs_are_those_that_extract_writes() {
    let site = shown_site();
    let formats = doc("formats");
    let shown: Vec<Value> = blocks(&formats, "json")[0]
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    let extract = [
        "extract",
        "-m",
        "epi-monthly",
        "-p",
        "202503",
        "--as-of",
        T0,
    ];
    let written = site.program(&extract).code(0).stdout;
    let mut written: Vec<Value> = written
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    // What differs from one machine to the next.
    let members: Vec<String> = written[0].as_object().unwrap().keys().cloned().collect();
    let told: Vec<String> = shown[0].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, told);
    for member in ["server_version", "digests"] {
        written[0][member] = shown[0][member].clone();
    }
    assert_eq!(written, shown);
}

/// How a cell is told, in every place.
const CELL: [&str; 5] = [
    "dataElement",
    "period",
    "orgUnit",
    "categoryOptionCombo",
    "attributeOptionCombo",
];

/// Members of `shown` that the docs do not tell, and members they tell that are not there.
fn compare(shown: &Value, heading: &str) {
    let formats = doc("formats");
    let members = shown.as_object().expect("an object").keys();
    let members: BTreeSet<String> = members.cloned().collect();
    assert_eq!(names(&formats, heading), members);
    for row in table(&formats, heading) {
        let told = quoted(row[1]);
        for member in quoted(row[0]) {
            let inner = match &shown[member] {
                Value::Array(items) => items.first(),
                inner => Some(inner),
            };
            let Some(Value::Object(inner)) = inner else {
                continue;
            };
            for name in inner.keys() {
                let of_cell = CELL.contains(&name.as_str()) && row[1].contains("the cell");
                assert!(
                    told.contains(&name.as_str()) || of_cell || row[1] == "as above",
                    "docs/formats.md does not tell `{name}` of `{member}`"
                );
            }
        }
    }
}

#[test]
fn the_docs_tell_every_member_of_a_report() {
    let site = StLucia::at(Dialect::V2_43, T0);
    let mut report = site.run(T0, &["202503"], &[]).code(3).json();
    // They have a table of their own.
    let mut mapping = report["mappings"].take()[0].take();

    // What is left, closed and held, from a site where little happens otherwise.
    let small = SmallSite::new(Dialect::V2_43);
    let run = |period: &str| {
        let args = ["run", "--format", "json", "--as-of", NOW, "-p", period];
        let finished = small.program(&args);
        serde_json::from_str::<Value>(&finished.stdout).expect("a report")["mappings"][0].clone()
    };
    small.dhis2.put(Row {
        element: NUMBER.to_owned(),
        period: "202503".to_owned(),
        unit: UNITS[0].to_owned(),
        value: Some("7".to_owned()),
        stored_by: "admin".to_owned(),
        ..Row::default()
    });
    mapping["held"] = run("202503")["held"].clone();
    let policy = "absent = \"leave\"\n";
    let keep = format!("{policy}foreign = \"keep\"\ncomplete = \"after 5d\"\n");
    small.replace("mappings/small.toml", policy, &keep);
    let kept = run("202503");
    mapping["left"] = kept["left"].clone();
    mapping["complete"] = kept["complete"].clone();
    small.database.execute("UPDATE t SET period = '203003'");
    mapping["closed"] = run("203003")["closed"].clone();
    for member in [
        "left",
        "closed",
        "held",
        "blocked",
        "blocked-by",
        "changes",
        "keys",
        "sums",
    ] {
        assert_ne!(mapping[member][0], Value::Null, "nothing is {member}");
    }
    assert!(mapping["complete"].is_object());
    compare(&report, "| member | what |\n");
    compare(&mapping, "| member of a mapping | what |\n");
}

#[test]
fn the_docs_tell_every_member_of_an_explanation() {
    let site = SmallSite::new(Dialect::V2_43);
    // With a past, and blocked now.
    site.run().code(0);
    site.database.execute("UPDATE t SET value = 'many'");
    site.run().code(3);
    let args = ["explain", NUMBER, UNITS[0], "202503", "--as-of", NOW];
    let args = args.into_iter().chain(["--format", "json"]);
    let mut told = site.program(&args.collect::<Vec<_>>()).code(0).json();
    let cell = told["cells"].take()[0].take();
    compare(&told, "| member of an explanation | what |\n");
    compare(&cell, "| member of an explained cell | what |\n");
}

#[test]
fn the_docs_tell_every_member_of_a_document() {
    let site = SmallSite::new(Dialect::V2_43);
    site.program(&["extract", "-m", "small", "-p", "202503", "-o", "rows"])
        .code(0);
    let document = site.program(&["map", "rows"]).code(0).json();
    let header = &document["pg2dhis2"];
    let members = header.as_object().unwrap().keys().cloned().collect();
    let told = names(&doc("formats"), "| member of `pg2dhis2` | what |\n");
    assert_eq!(told, members);
    assert_eq!(header["version"], "map/1");
}
