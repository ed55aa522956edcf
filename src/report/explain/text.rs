//! An explanation for people.

use super::explanation::{CellExplained, Explanation, LiveExplained};
use crate::domain::{
    AnsweredBy, Combine, DEFAULT_COMBO, Dimension, Incomplete, RowOutcome, TracedAnswer, TracedRow,
    TracedRule, Uid, escaped,
};
use crate::history::PastChange;
use crate::report::of_run::ReportReader;
use crate::report::phrases::{SHOWN, line, many, minute, more, old_and_new};

/// Where the rest of a long list stands.
const REST: &str = "--format json has them";

pub(super) fn whole(explanation: &Explanation, reader: ReportReader) -> String {
    let page = ExplanationText {
        explanation,
        reader,
    };
    let mut text = String::new();
    let (element, unit) = (explanation.data_element, explanation.org_unit);
    line(
        &mut text,
        &format!(
            "{} in {}, {}; the source as of {}",
            page.name(element),
            page.name(unit),
            explanation.period,
            explanation.as_of
        ),
    );
    let names = explanation.mappings.join(", ");
    line(&mut text, &format!("filled by the mapping {names}"));
    for note in &explanation.notes {
        line(&mut text, &format!("note: {note}"));
    }
    for cell in &explanation.cells {
        page.cell(&mut text, cell);
    }
    if explanation.cells.is_empty() {
        line(&mut text, "");
        line(
            &mut text,
            "nothing: the source has no row for it, DHIS2 no value, and no run ever changed one",
        );
    }
    page.not_placed(&mut text);
    page.elsewhere(&mut text);
    if explanation.more > 0 {
        let more = many(explanation.more, "more row");
        line(&mut text, &format!("… and {more}, not listed"));
    }
    line(&mut text, "");
    let since = match &explanation.since {
        Some(since) => format!("the history begins at {} UTC", minute(since)),
        None => "no run is recorded yet".to_owned(),
    };
    line(&mut text, &since);
    text
}

struct ExplanationText<'e> {
    explanation: &'e Explanation,
    reader: ReportReader,
}

impl ExplanationText<'_> {
    /// `BCG doses (lO7ecd1fAsI)`.
    fn name(&self, uid: Uid) -> String {
        match self.explanation.names.get(&uid) {
            Some(name) => format!("{} ({uid})", escaped(name)),
            None => uid.to_string(),
        }
    }

    fn cell(&self, text: &mut String, cell: &CellExplained) {
        line(text, "");
        let triple = cell.cell.triple;
        let mut heading = self.name(triple.category_option_combo);
        if triple.attribute_option_combo != DEFAULT_COMBO {
            heading += &format!(", {}", self.name(triple.attribute_option_combo));
        }
        line(text, &heading);
        line(text, &format!("  source now: {}", made(cell)));
        for row in cell.rows.iter().take(SHOWN) {
            line(text, &format!("    {}", head(row)));
            // That a combo is the default says nothing.
            let told = |answer: &&TracedAnswer| !matches!(answer.by, AnsweredBy::Default);
            for answer in row.answers.iter().filter(told) {
                line(text, &format!("      {}", self.answer(answer)));
            }
        }
        more(text, cell.rows.len(), REST);
        line(text, &format!("  DHIS2 now: {}", live(cell.live.as_ref())));
        for open in &cell.open {
            let tries = many(open.tries, "run");
            let (what, first) = (&open.what, minute(&open.first_seen));
            line(text, &format!("  {what} since {first} UTC, in {tries}"));
        }
        if cell.changes.is_empty() {
            line(text, "  our changes: none is recorded");
        } else {
            line(text, "  our changes:");
        }
        for past in &cell.changes {
            change(text, past);
        }
    }

    fn not_placed(&self, text: &mut String) {
        if self.explanation.not_placed.is_empty() {
            return;
        }
        line(text, "");
        let heading = "rows that reached no cell, of this data element as far as is known:";
        line(text, heading);
        let rows = &self.explanation.not_placed;
        for (_, row) in rows.iter().take(SHOWN) {
            self.row_with_reason(text, row, |answer| answer.uid.is_none());
        }
        more(text, rows.len(), REST);
    }

    fn elsewhere(&self, text: &mut String) {
        if self.explanation.elsewhere.is_empty() {
            return;
        }
        line(text, "");
        let heading = "rows of keys that another rule would send here, were it the one that counts on the first day of the period:";
        line(text, heading);
        let rows = &self.explanation.elsewhere;
        for (_, row) in rows.iter().take(SHOWN) {
            self.row_with_reason(text, row, |answer| answer.instead_of.is_some());
        }
        more(text, rows.len(), REST);
    }

    /// A row with those of its dimensions that matter.
    fn row_with_reason(
        &self,
        text: &mut String,
        row: &TracedRow,
        matters: impl Fn(&TracedAnswer) -> bool,
    ) {
        let combo = row.place.category_option_combo;
        let combo = combo.map_or(String::new(), |combo| format!(", {}", self.name(combo)));
        line(text, &format!("  {}{combo}", head(row)));
        for answer in row.answers.iter().filter(|answer| matters(answer)) {
            line(text, &format!("    {}", self.answer(answer)));
            if let Some(other) = &answer.instead_of {
                let words = format!("      and not {}", self.rule(other));
                line(text, &words);
            }
        }
    }

    /// `organisation unit Bexon (…) of key "BEXON": rule v3/rule 12 of mapping_rules.sql, from 1900-01-01`.
    fn answer(&self, answer: &TracedAnswer) -> String {
        let key = answer.key.as_ref().map(|key| match self.reader {
            ReportReader::Terminal => key.plain.clone(),
            ReportReader::Anybody => key.masked.clone(),
        });
        let key = key.map_or(String::new(), |key| format!(" of \"{key}\""));
        let what = match (answer.uid, &answer.by) {
            (Some(uid), _) if answer.dimension == Dimension::OrgUnit => self.name(uid),
            (Some(uid), _) => uid.to_string(),
            (None, AnsweredBy::Rule(_)) => "left out".to_owned(),
            (None, _) => "unknown".to_owned(),
        };
        let by = match &answer.by {
            AnsweredBy::Line { file, line } => format!("{file}, line {line}"),
            AnsweredBy::Rule(rule) => self.rule(rule),
            AnsweredBy::NoRule { file } => {
                format!("{file} has no rule for it on the first day of the period")
            }
            AnsweredBy::NoLine => "it stands in no line".to_owned(),
            AnsweredBy::Options => "the category options of that name in the pin".to_owned(),
            AnsweredBy::Column => "the column holds it".to_owned(),
            AnsweredBy::Default => "the default".to_owned(),
        };
        format!("{} {what}{key}: {by}", answer.dimension)
    }

    fn rule(&self, rule: &TracedRule) -> String {
        let label = rule.label.as_deref().map(|label| format!("rule {label}"));
        let label = label.unwrap_or_else(|| "a rule without a label".to_owned());
        let says = match rule.uid {
            Some(uid) if uid == self.explanation.org_unit => "here".to_owned(),
            Some(uid) => self.name(uid),
            None => "left out".to_owned(),
        };
        let from = rule.valid_from.as_deref().map(|day| format!(" from {day}"));
        let to = rule.valid_to.as_deref().map(|day| format!(" to {day}"));
        format!(
            "{label} of {} ({says}{}{}, priority {})",
            rule.file,
            from.unwrap_or_default(),
            to.unwrap_or_default(),
            rule.priority
        )
    }
}

/// `5 in doses_administered.sql`.
fn head(row: &TracedRow) -> String {
    let value = row
        .value
        .as_ref()
        .map_or("no value".to_owned(), |value| value.shown().to_string());
    let outcome = match row.outcome {
        RowOutcome::Mapped => "",
        RowOutcome::Excluded => ", excluded",
        RowOutcome::Unmapped => ", unmapped",
        RowOutcome::Empty => ", empty",
        RowOutcome::Invalid => ", invalid",
    };
    format!("{value} in {}{outcome}", row.query)
}

/// What the rows of a cell make, and how.
fn made(cell: &CellExplained) -> String {
    let rows = many(cell.rows.len() as u64, "row");
    let value = match (&cell.desired, cell.rows.len()) {
        (None, 0) => return "nothing".to_owned(),
        (None, _) => "no value".to_owned(),
        (Some(value), _) => value.shown().to_string(),
    };
    let how = match (cell.combine, cell.rows.len()) {
        (Some(Combine::Sum), 2..) => format!("the sum of {rows}"),
        (Some(Combine::Max), 2..) => format!("the highest of {rows}"),
        (Some(Combine::Min), 2..) => format!("the lowest of {rows}"),
        _ => rows,
    };
    let incomplete = match cell.incomplete {
        None => "",
        Some(Incomplete::Empty) => "; a row without a value leaves what DHIS2 has",
        Some(Incomplete::Invalid) => "; a row with an invalid value blocks it",
    };
    format!("{value}, {how}{incomplete}")
}

fn live(live: Option<&LiveExplained>) -> String {
    let Some(live) = live else {
        return "no value".to_owned();
    };
    let value = live
        .value
        .as_ref()
        .map_or("no value".to_owned(), |value| value.shown().to_string());
    let did = if live.deleted { "deleted" } else { "stored" };
    let who = match (&live.user, live.ours) {
        (Some(user), true) => format!("{} (ours)", escaped(user)),
        (Some(user), false) => escaped(user),
        (None, _) => "nobody known".to_owned(),
    };
    let when = live.when.map_or(String::new(), |when| {
        format!(" on {}", minute(&when.to_string()))
    });
    format!("{value}, {did} by {who}{when} by DHIS2's clock")
}

fn change(text: &mut String, past: &PastChange) {
    let change = &past.change;
    let (at, run, command) = (minute(&past.at), past.run, &past.command);
    let words = old_and_new(change);
    line(
        text,
        &format!(
            "    {at} UTC, run {run} ({command}): {} {words}",
            change.outcome
        ),
    );
    for difference in &past.differences {
        line(text, &format!("      not as before: {difference}"));
    }
}
