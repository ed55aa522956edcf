//! Periods against DHIS2's own verdicts (golden/dhis2-periods.tsv, executed classes of 2.38 to 2.43) and against
//! the laws any calendar of periods must keep.

use jiff::ToSpan;
use jiff::civil::Date;
use proptest::prelude::{Strategy, prop};
use proptest::{prop_assert, prop_assert_eq, prop_assume, proptest};

use super::parse::PeriodError;
use super::{Period, PeriodType};

const GOLDEN: &str = include_str!("../../../tests/golden/dhis2-periods.tsv");

/// One line: the string, the verdicts of 2.38/39, 2.40/41, 2.42, 2.43, then what 2.43 makes of it.
struct Line {
    text: &'static str,
    verdicts: [&'static str; 4],
    period_type: &'static str,
    start: &'static str,
    end: &'static str,
    canonical: &'static str,
}

fn golden() -> impl Iterator<Item = Line> {
    GOLDEN.lines().skip(1).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [text, v38, v40, v42, v43, period_type, start, end, canonical] = cells[..] else {
            panic!("not nine columns: {line:?}");
        };
        Line {
            text,
            verdicts: [v38, v40, v42, v43],
            period_type,
            start,
            end,
            canonical,
        }
    })
}

/// DHIS2 takes these and silently means another period, so we refuse them.
fn is_misread(line: &Line) -> bool {
    line.verdicts[3] == "ok" && line.text.get(..4) != line.canonical.get(..4)
}

#[test]
fn every_string_has_the_verdict_the_dates_and_the_canonical_spelling_of_dhis2() {
    let (mut taken, mut refused) = (0, 0);
    for line in golden() {
        let parsed = line.text.parse::<Period>();
        if line.verdicts[3] == "ok" && !is_misread(&line) {
            let period = parsed.unwrap_or_else(|error| panic!("{}: {error}", line.text));
            let found = [
                period.period_type().to_string(),
                period.start().to_string(),
                period.end().to_string(),
                period.to_string(),
            ];
            let expected = [line.period_type, line.start, line.end, line.canonical];
            assert_eq!(found, expected, "{}", line.text);
            taken += 1;
        } else {
            assert!(parsed.is_err(), "{:?} was read as {parsed:?}", line.text);
            refused += 1;
        }
    }
    // The whole file: as many lines as `wc -l` counts, without the header.
    assert_eq!((taken, refused), (8_844, 1_170));
}

#[test]
fn what_dhis2_misreads_is_refused_with_a_reason() {
    let misread: Vec<&str> = golden().filter(is_misread).map(|line| line.text).collect();
    let expected = [
        "2010BiW27",
        "2016BiW27",
        "2021BiW27",
        "2027BiW27",
        "2033BiW27",
        "2038BiW27",
        "0000",
    ];
    assert_eq!(misread, expected);
    assert_eq!(
        "2021BiW27".parse::<Period>().unwrap_err().to_string(),
        "\"2021BiW27\" is not a period: BiWeekly periods of 2021 are numbered 1 to 26"
    );
    assert!(matches!(
        "0000".parse::<Period>(),
        Err(PeriodError::Year(_))
    ));
}

#[test]
fn the_first_server_that_takes_a_period_is_known() {
    for line in golden().filter(|line| line.verdicts[3] == "ok" && !is_misread(line)) {
        let first = line
            .verdicts
            .iter()
            .position(|&verdict| verdict == "same" || verdict == "ok");
        let expected = [38, 40, 42, 43][first.unwrap()];
        assert_eq!(
            line.text.parse::<Period>().unwrap().since(),
            expected,
            "{}",
            line.text
        );
    }
}

/// `DateUnitType`: every kind of week has the same pattern, `\\d[\\d]?`.
#[test]
fn any_week_may_have_a_leading_zero_and_nothing_else_may() {
    for (padded, canonical) in [("2023WedW01", "2023WedW1"), ("2023BiW09", "2023BiW9")] {
        assert_eq!(padded.parse::<Period>().unwrap().to_string(), canonical);
    }
    for text in [
        "2023W001",
        "2023Q01",
        "2023S01",
        "2023AprilS01",
        "20231B",
        "2023-1",
    ] {
        assert!(text.parse::<Period>().is_err(), "{text}");
    }
}

#[test]
fn the_refusal_says_what_is_wrong() {
    let refused = |text: &str| text.parse::<Period>().unwrap_err().to_string();
    assert_eq!(
        refused("202513"),
        "\"202513\" is not a period: Monthly periods of 2025 are numbered 1 to 12"
    );
    assert_eq!(
        refused("2021W53"),
        "\"2021W53\" is not a period: Weekly periods of 2021 are numbered 1 to 52"
    );
    assert_eq!(
        refused("20230229"),
        "\"20230229\" is not a period: there is no such day"
    );
    assert_eq!(
        refused("189912"),
        "\"189912\" is not a period: it must lie within 1900 to 9999"
    );
    assert_eq!(
        refused("9999April"),
        "\"9999April\" is not a period: it must lie within 1900 to 9999"
    );
    for text in [
        "",
        "March",
        "2025-3",
        "25-03",
        "2025q1",
        "2025Q+1",
        "+025",
        "२०२५",
        "2025W١",
    ] {
        assert!(
            matches!(text.parse::<Period>(), Err(PeriodError::Unreadable(_))),
            "{text:?}"
        );
    }
}

#[test]
fn a_period_is_eight_bytes_and_travels_as_its_canonical_string() {
    assert_eq!(size_of::<Period>(), 8);
    let period: Period = serde_json::from_str("\"2023-04\"").unwrap();
    assert_eq!(serde_json::to_string(&period).unwrap(), "\"202304\"");
    assert!(serde_json::from_str::<Period>("\"202300\"").is_err());
}

#[test]
fn the_years_begin_with_the_first_of_1900_and_stepping_stops_at_both_ends() {
    let first = |period_type: PeriodType| period_type.containing(Date::MIN).to_string();
    assert_eq!(first(PeriodType::Monthly), "190001");
    assert_eq!(first(PeriodType::Daily), "19000101");
    assert_eq!(first(PeriodType::BiWeekly), "1900BiW1");
    for &period_type in PeriodType::all() {
        let first = period_type.containing(Date::MIN);
        let last = period_type.containing(Date::MAX);
        assert_eq!(first.to_string().get(..4), Some("1900"), "{first:?}");
        assert_eq!((first.previous(), last.next()), (first, last));
        assert_eq!(first.plus(i32::MAX), last);
        assert_eq!(last.plus(i32::MIN), first);
        assert_eq!(first.to_string().parse(), Ok(first));
        assert_eq!(last.to_string().parse(), Ok(last));
        assert_eq!(Period::from_ordinal(period_type, first.ordinal() - 1), None);
        assert_eq!(Period::from_ordinal(period_type, last.ordinal() + 1), None);
    }
}

/// ISO 8601: 2020 has 53 weeks, and DHIS2's 27th biweek takes the first week of 2021 for its second.
#[test]
fn a_27th_biweek_shares_a_week_with_the_first_of_the_next_year() {
    let last: Period = "2020BiW27".parse().unwrap();
    let first: Period = "2021BiW1".parse().unwrap();
    assert_eq!((last.next(), first.previous()), (first, last));
    assert_eq!(last.end().to_string(), "2021-01-10");
    assert_eq!(first.start().to_string(), "2021-01-04");
    assert_eq!(PeriodType::BiWeekly.containing(first.start()), first);
    assert_eq!(
        PeriodType::BiWeekly.containing("2021-01-03".parse().unwrap()),
        last
    );
}

fn any_type() -> impl Strategy<Value = PeriodType> {
    prop::sample::select(PeriodType::all())
}

/// Any period at all, of any type.
fn any_period() -> impl Strategy<Value = Period> {
    any_type().prop_flat_map(|period_type| {
        let first = period_type.containing(Date::MIN).ordinal();
        let last = period_type.containing(Date::MAX).ordinal();
        (first..=last).prop_map(move |at| Period::from_ordinal(period_type, at).unwrap())
    })
}

fn any_day() -> impl Strategy<Value = Date> {
    (0..2_958_000_i32).prop_map(|days| Date::constant(1900, 1, 8) + days.days())
}

proptest! {
    #[test]
    fn a_period_reads_back_as_it_is_written(period in any_period()) {
        prop_assert_eq!(period.to_string().parse(), Ok(period));
        let again = Period::from_ordinal(period.period_type(), period.ordinal());
        prop_assert_eq!(again, Some(period));
    }

    #[test]
    fn next_undoes_previous(period in any_period()) {
        let neighbour = period.next();
        prop_assume!(neighbour != period);
        prop_assert_eq!(neighbour.previous(), period);
        prop_assert_eq!(neighbour.ordinal(), period.ordinal() + 1);
        prop_assert!(period < neighbour);
    }

    #[test]
    fn consecutive_periods_leave_no_gap_and_do_not_overlap(period in any_period()) {
        let neighbour = period.next();
        prop_assume!(neighbour != period);
        let shared = if period.to_string().ends_with("BiW27") { 7.days() } else { 0.days() };
        prop_assert_eq!(period.end() + 1.day() - shared, neighbour.start());
        prop_assert!(period.start() <= period.end());
    }

    #[test]
    fn the_period_of_a_day_contains_it(period_type in any_type(), day in any_day()) {
        let period = period_type.containing(day);
        let last = period_type.containing(Date::MAX);
        prop_assume!(period < last);
        prop_assert!(period.start() <= day && day <= period.end(), "{period:?} {day}");
    }

    #[test]
    fn a_step_of_n_is_n_steps(period in any_period(), n in -60..60_i32) {
        let stepped = (0..n.abs()).fold(period, |at, _| if n < 0 { at.previous() } else { at.next() });
        prop_assert_eq!(period.plus(n), stepped);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[0-9]{0,9}[-A-Za-z]{0,7}[0-9]{0,3}|\\PC{0,12}") {
        if let Ok(period) = text.parse::<Period>() {
            prop_assert_eq!(period.to_string().parse(), Ok(period));
        }
    }
}
