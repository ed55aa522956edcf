//! The part of a report in text that tells which cells moved since a plan was made.

use super::details::{by, listed, named, shown};
use super::line;
use crate::domain::Text;
use crate::report::MappingReport;

pub(super) fn moved(text: &mut String, mapping: &MappingReport) {
    if mapping.moved.is_empty() {
        return;
    }
    line(text, "  moved since the plan was made:");
    let value = |value: &Option<Text>| value.as_ref().map_or("nothing".to_owned(), shown);
    listed(text, &mapping.moved, |moved| {
        let author = moved.author.as_ref().map(by).unwrap_or_default();
        let cell = named(&moved.cell, mapping);
        let (expected, found) = (value(&moved.expected), value(&moved.found));
        format!("expected {expected}, found {found}  {cell}  {author}")
    });
}
