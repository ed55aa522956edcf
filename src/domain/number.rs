//! Exact decimal numbers: PostgreSQL's text in, sums and comparisons without rounding, one canonical spelling out.

use std::cmp::Ordering;
use std::fmt;

/// A decimal number held exactly as `mantissa / 10^scale`, scale at most 38; equal and ordered by value. What does
/// not fit is refused, never rounded.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
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

/// So many digits always fit.
const SHORT: usize = 18;

impl Number {
    pub(crate) const ZERO: Number = Number {
        mantissa: 0,
        scale: 0,
    };

    /// Reads what PostgreSQL writes for any numeric type: `5.0000`, `.5`, `-0`, `1e+40`, `1.5e-7`.
    pub(crate) fn parse(text: &str) -> Result<Number, NumberError> {
        // Nearly all of them are counts of a few digits, and a run reads millions.
        if text.len() <= SHORT
            && text.bytes().all(|byte| byte.is_ascii_digit())
            && let Ok(mantissa) = text.parse()
        {
            return Ok(Number { mantissa, scale: 0 });
        }
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

    /// The exact product; `None` where it does not fit.
    pub(crate) fn checked_times(self, factor: u32) -> Option<Number> {
        let mantissa = self.mantissa.checked_mul(i128::from(factor))?;
        Some(Number { mantissa, ..self }.reduced())
    }

    pub(crate) fn negative(self) -> Number {
        Number {
            mantissa: self.mantissa.saturating_neg(),
            scale: self.scale,
        }
    }

    /// How far apart two numbers are; the larger of the two sizes where that does not fit.
    pub(crate) fn distance(self, other: Number) -> Number {
        let size = |number: Number| number.max(number.negative());
        match self.checked_add(other.negative()) {
            Some(difference) => size(difference),
            None => size(self).max(size(other)),
        }
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

/// A sum in the making. It fits or does not whatever the order in which numbers come in: what is held against the
/// bounds is the sum of their sizes, with every decimal that one of them had.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Total {
    sum: Number,
    size: i128,
    scale: u32,
    overflowed: bool,
}

impl Total {
    pub(crate) fn of(number: Number) -> Total {
        let mut total = Total::default();
        total.add(number);
        total
    }

    pub(crate) fn add(&mut self, number: Number) {
        let scale = self.scale.max(number.scale);
        let grown = Number {
            mantissa: self.size,
            scale: self.scale,
        };
        let size = grown
            .at_scale(scale)
            .zip(number.at_scale(scale))
            .and_then(|(size, more)| size.checked_add(more.checked_abs()?));
        match (size, self.sum.checked_add(number)) {
            (Some(size), Some(sum)) if !self.overflowed => {
                (self.sum, self.size, self.scale) = (sum, size, scale);
            }
            _ => self.overflowed = true,
        }
    }

    /// The exact sum; `None` where the numbers do not fit.
    pub(crate) fn sum(self) -> Option<Number> {
        (!self.overflowed).then_some(self.sum)
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
