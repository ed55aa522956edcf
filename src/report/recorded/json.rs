//! Runs for scripts. The members are a promise; they are only ever added to.

use serde_json::{Value, json};

use super::text::outcome;
use crate::history::{After, ChangeOfRun, ProblemOfRun, Run, RunState, ToldOfRun, WholeRun};

const VERSION: &str = "history/1";

pub(super) fn runs(runs: &[Run]) -> Value {
    json!({ "pg2dhis2": VERSION, "runs": runs.iter().map(run).collect::<Vec<_>>() })
}

pub(super) fn whole(whole: &WholeRun) -> Value {
    let mut value = run(&whole.run);
    let sending = whole.sending.iter();
    let sent_from = sending.clone();
    let sent_from = sent_from.filter_map(|(_, sending)| sending.source.as_ref());
    let more = json!({
        "pg2dhis2": VERSION,
        "changed-since-the-run-before": whole.differences,
        "sending": sending.map(|(mapping, sending)| json!({ "mapping": mapping, "changes": sending.changes })).collect::<Vec<_>>(),
        "sent-from": sent_from.collect::<Vec<_>>(),
        "changes": whole.changes.iter().map(change).collect::<Vec<_>>(),
        "open-problems": whole.problems.iter().map(problem).collect::<Vec<_>>(),
        "after": whole.after.iter().map(after).collect::<Vec<_>>(),
        "told": whole.told.iter().map(told).collect::<Vec<_>>(),
    });
    if let (Value::Object(value), Value::Object(more)) = (&mut value, more) {
        value.extend(more);
    }
    value
}

fn run(run: &Run) -> Value {
    let (ended, finished) = match &run.state {
        RunState::Finished { at, how } => (Some(at), Some(how)),
        RunState::Running | RunState::Interrupted => (None, None),
    };
    let mappings = run.mappings.iter().map(|(name, entry)| {
        let mut value = json!({ "name": name });
        if let (Value::Object(value), Value::Object(entry)) = (&mut value, json!(entry)) {
            value.extend(entry);
        }
        value
    });
    json!({
        "run": run.number,
        "began": run.at,
        "ended": ended,
        "outcome": outcome(run),
        "started": run.started,
        "finished": finished,
        "mappings": mappings.collect::<Vec<_>>(),
    })
}

/// A cell in DHIS2's names, and what became of it.
fn change(each: &ChangeOfRun) -> Value {
    let mut parts = each.cell.split(' ');
    json!({
        "mapping": each.mapping,
        "dataElement": parts.next(),
        "period": each.period,
        "orgUnit": parts.next(),
        "categoryOptionCombo": parts.next(),
        "attributeOptionCombo": parts.next(),
        "kind": each.change.kind,
        "old": each.change.old,
        "new": each.change.new,
        "foreign": each.change.foreign,
        "outcome": each.change.outcome,
    })
}

fn after((what, after): &(String, After)) -> Value {
    json!({
        "what": what,
        "failed": after.failed,
        "text": after.text,
        "job": after.job,
    })
}

fn problem(problem: &ProblemOfRun) -> Value {
    let mut parts = problem.subject.splitn(3, ' ');
    json!({
        "mapping": problem.mapping,
        "period": problem.period,
        "what": parts.next(),
        "reason": parts.next(),
        "subject": parts.next(),
        "first-run": problem.opened,
        "over": problem.closed,
    })
}

fn told(told: &ToldOfRun) -> Value {
    let mapping = Some(&told.mapping).filter(|mapping| !mapping.is_empty());
    json!({
        "at": told.at,
        "about": told.topic,
        "mapping": mapping,
        "channel": told.notified.channel,
        "severity": told.notified.severity,
        "delivered": told.notified.delivered,
        "why-not": told.notified.why,
    })
}
