//! Which changes go into one import. Pure.

use std::ops::Range;

use crate::domain::Change;

/// Values in one import, unless the site says otherwise. Beyond it little time is gained, and more is lost when DHIS2
/// 2.43 refuses a whole import.
pub(crate) const CHUNK: usize = 1_000;
/// What a site may say instead.
pub(crate) const SMALLEST_CHUNK: u32 = 1;
pub(crate) const LARGEST_CHUNK: u32 = 2_000;

/// Cuts changes, sorted by key, into imports of one period and at most `largest` values each. The values of a unit
/// stay together, unless they are more than an import holds.
pub(super) fn chunks(changes: &[Change], largest: usize) -> Vec<Range<usize>> {
    let largest = largest.max(1);
    let mut chunks: Vec<Range<usize>> = Vec::new();
    let mut period = None;
    let mut begin = 0;
    let place = |change: &Change| (change.key.period, change.key.unit);
    for unit in changes.chunk_by(|a, b| place(a) == place(b)) {
        let end = begin + unit.len();
        let unit_period = unit.first().map(|change| change.key.period);
        match chunks.last_mut() {
            Some(last) if period == unit_period && end - last.start <= largest => last.end = end,
            _ => chunks.extend(
                (begin..end)
                    .step_by(largest)
                    .map(|start| start..end.min(start + largest)),
            ),
        }
        period = unit_period;
        begin = end;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::chunks;
    use crate::domain::{Change, ChangeKind, Key, Text};

    /// The list has as many changes of a period and unit as said.
    fn changes(units: &[(i32, u32, u32)]) -> Vec<Change> {
        let keys = units.iter().flat_map(|&(period, unit, count)| {
            (0..count).map(move |triple| Key {
                period,
                unit,
                triple,
            })
        });
        keys.map(|key| Change {
            key,
            kind: ChangeKind::Create,
            value: Text::from("1"),
            old: None,
            follow_up: false,
            people: None,
        })
        .collect()
    }

    #[test]
    fn an_import_has_one_period_and_whole_units_and_no_more_than_the_largest() {
        let check = |units: &[(i32, u32, u32)], largest, expected: &[(usize, usize)]| {
            let chunks = chunks(&changes(units), largest).into_iter();
            let ends: Vec<_> = chunks.map(|chunk| (chunk.start, chunk.end)).collect();
            assert_eq!(ends, expected, "{units:?}");
        };
        check(&[], 10, &[]);
        check(&[(1, 1, 4), (1, 2, 4), (1, 3, 4)], 10, &[(0, 8), (8, 12)]);
        check(&[(1, 1, 5), (1, 2, 5)], 10, &[(0, 10)]);
        check(&[(1, 1, 2), (2, 1, 2)], 10, &[(0, 2), (2, 4)]);
        check(&[(1, 1, 25), (1, 2, 3)], 10, &[(0, 10), (10, 20), (20, 28)]);
        check(
            &[(1, 1, 2), (1, 2, 25)],
            10,
            &[(0, 2), (2, 12), (12, 22), (22, 27)],
        );
        check(&[(1, 1, 2)], 0, &[(0, 1), (1, 2)]);
    }
}
