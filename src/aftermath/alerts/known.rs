//! What the history knows, in the words of the policy.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::exit::Exit;
use crate::history::{Ending, How, Past};
use crate::notify::{EndedRun, HistoryFacts, NotedInterruption, Open, Stamp, ToldBefore, Topic};
use crate::site::alarm;

/// Runs to look back on: enough for most; more where something has been wrong all the time.
const FEW: u32 = 24;
const MANY: u32 = 1_000;

/// What cannot be read is not known. `lost`: how the run ended that the history does not have.
pub(crate) fn known(
    past: Option<&Past>,
    about: BTreeSet<Option<String>>,
    lost: Option<EndedRun>,
) -> HistoryFacts {
    let mut known = HistoryFacts {
        now_about: about,
        ..HistoryFacts::default()
    };
    if let Some(past) = past {
        take(&mut known, past.endings(FEW).unwrap_or_default());
        let is_well = |about: &Option<String>| {
            let mut ends = known.ends.iter().filter(|end| end.mapping == *about);
            ends.any(|end| matches!(end.exit, Exit::Ok | Exit::Partial))
        };
        if !known.now_about.iter().all(is_well) {
            take(&mut known, past.endings(MANY).unwrap_or_default());
        }
        known.open = open(past);
    }
    known.ends.extend(lost);
    known
}

/// What each channel was told, by its name. Who was alarmed while nothing could be recorded heard that last.
pub(super) fn told(
    past: Option<&Past>,
    alarmed: &alarm::ToldChannels,
) -> BTreeMap<String, Vec<ToldBefore>> {
    let mut all: BTreeMap<String, Vec<ToldBefore>> = BTreeMap::new();
    let last = past.and_then(|past| past.last_told().ok());
    for last in last.unwrap_or_default() {
        let (Ok(topic), Some(at)) = (last.topic.parse(), moment(&last.at)) else {
            continue;
        };
        let mapping = Some(last.mapping).filter(|mapping| !mapping.is_empty());
        let stamp = Stamp {
            place: last.seq,
            at,
        };
        let told = all.entry(last.channel).or_default();
        let known = told
            .iter()
            .position(|each| each.topic == topic && each.mapping == mapping);
        let mut this = match known {
            Some(place) => told.swap_remove(place),
            None => ToldBefore {
                mapping,
                topic,
                tried: stamp,
                delivered: None,
            },
        };
        if stamp.place > this.tried.place {
            this.tried = stamp;
        }
        if last.delivered {
            this.delivered = Some(stamp);
        }
        told.push(this);
    }
    for (channel, at) in alarmed {
        let stamp = Stamp {
            place: i64::MAX,
            at: *at,
        };
        all.entry(channel.clone()).or_default().push(ToldBefore {
            mapping: None,
            topic: Topic::Exit(Exit::State),
            tried: stamp,
            delivered: Some(stamp),
        });
    }
    all
}

/// What somebody edited is told by `history --verify`; here it is left out.
fn moment(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

fn take(known: &mut HistoryFacts, endings: Vec<Ending>) {
    known.ends.clear();
    known.died.clear();
    for ending in endings {
        let Some(at) = moment(&ending.at) else {
            continue;
        };
        match ending.how {
            How::Died { run } => known.died.push(NotedInterruption { run, noted: at }),
            How::Refused(refused) => {
                let end = |mapping| EndedRun {
                    at,
                    mapping,
                    exit: exit(refused.exit),
                    message: refused.message.clone(),
                };
                match refused.mappings.as_slice() {
                    [] => known.ends.push(end(None)),
                    named => known.ends.extend(named.iter().cloned().map(Some).map(end)),
                }
            }
            How::Finished {
                exit: code,
                message,
                mappings,
            } => {
                let is_of_one = mappings.iter().any(|mapping| mapping.exit == code);
                for mapping in mappings {
                    let own = match mapping.exit == code && mapping.message.is_empty() {
                        true => message.clone(),
                        false => mapping.message,
                    };
                    known.ends.push(EndedRun {
                        at,
                        mapping: Some(mapping.name),
                        exit: exit(mapping.exit),
                        message: own,
                    });
                }
                // What a mapping ended with is its own.
                let whole = if is_of_one { Exit::Ok } else { exit(code) };
                known.ends.push(EndedRun {
                    at,
                    mapping: None,
                    exit: whole,
                    message,
                });
            }
        }
    }
}

fn exit(code: u8) -> Exit {
    Exit::of_code(code).unwrap_or(Exit::Internal)
}

fn open(past: &Past) -> Vec<Open> {
    let acknowledged = past.acknowledged().unwrap_or_default().into_iter();
    let until: BTreeMap<(String, String), Timestamp> = acknowledged
        .filter_map(|known| {
            let until = moment(&known.acknowledged.until)?;
            Some(((known.mapping, known.subject), until))
        })
        .collect();
    let all = past.all_open().unwrap_or_default().into_iter();
    all.filter_map(|(mapping, problem)| {
        let key = (mapping, problem.whole());
        let acknowledged = until.get(&key).copied();
        Some(Open {
            mapping: key.0,
            first: moment(&problem.first)?,
            what: problem.what,
            reason: problem.reason,
            subject: problem.subject,
            period: problem.period,
            acknowledged,
        })
    })
    .collect()
}
