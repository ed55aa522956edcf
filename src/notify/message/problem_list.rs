//! The words of a digest: what is new, by mapping and reason, with a few examples.

use std::collections::{BTreeMap, BTreeSet};

use super::item::Item;
use crate::notify::facts::Open;

/// Groups in one message, and examples in a group.
const GROUPS: usize = 20;
const EXAMPLES: usize = 3;

/// Problems of one mapping that have what and why in common: their periods, by subject.
type Group<'n> = BTreeMap<&'n str, BTreeSet<&'n str>>;

pub(super) fn item(
    new: &[Open],
    known: usize,
    acknowledged: usize,
    names: &BTreeMap<String, String>,
) -> Item {
    let mut groups: BTreeMap<(&str, &str, &str), Group<'_>> = BTreeMap::new();
    for open in new {
        let group = groups.entry((&open.mapping, &open.what, &open.reason));
        let periods = group.or_default().entry(&open.subject).or_default();
        periods.insert(&open.period);
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for ((_, what, _), group) in &groups {
        *counts.entry(what).or_default() += group.len();
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(what, count)| counted(*count, what))
        .collect();
    let head = format!("new problems: {}", counts.join(", "));
    let mut lines = vec![format!("{head}.")];
    for ((mapping, what, reason), group) in groups.iter().take(GROUPS) {
        let count = counted(group.len(), what);
        let examples = group.iter().take(EXAMPLES);
        let examples: Vec<String> = examples
            .map(|(subject, periods)| example(subject, periods, names))
            .collect();
        let more = match group.len().saturating_sub(EXAMPLES) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        lines.push(format!(
            "{mapping}: {count} ({reason}): {}{more}",
            examples.join("; ")
        ));
    }
    if groups.len() > GROUPS {
        lines.push(format!("… and {} more groups", groups.len() - GROUPS));
    }
    if known + acknowledged > 0 {
        lines.push(format!(
            "Open as well: {known} told before, {acknowledged} acknowledged (counted by period)."
        ));
    }
    Item { head, lines }
}

/// `3 rejected cells`, `1 unmapped key`.
fn counted(count: usize, what: &str) -> String {
    let thing = if what == "unmapped" { "key" } else { "cell" };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what} {thing}{plural}")
}

fn example(subject: &str, periods: &BTreeSet<&str>, names: &BTreeMap<String, String>) -> String {
    let words: Vec<&str> = subject.split(' ').collect();
    let name = |uid: &str| names.get(uid).cloned().unwrap_or_else(|| uid.to_owned());
    // A cell is told by what people know of it: data element and organisation unit.
    let subject = match words.as_slice() {
        [element, unit, combo, attribute] if uids(&words) => {
            let combos = [*combo, *attribute]
                .into_iter()
                .filter_map(|combo| names.get(combo));
            let combos: Vec<&str> = combos
                .map(String::as_str)
                .filter(|name| *name != "default")
                .collect();
            let combos = match combos.as_slice() {
                [] => String::new(),
                combos => format!(" ({})", combos.join(", ")),
            };
            format!("{}{combos} at {}", name(element), name(unit))
        }
        _ => subject.to_owned(),
    };
    let mut ends = periods.iter();
    match (ends.next(), ends.next_back()) {
        (Some(first), Some(last)) => format!("{subject}, {first} to {last}"),
        (Some(only), None) => format!("{subject}, {only}"),
        _ => subject,
    }
}

fn uids(words: &[&str]) -> bool {
    words
        .iter()
        .all(|word| word.len() == 11 && word.chars().all(|c| c.is_ascii_alphanumeric()))
}
