//! Mapping rules: which one counts on the first day of a period, and which cannot be followed.

use super::mapped_as;

/// The unit of a row of each of the months 202501 to 202503 under these rules for it (`uid valid_from valid_to
/// priority exclude`); `x` where it is excluded, `?` where there is none; or what the rules are refused for.
fn units(rules: &[&str]) -> Result<String, String> {
    let rules: Vec<String> = rules
        .iter()
        .map(|rule| format!("Bexon {rule} r7"))
        .collect();
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    let rows = ["202501", "202502", "202503"].map(|period| format!("{period} sum <1 f Bexon 1"));
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    let desired = mapped_as("numeric", &rules, &rows).map_err(|fault| fault.to_string())?;
    let of = |period: &crate::domain::Period| {
        let counts = desired.rows.periods[period];
        let mut cells = desired
            .cells
            .iter()
            .filter_map(|cell| desired.space.cell(cell.key));
        match cells.find(|cell| cell.period == *period) {
            Some(cell) => cell.org_unit.to_string().split_off(10),
            None if counts.excluded == 1 => "x".to_owned(),
            None => "?".to_owned(),
        }
    };
    Ok(desired.periods.iter().map(of).collect())
}

#[track_caller]
fn give(rules: &[&str], expected: &str) {
    assert_eq!(units(rules).as_deref(), Ok(expected), "{rules:?}");
    let turned: Vec<&str> = rules.iter().rev().copied().collect();
    assert_eq!(units(&turned).as_deref(), Ok(expected), "{turned:?}");
}

#[track_caller]
fn refused(rules: &[&str], words: &str) {
    let turned: Vec<&str> = rules.iter().rev().copied().collect();
    let fault = units(rules).expect_err("refused");
    assert!(fault.contains(words), "{fault}");
    assert!(fault.starts_with("rules.sql: "), "{fault}");
    assert_eq!(Err(fault), units(&turned));
}

const A: &str = "UnitAaaaaaA";
const B: &str = "UnitAaaaaaB";

fn rule(uid: &str, rest: &str) -> String {
    format!("{uid} {rest}")
}

#[test]
fn a_rule_counts_where_the_first_day_of_the_period_lies_within_it() {
    let a = |rest: &str| rule(A, rest);
    give(&[&a("- - - -")], "AAA");
    give(&[&a("2025-01-01 2025-02-01 - -")], "AA?");
    give(&[&a("2025-01-02 2025-03-31 - -")], "?AA");
    give(&[&a("2025-02-01 - - -")], "?AA");
    give(&[&a("- 2025-01-01 - -")], "A??");
    give(&[&a("- 2024-12-31 - -")], "???");
    give(&[&a("2025-03-02 - - -")], "???");
    // Moved within a month: the month belongs to where its first day was.
    give(
        &[&a("- 2025-02-14 - -"), &rule(B, "2025-02-15 - - -")],
        "AAB",
    );
    give(&[], "???");
}

#[test]
fn infinity_is_a_day_after_or_before_every_other() {
    let a = |rest: &str| rule(A, rest);
    give(&[&a("-infinity infinity - -")], "AAA");
    give(&[&a("infinity - - -")], "???");
    give(&[&a("- -infinity - -")], "???");
    give(&[&a("9999-12-31 - - -")], "???");
}

#[test]
fn the_lowest_priority_number_wins_and_100_is_what_is_meant_without_one() {
    let (a, b) = (|rest: &str| rule(A, rest), |rest: &str| rule(B, rest));
    give(&[&a("- - 100 -"), &b("- - 200 -")], "AAA");
    give(&[&a("- - 101 -"), &b("- - - -")], "BBB");
    give(&[&a("- - 99 -"), &b("- - - -")], "AAA");
    give(&[&a("- - -1 -"), &b("- - 1 -")], "AAA");
    give(&[&a("- - - -"), &b("2025-02-01 2025-02-28 1 -")], "ABA");
}

#[test]
fn a_rule_may_leave_rows_out_and_needs_no_unit_for_it() {
    give(&["- - - - true"], "xxx");
    give(&["nonsense - - - true"], "xxx");
    give(&[&rule(A, "- - - true")], "xxx");
    give(&[&rule(A, "- - - false")], "AAA");
    give(&["- 2025-02-01 - 1 true", &rule(A, "- - - -")], "Axx");
}

#[test]
fn equal_priority_with_different_answers_is_refused_where_it_counts() {
    let (a, b) = (|rest: &str| rule(A, rest), |rest: &str| rule(B, rest));
    let words = "two rules of equal priority";
    refused(&[&a("- - - -"), &b("- - - -")], words);
    refused(&[&a("- - 100 -"), &b("- - - -")], words);
    refused(&[&a("- - - -"), &a("- - - true")], words);
    refused(
        &[&a("- 2025-02-01 - -"), &b("2025-02-01 - - -")],
        "on the first day of 202502",
    );
    // Twice the same, one after the other, before the run, behind a better one: clear.
    give(&[&a("- - - -"), &a("- - - -")], "AAA");
    give(&[&a("- 2025-01-31 - -"), &b("2025-02-01 - - -")], "ABB");
    give(&[&a("- - - -"), &b("- 2024-12-31 - -")], "AAA");
    give(&[&a("- - 1 -"), &a("- - 2 -"), &b("- - 2 -")], "AAA");
}

#[test]
fn a_uid_that_is_none_is_refused_in_the_periods_of_the_run_only() {
    for uid in ["-", "short", "UnitAaaaaaA~", "1234567890a"] {
        refused(
            &[&rule(uid, "- - - -")],
            "a rule has no UID, or one that is not 11 letters and digits",
        );
        refused(
            &[&rule(uid, "2025-03-01 - - -")],
            "on the first day of 202503 (rule r7)",
        );
        give(
            &[&rule(uid, "- 2024-12-31 - -"), &rule(A, "2025-01-01 - - -")],
            "AAA",
        );
    }
}

#[test]
fn a_rule_that_ends_before_it_begins_is_refused() {
    let words = "`valid_to` before `valid_from`";
    refused(&[&rule(A, "2025-03-15 2025-01-15 - -")], words);
    refused(&[&rule(A, "2025-02-01 2025-01-31 - -")], "202502");
    refused(&[&rule(A, "2025-03-15 2025-01-15 - true")], words);
    // One that lies before the run decides nothing in it.
    give(
        &[&rule(A, "2019-12-31 2019-01-01 - -"), &rule(B, "- - - -")],
        "BBB",
    );
}

#[test]
fn a_rule_without_a_key_is_nobodys() {
    let rows = ["202501 sum <1 f - 1", "202501 sum <1 f Bexon 1"];
    let rules = [
        "- UnitAaaaaaA - - - - -",
        "- nonsense - - - - -",
        "Bexon UnitAaaaaaB - - - - -",
    ];
    let desired = mapped_as("numeric", &rules, &rows).unwrap();
    let counts = desired.rows.total();
    assert_eq!((counts.unmapped, counts.mapped), (1, 1));
}
