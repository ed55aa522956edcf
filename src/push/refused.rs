//! What is left to send of a group that DHIS2 ≥ 2.43 refused whole: all but those it names, or else its halves. Pure.

use crate::dhis2::verdict::{Offenders, Refusal};
use crate::domain::Change;

/// Positions of changes that go into one import.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) changes: Vec<usize>,
    /// The code with which a group that held them was refused before.
    pub(super) refused_with: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remains {
    /// Cannot be stored.
    pub(super) rejected: Vec<usize>,
    /// Still to be tried, in order. Together with `rejected` these are the group.
    pub(super) batches: Vec<Batch>,
}

pub(super) fn remains(changes: &[Change], group: Vec<usize>, refusal: &Refusal) -> Remains {
    let (rejected, rest) = match &refusal.offenders {
        Offenders::All => (group, Vec::new()),
        Offenders::Named(offenders) => {
            let (named, rest): (Vec<_>, Vec<_>) = (0..)
                .zip(group)
                .partition(|(index, _)| offenders.binary_search(index).is_ok());
            let change = |(_, change): (usize, usize)| change;
            (
                named.into_iter().map(change).collect(),
                vec![rest.into_iter().map(change).collect()],
            )
        }
        Offenders::Unknown if group.len() < 2 => (group, Vec::new()),
        Offenders::Unknown => {
            let (first, second) = halves(changes, group);
            (Vec::new(), vec![first, second])
        }
    };
    let batches = rest
        .into_iter()
        .filter(|batch: &Vec<usize>| !batch.is_empty());
    Remains {
        rejected,
        batches: batches
            .map(|changes| Batch {
                changes,
                refused_with: Some(refusal.code.clone()),
            })
            .collect(),
    }
}

/// By units; the values of a single unit in the middle.
fn halves(changes: &[Change], group: Vec<usize>) -> (Vec<usize>, Vec<usize>) {
    let unit = |index: &usize| changes.get(*index).map(|change| change.key.unit);
    let units: Vec<usize> = group
        .chunk_by(|a, b| unit(a) == unit(b))
        .map(<[usize]>::len)
        .collect();
    let middle = match units.len() {
        1 => group.len() / 2,
        several => units.iter().take(several / 2).sum(),
    };
    let mut first = group;
    let second = first.split_off(middle);
    (first, second)
}

#[cfg(test)]
mod tests {
    use super::{Remains, remains};
    use crate::dhis2::verdict::{Offenders, Refusal};
    use crate::domain::{Change, ChangeKind, Key, Text};

    fn check(units: &[u32], offenders: Offenders, rejected: &[usize], batches: &[&[usize]]) {
        let changes: Vec<Change> = (0..)
            .zip(units)
            .map(|(triple, unit)| Change {
                key: Key {
                    period: 1,
                    unit: *unit,
                    triple,
                },
                kind: ChangeKind::Create,
                value: Text::from("1"),
                old: None,
                follow_up: false,
                comment: None,
                foreign: false,
            })
            .collect();
        let refusal = Refusal {
            code: "E8030".to_owned(),
            offenders,
        };
        let Remains {
            rejected: no_more,
            batches: left,
        } = remains(&changes, (0..units.len()).collect(), &refusal);
        assert_eq!(no_more, rejected);
        let left: Vec<Vec<usize>> = left.into_iter().map(|batch| batch.changes).collect();
        assert_eq!(left, batches);
    }

    #[test]
    fn those_named_are_taken_out_and_the_rest_is_left() {
        check(
            &[1, 2, 2, 3],
            Offenders::Named(vec![1, 2]),
            &[1, 2],
            &[&[0, 3]],
        );
        check(&[1, 2], Offenders::All, &[0, 1], &[]);
    }

    #[test]
    fn a_group_without_names_is_halved_by_unit_then_by_value() {
        check(
            &[1, 1, 1, 2, 3],
            Offenders::Unknown,
            &[],
            &[&[0, 1, 2], &[3, 4]],
        );
        check(&[1, 1, 1], Offenders::Unknown, &[], &[&[0], &[1, 2]]);
        check(&[1], Offenders::Unknown, &[0], &[]);
    }
}
