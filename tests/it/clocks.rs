//! Nothing is decided by a clock that others contradict: which period is the current one, and which runs are old.

use jiff::{SignedDuration, Timestamp};
use rig::dhis2::Dialect;

use crate::history::runs;
use crate::history_chain::age_to;
use crate::program::Finished;
use crate::small_site::SmallSite;

/// A site whose DHIS2 has a clock that is so far ahead of this host's.
fn site(ahead: SignedDuration) -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.dhis2.set_now(&(Timestamp::now() + ahead).to_string());
    site
}

/// Runs as a crontab does: by this host's clock.
fn run(site: &SmallSite) -> Finished {
    site.program(&["run"])
}

#[track_caller]
fn says_nothing_of_clocks(finished: &Finished) {
    assert!(!finished.stderr.contains("clock"), "{}", finished.stderr);
}

fn posts(site: &SmallSite) -> usize {
    let requests = site.dhis2.requests().into_iter();
    requests.filter(|request| request.method == "POST").count()
}

#[test]
fn a_host_whose_clock_is_years_off_sends_nothing_and_is_not_fresh() {
    for days in [-6 * 365, 6 * 365, 1] {
        let site = site(SignedDuration::from_hours(24 * days));
        run(&site)
            .code(4)
            .stderr_has("the clock of ")
            .stderr_has("nobody knows which day it is");
        site.program(&["run", "-n"])
            .code(4)
            .stderr_has("nobody knows which day it is");
        assert_eq!(posts(&site), 0);
        let status = site.program(&["status"]).code(5);
        assert!(
            status.stdout.contains("no success yet"),
            "{}",
            status.stdout
        );
        assert_eq!(runs(&site, &[])[0]["finished"]["exit"], 4);
        let ahead = runs(&site, &[])[0]["finished"]["dhis2-clock-ahead"].clone();
        let ahead = ahead.as_i64().unwrap();
        assert!((ahead - days * 86_400).abs() < 300, "{ahead}");
        // The clocks are set.
        site.dhis2.set_now(&Timestamp::now().to_string());
        says_nothing_of_clocks(&run(&site).code(0));
        site.program(&["status"]).code(0);
    }
}

#[test]
fn a_clock_that_is_a_little_off_is_told_and_holds_only_what_it_decides() {
    // Not at the edge of a month, whatever day it is.
    let direction = if Timestamp::now().strftime("%d").to_string().as_str() < "15" {
        1
    } else {
        -1
    };
    let off = SignedDuration::from_mins(20 * direction);
    let site = site(off);
    run(&site)
        .code(0)
        .stderr_has("20 minutes ahead")
        .stderr_has("max-clock-skew");
    site.program(&["status"]).code(0);
    site.replace(
        "pg2dhis2.toml",
        "token-file",
        "max-clock-skew = \"1h\"\ntoken-file",
    );
    says_nothing_of_clocks(&run(&site).code(0));
}

#[test]
fn where_another_period_would_be_the_current_one_nothing_is_sent() {
    // In this zone it is an hour or less to midnight; by DHIS2's clock it is past it.
    let hour: i32 = Timestamp::now().strftime("%H").to_string().parse().unwrap();
    let site = site(SignedDuration::from_mins(61));
    let zone = match 23 - hour {
        0 => "Etc/GMT".to_owned(),
        // The names have the sign the other way round.
        east @ 1..=14 => format!("Etc/GMT-{east}"),
        east => format!("Etc/GMT+{}", 24 - east),
    };
    site.replace("pg2dhis2.toml", "Etc/UTC", &zone);
    site.replace("mappings/small.toml", "Monthly", "Daily");
    run(&site)
        .code(4)
        .stderr_has("nobody knows which period is the current one");
    assert_eq!(posts(&site), 0);
}

#[test]
fn no_clock_empties_the_history() {
    let site = site(SignedDuration::ZERO);
    for _ in 0..4 {
        site.run().code(0);
    }
    // Four months of runs, ten years ago.
    for (runs, moment) in [
        (4, "2016-08-17T12:00:00Z"),
        (3, "2016-07-17T12:00:00Z"),
        (2, "2016-06-17T12:00:00Z"),
        (1, "2016-05-17T12:00:00Z"),
    ] {
        age_to(&site, runs, moment);
    }
    let kept = |expected: usize| {
        assert_eq!(runs(&site, &[]).len(), expected);
        site.program(&["history", "--verify"]).code(0);
    };
    // A clock leaps, and all others with it: the runs of the last hours say that it was ten years ago.
    site.run().code(0);
    site.run().code(0);
    kept(6);
    // It stays: month after month may go, one with each run.
    for expected in [6, 6, 6] {
        site.run().code(0);
        kept(expected);
    }
    // DHIS2 disagrees.
    let off = Timestamp::now() - SignedDuration::from_mins(30);
    site.dhis2.set_now(&off.to_string());
    site.run().code(0);
    kept(7);
}
