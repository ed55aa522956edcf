//! How much is read at once: blocks of periods, units and attribute option combos whose URL every server takes.

use crate::domain::{Period, Uid};

/// At most so many periods and units are asked for at once: some 100,000 values, and a URL of 4 KiB with the combos.
pub(crate) const PERIODS: usize = 24;
pub(crate) const UNITS: usize = 50;
/// Where hardly any unit has a value: a URL of 6 KiB with periods and combos; a Tomcat takes 8.
const MANY_UNITS: usize = 180;
/// Attribute option combos that are named at once.
pub(super) const COMBOS: usize = 50;

/// Periods and units in the blocks in which their values are read, and held, unit by unit.
pub(crate) fn blocks<'a>(
    periods: &'a [Period],
    units: &'a [Uid],
) -> impl Iterator<Item = (&'a [Period], &'a [Uid])> {
    blocks_of(UNITS, periods, units)
}

/// The same of many units of which hardly any has a value: as few blocks as their URLs allow.
pub(super) fn large_blocks<'a>(
    periods: &'a [Period],
    units: &'a [Uid],
) -> impl Iterator<Item = (&'a [Period], &'a [Uid])> {
    blocks_of(MANY_UNITS, periods, units)
}

fn blocks_of<'a>(
    units_at_once: usize,
    periods: &'a [Period],
    units: &'a [Uid],
) -> impl Iterator<Item = (&'a [Period], &'a [Uid])> {
    let units = units.chunks(units_at_once);
    units.flat_map(move |units| periods.chunks(PERIODS).map(move |periods| (periods, units)))
}
