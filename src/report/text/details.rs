//! What a report in text tells below the table: keys without an answer, cells that stay, changes that failed.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Author, Cell, CellOutcome, DEFAULT_COMBO, Dimension, Drift, RowOutcome, ShownKey, Text, Uid,
    escaped, sentence,
};
use crate::report::absorb::SHOWN;
use crate::report::of_mapping::{ChangeReport, MappingReport};
use crate::report::of_run::{Report, ReportReader};
use crate::report::phrases::{line, listed, many};

pub(super) fn changes(text: &mut String, mapping: &MappingReport, report: &Report) {
    let fine = |change: &&ChangeReport| !change.failed();
    let mut ours: Vec<&ChangeReport> = mapping
        .cells
        .changes
        .iter()
        .filter(fine)
        .filter(|change| change.author.is_none())
        .collect();
    ours.sort_by_cached_key(|change| Reverse(change.size()));
    if report.dry_run && !ours.is_empty() {
        line(text, "  the largest changes:");
        for change in ours.into_iter().take(SHOWN) {
            line(text, &format!("    {}", change_line(change, mapping)));
        }
    }
    let theirs: Vec<&ChangeReport> = mapping
        .cells
        .changes
        .iter()
        .filter(fine)
        .filter(|change| change.author.is_some())
        .collect();
    if !theirs.is_empty() {
        let held = theirs
            .iter()
            .any(|change| change.outcome == CellOutcome::Held);
        line(
            text,
            match (held, report.dry_run) {
                (true, _) => {
                    "  stored by somebody else, and not overwritten while the mapping is held:"
                }
                (false, true) => {
                    "  stored by somebody else, and to be overwritten as the mapping says:"
                }
                (false, false) => "  stored by somebody else, and overwritten as the mapping says:",
            },
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
    let author = change
        .author
        .as_ref()
        .map(|author| format!("  {}", by(author)));
    let cell = named(&change.cell, mapping);
    format!("{old} → {new}  {cell}{}", author.unwrap_or_default())
}

/// `(last touched by nurse, 2026-03-01 10:15)`.
pub(super) fn by(author: &Author) -> String {
    let user = match &*author.user {
        "" => "somebody".to_owned(),
        user => escaped(user),
    };
    match author.when {
        Some(when) => format!(
            "(last touched by {user}, {})",
            when.strftime("%Y-%m-%d %H:%M")
        ),
        None => format!("(last touched by {user})"),
    }
}

/// What is harmful first.
pub(super) fn drift(text: &mut String, mapping: &MappingReport) {
    if mapping.server.drift.is_empty() {
        return;
    }
    line(
        text,
        "  changed in DHIS2 since the pin (`pg2dhis2 pin` takes it as it is now):",
    );
    let (harmful, notes): (Vec<&Drift>, Vec<&Drift>) =
        mapping.server.drift.iter().partition(|drift| drift.harmful);
    let all: Vec<&Drift> = harmful.into_iter().chain(notes).collect();
    listed(text, &all, |drift| drift.sentence());
}

pub(super) fn keys(text: &mut String, mapping: &MappingReport, reader: ReportReader) {
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
                ReportReader::Terminal => &key.plain,
                ReportReader::Anybody => &key.masked,
            };
            let rows = many(*rows, "row");
            format!("{rows:>9}  {dimension} {key}")
        });
    }
}

/// Cells that differ and stay: left and closed ones.
pub(super) fn stay(text: &mut String, mapping: &MappingReport) {
    if !mapping.cells.left.is_empty() {
        line(text, "  left as they are:");
        for (why, cells) in &mapping.cells.left {
            line(text, &format!("    {cells:>7}  {why}"));
        }
    }
    if !mapping.cells.closed.is_empty() {
        line(text, "  closed:");
        for ((period, why), cells) in &mapping.cells.closed {
            line(text, &format!("    {cells:>7}  {period}: {why}"));
        }
    }
}

pub(super) fn blocked(text: &mut String, mapping: &MappingReport) {
    if mapping.cells.blocked_by.is_empty() {
        return;
    }
    line(text, "  blocked, not sent:");
    for (why, cells) in &mapping.cells.blocked_by {
        line(text, &format!("    {cells:>7}  {why}"));
    }
    listed(text, &mapping.cells.blocked, |(cell, why)| {
        format!("{}: {why}", named(cell, mapping))
    });
}

pub(super) fn held(text: &mut String, mapping: &MappingReport) {
    if mapping.hold.foreign.is_empty() {
        return;
    }
    line(
        text,
        "  somebody else's values that differ (theirs, then the source's):",
    );
    listed(text, &mapping.hold.foreign, |held| {
        let live = held.live.as_ref().map_or("deleted".to_owned(), shown);
        let author = held.author.as_ref().map(by).unwrap_or_default();
        let cell = named(&held.cell, mapping);
        format!("{live} | {}  {cell}  {author}", shown(&held.desired))
    });
}

pub(super) fn guards(text: &mut String, mapping: &MappingReport) {
    if mapping.hold.guards.is_empty() {
        return;
    }
    line(
        text,
        match mapping.hold.released {
            true => "  guards that tripped, and were released for these changes:",
            false => "  guards that tripped; the changes they are about are not sent:",
        },
    );
    listed(text, &mapping.hold.guards, |trip| {
        let period = trip.period.map(|period| format!("{period}: "));
        format!("{}{}", period.unwrap_or_default(), trip.words)
    });
}

/// Values of ours that nobody would ever change, and what a newer DHIS2 would say.
pub(super) fn asides(text: &mut String, mapping: &MappingReport) {
    if mapping.cells.stranded_cells > 0 {
        line(
            text,
            &format!(
                "  stranded, {} of ours that no mapping answers for; withdraw them by map file lines with retired = yes, or in DHIS2:",
                many(mapping.cells.stranded_cells, "value")
            ),
        );
        listed(text, &mapping.cells.stranded, |(cell, live)| {
            format!("{}  {}", shown(live), named(cell, mapping))
        });
    }
    for (why, cells) in &mapping.server.newer {
        let cells = many(*cells, "change");
        line(
            text,
            &format!("  note: DHIS2 2.43 would refuse {cells} of these: {why}"),
        );
    }
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
            .cells
            .changes
            .iter()
            .filter(|change| change.outcome == outcome)
            .collect();
        if of_outcome.is_empty() {
            continue;
        }
        line(text, &format!("  {title}"));
        let codes = of_outcome
            .iter()
            .filter_map(|change| change.code.as_deref());
        for code in codes.collect::<BTreeSet<&str>>() {
            line(text, &format!("    {code}: {}", sentence(code)));
        }
        listed(text, &of_outcome, |change| {
            let code = change.code.as_deref().unwrap_or_default();
            format!("{code} {}", named(&change.cell, mapping))
                .trim_start()
                .to_owned()
        });
    }
}

/// A cell in names, with the UIDs that DHIS2 knows it by.
pub(super) fn named(cell: &Cell, mapping: &MappingReport) -> String {
    let name = |uid: Uid| {
        let code = mapping.objects.codes.get(&uid);
        let code = code.map(|code| format!("{}, ", escaped(code)));
        let code = code.unwrap_or_default();
        match mapping.objects.names.get(&uid) {
            Some(name) if !name.is_empty() => format!("{} ({code}{uid})", escaped(name)),
            _ => uid.to_string(),
        }
    };
    let triple = cell.triple;
    let mut parts = vec![
        cell.period.to_string(),
        name(cell.org_unit),
        name(triple.data_element),
    ];
    for combo in [triple.category_option_combo, triple.attribute_option_combo] {
        let known = mapping.objects.names.get(&combo).map(String::as_str);
        if combo != DEFAULT_COMBO && known != Some("default") {
            parts.push(name(combo));
        }
    }
    parts.join(" | ")
}

/// A value as far as it may be told.
pub(super) fn shown(value: &Text) -> String {
    value.shown().to_string()
}

/// Cells that are no longer as they were read.
pub(super) fn moved(text: &mut String, mapping: &MappingReport) {
    if mapping.cells.moved.is_empty() {
        return;
    }
    let sent = mapping.cells.account.total().of(CellOutcome::Moved) > 0;
    let title = match sent {
        true => "moved since they were read: not sent, the next run judges them:",
        false => "moved since the plan was made:",
    };
    line(text, &format!("  {title}"));
    let value = |value: &Option<Text>| value.as_ref().map_or("nothing".to_owned(), shown);
    listed(text, &mapping.cells.moved, |moved| {
        let author = moved.author.as_ref().map(by).unwrap_or_default();
        let cell = named(&moved.cell, mapping);
        let (expected, found) = (value(&moved.expected), value(&moved.found));
        format!("expected {expected}, found {found}  {cell}  {author}")
    });
}
