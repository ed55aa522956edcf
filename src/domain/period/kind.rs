//! DHIS2's period types: their names, how their ISO strings look, and which part of the calendar one period covers.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A period type as DHIS2 names it (`dataSet.periodType`). `TwoYearly` exists in DHIS2 too, but has no ISO
/// string that a server would read, so no value can be sent for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum PeriodType {
    Daily,
    Weekly,
    WeeklyWednesday,
    WeeklyThursday,
    WeeklyFriday,
    WeeklySaturday,
    WeeklySunday,
    BiWeekly,
    Monthly,
    BiMonthly,
    Quarterly,
    QuarterlyNov,
    SixMonthly,
    SixMonthlyApril,
    SixMonthlyNov,
    Yearly,
    FinancialFeb,
    FinancialApril,
    FinancialJuly,
    FinancialAug,
    FinancialSep,
    FinancialOct,
    FinancialNov,
}

/// A name that is no period type of DHIS2, or one without ISO strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct UnknownPeriodType(String);

/// How the periods of a type follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// One day each.
    Days,
    /// Seven days each, beginning this many days after Monday. Number 1 of a year begins on 29 December … 4 January.
    Weeks { after_monday: i32 },
    /// ISO weeks 2n−1 and 2n. A 53rd week makes a 27th period, whose second week is also in the next year's first.
    BiWeeks,
    /// So many months each. Number 1 of a year begins so many months after its January; a negative shift makes a
    /// year that is named after the one in which it ends.
    Months { length: i32, shift: i32 },
}

/// All types, in the order of the enum.
const ALL: [PeriodType; 23] = [
    PeriodType::Daily,
    PeriodType::Weekly,
    PeriodType::WeeklyWednesday,
    PeriodType::WeeklyThursday,
    PeriodType::WeeklyFriday,
    PeriodType::WeeklySaturday,
    PeriodType::WeeklySunday,
    PeriodType::BiWeekly,
    PeriodType::Monthly,
    PeriodType::BiMonthly,
    PeriodType::Quarterly,
    PeriodType::QuarterlyNov,
    PeriodType::SixMonthly,
    PeriodType::SixMonthlyApril,
    PeriodType::SixMonthlyNov,
    PeriodType::Yearly,
    PeriodType::FinancialFeb,
    PeriodType::FinancialApril,
    PeriodType::FinancialJuly,
    PeriodType::FinancialAug,
    PeriodType::FinancialSep,
    PeriodType::FinancialOct,
    PeriodType::FinancialNov,
];

/// How the periods of a type are written, and which part of the calendar one covers.
struct PeriodForm {
    name: &'static str,
    marker: &'static str,
    rhythm: Rhythm,
}

impl PeriodType {
    /// Every type that can be used, in a fixed order.
    pub(crate) fn all() -> &'static [PeriodType] {
        &ALL
    }

    /// DHIS2's name: `Monthly`, `FinancialApril`.
    pub(crate) fn name(self) -> &'static str {
        self.form().name
    }

    /// The first DHIS2 that knows the type, as the minor version (42 for 2.42). 38 also stands for anything older.
    pub(crate) fn since(self) -> u8 {
        match self {
            PeriodType::FinancialSep => 42,
            PeriodType::WeeklyFriday | PeriodType::FinancialFeb | PeriodType::FinancialAug => 43,
            _ => 38,
        }
    }

    /// The letters of its ISO strings: `WedW` in `2023WedW1`.
    pub(super) fn marker(self) -> &'static str {
        self.form().marker
    }

    pub(super) fn rhythm(self) -> Rhythm {
        self.form().rhythm
    }

    /// Name, letters and rhythm (DHIS2: `DateUnitType`, and the `PeriodType` subclasses; in 2.43 `Period.of`).
    fn form(self) -> PeriodForm {
        let weeks = |after_monday| Rhythm::Weeks { after_monday };
        let months = |length, shift| Rhythm::Months { length, shift };
        let form = |name, marker, rhythm| PeriodForm {
            name,
            marker,
            rhythm,
        };
        match self {
            PeriodType::Daily => form("Daily", "", Rhythm::Days),
            PeriodType::Weekly => form("Weekly", "W", weeks(0)),
            PeriodType::WeeklyWednesday => form("WeeklyWednesday", "WedW", weeks(2)),
            PeriodType::WeeklyThursday => form("WeeklyThursday", "ThuW", weeks(3)),
            PeriodType::WeeklyFriday => form("WeeklyFriday", "FriW", weeks(4)),
            PeriodType::WeeklySaturday => form("WeeklySaturday", "SatW", weeks(5)),
            PeriodType::WeeklySunday => form("WeeklySunday", "SunW", weeks(6)),
            PeriodType::BiWeekly => form("BiWeekly", "BiW", Rhythm::BiWeeks),
            PeriodType::Monthly => form("Monthly", "", months(1, 0)),
            PeriodType::BiMonthly => form("BiMonthly", "B", months(2, 0)),
            PeriodType::Quarterly => form("Quarterly", "Q", months(3, 0)),
            PeriodType::QuarterlyNov => form("QuarterlyNov", "NovQ", months(3, -2)),
            PeriodType::SixMonthly => form("SixMonthly", "S", months(6, 0)),
            PeriodType::SixMonthlyApril => form("SixMonthlyApril", "AprilS", months(6, 3)),
            PeriodType::SixMonthlyNov => form("SixMonthlyNov", "NovS", months(6, -2)),
            PeriodType::Yearly => form("Yearly", "", months(12, 0)),
            PeriodType::FinancialFeb => form("FinancialFeb", "Feb", months(12, 1)),
            PeriodType::FinancialApril => form("FinancialApril", "April", months(12, 3)),
            PeriodType::FinancialJuly => form("FinancialJuly", "July", months(12, 6)),
            PeriodType::FinancialAug => form("FinancialAug", "Aug", months(12, 7)),
            PeriodType::FinancialSep => form("FinancialSep", "Sep", months(12, 8)),
            PeriodType::FinancialOct => form("FinancialOct", "Oct", months(12, 9)),
            // DHIS2's odd one: `2023Nov` ends in October 2023, where `2023Oct` begins then.
            PeriodType::FinancialNov => form("FinancialNov", "Nov", months(12, -2)),
        }
    }
}

impl FromStr for PeriodType {
    type Err = UnknownPeriodType;

    fn from_str(text: &str) -> Result<PeriodType, UnknownPeriodType> {
        let found = ALL.iter().find(|period_type| period_type.name() == text);
        found
            .copied()
            .ok_or_else(|| UnknownPeriodType(text.to_string()))
    }
}

impl fmt::Display for PeriodType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for UnknownPeriodType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_str() {
            "TwoYearly" => f.write_str("TwoYearly: DHIS2 reads no period of this type"),
            other => write!(f, "{other:?} is not a period type of DHIS2"),
        }
    }
}

impl std::error::Error for UnknownPeriodType {}

impl Serialize for PeriodType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for PeriodType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<PeriodType, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::PeriodType;

    #[test]
    fn every_name_reads_back_as_its_type() {
        for &period_type in PeriodType::all() {
            assert_eq!(period_type.to_string().parse(), Ok(period_type));
        }
        assert_eq!(
            PeriodType::all()
                .iter()
                .map(|each| each.name())
                .collect::<BTreeSet<_>>()
                .len(),
            PeriodType::all().len()
        );
    }

    #[test]
    fn a_type_without_iso_strings_or_in_other_letters_is_refused() {
        for name in ["TwoYearly", "monthly", "MONTHLY", "", "Monthly "] {
            assert!(name.parse::<PeriodType>().is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_type_is_written_by_name_in_files() {
        assert_eq!(
            serde_json::to_string(&PeriodType::SixMonthlyNov).unwrap(),
            "\"SixMonthlyNov\""
        );
        assert_eq!(
            serde_json::from_str::<PeriodType>("\"BiWeekly\"").unwrap(),
            PeriodType::BiWeekly
        );
    }
}
