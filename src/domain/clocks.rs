//! Whether the clocks of this host, of the source and of DHIS2 agree, and what may be decided by them.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Period, PeriodType};

/// Clocks further apart than this may mean another day, whatever the period: nothing is sent.
const HALF_A_DAY: SignedDuration = SignedDuration::from_hours(12);

/// How far the clocks of others are ahead of this host's; none: they have not been asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clocks {
    pub(crate) source: Option<SignedDuration>,
    pub(crate) dhis2: Option<SignedDuration>,
}

/// A decision that is made by a clock: which period is the current one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockQuestion<'q> {
    /// This host's moment.
    pub(crate) now: Timestamp,
    /// How far apart clocks may be.
    pub(crate) max_skew: SignedDuration,
    pub(crate) time_zone: &'q TimeZone,
    pub(crate) period_type: PeriodType,
}

/// Two clocks, and how far the first is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Apart {
    ahead: &'static str,
    behind: &'static str,
    by: SignedDuration,
}

impl Clocks {
    /// Every clock that has answered, with how far it is ahead of this host's.
    fn known(self) -> impl Iterator<Item = (&'static str, SignedDuration)> {
        let others = [("the source", self.source), ("DHIS2", self.dhis2)];
        let others = others
            .into_iter()
            .filter_map(|(whose, ahead)| Some((whose, ahead?)));
        std::iter::once(("this host", SignedDuration::ZERO)).chain(others)
    }

    /// The two clocks that are furthest apart, if they are further than they may be.
    fn apart(self, max_skew: SignedDuration) -> Option<Apart> {
        let (ahead, most) = self.known().max_by_key(|(_, ahead)| *ahead)?;
        let (behind, least) = self.known().min_by_key(|(_, ahead)| *ahead)?;
        let by = most.saturating_sub(least);
        (by > max_skew).then_some(Apart { ahead, behind, by })
    }

    /// That clocks are further apart than they may be, in a sentence; none: they agree.
    pub(crate) fn disagreement(self, max_skew: SignedDuration) -> Option<String> {
        let Apart { ahead, behind, by } = self.apart(max_skew)?;
        Some(format!(
            "the clock of {ahead} is {} ahead of that of {behind}",
            spoken(by)
        ))
    }

    /// Why nothing may be sent that was chosen by this host's clock, in a sentence; none: the clocks agree well enough.
    pub(crate) fn forbid(self, question: ClockQuestion<'_>) -> Option<String> {
        let disagreement = self.disagreement(question.max_skew)?;
        let far = self.forbid_any_day();
        let periods = self.known().map(|(_, ahead)| question.current(ahead));
        let mut periods: Vec<Option<Period>> = periods.collect();
        periods.dedup();
        match (far, periods.as_slice()) {
            (Some(far), _) => Some(far),
            (None, [Some(_)]) => None,
            (None, _) => Some(format!(
                "{disagreement}, so that nobody knows which period is the current one"
            )),
        }
    }

    /// Why nothing may be sent whatever its periods, in a sentence; none: the clocks are less than half a day apart.
    fn forbid_any_day(self) -> Option<String> {
        let disagreement = self.disagreement(HALF_A_DAY)?;
        Some(format!(
            "{disagreement}, so that nobody knows which day it is"
        ))
    }

    /// The earliest moment that is now by any clock, where DHIS2 has answered and all agree; by it old records may be removed.
    pub(crate) fn confirmed(self, now: Timestamp, max_skew: SignedDuration) -> Option<Timestamp> {
        self.dhis2?;
        if self.apart(max_skew).is_some() {
            return None;
        }
        let (_, least) = self.known().min_by_key(|(_, ahead)| *ahead)?;
        now.checked_add(least).ok()
    }
}

impl ClockQuestion<'_> {
    /// The current period by a clock that is so far ahead.
    fn current(&self, ahead: SignedDuration) -> Option<Period> {
        let now = self.now.checked_add(ahead).ok()?;
        let day = self.time_zone.to_datetime(now).date();
        Some(self.period_type.containing(day))
    }
}

/// The time in the largest unit of which there are at least two.
fn spoken(time: SignedDuration) -> String {
    let units = [("days", 86_400), ("hours", 3_600), ("minutes", 60)];
    let counted = units
        .into_iter()
        .find(|(_, seconds)| time.as_secs() >= 2 * seconds);
    match counted {
        Some((unit, seconds)) => format!("{} {unit}", time.as_secs() / seconds),
        None => format!("{} seconds", time.as_secs()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use jiff::{SignedDuration, Timestamp};

    use super::{ClockQuestion, Clocks};
    use crate::domain::PeriodType;

    const TEN_MINUTES: SignedDuration = SignedDuration::from_mins(10);

    fn clocks(source: i64, dhis2: i64) -> Clocks {
        Clocks {
            source: Some(SignedDuration::from_mins(source)),
            dhis2: Some(SignedDuration::from_mins(dhis2)),
        }
    }

    fn forbidden(now: &str, period_type: PeriodType, clocks: Clocks) -> Option<String> {
        clocks.forbid(ClockQuestion {
            now: now.parse().unwrap(),
            max_skew: TEN_MINUTES,
            time_zone: &TimeZone::get("America/St_Lucia").unwrap(),
            period_type,
        })
    }

    #[test]
    fn clocks_that_are_a_little_apart_forbid_only_where_another_period_would_be_the_current_one() {
        let (middle, end) = ("2026-11-15T12:00:00Z", "2026-12-01T03:50:00Z");
        for (clocks, at_end) in [
            (clocks(0, 0), false),
            (clocks(10, 9), false),
            (clocks(0, 20), true),
            (clocks(20, 20), true),
            (clocks(-10, 10), true),
            (clocks(-20, 0), false),
        ] {
            assert_eq!(forbidden(middle, PeriodType::Monthly, clocks), None);
            let forbidden = forbidden(end, PeriodType::Monthly, clocks);
            assert_eq!(forbidden.is_some(), at_end, "{clocks:?}");
        }
        assert!(forbidden(middle, PeriodType::Daily, clocks(0, 17 * 60)).is_some());
        assert_eq!(
            forbidden(middle, PeriodType::Yearly, clocks(0, -11 * 60)),
            None
        );
    }

    #[test]
    fn clocks_that_are_half_a_day_apart_forbid_whatever_the_period() {
        for minutes in [13 * 60, -13 * 60, 6 * 365 * 24 * 60] {
            let told = forbidden(
                "2026-06-15T12:00:00Z",
                PeriodType::Yearly,
                clocks(0, minutes),
            );
            assert!(told.unwrap().contains("which day it is"));
        }
        let told = clocks(0, 6 * 365 * 24 * 60).disagreement(TEN_MINUTES);
        assert_eq!(
            told.unwrap(),
            "the clock of DHIS2 is 2190 days ahead of that of this host"
        );
    }

    #[test]
    fn a_moment_is_confirmed_by_clocks_that_agree_and_it_is_the_earliest_of_them() {
        let now: Timestamp = "2026-11-15T12:00:00Z".parse().unwrap();
        let confirmed = |clocks: Clocks| clocks.confirmed(now, TEN_MINUTES);
        assert_eq!(
            confirmed(clocks(3, -5)),
            Some("2026-11-15T11:55:00Z".parse().unwrap())
        );
        assert_eq!(confirmed(clocks(11, 0)), None);
        assert_eq!(confirmed(clocks(0, -11)), None);
        assert_eq!(confirmed(clocks(-6, 6)), None);
        assert_eq!(confirmed(Clocks::default()), None);
        let no_dhis2 = Clocks {
            source: Some(SignedDuration::ZERO),
            dhis2: None,
        };
        assert_eq!(confirmed(no_dhis2), None);
    }
}
