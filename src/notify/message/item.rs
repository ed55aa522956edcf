//! What one notice comes to in a message, and how long its words may be.

use jiff::Timestamp;

/// The words of one notice.
pub(super) struct Item {
    /// What the subject says of it.
    pub(super) head: String,
    pub(super) lines: Vec<String>,
}

/// The longest subject, in characters.
pub(super) const SUBJECT: usize = 120;
/// The longest line, in characters.
pub(super) const LINE: usize = 2_000;
/// The longest sentence of a run that is passed on, in characters.
pub(super) const SENTENCE: usize = 600;

/// A moment, to the minute.
pub(super) fn shown(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

pub(super) fn short(text: &str, longest: usize) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if line.chars().count() <= longest {
        return line;
    }
    let kept: String = line.chars().take(longest - 1).collect();
    format!("{kept}…")
}
