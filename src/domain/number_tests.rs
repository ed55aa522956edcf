//! Numbers against PostgreSQL's spellings, and sums and order against integers.

use proptest::{prop_assert, prop_assert_eq, proptest};

use super::number::NumberError;
use super::{Number, Total, canonical};

fn number(text: &str) -> Number {
    Number::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Left: what PostgreSQL 16 prints for numeric, float8, float4 and integer values. Right: by hand.
const SPELLINGS: [(&str, &str); 20] = [
    ("5.0000", "5"),
    (".5", "0.5"),
    ("-.5", "-0.5"),
    ("-0", "0"),
    ("-0.00", "0"),
    ("0e+10", "0"),
    ("1.50", "1.5"),
    ("1500", "1500"),
    ("007", "7"),
    ("+7", "7"),
    ("5.", "5"),
    ("1.5e-7", "0.00000015"),
    ("-1.25e+02", "-125"),
    ("1e+20", "100000000000000000000"),
    ("1.2345e2", "123.45"),
    ("12e-1", "1.2"),
    ("1E5", "100000"),
    ("-9223372036854775808", "-9223372036854775808"),
    (
        "0.1000000000000000055511151231257827",
        "0.1000000000000000055511151231257827",
    ),
    (
        "-170141183460469231731687303715884105728",
        "-170141183460469231731687303715884105728",
    ),
];

#[test]
fn every_spelling_of_a_number_has_one_canonical_spelling() {
    for (text, expected) in SPELLINGS {
        assert_eq!(number(text).to_string(), expected, "{text}");
        assert_eq!(canonical(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_no_number_is_told_from_what_is_not_finite_or_too_large() {
    for text in ["NaN", "Infinity", "-Infinity", "nan", "inf"] {
        assert_eq!(Number::parse(text), Err(NumberError::NotFinite), "{text}");
    }
    for text in [
        "", " ", "-", ".", "e5", "1e", "1e+", "1e1.5", " 1", "1 ", "1,5", "1_0", "0x1f", "--1",
        "५", "1.2.3",
    ] {
        assert_eq!(
            Number::parse(text),
            Err(NumberError::NotANumber),
            "{text:?}"
        );
        assert_eq!(canonical(text), Err(NumberError::NotANumber), "{text:?}");
    }
    for text in [
        "1e+40",
        "1e39",
        "1e-39",
        "170141183460469231731687303715884105728",
        "1e99999999999999999999",
    ] {
        assert_eq!(Number::parse(text), Err(NumberError::TooLarge), "{text}");
    }
}

#[test]
fn a_number_too_long_to_add_still_has_its_canonical_spelling() {
    assert_eq!(canonical("1e+40"), Ok(format!("1{}", "0".repeat(40))));
    assert_eq!(canonical("1e-50"), Ok(format!("0.{}1", "0".repeat(49))));
    assert_eq!(canonical(&"9".repeat(249)), Ok("9".repeat(249)));
    for text in [
        "1e+50000",
        "-1e49999",
        "1e-50000",
        "1e999999999999",
        "-1e-999999999999",
    ] {
        assert_eq!(canonical(text), Err(NumberError::TooLarge), "{text}");
    }
}

#[test]
fn numbers_are_compared_by_value_also_where_the_scales_are_far_apart() {
    assert_eq!(number("1.50"), number("1.5"));
    assert_eq!(number("-0"), Number::ZERO);
    assert!(number("-0.0").is_zero() && !number("1e-38").is_zero());
    let ascending = [
        "-1e38", "-2", "-1e-38", "0", "1e-38", "0.9", "1", "1.5", "1e38",
    ];
    for (low, high) in ascending.iter().zip(ascending.iter().skip(1)) {
        assert!(
            number(low) < number(high) && number(high) > number(low),
            "{low} {high}"
        );
    }
}

#[test]
fn a_sum_is_exact_or_refused() {
    assert_eq!(
        number("0.1").checked_add(number("0.2")),
        Some(number("0.3"))
    );
    assert_eq!(
        number("1.5")
            .checked_add(number("-0.5"))
            .unwrap()
            .to_string(),
        "1"
    );
    assert_eq!(number("1e38").checked_add(number("1e38")), None);
    assert_eq!(number("1e38").checked_add(number("1e-38")), None);
}

/// Writes `mantissa / 10^scale` the long way.
fn scaled(mantissa: i64, scale: usize) -> String {
    let sign = if mantissa < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", mantissa.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}

proptest! {
    #[test]
    fn sums_and_order_agree_with_integers_of_the_same_scale(a: i64, b: i64, scale in 0..12_usize) {
        let (x, y) = (number(&scaled(a, scale)), number(&scaled(b, scale)));
        prop_assert_eq!(x.cmp(&y), a.cmp(&b));
        let sum = i128::from(a) + i128::from(b);
        let expected = number(&format!("{sum}e-{scale}"));
        prop_assert_eq!(x.checked_add(y), Some(expected));
        prop_assert_eq!(y.checked_add(x), Some(expected));
    }

    #[test]
    fn the_canonical_spelling_is_the_same_number(a: i64, scale in 0..30_usize) {
        let text = scaled(a, scale);
        let spelled = canonical(&text).unwrap();
        prop_assert_eq!(number(&text).to_string(), spelled.clone());
        prop_assert_eq!(number(&spelled), number(&text));
        prop_assert!(!spelled.contains('.') || !spelled.ends_with(['0', '.']), "{spelled}");
    }

    #[test]
    fn no_text_makes_it_panic(text in "[-+]?[0-9.]{0,45}(e[-+]?[0-9]{1,22})?|\\PC{0,12}") {
        if let Ok(number) = Number::parse(&text) {
            prop_assert_eq!(canonical(&text), Ok(number.to_string()));
        }
    }
}

#[test]
fn a_sum_in_the_making_fits_or_not_in_any_order() {
    let sum = |texts: &[&str]| {
        let mut total = Total::default();
        for text in texts {
            total.add(Number::parse(text).unwrap());
        }
        total.sum().map(|sum| sum.to_string())
    };
    assert_eq!(sum(&[]).as_deref(), Some("0"));
    assert_eq!(sum(&["0.1", "0.2", "-0.3"]).as_deref(), Some("0"));
    // The first two make a whole number, which alone would leave room for the third.
    let most = i128::MAX.to_string();
    for texts in [
        ["0.5", "0.5", &most],
        [&most, "0.5", "0.5"],
        ["0.5", &most, "0.5"],
    ] {
        assert_eq!(sum(&texts), None, "{texts:?}");
    }
    let least = format!("-{most}");
    for texts in [
        ["1", &most, &least],
        [&most, &least, "1"],
        [&least, "1", &most],
    ] {
        assert_eq!(sum(&texts), None, "{texts:?}");
    }
    assert_eq!(sum(&[&most]), Some(most.clone()));
}
