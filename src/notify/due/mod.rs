//! What is due to be told to a channel, from how runs ended, what is open, and what the channel heard before. Asks no
//! clock: the moment is an argument.

mod new_problems;
#[cfg(test)]
mod tests;
mod trouble;

use jiff::Timestamp;

use super::facts::{
    Audience, DAY, HistoryFacts, News, NotedInterruption, Notice, Severity, ToldBefore, Topic,
    delivered, is_due_again,
};

/// What is to be told to a channel now; nothing most of the time.
pub(crate) fn due(
    known: &HistoryFacts,
    told: &[ToldBefore],
    audience: &Audience,
    now: Timestamp,
) -> Vec<Notice> {
    let mut notices = trouble::due(known, told, audience, now);
    notices.extend(interrupted(known, told, now));
    notices.extend(new_problems::due(known, told, audience, now));
    notices.retain(|notice| notice.severity >= audience.least);
    notices
}

fn interrupted(known: &HistoryFacts, told: &[ToldBefore], now: Timestamp) -> Option<Notice> {
    let last = delivered(told, Topic::Interrupted, None);
    let is_new = |died: &&NotedInterruption| match last {
        Some(last) => died.noted > last.at,
        // A channel that is new is not told what is long over.
        None => now.duration_since(died.noted) < DAY,
    };
    let runs: Vec<i64> = known.died.iter().filter(is_new).map(|d| d.run).collect();
    let is_due = !runs.is_empty() && is_due_again(last, now);
    is_due.then_some(Notice {
        mapping: None,
        severity: Severity::Warning,
        what: News::Interrupted { runs },
    })
}
