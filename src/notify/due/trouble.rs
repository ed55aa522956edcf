//! Trouble and its end, of each mapping and of runs as a whole.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::exit::Exit;
use crate::notify::facts::{
    Audience, EndedRun, HistoryFacts, IN_A_ROW, News, Notice, Severity, Stamp, ToldBefore, Topic,
    delivered, is_due_again,
};

/// Where a mapping, or runs as a whole, stand after the last run.
#[derive(Default)]
struct State<'k> {
    trouble: Option<Trouble<'k>>,
    /// The last runs that got nowhere, one after the other.
    nowhere: Vec<&'k EndedRun>,
    /// The last success.
    well: Option<&'k EndedRun>,
}

struct Trouble<'k> {
    exit: Exit,
    since: Timestamp,
    message: &'k str,
    runs: usize,
}

pub(super) fn due(
    known: &HistoryFacts,
    told: &[ToldBefore],
    audience: &Audience,
    now: Timestamp,
) -> Vec<Notice> {
    // What could not be delivered is tried again by whatever run comes next.
    let undelivered = told.iter().filter(|each| {
        let delivered = each.delivered.map(|stamp| stamp.place);
        delivered.is_none_or(|place| place < each.tried.place)
    });
    let about: BTreeSet<Option<String>> = undelivered
        .map(|each| each.mapping.clone())
        .chain(known.now_about.iter().cloned())
        .collect();
    let heard = about.iter().map(Option::as_deref);
    heard
        .filter(|mapping| audience.hears(*mapping))
        .filter_map(|mapping| of_scope(known, told, mapping, now))
        .collect()
}

fn of_scope(
    known: &HistoryFacts,
    told: &[ToldBefore],
    mapping: Option<&str>,
    now: Timestamp,
) -> Option<Notice> {
    let state = State::of(known, mapping);
    let recovered = delivered(told, Topic::Recovered, mapping);
    let before = |stamp: Option<Stamp>| stamp.map(|stamp| stamp.place);
    let notice = |severity, what| Notice {
        mapping: mapping.map(str::to_owned),
        severity,
        what,
    };
    if let Some(trouble) = &state.trouble {
        let severity = Severity::of(trouble.exit)?;
        let last = delivered(told, Topic::Exit(trouble.exit), mapping)
            .filter(|last| before(recovered).is_none_or(|place| place < last.place));
        return is_due_again(last, now).then(|| {
            let what = News::Trouble {
                exit: trouble.exit,
                message: trouble.message.to_owned(),
                since: trouble.since,
                runs: trouble.runs,
                again: last.is_some(),
            };
            notice(severity, what)
        });
    }
    let well = state.well.filter(|_| state.nowhere.is_empty())?;
    let from: Vec<Exit> = told
        .iter()
        .filter(|each| each.mapping.as_deref() == mapping)
        .filter(|each| before(recovered).is_none_or(|place| place < each.tried.place))
        .filter_map(|each| match each.topic {
            Topic::Exit(exit) => Some(exit),
            _ => None,
        })
        .collect();
    let severity = from.iter().filter_map(|exit| Severity::of(*exit)).max()?;
    // What comes and goes is told as over once a day.
    is_due_again(recovered, now).then(|| notice(severity, News::Recovered { from, at: well.at }))
}

impl<'k> State<'k> {
    fn of(known: &'k HistoryFacts, mapping: Option<&str>) -> State<'k> {
        let mut state = State::default();
        let ends = known.ends.iter();
        for end in ends.filter(|end| end.mapping.as_deref() == mapping) {
            state.take(end);
        }
        state
    }

    fn take(&mut self, end: &'k EndedRun) {
        match end.exit {
            // A person's mistake at the command line.
            Exit::Usage => {}
            Exit::Ok | Exit::Partial => {
                *self = State {
                    well: Some(end),
                    ..State::default()
                };
            }
            Exit::Temporary | Exit::Busy => {
                self.nowhere.push(end);
                if let (true, Some(first)) = (self.nowhere.len() >= IN_A_ROW, self.nowhere.first())
                {
                    // That one gives way to the other is no news.
                    let same = self.trouble.as_ref().map(|trouble| trouble.exit);
                    let same = same.filter(|exit| [Exit::Temporary, Exit::Busy].contains(exit));
                    self.trouble = Some(Trouble {
                        exit: same.unwrap_or(end.exit),
                        since: first.at,
                        message: &end.message,
                        runs: self.nowhere.len(),
                    });
                }
            }
            exit => {
                self.nowhere.clear();
                let same = self.trouble.take().filter(|trouble| trouble.exit == exit);
                self.trouble = Some(Trouble {
                    exit,
                    since: same.as_ref().map_or(end.at, |same| same.since),
                    message: &end.message,
                    runs: same.map_or(0, |same| same.runs) + 1,
                });
            }
        }
    }
}
