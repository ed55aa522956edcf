//! The last weeks as pictures, each with its text: a calendar of runs, and the values they changed.

use std::collections::BTreeMap;

use jiff::Span;
use jiff::civil::Date;
use maud::{Markup, html};

use crate::history::{RunsOfDay, Went};

/// Days that are shown, today among them.
pub(super) const DAYS: i32 = 60;
/// The side of a square of the calendar, with the gap to the next one.
const SQUARE: i32 = 34;
/// The width of the names of weekdays.
const MARGIN: i32 = 44;
/// The height of the chart of values.
const HEIGHT: i32 = 120;
const BAR: i32 = 10;

/// Every day of the last weeks, the oldest first.
pub(super) fn last(today: Date, days: &BTreeMap<Date, RunsOfDay>) -> Vec<(Date, RunsOfDay)> {
    let ago = |ago: i32| today.checked_sub(Span::new().days(ago)).ok();
    let dates = (0..DAYS).rev().filter_map(ago);
    dates
        .map(|date| (date, days.get(&date).cloned().unwrap_or_default()))
        .collect()
}

/// A column for each week, Mondays on top.
pub(super) fn calendar(days: &[(Date, RunsOfDay)]) -> Markup {
    let Some(&(first, _)) = days.first() else {
        return html! {};
    };
    let monday = i32::from(first.weekday().to_monday_zero_offset());
    let weeks = (monday + DAYS + 6) / 7;
    let (width, height) = (MARGIN + weeks * SQUARE, 20 + 7 * SQUARE);
    let summary = summary(days);
    html! {
        svg.calendar role="img" aria-labelledby="calendar-title calendar-text" viewBox={ "0 0 " (width) " " (height) } style={ "max-width:" (width) "px" } {
            title id="calendar-title" { "How runs went, day by day" }
            desc id="calendar-text" { (summary) }
            @for (row, name) in ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"].into_iter().enumerate() {
                text.label x="0" y=(20 + SQUARE * i32::try_from(row).unwrap_or_default() + 21) { (name) }
            }
            @for (index, (date, day)) in days.iter().enumerate() {
                @let place = monday + i32::try_from(index).unwrap_or_default();
                @let (x, y) = (MARGIN + place / 7 * SQUARE, 20 + place % 7 * SQUARE);
                @if date.day() == 1 || index == 0 {
                    text.label x=(x) y="13" { (date.strftime("%b")) }
                }
                g.day data-went=(went(day)) {
                    title { (told(*date, day)) }
                    rect x=(x) y=(y) width="30" height="30" rx="4" {}
                    text x=(x + 15) y=(y + 14) text-anchor="middle" { (date.day()) }
                    text x=(x + 15) y=(y + 26) text-anchor="middle" { (sign(day)) }
                }
            }
        }
        p.key { "✓ all well · ! something open · ~ something passing · ✕ a person must look · – no run" }
        p { (summary) }
        @let trouble: Vec<_> = days.iter().filter(|(_, day)| day.worst() >= Some(Went::Passing)).collect();
        @if !trouble.is_empty() {
            details {
                summary { "Days that did not go well: " (trouble.len()) }
                ul { @for (date, day) in trouble.iter().rev() { li { (told(*date, day)) } } }
            }
        }
    }
}

/// A bar for each day.
pub(super) fn values(days: &[(Date, RunsOfDay)]) -> Markup {
    let most = days
        .iter()
        .map(|(_, day)| day.changed)
        .max()
        .unwrap_or_default();
    let width = MARGIN + DAYS * BAR;
    let all: u64 = days.iter().map(|(_, day)| day.changed).sum();
    let text = format!("{all} values changed in {DAYS} days, at most {most} in one.");
    html! {
        svg.values role="img" aria-labelledby="values-title values-text" viewBox={ "0 0 " (width) " " (HEIGHT + 24) } style={ "max-width:" (width) "px" } {
            title id="values-title" { "Values changed in DHIS2, day by day" }
            desc id="values-text" { (text) }
            text.label x="0" y="14" { (most) }
            text.label x="0" y=(HEIGHT + 4) { "0" }
            line.axis x1=(MARGIN) y1=(HEIGHT) x2=(width) y2=(HEIGHT) {}
            @for (index, (date, day)) in days.iter().enumerate() {
                @let x = MARGIN + BAR * i32::try_from(index).unwrap_or_default();
                @let tall = tall(day.changed, most);
                @if tall > 0 {
                    rect.bar x=(x) y=(HEIGHT - tall) width=(BAR - 2) height=(tall) {
                        title { (date) ": " (day.changed) }
                    }
                }
                @if date.day() == 1 || index == 0 {
                    text.label x=(x) y=(HEIGHT + 18) { (date.strftime("%b %-d")) }
                }
            }
        }
        p { (text) }
        details {
            summary { "The same as a table" }
            table {
                thead { tr { th scope="col" { "RunsOfDay" } th scope="col" { "Runs" } th scope="col" { "Values changed" } } }
                tbody {
                    @for (date, day) in days.iter().rev().filter(|(_, day)| day.runs > 0) {
                        tr { th scope="row" { (date) } td { (day.runs) } td { (day.changed) } }
                    }
                }
            }
        }
    }
}

/// A change is never too small to be seen.
fn tall(changed: u64, most: u64) -> i32 {
    let room = u64::try_from(HEIGHT - 20).unwrap_or_default();
    let tall = changed.saturating_mul(room).div_ceil(most.max(1));
    i32::try_from(tall).unwrap_or(HEIGHT)
}

fn went(day: &RunsOfDay) -> &'static str {
    match day.worst() {
        None => "none",
        Some(Went::Well) => "well",
        Some(Went::Open) => "open",
        Some(Went::Passing) => "passing",
        Some(Went::Badly) => "badly",
    }
}

fn sign(day: &RunsOfDay) -> &'static str {
    match day.worst() {
        None => "–",
        Some(Went::Well) => "✓",
        Some(Went::Open) => "!",
        Some(Went::Passing) => "~",
        Some(Went::Badly) => "✕",
    }
}

/// `2026-11-03: 24 runs, 1 of them ended badly`.
fn told(date: Date, day: &RunsOfDay) -> String {
    if day.runs == 0 {
        return format!("{date}: no run");
    }
    let parts = [
        (Went::Badly, "need a person"),
        (Went::Passing, "failed for the time being"),
        (Went::Open, "left something open"),
        (Went::Well, "went well"),
    ];
    let parts = parts.iter().filter_map(|(went, words)| {
        let count = day.went.get(went)?;
        Some(format!("{count} {words}"))
    });
    let parts: Vec<String> = parts.collect();
    let runs = match day.runs {
        1 => "1 run".to_owned(),
        runs => format!("{runs} runs"),
    };
    format!("{date}: {runs}: {}", parts.join(", "))
}

fn summary(days: &[(Date, RunsOfDay)]) -> String {
    let count = |worst: Option<Went>| days.iter().filter(|(_, day)| day.worst() == worst).count();
    format!(
        "Of the last {DAYS} days {} went well, {} left something open, on {} a run failed for the time being, {} need a person, and {} had no run.",
        count(Some(Went::Well)),
        count(Some(Went::Open)),
        count(Some(Went::Passing)),
        count(Some(Went::Badly)),
        count(None)
    )
}
