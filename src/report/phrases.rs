//! Phrases that several reports for people have in common.

use std::fmt::Write;

use crate::history::CellChange;

/// Lines of a list that a person is shown of what a report tells one by one.
const LINES: usize = 20;
/// Rows, changes and problems that a person is shown of one run or one cell.
pub(super) const SHOWN: usize = 40;

/// `1 row`, `2 rows`.
pub(super) fn many(count: u64, thing: &str) -> String {
    match count {
        1 => format!("1 {thing}"),
        count => format!("{count} {thing}s"),
    }
}

/// Those that are not 0, in words.
pub(super) fn counted<'n>(counts: impl Iterator<Item = (&'n str, u64)>) -> String {
    let some: Vec<String> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    match some.as_slice() {
        [] => "none".to_owned(),
        some => some.join(", "),
    }
}

/// The first lines of a list, and how many more there are.
pub(super) fn listed<T>(text: &mut String, items: &[T], words: impl Fn(&T) -> String) {
    for item in items.iter().take(LINES) {
        line(text, &format!("    {}", words(item)));
    }
    if items.len() > LINES {
        line(text, &format!("    … and {} more", items.len() - LINES));
    }
}

/// How many more there are than were shown, and where they stand.
pub(super) fn more(text: &mut String, all: usize, rest_stands: &str) {
    if all > SHOWN {
        let words = format!("    … and {} more; {rest_stands}", all - SHOWN);
        line(text, &words);
    }
}

/// `5 → 7, was somebody else's`.
pub(super) fn old_and_new(change: &CellChange) -> String {
    let or_none = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
    let foreign = match change.foreign {
        true => ", was somebody else's",
        false => "",
    };
    let (old, new) = (or_none(&change.old), or_none(&change.new));
    format!("{old} → {new}{foreign}")
}

/// `2026-11-23 12:00`, made of `2026-11-23T12:00:00Z`.
pub(super) fn minute(moment: &str) -> String {
    moment.replace('T', " ").chars().take(16).collect()
}

/// Adds a line. Names come from DHIS2 and from files, so that what steers a terminal or ends a line may stand in them.
pub(super) fn line(text: &mut String, words: &str) {
    let words: String = words
        .chars()
        .map(|character| match character {
            character if character.is_control() => ' ',
            character => character,
        })
        .collect();
    // Writing to a String does not fail.
    let _ = writeln!(text, "{}", words.trim_end());
}
