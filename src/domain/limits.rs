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
    /// The same upward; more than the whole is allowed here.
    pub(crate) max_increase: Share,
    /// How many times the median of the periods before and the same period a year ago such a total may be; 0: any.
    pub(crate) max_spike: u32,
    /// Over the whole run; None: one, where live values rest on them.
    pub(crate) min_rows: Option<u64>,
    /// The greatest age of a document given to `push`, in seconds.
    pub(crate) max_age: u64,
}

/// No guard trips over fewer cells or rows than this.
pub(crate) const FEWEST: u64 = 10;

/// The most that `max-increase` can allow, in hundredths of a percent.
const MOST_GROWTH: u32 = 10_000_000;

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
            max_increase: Share(10_000),
            max_spike: 3,
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

    /// How much a total may grow: as a share is written, but up to a hundredfold and more.
    pub(crate) fn of_growth(text: &str) -> Result<Share, String> {
        let wrong = "must be a share such as \"100%\" or \"250%\", at most \"100000%\"";
        let growth = Share::read(text).filter(|share| share.0 <= MOST_GROWTH);
        growth.ok_or_else(|| wrong.to_owned())
    }

    /// Reads `2%`, `0.5%`, `250%`.
    fn read(text: &str) -> Option<Share> {
        let number = text.strip_suffix('%')?.trim_end();
        let (percent, decimals) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if percent.is_empty() || !digits(percent) || !digits(decimals) || decimals.len() > 2 {
            return None;
        }
        let percent: u32 = percent.parse().ok()?;
        let decimals: u32 = format!("{decimals:0<2}").parse().ok()?;
        percent.checked_mul(100)?.checked_add(decimals).map(Share)
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
        let wrong = "must be a share such as \"2%\" or \"0.5%\"; 100% never trips";
        let share = Share::read(text).filter(|share| share.0 <= Share::WHOLE);
        share.ok_or_else(|| wrong.to_owned())
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Share, String> {
        Share::of_growth(&text)
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
    fn growth_may_be_more_than_the_whole() {
        assert_eq!(Share::of_growth("250%").unwrap(), Share(25_000));
        assert_eq!(Share::of_growth("100000%").unwrap(), Share(10_000_000));
        for text in ["100000.01%", "250", "-1%", "4294967296%"] {
            assert!(Share::of_growth(text).is_err(), "{text}");
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
