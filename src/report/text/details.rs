//! What a report in text tells below the table: keys without an answer, cells that stay, changes that failed.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{line, many};
use crate::domain::{
    Cell, CellOutcome, DEFAULT_COMBO, Dimension, Drift, Number, RowOutcome, ShownKey, Text, Uid,
    escaped,
};
use crate::report::absorb::SHOWN;
use crate::report::{ChangeReport, MappingReport, Reader, Report};

/// Keys and blocked cells that are told one by one.
const LINES: usize = 20;

pub(super) fn changes(text: &mut String, mapping: &MappingReport, report: &Report) {
    let fine = |change: &&ChangeReport| !change.failed();
    let mut ours: Vec<&ChangeReport> = mapping
        .changes
        .iter()
        .filter(fine)
        .filter(|change| !change.foreign)
        .collect();
    ours.sort_by_cached_key(|change| Reverse(change.size()));
    if report.dry_run && !ours.is_empty() {
        line(text, "  the largest changes:");
        for change in ours.into_iter().take(SHOWN) {
            line(text, &format!("    {}", change_line(change, mapping)));
        }
    }
    let theirs: Vec<&ChangeReport> = mapping
        .changes
        .iter()
        .filter(fine)
        .filter(|change| change.foreign)
        .collect();
    if !theirs.is_empty() {
        line(
            text,
            "  stored by somebody else, and overwritten as the mapping says:",
        );
        listed(text, &theirs, |change| change_line(change, mapping));
    }
}

fn change_line(change: &ChangeReport, mapping: &MappingReport) -> String {
    let old = change.old.as_ref().map_or("nothing".to_owned(), shown);
    let new = match change.outcome {
        CellOutcome::Deleted => "nothing".to_owned(),
        _ => shown(&change.new),
    };
    format!("{old} → {new}  {}", named(&change.cell, mapping))
}

/// What is harmful first.
pub(super) fn drift(text: &mut String, mapping: &MappingReport) {
    if mapping.drift.is_empty() {
        return;
    }
    line(
        text,
        "  changed in DHIS2 since the pin (`pg2dhis2 pin` takes it as it is now):",
    );
    let (harmful, notes): (Vec<&Drift>, Vec<&Drift>) =
        mapping.drift.iter().partition(|drift| drift.harmful);
    let all: Vec<&Drift> = harmful.into_iter().chain(notes).collect();
    listed(text, &all, |drift| drift.sentence());
}

pub(super) fn keys(text: &mut String, mapping: &MappingReport, reader: Reader) {
    for (outcome, title) in [
        (RowOutcome::Excluded, "excluded by a rule:"),
        (
            RowOutcome::Unmapped,
            "unmapped, no data value was made of them:",
        ),
    ] {
        let mut groups: BTreeMap<(Dimension, &ShownKey), u64> = BTreeMap::new();
        for group in mapping
            .rows
            .keys
            .iter()
            .filter(|group| group.outcome == outcome)
        {
            *groups.entry((group.dimension, &group.key)).or_default() += group.rows;
        }
        if groups.is_empty() {
            continue;
        }
        line(text, &format!("  {title}"));
        let mut groups: Vec<((Dimension, &ShownKey), u64)> = groups.into_iter().collect();
        groups.sort_by_key(|(group, rows)| (Reverse(*rows), *group));
        listed(text, &groups, |((dimension, key), rows)| {
            let key = match reader {
                Reader::Terminal => &key.plain,
                Reader::Anybody => &key.veiled,
            };
            let rows = many(*rows, "row");
            format!("{rows:>9}  {dimension} {key}")
        });
    }
}

/// Cells that differ and stay: left and closed ones.
pub(super) fn stay(text: &mut String, mapping: &MappingReport) {
    if !mapping.left.is_empty() {
        line(text, "  left as they are:");
        for (why, cells) in &mapping.left {
            line(text, &format!("    {cells:>7}  {why}"));
        }
    }
    if !mapping.closed.is_empty() {
        line(text, "  closed:");
        for ((period, why), cells) in &mapping.closed {
            line(text, &format!("    {cells:>7}  {period}: {why}"));
        }
    }
}

pub(super) fn blocked(text: &mut String, mapping: &MappingReport) {
    if mapping.blocked_by.is_empty() {
        return;
    }
    line(text, "  blocked, not sent:");
    for (why, cells) in &mapping.blocked_by {
        line(text, &format!("    {cells:>7}  {why}"));
    }
    listed(text, &mapping.blocked, |(cell, why)| {
        format!("{}: {why}", named(cell, mapping))
    });
}

pub(super) fn held(text: &mut String, mapping: &MappingReport) {
    if mapping.held.is_empty() {
        return;
    }
    line(
        text,
        "  held, nothing of this mapping is sent: somebody else stored a value that differs; look at it, then write `foreign`:",
    );
    listed(text, &mapping.held, |cell| named(cell, mapping));
}

pub(super) fn failed(text: &mut String, mapping: &MappingReport) {
    for (outcome, title) in [
        (CellOutcome::Rejected, "rejected by DHIS2:"),
        (
            CellOutcome::Unconfirmed,
            "unconfirmed, the next run looks again:",
        ),
        (CellOutcome::NotSent, "not sent, the next run does:"),
    ] {
        let of_outcome: Vec<&ChangeReport> = mapping
            .changes
            .iter()
            .filter(|change| change.outcome == outcome)
            .collect();
        if of_outcome.is_empty() {
            continue;
        }
        line(text, &format!("  {title}"));
        listed(text, &of_outcome, |change| {
            let code = change.code.as_deref().unwrap_or_default();
            format!("{code} {}", named(&change.cell, mapping))
                .trim_start()
                .to_owned()
        });
    }
}

/// The first lines of a list, and how many more there are.
fn listed<T>(text: &mut String, items: &[T], words: impl Fn(&T) -> String) {
    for item in items.iter().take(LINES) {
        line(text, &format!("    {}", words(item)));
    }
    if items.len() > LINES {
        line(text, &format!("    … and {} more", items.len() - LINES));
    }
}

/// A cell in names, with the UIDs that DHIS2 knows it by.
fn named(cell: &Cell, mapping: &MappingReport) -> String {
    let name = |uid: Uid| match mapping.names.get(&uid) {
        Some(name) if !name.is_empty() => format!("{} ({uid})", escaped(name)),
        _ => uid.to_string(),
    };
    let triple = cell.triple;
    let mut parts = vec![
        cell.period.to_string(),
        name(cell.org_unit),
        name(triple.data_element),
    ];
    for combo in [triple.category_option_combo, triple.attribute_option_combo] {
        let known = mapping.names.get(&combo).map(String::as_str);
        if combo != DEFAULT_COMBO && known != Some("default") {
            parts.push(name(combo));
        }
    }
    parts.join(" | ")
}

/// A number; of a text only its length, for it may be anything.
fn shown(value: &Text) -> String {
    match Number::parse(value.as_str()) {
        Ok(_) => value.to_string(),
        Err(_) => format!("text of {} characters", value.as_str().chars().count()),
    }
}
