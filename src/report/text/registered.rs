//! What a report tells of the completeness of data sets: what was registered, what waits, what a person withdrew.

use crate::domain::{DEFAULT_COMBO, Registration, escaped};
use crate::report::of_mapping::MappingReport;
use crate::report::of_run::Report;
use crate::report::phrases::line;

/// Registrations that a dry run tells one by one.
const LINES: usize = 20;

/// One line, where there is anything to tell; in a dry run what would be registered too.
pub(super) fn registered(text: &mut String, mapping: &MappingReport, report: &Report) {
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
    let title = match report.dry_run {
        true => "to be registered complete",
        false => "registered complete",
    };
    let others = others.concat();
    line(
        text,
        &format!("  {title}: {registered} (unit, period){others}"),
    );
    if report.dry_run {
        for registration in complete.registered.iter().take(LINES) {
            line(text, &format!("    {}", named(registration, mapping)));
        }
        if registered > LINES {
            line(text, &format!("    … and {} more", registered - LINES));
        }
    }
}

fn named(registration: &Registration, mapping: &MappingReport) -> String {
    let unit = registration.org_unit;
    let unit = match mapping.objects.names.get(&unit) {
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
