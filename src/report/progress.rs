//! How far a backfill is: a bar on a terminal, elsewhere a line for each part.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::of_mapping::MappingReport;
use super::of_run::Report;
use super::output::{self, is_read_at_terminal};
use crate::cli::SiteArgs;
use crate::domain::{CellOutcome, Period};

/// Shown while a backfill goes on.
#[derive(Debug)]
pub(crate) struct Progress {
    shown: ShownProgress,
    began: Instant,
    /// Periods of all mappings, and those of them that are done.
    periods: usize,
    done: usize,
    /// Those of all parts.
    cells: u64,
    changed: u64,
}

#[derive(Debug)]
enum ShownProgress {
    Nothing,
    Lines,
    Bar(ProgressBar),
}

/// The counts of a mapping before a part of it, to tell what the part added.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Before {
    cells: u64,
    changed: u64,
}

impl Progress {
    /// Begins with so many periods of all mappings; nothing is shown of a run that is not done in parts.
    pub(crate) fn begin(periods: usize, report: &Report, site: &SiteArgs) -> Progress {
        let shown = match (report.in_parts && !site.quiet, is_read_at_terminal()) {
            (false, _) => ShownProgress::Nothing,
            // The lines of the log would tear a bar apart.
            (true, true) if site.verbose == 0 => ShownProgress::Bar(bar(periods)),
            (true, _) => ShownProgress::Lines,
        };
        Progress {
            shown,
            began: Instant::now(),
            periods,
            done: 0,
            cells: 0,
            changed: 0,
        }
    }

    /// A part of a mapping is done, or given up.
    pub(crate) fn part(&mut self, part: &[Period], before: Before, report: &MappingReport) {
        let now = Before::of(report);
        let cells = now.cells.saturating_sub(before.cells);
        let changed = now.changed.saturating_sub(before.changed);
        self.done += part.len();
        self.cells += cells;
        self.changed += changed;
        match &self.shown {
            ShownProgress::Nothing => {}
            ShownProgress::Bar(bar) => {
                bar.set_position(self.done as u64);
                bar.set_message(counted(self.cells, self.changed));
            }
            ShownProgress::Lines => output::say(&format!(
                "{} {}: {}; {} of {} periods done{}\n",
                report.name,
                range(part),
                counted(cells, changed),
                self.done,
                self.periods,
                self.left(),
            )),
        }
    }

    /// The report follows.
    pub(crate) fn end(&self) {
        if let ShownProgress::Bar(bar) = &self.shown {
            bar.finish_and_clear();
        }
    }

    /// The time that is left: as long for each period that is left as for those that are done.
    fn left(&self) -> String {
        let left = self.periods.saturating_sub(self.done);
        let (Ok(left), Ok(done)) = (u32::try_from(left), u32::try_from(self.done)) else {
            return String::new();
        };
        match (left, self.began.elapsed().checked_div(done)) {
            (1.., Some(each)) => format!(", about {} left", rounded(each.saturating_mul(left))),
            _ => String::new(),
        }
    }
}

impl Before {
    pub(crate) fn of(report: &MappingReport) -> Before {
        let total = report.cells.account.total();
        let changed = [
            CellOutcome::Created,
            CellOutcome::Updated,
            CellOutcome::Zeroed,
            CellOutcome::Deleted,
        ];
        Before {
            cells: total.cells,
            changed: changed.iter().map(|outcome| total.of(*outcome)).sum(),
        }
    }
}

fn bar(periods: usize) -> ProgressBar {
    let bar = ProgressBar::new(periods as u64);
    let style =
        ProgressStyle::with_template("{wide_bar} {pos} of {len} periods, {msg}, about {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.set_message(counted(0, 0));
    bar
}

fn counted(cells: u64, changed: u64) -> String {
    format!("{cells} cells, {changed} values changed")
}

fn range(part: &[Period]) -> String {
    match (part.first(), part.last()) {
        (Some(first), Some(last)) if first != last => format!("{first}..{last}"),
        (first, _) => first.map(Period::to_string).unwrap_or_default(),
    }
}

/// `40 s`, `3 min`, `2 h 5 min`.
fn rounded(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..90 => format!("{seconds} s"),
        90..5_400 => format!("{} min", (seconds + 30) / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds % 3_600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::rounded;

    #[test]
    fn a_time_is_told_as_exactly_as_it_is_known() {
        for (seconds, words) in [(41, "41 s"), (170, "3 min"), (7_510, "2 h 5 min")] {
            assert_eq!(rounded(Duration::from_secs(seconds)), words);
        }
    }
}
