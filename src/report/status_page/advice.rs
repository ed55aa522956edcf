//! What the page says of states and problems, in words for people who do not know the program.

use std::collections::BTreeMap;

use crate::domain::{Blocked, Uid, escaped};
use crate::exit::Exit;
use crate::history::OpenProblem;

/// The word for the style; the colour is never the only sign.
pub(super) fn kind(exit: Exit) -> &'static str {
    match exit {
        Exit::Ok => "well",
        Exit::Temporary => "behind",
        _ => "open",
    }
}

pub(super) fn state(exit: Exit) -> &'static str {
    match exit {
        Exit::Ok => "All is well",
        Exit::Temporary => "Behind",
        _ => "Something is open",
    }
}

pub(super) fn verdict(exit: Exit) -> &'static str {
    match exit {
        Exit::Ok => "All is well: DHIS2 has what the registry says.",
        Exit::Temporary => "Behind: no run has ended well for too long. A person must look.",
        _ => "Values arrive, but something is open: see below what to do.",
    }
}

pub(super) fn what(problem: &OpenProblem) -> String {
    match problem.what.as_str() {
        "unmapped" => format!("{} without an answer", dimension(&problem.reason)),
        "rejected" => format!("Rejected by DHIS2 ({})", problem.reason),
        _ => "Blocked: DHIS2 would refuse it".to_owned(),
    }
}

/// The key, or the cell by the names of its element and unit.
pub(super) fn of(problem: &OpenProblem, names: &BTreeMap<Uid, String>) -> String {
    if problem.what == "unmapped" {
        return escaped(&problem.subject);
    }
    let named = |uid: &str| {
        let name = uid.parse().ok().and_then(|uid: Uid| names.get(&uid));
        name.map_or_else(|| uid.to_owned(), |name| escaped(name))
    };
    let uids = problem.subject.split(' ').take(2).map(named);
    uids.collect::<Vec<_>>().join(", ")
}

pub(super) fn advice(problem: &OpenProblem) -> String {
    match problem.what.as_str() {
        "unmapped" => {
            "Give it a line in the mapping's spreadsheet or a rule; or a rule that excludes it."
                .to_owned()
        }
        "rejected" => format!(
            "Look up {} in DHIS2's documentation; the value is offered again by every run.",
            problem.reason
        ),
        _ => match reason(&problem.reason) {
            Some(reason) => capitalized(&format!("{reason}.")),
            None => capitalized(&problem.reason),
        },
    }
}

fn reason(word: &str) -> Option<Blocked> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

fn dimension(word: &str) -> String {
    capitalized(&match word {
        "org-unit" => "organisation unit".to_owned(),
        word => word.replace('-', " "),
    })
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    let first: Option<String> = chars.next().map(|first| first.to_uppercase().collect());
    first.unwrap_or_default() + chars.as_str()
}
