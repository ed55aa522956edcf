//! A preview of a run that has something of everything to do: it tells what the run then does, and changes nothing.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::st_lucia::{BOTH, StLucia, T0};

const ASKED: [&str; 2] = ["202503", "2024"];

/// Values are in DHIS2, and there is something to create, to update, to zero, to delete and to put back.
fn something_of_everything(site: &StLucia) {
    site.only(&["doses_administered", "stock"]);
    site.run(T0, &ASKED, &[]).code(3);
    site.take_out("P37");
    site.take_out("P36");
    site.database.execute(
        "SET session_replication_role = replica;
         DELETE FROM imm.stock_transaction WHERE vaccine_code = 'YF';
         UPDATE ref.target_population SET pop_1y = pop_1y + 1 WHERE year = 2024;",
    );
    let mut doses = site.values().into_iter().filter(|(key, value)| {
        // First doses of BCG, which none of the cases above is about.
        key[0] == "lO7ecd1fAsI" && value != "0"
    });
    let over = |(key, _): (crate::st_lucia::Key, String)| {
        let [element, period, unit, combo] = key;
        format!("dataValues?de={element}&pe={period}&ou={unit}&co={combo}")
    };
    let typed = over(doses.next().expect("a dose"));
    site.by_hand("POST", &format!("{typed}&value=4711&comment=no"));
    let deleted = over(doses.next().expect("another"));
    site.by_hand("DELETE", &deleted);
    site.dhis2.forget_requests();
}

/// Every file below a folder with its content.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                found.push((path.display().to_string(), content));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_dry_run_tells_every_change_that_the_run_then_makes() {
    for dialect in BOTH {
        let site = StLucia::at(dialect, T0);
        something_of_everything(&site);
        let before = (site.dhis2.stored(), files(site.folder.path()));
        let predicted = site.run(T0, &ASKED, &["--dry-run"]).code(3).json();
        assert!(
            site.dhis2
                .requests()
                .iter()
                .all(|call| call.method == "GET")
        );
        assert_eq!((site.dhis2.stored(), files(site.folder.path())), before);

        let done = site.run(T0, &ASKED, &[]).code(3).json();
        let mappings = |report: &Value| report["mappings"].clone();
        assert_eq!(mappings(&predicted), mappings(&done), "{dialect:?}");
        assert_eq!(predicted["exit"], done["exit"]);
        for outcome in ["created", "updated", "zeroed", "deleted"] {
            let cells = done["mappings"][0]["cells"][outcome].as_u64();
            assert!(cells > Some(0), "nothing was {outcome}");
        }
    }
}

#[test]
fn a_dry_push_is_the_preview_of_a_push() {
    let site = StLucia::at(BOTH[0], T0);
    something_of_everything(&site);
    let extract = ["extract", "-m", "epi-monthly", "-p", "202503", "--as-of"];
    let extract: Vec<&str> = extract.into_iter().chain([T0, "-o", "rows"]).collect();
    site.program(&extract).code(0);
    site.program(&["map", "rows", "-o", "document"]).code(0);
    let before = (site.dhis2.stored(), files(site.folder.path()));
    let push = ["push", "document", "--format", "json"];
    let dry: Vec<&str> = push.into_iter().chain(["--dry-run"]).collect();
    let predicted = site.program(&dry).code(3).json();
    assert_eq!(site.posts(), 0);
    assert_eq!((site.dhis2.stored(), files(site.folder.path())), before);
    let done = site.program(&push).code(3).json();
    assert!(site.posts() > 0);
    assert_eq!(predicted["mappings"], done["mappings"]);
}
