//! Value types against DHIS2's own validator (golden/dhis2-numbers.tsv, executed classes) and, where that file is
//! silent, against the rules as DHIS2's sources state them.

use super::{ValueType, reads_as_zero};
use crate::domain::Engine;

const GOLDEN: &str = include_str!("../../../tests/golden/dhis2-numbers.tsv");

const BOTH: [Engine; 2] = [Engine::Old, Engine::New];

/// The golden columns, in order; then come zero, phone number and time.
const NUMERIC: [ValueType; 7] = [
    ValueType::Number,
    ValueType::Integer,
    ValueType::IntegerPositive,
    ValueType::IntegerNegative,
    ValueType::IntegerZeroOrPositive,
    ValueType::UnitInterval,
    ValueType::Percentage,
];

#[test]
fn every_golden_value_has_the_verdict_of_dhis2() {
    let (mut checked, mut dropped) = (0, 0);
    for line in GOLDEN.lines().skip(1) {
        let (name, verdicts) = line.split_once('\t').unwrap();
        let verdicts: Vec<bool> = verdicts
            .split('\t')
            .map(|verdict| verdict == "true")
            .collect();
        let value = match name {
            "249 digits" => "9".repeat(249),
            "250 digits" => "9".repeat(250),
            bracketed => bracketed[1..bracketed.len() - 1].to_string(),
        };
        // 2.43 drops `.0` from an integer before it asks the validator that the file tells of.
        let zeros = |(_, decimals): (&str, &str)| decimals.bytes().all(|byte| byte == b'0');
        let whole = value.split_once('.').is_some_and(zeros);
        let types = NUMERIC.into_iter().zip(&verdicts);
        let others = [
            (ValueType::PhoneNumber, &verdicts[8]),
            (ValueType::Time, &verdicts[9]),
        ];
        for (value_type, &expected) in types.chain(others) {
            for engine in BOTH {
                if engine == Engine::New && whole && value_type.to_string().starts_with("INTEGER") {
                    dropped += 1;
                } else {
                    let taken = value_type.check(&value, engine).is_ok();
                    assert_eq!(taken, expected, "{name} as {value_type}");
                    checked += 1;
                }
            }
        }
        assert_eq!(reads_as_zero(&value), verdicts[7], "{name} as zero");
    }
    // 37 lines, 9 types, 2 engines; 4 of the lines have only zeros after the point, and 4 types are integers.
    assert_eq!((checked, dropped), (37 * 9 * 2 - 16, 16));
}

fn check(value_type: ValueType, taken: &[&str], refused: &[&str]) {
    for engine in BOTH {
        for value in taken {
            assert_eq!(
                value_type.check(value, engine),
                Ok(()),
                "{value:?} as {value_type}"
            );
        }
        for value in refused {
            let verdict = value_type.check(value, engine);
            assert!(verdict.is_err(), "{value:?} was taken as {value_type}");
        }
    }
}

#[test]
fn a_letter_is_one_unicode_letter_of_the_basic_plane() {
    check(
        ValueType::Letter,
        &["a", "É", "ж", "字"],
        &["1", "ab", "-", "Ⅷ", "Ⓐ", "𝒜"],
    );
}

#[test]
fn a_date_is_a_day_of_the_calendar_with_any_tail_of_words() {
    let taken = ["2024-02-29", "2025-03-01T00:00:00", "2025-03-01 x"];
    let malformed = ["2025-3-1", "20250301", "2025-03", "01/03/2025"];
    check(ValueType::Date, &taken, &malformed);
    check(
        ValueType::Date,
        &[],
        &["2023-02-29", "2025-13-01", "2025-00-10", "2025-01-00"],
    );
    check(
        ValueType::Date,
        &[],
        &["2025-03-01 ", "2025-03-01-", "2025-03-01\nx"],
    );
    check(ValueType::Age, &["1999-12-31"], &["7", "1999-12-32"]);
}

#[test]
fn a_datetime_has_the_shapes_of_the_joda_list() {
    let clock = ["2025-03-01T10", "2025-03-01T10:30", "2025-03-01T10:30:59"];
    check(
        ValueType::DateTime,
        &clock,
        &["2025-03-01T24:00", "2025-03-01T10:60", "2025-03-01T"],
    );
    let decimals = ["2025-03-01T10:30:59.123", "2025-03-01T10:30:59.123456789Z"];
    check(
        ValueType::DateTime,
        &decimals,
        &["2025-03-01T10:30:59.1234567", "2025-03-01T10:30.5"],
    );
    let offset = [
        "2025-03-01T10:30-04:00",
        "2025-03-01T10+0530",
        "2025-03-01 10:30:59Z",
    ];
    check(
        ValueType::DateTime,
        &offset,
        &["2025-03-01 10:30:59", "2025-03-01T10:30:59 Z"],
    );
    check(
        ValueType::DateTime,
        &[],
        &["2025-02-30T10:00", "10:30", "2025-03T10:30"],
    );
}

#[test]
fn a_bare_date_is_a_datetime_and_a_month_or_year_was_one_before_2_42() {
    for value in ["2025-03-01", "2025-03", "2025"] {
        assert_eq!(ValueType::DateTime.check(value, Engine::Old), Ok(()));
        let new = ValueType::DateTime.check(value, Engine::New);
        assert_eq!(new.is_ok(), value == "2025-03-01", "{value}");
    }
}

#[test]
fn a_multi_text_is_several_codes_of_its_option_set_and_a_text_is_one() {
    let codes = ["A", "B", "true", "X,Y"].map(str::to_owned).into();
    for (value, multi, text) in [
        ("A", true, true),
        ("A,B", true, false),
        ("B,A,B", true, false),
        ("X,Y", true, true),
        ("A,C", false, false),
        ("A, B", false, false),
        ("A,", false, false),
        (",A", false, false),
        ("a", false, false),
    ] {
        for engine in [Engine::Old, Engine::New] {
            let is_option = |kind: ValueType| kind.is_option(value, &codes, engine);
            assert_eq!(is_option(ValueType::MultiText), multi, "{value}");
            assert_eq!(is_option(ValueType::Text), text, "{value}");
        }
    }
    // Only 2.43 reads the value first.
    assert!(ValueType::Boolean.is_option("yes", &codes, Engine::New));
    assert!(!ValueType::Boolean.is_option("t", &codes, Engine::Old));
}

#[test]
fn times_phone_numbers_and_user_names_match_their_patterns() {
    let odd = ["24:00", "9:5", "9.05", "12:60", "12:00:00", "012:00"];
    check(ValueType::Time, &["0:00", "09:05", "23:59"], &odd);
    let phones = [
        "+1 758 468-0000",
        "(758) 4680000",
        "468000/1",
        "4680000 ext 12",
    ];
    check(
        ValueType::PhoneNumber,
        &phones,
        &["12345", "4680000x!", &"4".repeat(51)],
    );
    let names = ["epi.unit", "a-b_c@d", "1234", &"a".repeat(255)];
    let wrong = [
        "abc",
        ".epi1",
        "epi1.",
        "epi..unit",
        "epi-.unit",
        "épi-unit",
        &"a".repeat(256),
    ];
    check(ValueType::Username, &names, &wrong);
}

#[test]
fn a_coordinate_is_a_longitude_and_a_latitude_in_brackets() {
    let taken = [
        "[-60.98,14.01]",
        "[ -60.98 , 14.01 ]",
        "[180,90]",
        "[1e1,2]",
    ];
    check(
        ValueType::Coordinate,
        &taken,
        &["-60.98,14.01", "[14.01]", "[1,2", "[,]", "[1,]"],
    );
    check(
        ValueType::Coordinate,
        &[],
        &["[181,0]", "[0,91]", "[a,b]", "[NaN,1]"],
    );
}

#[test]
fn of_addresses_only_the_certainly_wrong_are_refused() {
    let taken = ["https://dhis2.org/a?b=c", "http://localhost:8080"];
    check(
        ValueType::Url,
        &taken,
        &["dhis2.org", "file:///etc", "mailto:a@b.c", "http://"],
    );
    check(
        ValueType::Email,
        &["epi@health.example", "whatever"],
        &[" "],
    );
    check(
        ValueType::FileResource,
        &["HllvX50cXC0"],
        &["HllvX50cXC", "1llvX50cXC0"],
    );
    check(
        ValueType::Text,
        &["anything", "é", "💉"],
        &["", " ", "\t\n"],
    );
}

#[test]
fn an_integer_with_nothing_after_the_point_is_one_for_the_new_engine_only() {
    for value in ["5.0", "5.00"] {
        assert_eq!(
            ValueType::Integer.check(value, Engine::Old),
            Err("value_not_integer")
        );
        assert_eq!(ValueType::Integer.check(value, Engine::New), Ok(()));
        assert_eq!(ValueType::Integer.stored_form(value, Engine::New), "5");
        assert_eq!(ValueType::Number.stored_form(value, Engine::New), value);
    }
    for value in ["5.", "5.5", ".0", "-0.0", "05.0"] {
        assert!(
            ValueType::Integer.check(value, Engine::New).is_err(),
            "{value}"
        );
    }
}

#[test]
fn every_spelling_of_a_boolean_is_stored_as_true_or_false() {
    let stored = |value_type: ValueType, value: &str, engine| {
        value_type
            .check(value, engine)
            .map(|()| value_type.stored_form(value, engine).to_string())
    };
    for (value, expected) in [
        ("T", "true"),
        ("True", "true"),
        ("0", "false"),
        ("FALSE", "false"),
    ] {
        assert_eq!(
            stored(ValueType::Boolean, value, Engine::Old).as_deref(),
            Ok(expected)
        );
        assert_eq!(
            stored(ValueType::Boolean, value, Engine::New).as_deref(),
            Ok(expected)
        );
    }
    for value in ["YES", "y", "n", "No"] {
        assert_eq!(
            stored(ValueType::Boolean, value, Engine::Old),
            Err("value_not_bool")
        );
        assert!(stored(ValueType::Boolean, value, Engine::New).is_ok());
    }
    for engine in BOTH {
        assert_eq!(
            stored(ValueType::TrueOnly, "1", engine).as_deref(),
            Ok("true")
        );
        assert_eq!(
            stored(ValueType::TrueOnly, "0", engine),
            Err("value_not_true_only")
        );
    }
}

#[test]
fn the_longest_value_is_counted_as_java_counts() {
    let longest = "é".repeat(50_000);
    assert_eq!(ValueType::Text.check(&longest, Engine::Old), Ok(()));
    let too_long = Err("value_length_greater_than_max_length");
    assert_eq!(
        ValueType::Text.check(&format!("{longest}x"), Engine::Old),
        too_long
    );
    // Outside the basic plane a character is two.
    assert_eq!(
        ValueType::LongText.check(&"💉".repeat(25_001), Engine::New),
        too_long
    );
}

#[test]
fn a_value_type_of_a_later_dhis2_is_not_judged() {
    assert_eq!(ValueType::from("INTEGER_PRIME"), ValueType::Other);
    assert_eq!(ValueType::Other.check("8", Engine::New), Ok(()));
    let read: ValueType = serde_json::from_str("\"INTEGER_ZERO_OR_POSITIVE\"").unwrap();
    assert_eq!(read, ValueType::IntegerZeroOrPositive);
    assert_eq!(read.to_string(), "INTEGER_ZERO_OR_POSITIVE");
    assert!(read.is_numeric() && !ValueType::TrueOnly.is_numeric());
}
