//! One digest a day of rejected and blocked cells and unmapped keys that are new.

use jiff::Timestamp;

use crate::notify::facts::{
    Audience, HistoryFacts, News, Notice, Open, Severity, ToldBefore, Topic, delivered,
    is_due_again,
};

pub(super) fn due(
    known: &HistoryFacts,
    told: &[ToldBefore],
    audience: &Audience,
    now: Timestamp,
) -> Option<Notice> {
    let last = delivered(told, Topic::Digest, None);
    let heard = known.open.iter();
    let heard = heard.filter(|open| audience.hears(Some(&open.mapping)));
    let (mut new, mut known, mut acknowledged) = (Vec::new(), 0, 0);
    for open in heard {
        match since(open, now) {
            None => acknowledged += 1,
            Some(since) if last.is_none_or(|last| since > last.at) => new.push(open.clone()),
            Some(_) => known += 1,
        }
    }
    let is_due = !new.is_empty() && is_due_again(last, now);
    is_due.then_some(Notice {
        mapping: None,
        severity: Severity::Notice,
        what: News::Digest {
            new,
            known,
            acknowledged,
        },
    })
}

/// Since when somebody should hear of it: once it is there and no longer acknowledged. None: not yet.
fn since(open: &Open, now: Timestamp) -> Option<Timestamp> {
    match open.acknowledged {
        Some(until) if until > now => None,
        Some(until) => Some(until.max(open.first)),
        None => Some(open.first),
    }
}
