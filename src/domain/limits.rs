//! How much may change before a person must look: the limits of a mapping.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The limits of a mapping. All but `min_rows` and `max_age` are measured per period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct GuardLimits {
    /// The share of the rows that no rule excludes.
    pub(crate) max_unmapped: Share,
    /// The share of all rows.
    pub(crate) max_excluded: Share,
    /// The share of our live cells.
    pub(crate) max_withdrawn: Share,
    /// The share of our live cells of any single organisation unit or data element.
    pub(crate) max_withdrawn_of_one: Share,
    /// The share of our live cells of a period older than the current one.
    pub(crate) max_changed: Share,
    /// The share of the total over all units of a data element that is summed up.
    pub(crate) max_decrease: Share,
    /// Over the whole run; None: one, where live values rest on them.
    pub(crate) min_rows: Option<u64>,
    /// The greatest age of a document given to `push`, in seconds.
    pub(crate) max_age: u64,
}

/// No guard trips over fewer cells or rows than this.
pub(crate) const FEWEST: u64 = 10;

/// A data element's total is guarded from this on.
pub(crate) const LEAST_TOTAL: &str = "100";

impl Default for GuardLimits {
    fn default() -> GuardLimits {
        GuardLimits {
            max_unmapped: Share(200),
            max_excluded: Share(1_000),
            max_withdrawn: Share(500),
            max_withdrawn_of_one: Share(5_000),
            max_changed: Share(3_000),
            max_decrease: Share(1_000),
            min_rows: None,
            max_age: 6 * 3_600,
        }
    }
}

/// A share in hundredths of a percent; written `2%` or `0.5%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Share(u32);

impl Share {
    /// The whole in the unit of a share.
    pub(crate) const WHOLE: u32 = 10_000;

    pub(crate) fn in_hundredths_of_a_percent(self) -> u32 {
        self.0
    }

    /// Whether a part is more of the whole than this share.
    pub(crate) fn is_exceeded(self, part: u64, whole: u64) -> bool {
        u128::from(part) * u128::from(Share::WHOLE) > u128::from(whole) * u128::from(self.0)
    }

    /// The share that a part is of a whole, rounded; nothing of nothing is nothing.
    pub(crate) fn of(part: u64, whole: u64) -> Share {
        let rounded = (u128::from(part) * u128::from(Share::WHOLE) + u128::from(whole) / 2)
            .checked_div(u128::from(whole));
        Share(u32::try_from(rounded.unwrap_or_default()).unwrap_or(u32::MAX))
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Share, String> {
        let wrong = || "must be a share such as \"2%\" or \"0.5%\"; 100% never trips".to_owned();
        let number = text.strip_suffix('%').ok_or_else(wrong)?.trim_end();
        let (percent, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if percent.is_empty() || !digits(percent) || !digits(decimals) || decimals.len() > 2 {
            return Err(wrong());
        }
        let percent: u32 = percent.parse().map_err(|_| wrong())?;
        let decimals: u32 = format!("{decimals:0<2}").parse().map_err(|_| wrong())?;
        let share = percent
            .checked_mul(100)
            .and_then(|share| share.checked_add(decimals));
        share
            .filter(|share| *share <= Share::WHOLE)
            .map(Share)
            .ok_or_else(wrong)
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Share, String> {
        text.parse()
    }
}

impl From<Share> for String {
    fn from(share: Share) -> String {
        share.to_string()
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (percent, decimals) = (self.0 / 100, self.0 % 100);
        let text = format!("{percent}.{decimals:02}");
        write!(f, "{}%", text.trim_end_matches('0').trim_end_matches('.'))
    }
}

#[cfg(test)]
mod tests {
    use super::Share;

    #[test]
    fn a_share_is_written_with_a_percent_sign_and_at_most_two_decimals() {
        for (text, hundredths, shown) in [
            ("2%", 200, "2%"),
            ("0.5 %", 50, "0.5%"),
            ("0.05%", 5, "0.05%"),
            ("10.00%", 1_000, "10%"),
            ("100%", 10_000, "100%"),
            ("0%", 0, "0%"),
        ] {
            let share: Share = text.parse().unwrap();
            assert_eq!(share, Share(hundredths), "{text}");
            assert_eq!(share.to_string(), shown);
        }
        for text in [
            "2", "0.02", "", "%", "-1%", "1e1%", "100.01%", "0.001%", "two%",
        ] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_exceeded_only_by_more() {
        let two: Share = "2%".parse().unwrap();
        assert!(!two.is_exceeded(20, 1_000));
        assert!(two.is_exceeded(21, 1_000));
        let all: Share = "100%".parse().unwrap();
        assert!(!all.is_exceeded(u64::MAX, u64::MAX));
        assert_eq!(Share::of(1, 3).to_string(), "33.33%");
        assert_eq!(Share::of(0, 0).to_string(), "0%");
    }
}
