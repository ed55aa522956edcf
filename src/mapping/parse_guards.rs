//! The table `[guards]`: how much may change before a person must look.

use super::{Entry, FileError};
use crate::domain::{GuardLimits, Share};

pub(super) fn guards(entry: Option<Entry<'_>>) -> Result<GuardLimits, FileError> {
    let Some(entry) = entry else {
        return Ok(GuardLimits::default());
    };
    let mut section = entry.section()?;
    let mut guards = GuardLimits::default();
    for (key, share) in [
        ("max-unmapped", &mut guards.max_unmapped),
        ("max-excluded", &mut guards.max_excluded),
        ("max-withdrawn", &mut guards.max_withdrawn),
        ("max-withdrawn-of-one", &mut guards.max_withdrawn_of_one),
        ("max-changed", &mut guards.max_changed),
        ("max-decrease", &mut guards.max_decrease),
    ] {
        if let Some(entry) = section.take(key) {
            let text = entry.string()?;
            *share = text.parse().map_err(|wrong| entry.error(wrong))?;
        }
    }
    if let Some(entry) = section.take("max-increase") {
        let text = entry.string()?;
        guards.max_increase = Share::of_growth(text).map_err(|wrong| entry.error(wrong))?;
    }
    if let Some(entry) = section.take("max-spike") {
        guards.max_spike = entry.count(0..=1_000_000)?;
    }
    if let Some(entry) = section.take("min-rows") {
        guards.min_rows = Some(entry.count(0..=1_000_000_000)?.into());
    }
    if let Some(entry) = section.take("max-age") {
        guards.max_age = entry.duration()?.unsigned_abs().as_secs();
    }
    section.finish()?;
    Ok(guards)
}
