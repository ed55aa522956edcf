//! What is left to send of a group that DHIS2 ≥ 2.43 refused whole: all but those it names, or else its halves. Pure.

use std::collections::BTreeSet;
use std::time::Instant;

use crate::dhis2::verdict::{Among, Offenders, Refusal};
use crate::domain::Change;

/// Positions of changes that go into one import.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) changes: Vec<usize>,
    /// The code with which a group that held them was refused before.
    pub(super) refused_with: Option<String>,
    /// How often it was sent and failed.
    pub(super) tried: u32,
    /// How often nobody knew what had become of it.
    pub(super) unknown: u32,
    /// When the cells were read last.
    pub(super) read_at: Instant,
}

impl Batch {
    /// Not sent yet.
    pub(super) fn new(
        changes: Vec<usize>,
        refused_with: Option<String>,
        read_at: Instant,
    ) -> Batch {
        Batch {
            read_at,
            changes,
            refused_with,
            tried: 0,
            unknown: 0,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Remains {
    /// Cannot be stored.
    pub(super) rejected: Vec<usize>,
    /// Still to be tried, in order. Together with `rejected` these are the group.
    pub(super) batches: Vec<Batch>,
}

pub(super) fn remains(changes: &[Change], group: Batch, refusal: &Refusal) -> Remains {
    let read_at = group.read_at;
    let group = group.changes;
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
        Offenders::Unknown(among) => match middle(changes, &group, *among) {
            None => (group, Vec::new()),
            Some(is_in_first) => {
                let (first, second) = group.into_iter().partition(is_in_first);
                (Vec::new(), vec![first, second])
            }
        },
    };
    let batches = rest
        .into_iter()
        .filter(|batch: &Vec<usize>| !batch.is_empty());
    Remains {
        rejected,
        batches: batches
            .map(|changes| Batch::new(changes, Some(refusal.code.clone()), read_at))
            .collect(),
    }
}

/// Where to halve a group, so that those which are refused alike stay together. `None` if it cannot be told apart further.
fn middle<'c>(
    changes: &'c [Change],
    group: &[usize],
    among: Among,
) -> Option<impl Fn(&usize) -> bool + use<'c>> {
    let classes = |by: By| -> BTreeSet<usize> {
        group
            .iter()
            .map(|index| by.class(changes, *index))
            .collect()
    };
    let by = match among {
        Among::Units => By::Unit,
        Among::Triples => By::Triple,
        Among::Values if classes(By::Unit).len() > 1 => By::Unit,
        Among::Values => By::Value,
    };
    let classes = classes(by);
    let half = classes.len() / 2;
    let middle = classes.into_iter().nth(half).filter(|_| half > 0)?;
    Some(move |index: &usize| by.class(changes, *index) < middle)
}

#[derive(Clone, Copy)]
enum By {
    Unit,
    Triple,
    Value,
}

impl By {
    fn class(self, changes: &[Change], index: usize) -> usize {
        match (self, changes.get(index)) {
            (By::Unit, Some(change)) => change.key.unit as usize,
            (By::Triple, Some(change)) => change.key.triple as usize,
            _ => index,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::{Batch, Remains, remains};
    use crate::dhis2::verdict::{Among, Offenders, Refusal};
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
                people: None,
            })
            .collect();
        let refusal = Refusal {
            code: "E8030".to_owned(),
            offenders,
        };
        let group = Batch::new((0..units.len()).collect(), None, Instant::now());
        let Remains {
            rejected: no_more,
            batches: left,
        } = remains(&changes, group, &refusal);
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
        let unknown = || Offenders::Unknown(Among::Values);
        check(&[1, 1, 1, 2, 3], unknown(), &[], &[&[0, 1, 2], &[3, 4]]);
        check(&[1, 1, 1], unknown(), &[], &[&[0], &[1, 2]]);
        check(&[1], unknown(), &[0], &[]);
    }

    #[test]
    fn what_cannot_be_told_apart_in_the_dimension_that_matters_is_rejected_together() {
        let units = || Offenders::Unknown(Among::Units);
        check(&[1, 1, 2], units(), &[], &[&[0, 1], &[2]]);
        check(&[1, 1], units(), &[0, 1], &[]);
        // Each change has a triple of its own here.
        check(
            &[1, 1, 2, 1],
            Offenders::Unknown(Among::Triples),
            &[],
            &[&[0, 1], &[2, 3]],
        );
    }
}
