//! Lines on standard error for journald, syslog and whoever collects them: each with the run's number, as text or as JSON.

use std::io::Write;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::Timestamp;
use serde_json::json;

use crate::cli::{LogFormat, SiteArgs};

/// The run that the process is about; 0 before it has a number. One process is about one run.
static RUN: AtomicI64 = AtomicI64::new(0);
/// How lines are written; said once, before the first.
static FORMAT: OnceLock<LogFormat> = OnceLock::new();

/// How the line of a problem begins for people.
const PROBLEM: &str = "pg2dhis2: ";

/// Sends the program's own log to standard error; the libraries' would tell SQL and parameters.
pub(crate) fn logging(site: &SiteArgs) {
    let level = match site.verbose {
        0 => log::LevelFilter::Off,
        1 => log::LevelFilter::Info,
        _ => log::LevelFilter::Debug,
    };
    // Nobody said it before.
    let _ = FORMAT.set(site.log_format);
    env_logger::Builder::new()
        .filter_module("pg2dhis2", level)
        .format(|out, record| {
            let level = record.level().as_str().to_ascii_lowercase();
            out.write_all(line(&level, &record.args().to_string()).as_bytes())
        })
        .target(env_logger::Target::Stderr)
        .init();
}

/// From now on each line has the number of the run.
pub(crate) fn log_run(number: i64) {
    RUN.store(number, Ordering::Relaxed);
}

/// Words for standard error as they are written: for people as they are, else each line of them as JSON.
pub(super) fn written(words: &str) -> String {
    match format() {
        LogFormat::Text => words.to_owned(),
        LogFormat::Json => words.lines().map(said).collect(),
    }
}

fn said(words: &str) -> String {
    match words.strip_prefix(PROBLEM) {
        Some(problem) => as_json("error", problem),
        None => as_json("info", words),
    }
}

fn line(level: &str, message: &str) -> String {
    match (format(), RUN.load(Ordering::Relaxed)) {
        (LogFormat::Json, _) => as_json(level, message),
        (LogFormat::Text, 0) => format!("{message}\n"),
        (LogFormat::Text, run) => format!("run {run}: {message}\n"),
    }
}

fn as_json(level: &str, message: &str) -> String {
    let run = Some(RUN.load(Ordering::Relaxed)).filter(|run| *run > 0);
    let time = format!("{:.3}", Timestamp::now());
    let line = json!({ "time": time, "level": level, "run": run, "message": message });
    format!("{line}\n")
}

fn format() -> LogFormat {
    FORMAT.get().copied().unwrap_or(LogFormat::Text)
}
