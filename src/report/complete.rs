//! What a report tells of the completeness of data sets: what was registered, what waits, what a person withdrew.

use serde_json::{Value, json};

use super::MappingReport;
use super::text::line;
use crate::domain::{DEFAULT_COMBO, Registration, escaped};
use crate::exit::Problem;

/// Registrations that a dry run tells one by one.
const LINES: usize = 20;

/// What became of the completeness of the units and periods of one mapping.
#[derive(Debug, Default)]
pub(crate) struct CompleteReport {
    /// Made by this run and read back; of a dry run those that a run would make.
    pub(crate) registered: Vec<Registration>,
    /// There before, whoever made them.
    pub(crate) already: u64,
    /// Their time has not come.
    pub(crate) early: u64,
    /// Something of theirs is not in DHIS2, or may not be.
    pub(crate) lacking: u64,
    /// By a person; they are not made again.
    pub(crate) withdrawn: u64,
    /// Asked for, and not shown by DHIS2.
    pub(crate) unconfirmed: u64,
    /// They say nothing of the values, which have their own.
    pub(crate) problems: Vec<Problem>,
}

pub(super) fn json(mapping: &MappingReport) -> Value {
    let Some(complete) = &mapping.complete else {
        return Value::Null;
    };
    let each = complete.registered.iter().map(|registration| {
        json!({
            "period": registration.period,
            "orgUnit": registration.org_unit,
            "attributeOptionCombo": registration.attribute_option_combo,
        })
    });
    json!({
        "registered": complete.registered.len(),
        "already": complete.already,
        "early": complete.early,
        "lacking": complete.lacking,
        "withdrawn": complete.withdrawn,
        "unconfirmed": complete.unconfirmed,
        "registrations": each.collect::<Vec<_>>(),
    })
}

/// One line, where there is anything to tell; in a dry run what would be registered too.
pub(super) fn text(text: &mut String, mapping: &MappingReport, dry_run: bool) {
    let Some(complete) = &mapping.complete else {
        return;
    };
    let others = [
        (complete.early, "wait for their time"),
        (complete.lacking, "wait for what is not in DHIS2"),
        (complete.withdrawn, "withdrawn by a person"),
        (complete.unconfirmed, "unconfirmed"),
    ];
    let others: Vec<String> = others
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, words)| format!("; {count} {words}"))
        .collect();
    let registered = complete.registered.len();
    if registered == 0 && others.is_empty() {
        return;
    }
    let title = match dry_run {
        true => "to be registered complete",
        false => "registered complete",
    };
    let others = others.concat();
    line(
        text,
        &format!("  {title}: {registered} (unit, period){others}"),
    );
    if dry_run {
        for registration in complete.registered.iter().take(LINES) {
            line(text, &format!("    {}", named(registration, mapping)));
        }
        if registered > LINES {
            line(text, &format!("    … and {} more", registered - LINES));
        }
    }
}

impl MappingReport {
    /// Takes in the completeness of a part of the run.
    pub(crate) fn absorb_complete(&mut self, part: CompleteReport) {
        let whole = self.complete.get_or_insert_default();
        whole.registered.extend(part.registered);
        whole.already += part.already;
        whole.early += part.early;
        whole.lacking += part.lacking;
        whole.withdrawn += part.withdrawn;
        whole.unconfirmed += part.unconfirmed;
        whole.problems.extend(part.problems);
    }

    /// All that went wrong: what kept values from DHIS2, then what kept registrations.
    pub(crate) fn all_problems(&self) -> impl Iterator<Item = &Problem> {
        let of_complete = self.complete.iter().flat_map(|complete| &complete.problems);
        self.problems.iter().chain(of_complete)
    }
}

fn named(registration: &Registration, mapping: &MappingReport) -> String {
    let unit = registration.org_unit;
    let unit = match mapping.names.get(&unit) {
        Some(name) if !name.is_empty() => format!("{} ({unit})", escaped(name)),
        _ => unit.to_string(),
    };
    let combo = registration.attribute_option_combo;
    let combo = match combo == DEFAULT_COMBO {
        true => String::new(),
        false => format!(" | {combo}"),
    };
    format!("{} | {unit}{combo}", registration.period)
}
