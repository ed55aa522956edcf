//! What people type into DHIS2 beside us: put back, kept or held as the mapping says, and never withdrawn.

use rig::dhis2::{Dialect, Row};

use crate::st_lucia::{BOTH, Key, StLucia, T0, count};

const MONTHLY: &str = "mappings/epi-monthly.toml";
const MARCH: [&str; 6] = ["run", "-m", "epi-monthly", "-p", "202503", "--as-of"];
const APART: &str = "  stored by somebody else, and overwritten as the mapping says:";

/// MMR 1 of men from 20 to 59: one dose in Durandeau in March 2025, alone in its cell (answer sheet, P36).
const MMR_1: &str = "W3CxvdmOJxT";
const MEN: &str = "ypT2qaZyULl";

/// The doses of March 2025 are in DHIS2, and nothing has been asked since.
fn loaded(dialect: Dialect) -> StLucia {
    let site = StLucia::at(dialect, T0);
    site.only(&["doses_administered"]);
    site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
    site.dhis2.forget_requests();
    site
}

fn catch_up_dose(site: &StLucia) -> Key {
    let unit = site.unit_of("DURANDEAU", "2025-03-01");
    let key = [MMR_1, "202503", &unit, MEN].map(str::to_owned);
    assert_eq!(site.values()[&key], "1");
    key
}

/// A call that names a cell.
fn of_cell(key: &Key, more: &str) -> String {
    let [element, period, unit, combo] = key;
    format!("dataValues?de={element}&pe={period}&ou={unit}&co={combo}{more}")
}

/// Somebody types a value with a comment, and marks it for follow-up.
fn type_in(site: &StLucia, key: &Key, value: &str) {
    let more = format!("&value={value}&comment=as%20counted%20on%20paper&followUp=true");
    site.by_hand("POST", &of_cell(key, &more));
    let row = site.row(key);
    assert_eq!(
        (&row["value"], &row["storedby"]),
        (&value.into(), &"admin".into())
    );
    site.dhis2.forget_requests();
}

#[track_caller]
fn keeps_comment_and_mark(site: &StLucia, key: &Key) {
    let row = site.row(key);
    assert_eq!(
        (&row["comment"], &row["followup"]),
        (&"as counted on paper".into(), &true.into()),
        "{row}"
    );
}

#[test]
fn what_somebody_typed_is_put_back_and_told_apart_from_our_own_changes() {
    for dialect in BOTH {
        let site = loaded(dialect);
        let key = catch_up_dose(&site);
        type_in(&site, &key, "4711");
        // A change of our own beside it: three adults' influenza doses disappear.
        site.take_out("P37");
        for more in [&["--dry-run"] as &[&str], &[]] {
            let args: Vec<&str> = MARCH.iter().chain(&[T0]).chain(more).copied().collect();
            let told = site.program(&args).code(3).stderr;
            let apart = match more.is_empty() {
                true => APART.to_owned(),
                false => APART.replace("and overwritten", "and to be overwritten"),
            };
            let mut after = told.lines().skip_while(|line| *line != apart).skip(1);
            let line = after.next().expect("a section of its own");
            assert!(line.starts_with("    4711 → 1  202503 | "), "{told}");
            assert!(line.contains(&key[2]) && line.contains(MMR_1), "{told}");
            assert!(!after.any(|line| line.contains(" → ")), "{told}");
            assert_eq!(told.matches("4711").count(), 1, "{told}");
        }
        let row = site.row(&key);
        assert_eq!(
            (&row["value"], &row["storedby"]),
            (&"1".into(), &"loader".into())
        );
        keeps_comment_and_mark(&site, &key);
    }
}

#[test]
fn a_comment_or_a_mark_alone_is_no_reason_to_send() {
    for dialect in BOTH {
        let site = loaded(dialect);
        let key = catch_up_dose(&site);
        site.by_hand("POST", &of_cell(&key, "&comment=looked%20at&followUp=true"));
        assert_eq!(site.row(&key)["storedby"], "admin");
        site.replace(MONTHLY, "foreign = \"overwrite\"", "foreign = \"hold\"");
        let before = site.dhis2.stored();
        site.dhis2.forget_requests();
        site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
        assert_eq!(site.posts(), 0, "{dialect:?}");
        assert_eq!(site.dhis2.stored(), before, "{dialect:?}");
    }
}

#[test]
fn a_value_that_somebody_deleted_comes_back_with_its_comment_and_mark() {
    for dialect in BOTH {
        let site = loaded(dialect);
        let key = catch_up_dose(&site);
        type_in(&site, &key, "4711");
        // Put as it is: what a server's own deletion leaves of the mark differs by version.
        let typed = site.row(&key);
        site.dhis2.put(Row {
            element: key[0].clone(),
            period: key[1].clone(),
            unit: key[2].clone(),
            combo: key[3].clone(),
            comment: typed["comment"].as_str().map(str::to_owned),
            follow_up: true,
            stored_by: "admin".to_owned(),
            deleted: true,
            ..Row::default()
        });
        assert!(!site.values().contains_key(&key));
        let run = site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
        assert_eq!(count(&run.json(), "/cells/created"), 1);
        assert_eq!(site.values()[&key], "1");
        keeps_comment_and_mark(&site, &key);

        // Deleted through the server's own call: what is left of the row comes back with the value.
        site.by_hand("DELETE", &of_cell(&key, ""));
        let left = site.row(&key);
        assert!(left["deleted"] == true && left["comment"].is_string());
        site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
        let back = site.row(&key);
        assert_eq!(back["value"], "1");
        assert_eq!(back["comment"], left["comment"]);
        assert_eq!(back["followup"] == true, left["followup"] == true);
    }
}

#[test]
fn what_somebody_typed_is_held_alone_and_all_else_is_sent() {
    for dialect in BOTH {
        let site = loaded(dialect);
        let key = catch_up_dose(&site);
        type_in(&site, &key, "4711");
        site.take_out("P37");
        site.replace(MONTHLY, "foreign = \"overwrite\"", "foreign = \"hold\"");
        let before = site.dhis2.stored();

        site.run(T0, &["202503", "2024"], &["--dry-run"]).code(4);
        assert_eq!(site.posts(), 0);

        let run = site.program(&["run", "-p", "202503", "-p", "2024", "--as-of", T0]);
        let run = run
            .code(4)
            .stderr_has("held, the other cells are sent: cells in which what somebody else stored or deleted differs from the source: 1;");
        let held = run.stderr.lines().filter(|line| line.contains(&key[2]));
        assert_eq!(held.count(), 1, "{}", run.stderr);
        let after = site.dhis2.stored();
        assert_eq!(site.values()[&key], "4711");
        // The dose that is gone was taken out of its cells all the same.
        let of_march = |row: &&serde_json::Value| row["pe"] == "Monthly 2025-03-01";
        let as_before = after
            .iter()
            .filter(of_march)
            .filter(|row| before.contains(row));
        assert!(as_before.count() < before.len());
        // Four denominators for each of 33 units.
        assert_eq!(after.len() - before.len(), 132);
    }
}

#[test]
fn what_somebody_else_stored_is_never_withdrawn() {
    for dialect in BOTH {
        let site = loaded(dialect);
        // Over a cell whose rows then vanish, and into one that never had any.
        let over = catch_up_dose(&site);
        let mut beside = over.clone();
        beside[3] = "RPpAv79JRa1".to_owned();
        assert!(!site.values().contains_key(&beside));
        type_in(&site, &over, "3");
        type_in(&site, &beside, "2");
        site.take_out("P36");
        let before = [&over, &beside].map(|key| site.row(key));
        for (old, new) in [
            ("foreign = \"overwrite\"", "foreign = \"overwrite\""),
            ("foreign = \"overwrite\"", "foreign = \"keep\""),
            ("foreign = \"keep\"", "foreign = \"hold\""),
            ("absent = \"zero\"", "absent = \"delete\""),
        ] {
            site.replace(MONTHLY, old, new);
            let run = site.run(T0, &["202503"], &["-m", "epi-monthly"]).code(3);
            let report = run.json();
            let left = report["mappings"][0]["left"].as_array().unwrap();
            let foreign = left.iter().find(|left| left["reason"] == "foreign");
            assert_eq!(foreign.expect("cells are left")["cells"], 2, "{new}");
        }
        // The dose is one of the childhood schedule too, and that count of ours went with it.
        assert_eq!(site.posts(), 1);
        assert_eq!([&over, &beside].map(|key| site.row(key)), before);
    }
}
