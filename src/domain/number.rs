//! Exact decimal numbers: PostgreSQL's text in, sums and comparisons without rounding, one canonical spelling out.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number held exactly as `mantissa / 10^scale`, scale at most 38; equal and ordered by value. What does
/// not fit is refused, never rounded.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Number {
    /// No multiple of ten unless the scale is 0, so that equal numbers have equal fields.
    mantissa: i128,
    scale: u32,
}

/// Text that is no number we can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// `NaN`, `Infinity` or `-Infinity`, as PostgreSQL's float and numeric types spell them.
    NotFinite,
    NotANumber,
    /// More digits than can be added exactly (about 38); of [`canonical`], more than DHIS2 can store.
    TooLarge,
}

/// DHIS2 stores no longer value (`ValidationUtils.VALUE_MAX_LENGTH`).
const LONGEST: usize = 50_000;

const MAX_SCALE: u32 = 38;

impl Number {
    pub(crate) const ZERO: Number = Number {
        mantissa: 0,
        scale: 0,
    };

    /// Reads what PostgreSQL writes for any numeric type: `5.0000`, `.5`, `-0`, `1e+40`, `1.5e-7`.
    pub(crate) fn parse(text: &str) -> Result<Number, NumberError> {
        let Decimal {
            negative,
            digits,
            exponent,
        } = Decimal::parse(text)?;
        if digits.is_empty() {
            return Ok(Number::ZERO);
        }
        let sign = if negative { "-" } else { "" };
        let whole: i128 = format!("{sign}{digits}")
            .parse()
            .map_err(|_| NumberError::TooLarge)?;
        let places = u32::try_from(exponent.unsigned_abs()).map_err(|_| NumberError::TooLarge)?;
        if exponent < 0 {
            let scale = Some(places).filter(|&places| places <= MAX_SCALE);
            scale.map(|scale| Number {
                mantissa: whole,
                scale,
            })
        } else {
            let power = 10_i128.checked_pow(places);
            power
                .and_then(|power| whole.checked_mul(power))
                .map(|mantissa| Number { mantissa, scale: 0 })
        }
        .ok_or(NumberError::TooLarge)
    }

    /// The exact sum; `None` where it does not fit.
    pub(crate) fn checked_add(self, other: Number) -> Option<Number> {
        let scale = self.scale.max(other.scale);
        let sum = self.at_scale(scale)?.checked_add(other.at_scale(scale)?)?;
        Some(
            Number {
                mantissa: sum,
                scale,
            }
            .reduced(),
        )
    }

    pub(crate) fn is_zero(self) -> bool {
        self.mantissa == 0
    }

    /// The mantissa at a scale not below our own.
    fn at_scale(self, scale: u32) -> Option<i128> {
        let power = 10_i128.checked_pow(scale.checked_sub(self.scale)?)?;
        self.mantissa.checked_mul(power)
    }

    fn reduced(mut self) -> Number {
        while self.scale > 0 && self.mantissa % 10 == 0 {
            self.mantissa /= 10;
            self.scale -= 1;
        }
        self
    }
}

/// The canonical spelling of a number of any length: `5.0000` → `5`, `.5` → `0.5`, `-0` → `0`, exponents expanded.
/// Two texts are the same number exactly when their canonical spellings are the same.
pub(crate) fn canonical(text: &str) -> Result<String, NumberError> {
    let decimal = Decimal::parse(text)?;
    let zeros =
        usize::try_from(decimal.exponent.unsigned_abs()).map_err(|_| NumberError::TooLarge)?;
    if zeros.max(decimal.digits.len()) > LONGEST {
        return Err(NumberError::TooLarge);
    }
    let spelled = decimal.to_string();
    if spelled.len() > LONGEST {
        Err(NumberError::TooLarge)
    } else {
        Ok(spelled)
    }
}

/// A number taken apart: digits without zeros at either end (none at all for zero), times a power of ten.
struct Decimal {
    negative: bool,
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Result<Decimal, NumberError> {
        let (negative, unsigned) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        if ["NaN", "Infinity", "inf"]
            .iter()
            .any(|name| unsigned.eq_ignore_ascii_case(name))
        {
            return Err(NumberError::NotFinite);
        }
        let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberError::NotANumber);
        }
        let without_end = all.trim_end_matches('0');
        let digits = without_end.trim_start_matches('0').to_string();
        if digits.is_empty() {
            return Ok(Decimal {
                negative: false,
                digits,
                exponent: 0,
            });
        }
        let moved = |count: usize| i64::try_from(count).map_err(|_| NumberError::TooLarge);
        let exponent = exponent + moved(all.len() - without_end.len())? - moved(fraction.len())?;
        Ok(Decimal {
            negative,
            digits,
            exponent,
        })
    }
}

/// An exponent that no number can have keeps its sign, and is too large or too small for every later step.
fn exponent_of(text: &str) -> Result<i64, NumberError> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::NotANumber);
    }
    let size = unsigned.parse::<i32>().map_or(i64::MAX / 4, i64::from);
    Ok(if text.starts_with('-') { -size } else { size })
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.negative { "-" } else { "" };
        let digits = self.digits.as_str();
        let places = usize::try_from(self.exponent.unsigned_abs()).map_err(|_| fmt::Error)?;
        if digits.is_empty() {
            f.write_str("0")
        } else if self.exponent >= 0 {
            write!(f, "{sign}{digits}{:0<places$}", "")
        } else {
            match digits
                .len()
                .checked_sub(places)
                .and_then(|whole| digits.split_at_checked(whole))
            {
                Some((whole, fraction)) if !whole.is_empty() => {
                    write!(f, "{sign}{whole}.{fraction}")
                }
                _ => write!(f, "{sign}0.{digits:0>places$}"),
            }
        }
    }
}

/// Canonical: no exponent, no needless zeros, no negative zero.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.is_zero() {
            String::new()
        } else {
            self.mantissa.unsigned_abs().to_string()
        };
        let decimal = Decimal {
            negative: self.mantissa < 0,
            digits,
            exponent: -i64::from(self.scale),
        };
        f.pad(&decimal.to_string())
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        let scale = self.scale.max(other.scale);
        match (self.at_scale(scale), other.at_scale(scale)) {
            (Some(ours), Some(theirs)) => ours.cmp(&theirs),
            // Only the one with fewer decimals can outgrow the range, and then it is farther from zero.
            (None, _) => self.mantissa.cmp(&0),
            (_, None) => 0.cmp(&other.mantissa),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for NumberError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NumberError::NotFinite => "not a finite number",
            NumberError::NotANumber => "not a number",
            NumberError::TooLarge => "a number with too many digits",
        })
    }
}

impl std::error::Error for NumberError {}

#[cfg(test)]
mod tests {
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::{Number, NumberError, canonical};

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
}
