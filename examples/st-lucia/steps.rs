//! Says what the demo is doing, and how long it took.

use std::fmt::Display;
use std::time::Instant;

use anyhow::{Context, Result};

/// Announces a step, takes it, says how long it took.
pub(crate) fn step<T>(what: &str, take: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("\n== {what}");
    let started = Instant::now();
    let result = take().with_context(|| what.to_owned())?;
    said(format_args!("({:.1} s)", started.elapsed().as_secs_f64()));
    Ok(result)
}

/// A remark on the step that is being taken.
pub(crate) fn said(what: impl Display) {
    println!("   {what}");
}
