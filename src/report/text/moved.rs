//! The part of a report in text that tells which cells moved since a plan was made.

use super::details::{listed, named, shown};
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
        let by = match moved.foreign {
            true => ", stored by somebody else",
            false => "",
        };
        format!(
            "expected {}, found {}{by}  {}",
            value(&moved.expected),
            value(&moved.found),
            named(&moved.cell, mapping)
        )
    });
}
