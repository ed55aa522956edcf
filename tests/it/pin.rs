//! The pin: codes and options in the place of UIDs, and what `map` knows by it without asking DHIS2.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rig::dhis2::Dialect;
use serde_json::{Value, json};

use crate::small_site::{NOW, NUMBER, SmallSite, UNITS};
use crate::st_lucia::{BOTH, StLucia, T0, difference};

pub(crate) const PIN: &str = "mappings/dhis2.pin.json";
/// The element `X_INT`, of value type INTEGER, of the same data set as [`NUMBER`].
const INTEGER: &str = "NaIvsjCYa37";

/// Writes the code of each line of a spreadsheet where its UID stood; it stands in another column already.
fn with_codes(sheet: &str) -> String {
    let mut reader = csv::Reader::from_reader(sheet.as_bytes());
    let headers = reader.headers().unwrap().clone();
    let place = |name: &str| headers.iter().position(|each| each == name).unwrap();
    let (uid, code) = (place("uid"), place("code"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&headers).unwrap();
    for record in reader.records() {
        let record = record.unwrap();
        let coded = format!("code:{}", &record[code]);
        let cells = record.iter().enumerate();
        let cells = cells.map(|(at, cell)| if at == uid { coded.as_str() } else { cell });
        writer.write_record(cells).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// Splits the one column of a disaggregation in two, as a registry may have them.
fn split(query: &str) -> String {
    let query = query.trim_end().trim_end_matches(';');
    format!(
        "SELECT municipality, period, indicator, split_part(disaggregation, '|', 1) AS one,
                split_part(disaggregation, '|', 2) AS two, value
         FROM (\n{query}\n) AS whole"
    )
}

#[test]
fn codes_and_options_give_the_same_values_as_uids() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        let load = || {
            site.dhis2.reset();
            // Emptied on purpose, which a run would ask about.
            let _ = fs::remove_file(site.folder.path().join("state/memory.tsv"));
            site.run(T0, &["202503", "2024"], &[]).code(3);
            site.values()
        };
        let by_uid = load();
        assert!(by_uid.len() > 1_000);

        for sheet in ["epi-indicators", "epi-disaggregations", "target-indicators"] {
            let sheet = format!("mappings/{sheet}.csv");
            site.edit(&sheet, |text| with_codes(&text));
        }
        site.replace(
            "mappings/epi-monthly.toml",
            "data-set = \"fTTHFe1SktZ\"",
            "data-set = \"code:LC_EPI_MONTHLY\"",
        );
        site.program(&["pin"]).code(0).silent();
        assert_eq!(difference(&load(), &by_uid), Vec::<String>::new());

        let folder = fs::read_dir(site.folder.path().join("queries")).unwrap();
        for file in folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()) {
            if file != "mapping_rules.sql" && file != "target_population.sql" {
                site.edit(&format!("queries/{file}"), |text| split(&text));
            }
        }
        site.edit("mappings/epi-monthly.toml", |text| {
            text.replace(
                "column = \"disaggregation\"",
                "columns = [\"two\", \"one\"]",
            )
            .replace("map-file = \"epi-disaggregations.csv\"", "options = true")
        });
        assert_eq!(difference(&load(), &by_uid), Vec::<String>::new());
    }
}

/// With two elements by code and by UID, and their units by code.
pub(crate) fn coded(dialect: Dialect) -> SmallSite {
    let site = SmallSite::new(dialect);
    site.replace(
        "mappings/small.toml",
        "column = \"element\"",
        "column = \"element\"\nmap-file = \"elements.csv\"",
    );
    site.write(
        "mappings/elements.csv",
        &format!("element,uid\n{NUMBER},code:X_NUM\n{INTEGER},{INTEGER}\n"),
    );
    site.database.execute(&format!(
        "INSERT INTO t VALUES ('{INTEGER}', '{}', '202503', '7')",
        UNITS[0]
    ));
    site
}

/// The JSON of an object in the export of a DHIS2, with some of it changed.
pub(crate) fn changed(kind: &str, uid: &str, what: Value) -> String {
    let mut object = what;
    object["id"] = uid.into();
    json!({ kind: [object] }).to_string()
}

pub(crate) fn run_json(site: &SmallSite) -> crate::program::Finished {
    site.program(&["run", "-p", "202503", "--as-of", NOW, "--format", "json"])
}

#[test]
fn a_pin_is_the_same_when_nothing_changed_and_is_made_to_be_published() {
    let site = coded(Dialect::V2_43);
    site.program(&["pin"]).code(0).silent();
    let first = fs::read_to_string(site.path(PIN)).unwrap();
    let mode = fs::metadata(site.path(PIN)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    site.program(&["pin"]).code(0).silent();
    assert_eq!(fs::read_to_string(site.path(PIN)).unwrap(), first);
    site.program(&["pin", "--check"]).code(0).silent();

    let pin: Value = serde_json::from_str(&first).unwrap();
    let number = &pin["dataElements"][NUMBER];
    assert_eq!(number["code"], "X_NUM");
    assert_eq!(number["valueType"], "NUMBER");
    assert_eq!(pin["dataElements"].as_object().unwrap().len(), 2);
    assert_eq!(pin["dhis2"]["version"], Dialect::V2_43.version());
    // An object a line.
    let line = first.lines().find(|line| line.contains(NUMBER)).unwrap();
    let line = line.trim().trim_end_matches(',');
    let object: Value = serde_json::from_str(&format!("{{{line}}}")).unwrap();
    assert_eq!(&object[NUMBER], number);
}

#[test]
fn an_unknown_code_is_refused_with_the_nearest() {
    let site = coded(Dialect::V2_43);
    let words = "`code:X_NUM` is found by the pin dhis2.pin.json, which is not there";
    site.refused(site.run(), 10, words);
    site.refused(site.run(), 10, "elements.csv:2:2");
    site.program(&["pin"]).code(0);
    site.replace("mappings/elements.csv", "code:X_NUM", "code:X_MUN");
    let words = "has no data element with the code `X_MUN`, did you mean `code:X_NUM`?";
    site.refused(site.run(), 10, words);
    let words = "elements.csv:2:2: DHIS2 has no data element with the code `X_MUN`";
    site.refused(site.program(&["pin"]), 10, words);
}

#[test]
fn options_need_a_pin_and_leave_the_unknown_unmapped() {
    let site = SmallSite::new(Dialect::V2_43);
    site.replace(
        "mappings/query.sql",
        "SELECT element",
        "SELECT 'F' AS sex, 'default' AS other, element",
    );
    let table = "[category-option-combo]\ncolumns = [\"sex\", \"other\"]\noptions = true\n";
    site.replace(
        "mappings/small.toml",
        "[org-unit]",
        &format!("{table}\n[org-unit]"),
    );
    site.refused(
        site.run(),
        10,
        "`[category-option-combo] options` needs the pin",
    );
    site.program(&["pin"]).code(0);
    let report = run_json(&site).code(3).json();
    assert_eq!(report["mappings"][0]["rows"]["unmapped"], 1);
    site.replace("mappings/query.sql", "'F' AS", "'' AS");
    site.run().code(0);
}

#[test]
fn map_refuses_offline_what_dhis2_does_not_have() {
    let site = coded(Dialect::V2_43);
    site.program(&["pin"]).code(0);
    let rows = |site: &SmallSite| {
        let extract = ["extract", "-m", "small", "-p", "202503", "-o", "rows"];
        site.program(&extract).code(0);
    };
    rows(&site);
    site.dhis2.forget_requests();
    site.program(&["map", "rows", "-o", "document"])
        .code(0)
        .silent();
    site.replace("mappings/elements.csv", INTEGER, "BCGdosesAaa");
    site.replace(
        "mappings/elements.csv",
        "BCGdosesAaa,",
        &format!("{INTEGER},"),
    );
    rows(&site);
    let words = "elements.csv:3:2: data element BCGdosesAaa is not in the data set";
    site.refused(site.program(&["map", "rows"]), 10, words);
    site.replace("mappings/elements.csv", "BCGdosesAaa", INTEGER);

    site.database.execute(&format!(
        "UPDATE t SET value = 'many' WHERE element = '{NUMBER}';
         UPDATE t SET unit = 'abcdefghijk' WHERE element = '{INTEGER}'"
    ));
    rows(&site);
    site.program(&["map", "rows", "-o", "document"])
        .code(0)
        .stderr_has("DHIS2 would block 1 of 2 cells")
        .stderr_has("the organisation unit is not assigned to the data set")
        .stderr_has("the value does not fit the data element's value type");
    assert!(site.dhis2.requests().is_empty());
}

#[test]
fn a_document_of_another_pin_is_refused() {
    let site = coded(Dialect::V2_43);
    site.program(&["pin"]).code(0);
    let extract = ["extract", "-m", "small", "-p", "202503", "-o", "rows"];
    site.program(&extract).code(0);
    let renamed = changed("dataElements", NUMBER, json!({ "name": "Another name" }));
    site.dhis2.merge_metadata(&renamed);
    site.program(&["pin"]).code(0);
    site.program(&["map", "rows"])
        .code(10)
        .stderr_has("dhis2.pin.json is not what it was when the rows were extracted");
}

#[test]
fn a_file_that_is_no_pin_is_refused_until_it_is_replaced() {
    let site = coded(Dialect::V2_43);
    site.write(PIN, "{\n\"pg2dhis2\": \"pin/1\",\n\"dhis2\": 5}");
    site.refused(site.run(), 10, "dhis2.pin.json:3:");
    site.write(PIN, "{\"pg2dhis2\": \"pin/9\"}");
    site.refused(site.run(), 10, "is a pin/9, and this program reads pin/1");
    site.refused(site.program(&["pin", "--check"]), 10, "is a pin/9");
    site.program(&["pin"]).code(0);
    site.run().code(0);
    fs::remove_file(site.path(PIN)).unwrap();
    let check = site.program(&["pin", "--check"]);
    check
        .code(10)
        .stderr_has("there is no pin mappings/dhis2.pin.json yet");
}
