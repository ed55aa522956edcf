//! A run of periods of one type, as the command line writes it: `202503` or `202401..202412`.

use std::fmt;
use std::str::FromStr;

use super::Period;
use super::kind::PeriodType;
use super::parse::PeriodError;

/// Periods of one type in unbroken sequence, both ends included; never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PeriodRange {
    first: Period,
    last: Period,
}

impl PeriodRange {
    pub(crate) fn new(first: Period, last: Period) -> Result<PeriodRange, PeriodError> {
        if first.period_type() != last.period_type() {
            Err(PeriodError::MixedTypes { first, last })
        } else if first > last {
            Err(PeriodError::Reversed { first, last })
        } else {
            Ok(PeriodRange { first, last })
        }
    }

    pub(crate) fn period_type(self) -> PeriodType {
        self.first.period_type()
    }

    /// The periods, in order of time.
    pub(crate) fn periods(self) -> impl Iterator<Item = Period> {
        (self.first.ordinal()..=self.last.ordinal())
            .filter_map(move |ordinal| Period::from_ordinal(self.period_type(), ordinal))
    }

    /// The periods of any type whose first day lies within this range: the months of `2024`, the years of
    /// `202401..202412`.
    pub(crate) fn beginning_inside(self, period_type: PeriodType) -> impl Iterator<Item = Period> {
        let (start, end) = (self.first.start(), self.last.end());
        // One before the first day's own, as a biweek can share that day with the one before it.
        let first = period_type.containing(start).previous().ordinal();
        let last = period_type.containing(end).ordinal();
        (first..=last)
            .filter_map(move |ordinal| Period::from_ordinal(period_type, ordinal))
            .filter(move |period| (start..=end).contains(&period.start()))
    }
}

impl FromStr for PeriodRange {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<PeriodRange, PeriodError> {
        match text.split_once("..") {
            Some((first, last)) => PeriodRange::new(first.parse()?, last.parse()?),
            None => text.parse().map(|period| PeriodRange {
                first: period,
                last: period,
            }),
        }
    }
}

impl fmt::Display for PeriodRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            self.first.fmt(f)
        } else {
            f.pad(&format!("{}..{}", self.first, self.last))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PeriodRange;
    use crate::domain::PeriodType;

    fn periods(text: &str) -> Vec<String> {
        text.parse::<PeriodRange>()
            .unwrap()
            .periods()
            .map(|period| period.to_string())
            .collect()
    }

    fn beginning_inside(text: &str, period_type: PeriodType) -> Vec<String> {
        let range: PeriodRange = text.parse().unwrap();
        range
            .beginning_inside(period_type)
            .map(|period| period.to_string())
            .collect()
    }

    #[test]
    fn a_range_has_both_its_ends_and_a_single_period_is_one() {
        assert_eq!(
            periods("202411..202502"),
            ["202411", "202412", "202501", "202502"]
        );
        assert_eq!(
            periods("2020W52..2021W2"),
            ["2020W52", "2020W53", "2021W1", "2021W2"]
        );
        assert_eq!(periods("2024"), ["2024"]);
        assert_eq!(periods("2024-02..202402"), ["202402"]);
    }

    #[test]
    fn a_range_is_refused_with_what_to_write() {
        let refused = |text: &str| text.parse::<PeriodRange>().unwrap_err().to_string();
        assert_eq!(
            refused("202412..202401"),
            "202412..202401 is not a range: it ends before it begins; write 202401..202412"
        );
        assert_eq!(
            refused("2024..202412"),
            "2024..202412 is not a range: 2024 is Yearly, 202412 is Monthly"
        );
        assert_eq!(
            refused("202401..202413"),
            "\"202413\" is not a period: Monthly periods of 2024 are numbered 1 to 12"
        );
        for text in [
            "..",
            "2024..",
            "..2024",
            "2024...2025",
            "2024..2025..2026",
            "",
            "2024 .. 2025",
        ] {
            assert!(text.parse::<PeriodRange>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_range_reads_back_as_it_is_shown() {
        for text in ["202401..202412", "2024", "2020BiW27..2021BiW1"] {
            assert_eq!(text.parse::<PeriodRange>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn the_periods_of_another_type_are_those_that_begin_inside() {
        assert_eq!(
            beginning_inside("2024", PeriodType::Quarterly),
            ["2024Q1", "2024Q2", "2024Q3", "2024Q4"]
        );
        assert_eq!(
            beginning_inside("202401..202412", PeriodType::Yearly),
            ["2024"]
        );
        assert_eq!(
            beginning_inside("202402..202412", PeriodType::Yearly),
            Vec::<String>::new()
        );
        // 2024W1 begins on 2024-01-01, 2024W5 on 2024-01-29 and ends in February.
        assert_eq!(
            beginning_inside("202401", PeriodType::Weekly),
            ["2024W1", "2024W2", "2024W3", "2024W4", "2024W5"]
        );
        // 2020BiW27 begins on 2020-12-28, 2021BiW1 on 2021-01-04; both hold that day.
        assert_eq!(
            beginning_inside("20201228..20210104", PeriodType::BiWeekly),
            ["2020BiW27", "2021BiW1"]
        );
    }
}
