//! Spreadsheets are read as people see them, or refused: a note that is almost one of our columns, a cell that was cut in two.

use std::fs;

use rig::dhis2::Dialect;

use crate::small_site::{NUMBER, SmallSite, UNITS};

const NOW: [&str; 3] = ["run", "-p", "202503"];

/// A site whose units stand in a spreadsheet; the source has 5 of Ti Rocher, and 3 of nobody.
fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_42);
    site.database.execute(&format!(
        "UPDATE t SET unit = 'Ti Rocher'; INSERT INTO t VALUES ('{NUMBER}', 'visitors', '202503', '3');"
    ));
    site.replace(
        "mappings/small.toml",
        "column = \"unit\"",
        "column = \"unit\"\nmap-file = \"units.csv\"",
    );
    site
}

/// The sheet is refused at a place, and nothing is sent.
#[track_caller]
fn refused(sheet: &[u8], words: &str) {
    let site = site();
    fs::write(site.path("mappings/units.csv"), sheet).unwrap();
    site.refused(site.program(&NOW), 10, words);
    assert_eq!(site.dhis2.values().len(), 0, "{words}");
}

#[test]
fn a_broken_sheet_is_refused_with_line_and_column() {
    let [unit, _] = UNITS;
    let latin = [
        b"unit,uid\nTi Rocher,",
        unit.as_bytes(),
        b"\nSoufri\xe8re,x\n",
    ]
    .concat();
    let utf16: Vec<u8> = "\u{feff}unit,uid\n"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (sheet, words) in [
        (
            format!("uid,unit\n{unit},Ti Rocher, Micoud\n").into_bytes(),
            "units.csv:2:3: this cell stands under no column of the header",
        ),
        (
            format!("unit,uid\nTi Rocher,\"{unit}\nBexon,{unit}\n").into_bytes(),
            "units.csv:2:2: the quote that this cell begins with is never closed",
        ),
        (
            format!("sep=;\nunit;uid\nTi Rocher;{unit};x\n").into_bytes(),
            "units.csv:3:3: this cell stands under no column",
        ),
        (
            format!("unit,uid\n=B7,{unit}\n").into_bytes(),
            "units.csv:2:1: this is a formula",
        ),
        (latin, "units.csv:3:7: is not UTF-8 from here on"),
        (utf16, "units.csv:1:1: is UTF-16"),
    ] {
        refused(&sheet, words);
    }
}

#[test]
fn a_sheet_is_read_as_the_spreadsheet_program_meant_it() {
    let [unit, _] = UNITS;
    for sheet in [
        format!("sep=;\r\nunit;uid;exclude\r\nTi Rocher;{unit};\r\nvisitors;;yes\r\n"),
        format!(
            "\"seen by A, B\",unit,uid,exclude\n\"x, y\",=\"Ti Rocher\",{unit},\n,visitors,,yes\n"
        ),
    ] {
        let site = site();
        site.write("mappings/units.csv", &sheet);
        site.program(&NOW).code(0);
        let values: Vec<String> = site.dhis2.values().into_values().collect();
        assert_eq!(values, ["5"], "{sheet}");
    }
}

#[test]
fn a_column_that_is_almost_a_policy_withdraws_nothing() {
    for (name, differs) in [
        ("Absent", "capital letters"),
        ("absent\u{200b}", "characters that are not shown"),
        ("absnt", "one letter"),
    ] {
        let site = SmallSite::new(Dialect::V2_43);
        site.write(
            "mappings/elements.csv",
            &format!("element,uid,{name}\n{NUMBER},{NUMBER},leave\n"),
        );
        site.replace(
            "mappings/small.toml",
            "column = \"element\"",
            "column = \"element\"\nmap-file = \"elements.csv\"",
        );
        let words = format!("differs from `absent` in {differs}");
        site.refused(site.program(&NOW), 10, &words);
    }
}

#[test]
fn a_column_of_rules_that_is_almost_ours_is_named_with_ours() {
    let [unit, _] = UNITS;
    for (column, words) in [
        (
            "\"Priority\"",
            "column `Priority` differs from `priority` in capital letters",
        ),
        (
            "valid_form",
            "column `valid_form` differs from `valid_from` in one letter",
        ),
    ] {
        let site = SmallSite::new(Dialect::V2_43);
        site.write(
            "mappings/rules.sql",
            &format!("SELECT '{unit}' AS key, '{unit}' AS uid, NULL::date AS {column}"),
        );
        site.replace(
            "mappings/small.toml",
            "column = \"unit\"",
            "column = \"unit\"\nrules = \"rules.sql\"",
        );
        site.refused(site.program(&NOW), 13, words);
    }
}
