//! The policy on its own: single facts, and sixty days of hourly runs of which everybody hears exactly what they should.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::due;
use crate::exit::Exit;
use crate::notify::facts::{
    Audience, EndedRun, HistoryFacts, News, NotedInterruption, Notice, Open, Severity, Stamp,
    ToldBefore, Topic,
};

/// A site with an hourly run, and one channel.
struct World {
    known: HistoryFacts,
    told: Vec<ToldBefore>,
    audience: Audience,
    place: i64,
    /// Whatever was tried: when, what, and whether it arrived.
    heard: Vec<String>,
}

const EPI: &str = "epi";
const AEFI: &str = "aefi";

/// The first of a month of 30 days, then the next: day 1 is 2026-06-01.
fn at(day: i64, hour: i64) -> Timestamp {
    let first: Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    first + SignedDuration::from_hours((day - 1) * 24 + hour)
}

fn everybody() -> Audience {
    Audience {
        least: Severity::Notice,
        mappings: None,
    }
}

fn words(notice: &Notice) -> String {
    let whose = notice.mapping.as_deref().unwrap_or("all");
    match &notice.what {
        News::Trouble { exit, again, .. } => {
            let again = if *again { " again" } else { "" };
            format!("{whose} {}{again}", exit.code())
        }
        News::Recovered { from, .. } => {
            let mut from: Vec<u8> = from.iter().map(|exit| exit.code()).collect();
            from.sort_unstable();
            format!("{whose} recovered from {from:?}")
        }
        News::Interrupted { runs } => format!("interrupted {runs:?}"),
        News::Digest {
            new,
            known,
            acknowledged,
        } => format!("digest {} {known} {acknowledged}", new.len()),
    }
}

impl World {
    fn new(audience: Audience) -> World {
        World {
            known: HistoryFacts::default(),
            told: Vec::new(),
            audience,
            place: 0,
            heard: Vec::new(),
        }
    }

    /// A run ends: each mapping with its code, and, where none has it, the run as a whole.
    fn run(&mut self, day: i64, hour: i64, of: &[(Option<&str>, Exit)], arrives: bool) {
        let now = at(day, hour);
        self.known.now_about = of.iter().map(|(who, _)| who.map(str::to_owned)).collect();
        for (who, exit) in of {
            self.known.ends.push(EndedRun {
                at: now,
                mapping: who.map(str::to_owned),
                exit: *exit,
                message: "why".to_owned(),
            });
        }
        for notice in due(&self.known, &self.told, &self.audience, now) {
            self.place += 1;
            let stamp = Stamp {
                place: self.place,
                at: now,
            };
            let mark = if arrives { "" } else { ", lost" };
            self.heard
                .push(format!("{day} {hour:02} {}{mark}", words(&notice)));
            self.remember(&notice, stamp, arrives);
        }
    }

    fn remember(&mut self, notice: &Notice, stamp: Stamp, arrives: bool) {
        let topic = notice.what.topic();
        let mut known = self.told.iter_mut();
        match known.find(|told| told.topic == topic && told.mapping == notice.mapping) {
            Some(told) => {
                told.tried = stamp;
                if arrives {
                    told.delivered = Some(stamp);
                }
            }
            None => self.told.push(ToldBefore {
                mapping: notice.mapping.clone(),
                topic,
                tried: stamp,
                delivered: arrives.then_some(stamp),
            }),
        }
    }

    fn open(&mut self, day: i64, hour: i64, subject: &str) {
        self.known.open.push(Open {
            mapping: EPI.to_owned(),
            what: "unmapped".to_owned(),
            reason: "org-unit".to_owned(),
            subject: subject.to_owned(),
            period: "202606".to_owned(),
            first: at(day, hour),
            acknowledged: None,
        });
    }
}

/// What happened, hour by hour.
fn epi(day: i64, hour: i64) -> Exit {
    match (day, hour) {
        // The password was wrong for two days.
        (3, 5..) | (4, _) | (5, ..10) => Exit::Credentials,
        // The network failed twice, which is nothing, and for half a day, which is.
        (8, 0..2) | (9, 0..13) => Exit::Temporary,
        // It comes and goes for a day.
        (20, hour) if hour % 2 == 0 => Exit::Source,
        // While nobody can be told.
        (25, 0..4) => Exit::Target,
        // One trouble gives way to another.
        (35, 0..3) => Exit::Held,
        (35, 3..6) => Exit::Privacy,
        (15..=18 | 40..=46, _) => Exit::Partial,
        _ => Exit::Ok,
    }
}

fn sixty_days(audience: Audience) -> Vec<String> {
    let mut world = World::new(audience);
    for day in 1..=60 {
        for hour in 0..24 {
            let arrives = !(day == 25 && hour < 6);
            match (day, hour) {
                (15, 2) => world.open(15, 2, "key 1"),
                (15, 7) => world.open(15, 7, "key 2"),
                (15, 20) => world.open(15, 20, "key 3"),
                (19, 0) => world.known.open.clear(),
                (30, 0 | 1) => world.known.died.push(NotedInterruption {
                    run: hour,
                    noted: at(day, hour),
                }),
                (40, 0) => {
                    world.open(40, 0, "key 4");
                    world.known.open[0].acknowledged = Some(at(45, 0));
                }
                (47, 0) => world.known.open.clear(),
                _ => {}
            }
            let busy = matches!((day, hour), (12, 3 | 4) | (13, 3..=6));
            // Nothing can be recorded for ten days.
            let full = (50..60).contains(&day);
            match (busy, full) {
                (true, _) => world.run(day, hour, &[(None, Exit::Busy)], arrives),
                (_, true) => world.run(day, hour, &[(None, Exit::State)], arrives),
                _ => {
                    let of = [
                        (Some(EPI), epi(day, hour)),
                        (Some(AEFI), Exit::Ok),
                        (None, Exit::Ok),
                    ];
                    world.run(day, hour, &of, arrives);
                }
            }
        }
    }
    world.heard
}

#[test]
fn in_sixty_days_a_person_hears_exactly_what_the_policy_says() {
    let heard = sixty_days(everybody());
    let expected = [
        "3 05 epi 12",
        "4 05 epi 12 again",
        "5 05 epi 12 again",
        "5 10 epi recovered from [12]",
        "9 02 epi 5",
        "9 13 epi recovered from [5]",
        "13 05 all 11",
        "13 07 all recovered from [11]",
        "15 02 digest 1 0 0",
        "16 02 digest 2 1 0",
        "20 00 epi 13",
        "20 01 epi recovered from [13]",
        "20 02 epi 13",
        "21 01 epi recovered from [13]",
        "25 00 epi 14, lost",
        "25 01 epi 14, lost",
        "25 02 epi 14, lost",
        "25 03 epi 14, lost",
        "25 04 epi recovered from [14], lost",
        "25 05 epi recovered from [14], lost",
        "25 06 epi recovered from [14]",
        "30 00 interrupted [0]",
        "31 00 interrupted [1]",
        "35 00 epi 4",
        "35 03 epi 15",
        "35 06 epi recovered from [4, 15]",
        "45 00 digest 1 0 0",
        "50 00 all 16",
        "51 00 all 16 again",
        "52 00 all 16 again",
        "53 00 all 16 again",
        "54 00 all 16 again",
        "55 00 all 16 again",
        "56 00 all 16 again",
        "57 00 all 16 again",
        "58 00 all 16 again",
        "59 00 all 16 again",
        "60 00 all recovered from [16]",
    ];
    assert_eq!(heard, expected);
}

#[test]
fn who_wants_errors_or_one_mapping_alone_hears_no_more() {
    let errors = sixty_days(Audience {
        least: Severity::Error,
        mappings: None,
    });
    let all = sixty_days(everybody());
    let lighter = |line: &&String| {
        let light = ["digest", "interrupted", " 5", " 11", "[5]", "[11]"];
        // The day is not what it is about.
        let what = line.split_once(' ').unwrap().1;
        !light.iter().any(|word| what[2..].contains(word))
    };
    let expected: Vec<String> = all.iter().filter(lighter).cloned().collect();
    assert_eq!(errors, expected);

    let one = sixty_days(Audience {
        least: Severity::Notice,
        mappings: Some(vec![AEFI.to_owned()]),
    });
    let about: BTreeSet<&str> = one
        .iter()
        .map(|line| line.splitn(3, ' ').nth(2).unwrap())
        .collect();
    // What is about no mapping in particular is for everybody.
    let expected = BTreeSet::from([
        "all 11",
        "all recovered from [11]",
        "interrupted [0]",
        "interrupted [1]",
        "all 16",
        "all 16 again",
        "all recovered from [16]",
    ]);
    assert_eq!(about, expected);
}

#[test]
fn a_run_of_one_mapping_reminds_nobody_of_another() {
    let mut world = World::new(everybody());
    world.run(1, 0, &[(Some(EPI), Exit::Source)], true);
    world.run(3, 0, &[(Some(AEFI), Exit::Ok)], true);
    assert_eq!(world.heard, ["1 00 epi 13"]);
    // What did not arrive is tried again all the same.
    world.run(4, 0, &[(Some(EPI), Exit::Source)], false);
    world.run(4, 1, &[(Some(AEFI), Exit::Ok)], true);
    assert_eq!(
        world.heard[1..],
        ["4 00 epi 13 again, lost", "4 01 epi 13 again"]
    );
}

#[test]
fn a_clock_that_was_set_back_silences_nobody() {
    let mut world = World::new(everybody());
    world.run(60, 0, &[(Some(EPI), Exit::Source)], true);
    world.run(2, 0, &[(Some(EPI), Exit::Source)], true);
    world.run(2, 1, &[(Some(EPI), Exit::Source)], true);
    assert_eq!(world.heard, ["60 00 epi 13", "2 00 epi 13 again"]);
}

#[test]
fn a_mistyped_command_is_neither_trouble_nor_its_end() {
    let mut world = World::new(everybody());
    world.run(1, 0, &[(Some(EPI), Exit::Temporary)], true);
    world.run(1, 1, &[(Some(EPI), Exit::Temporary)], true);
    world.run(1, 2, &[(Some(EPI), Exit::Usage)], true);
    assert!(world.heard.is_empty());
    world.run(1, 3, &[(Some(EPI), Exit::Temporary)], true);
    world.run(1, 4, &[(Some(EPI), Exit::Usage)], true);
    assert_eq!(world.heard, ["1 03 epi 5"]);
}

#[test]
fn topics_are_read_as_they_are_written() {
    let others = [Topic::Recovered, Topic::Interrupted, Topic::Digest];
    for topic in Exit::ALL.into_iter().map(Topic::Exit).chain(others) {
        assert_eq!(topic.to_string().parse::<Topic>().unwrap(), topic);
    }
    assert!("exit 99".parse::<Topic>().is_err());
}
