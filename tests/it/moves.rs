//! What was counted and is counted no more, or elsewhere: a deleted dose, persons that were merged, a municipality that
//! reports to another unit. After one run DHIS2 is as if it had been loaded afresh, and what a person entered is there.

use std::collections::BTreeMap;

use rig::dhis2::Dialect;

use crate::st_lucia::{BOTH, Key, StLucia, T0, difference};

const CHANGE: &str = "SET session_replication_role = replica; ";

fn run(site: &StLucia, periods: &[&str]) {
    site.run(T0, periods, &["-m", "epi-monthly"]).code(3);
}

/// Zeros stand where nothing is left to count; of a fresh load they are not there.
fn counted(site: &StLucia) -> BTreeMap<Key, String> {
    let mut values = site.values();
    values.retain(|_, value| value != "0");
    values
}

/// A cell that nothing is counted in, with what a person typed there.
fn typed_by_hand(site: &StLucia, unit: &str) -> Key {
    // MMR 2 of infants, which are too young for it.
    let key = ["W3CxvdmOJxT", "202503", unit, "nxdFkPYrtpF"].map(str::to_owned);
    assert!(
        !site.values().contains_key(&key),
        "the case needs another cell"
    );
    let [element, period, unit, combo] = &key;
    let call = format!("dataValues?de={element}&pe={period}&ou={unit}&co={combo}&value=4");
    site.by_hand("POST", &call);
    key
}

/// The changed registry, run over what was there before, and loaded afresh.
fn becomes_as_new(dialect: Dialect, periods: &[&str], change: &str, unit: &str) {
    let site = StLucia::at(dialect, T0);
    run(&site, periods);
    let by_hand = typed_by_hand(&site, unit);
    site.database.execute(&format!("{CHANGE}{change}"));
    run(&site, periods);

    let fresh = StLucia::at(dialect, T0);
    fresh.database.execute(&format!("{CHANGE}{change}"));
    run(&fresh, periods);

    let mut found = counted(&site);
    assert_eq!(found.remove(&by_hand).as_deref(), Some("4"), "{dialect:?}");
    let wanted = counted(&fresh);
    let different = difference(&found, &wanted);
    assert!(
        different.is_empty(),
        "{dialect:?}\n{}",
        different.join("\n")
    );

    // And it stays so.
    site.dhis2.forget_requests();
    run(&site, periods);
    assert_eq!(site.posts(), 0, "{dialect:?}");
}

#[test]
fn doses_that_were_deleted_are_counted_no_more() {
    for dialect in BOTH {
        let change = "UPDATE imm.immunization_event SET deleted_at = now()
            WHERE event_id IN (SELECT row_id FROM qa.planted_case
                               WHERE case_code IN ('P03', 'P36') AND table_name = 'imm.immunization_event')";
        becomes_as_new(dialect, &["202503"], change, "rXjYDMSHEYd");
    }
}

#[test]
fn persons_that_were_merged_are_counted_once() {
    for dialect in BOTH {
        // Three of the six who were registered twice.
        let change = "UPDATE registry.person AS twin SET merged_into_id = first.person_id
            FROM (SELECT ordinal, min(row_id) AS person_id, max(row_id) AS twin_id FROM qa.planted_case
                  WHERE case_code = 'P05' AND table_name = 'registry.person' AND ordinal <= 3 GROUP BY 1) AS first
            WHERE twin.person_id = first.twin_id";
        becomes_as_new(dialect, &["202503", "202506"], change, "rXjYDMSHEYd");
    }
}

#[test]
fn a_municipality_that_moves_leaves_nothing_at_its_old_unit() {
    for dialect in BOTH {
        let before = StLucia::at(dialect, T0);
        let (old, new) = (
            before.unit_of("BELLE VUE", "2025-03-01"),
            before.unit_of("BEXON", "2025-03-01"),
        );
        assert_ne!(old, new);
        let change = format!(
            "UPDATE interop.data_mapping_rules SET valid_to = '2025-02-28'
             WHERE version_no = 3 AND source_key = 'BELLE VUE' AND coalesce(valid_to, '2025-03-01') >= '2025-03-01';
             INSERT INTO interop.data_mapping_rules
             VALUES (999999, 3, 'municipality', 'BELLE VUE', 'map', '{new}', NULL, 100, '2025-03-01', NULL, 'moved')"
        );
        becomes_as_new(dialect, &["202502", "202503"], &change, &old);
    }
}
