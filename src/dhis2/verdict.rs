//! What an import summary proves about each value that was sent. Pure.

#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::import::OutgoingValue;
use super::summary::{Conflict, ImportSummary, Status};
use crate::domain::{NO_CODE, Uid};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Not stored, each for a reason of its own; by index, ascending.
    pub(crate) rejected: Vec<Rejected>,
    /// Nothing was stored, for a reason that may concern some values only.
    pub(crate) refused: Option<Refusal>,
    /// All other values.
    pub(crate) rest: Rest,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rejected {
    pub(crate) index: usize,
    /// DHIS2's error code, or [`NO_CODE`].
    pub(crate) code: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: String,
    pub(crate) offenders: Offenders,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Offenders {
    /// No value of this data set and period can be stored.
    All,
    /// These indexes, ascending; there may be more that the server does not name.
    Named(Vec<usize>),
    /// The server names none.
    Unknown(Among),
}

/// What tells offenders from others when the server does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Among {
    Units,
    /// Data elements with their combos.
    Triples,
    Values,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Stored, by the server's counts.
    Stored,
    /// The counts do not show it: unchanged values and zeros that are not kept (≤ 2.42), or a server that failed
    /// without saying so.
    Unsure,
    /// The import broke off; some values may be stored.
    Broken,
}

/// Rejects what the server rejects value by value (`rejectedIndexes`, which 2.38 lacks, or the conflicts' own
/// indexes), unless its counts contradict that.
pub(crate) fn verdict(summary: &ImportSummary, sent: &[OutgoingValue<'_>]) -> Verdict {
    let nothing = Verdict {
        rejected: Vec::new(),
        refused: None,
        rest: Rest::Unsure,
    };
    if summary.broke {
        return Verdict {
            rest: Rest::Broken,
            ..nothing
        };
    }
    let counted = summary
        .imported
        .saturating_add(summary.updated)
        .saturating_add(summary.deleted);
    let rejected = rejected(summary, sent.len());
    let group = summary
        .conflicts
        .iter()
        .find(|conflict| is_about_the_group(conflict));
    if summary.status == Status::Error && counted == 0 {
        match (group, &rejected) {
            (Some(conflict), _) => {
                return Verdict {
                    refused: Some(refusal(conflict, sent)),
                    ..nothing
                };
            }
            (None, Some(rejected)) if !rejected.is_empty() => {}
            // An error that names nothing is a failure of the server.
            (None, _) => {
                return Verdict {
                    rest: Rest::Broken,
                    ..nothing
                };
            }
        }
    }
    let Some(rejected) = rejected else {
        return nothing;
    };
    let accepted = (sent.len() - rejected.len()) as u64;
    match counted.cmp(&accepted) {
        Ordering::Equal => Verdict {
            rejected,
            rest: Rest::Stored,
            ..nothing
        },
        Ordering::Less => Verdict {
            rejected,
            ..nothing
        },
        Ordering::Greater => nothing,
    }
}

/// `None` if an index is none of those sent.
fn rejected(summary: &ImportSummary, sent: usize) -> Option<Vec<Rejected>> {
    let of_conflicts = summary.conflicts.iter().flat_map(|conflict| {
        let code = conflict.code.as_deref().unwrap_or(NO_CODE);
        conflict.indexes.iter().map(move |index| (*index, code))
    });
    let alone = summary
        .rejected_indexes
        .iter()
        .map(|index| (*index, NO_CODE));
    let mut codes = BTreeMap::new();
    for (index, code) in of_conflicts.chain(alone) {
        let index = usize::try_from(index).ok().filter(|index| *index < sent)?;
        codes.entry(index).or_insert(code);
    }
    let rejected = codes.into_iter().map(|(index, code)| Rejected {
        index,
        code: code.to_owned(),
    });
    Some(rejected.collect())
}

/// E7600–E7604 concern the head of the document; of the new engine's codes only E8120–E8125 concern single values.
fn is_about_the_group(conflict: &Conflict) -> bool {
    let Some(code) = conflict.code.as_deref() else {
        return false;
    };
    match code {
        "E7600" | "E7601" | "E7603" | "E7604" => true,
        "E8120" | "E8121" | "E8122" | "E8123" | "E8124" | "E8125" => false,
        _ => code.starts_with("E8"),
    }
}

fn refusal(conflict: &Conflict, sent: &[OutgoingValue<'_>]) -> Refusal {
    let code = conflict.code.clone().unwrap_or_else(|| NO_CODE.to_owned());
    let offenders = match code.as_str() {
        // Data set unknown or not writable, not told apart from others, or of another period type.
        "E7600" | "E7601" | "E8002" | "E8003" | "E8004" | "E8005" | "E8010" | "E8021" => {
            Offenders::All
        }
        _ => {
            let named: Vec<usize> = (0..)
                .zip(sent)
                .filter(|(index, value)| offends(&code, conflict, *index, value))
                .map(|(index, _)| index)
                .collect();
            match named.len() {
                0 => Offenders::Unknown(among(&code)),
                all if all == sent.len() => Offenders::All,
                _ => Offenders::Named(named),
            }
        }
    };
    Refusal { code, offenders }
}

/// E8012 names category options, of which we know no combos. E8030 names data set and period, though single units may
/// have a lock exception.
fn among(code: &str) -> Among {
    match code {
        "E8012" => Among::Triples,
        "E8030" => Among::Units,
        _ => Among::Values,
    }
}

/// Which dimension each code of the new engine names (DHIS2 2.43, `ErrorCode`). One value may be named by several.
fn offends(code: &str, conflict: &Conflict, index: usize, value: &OutgoingValue<'_>) -> bool {
    let names = |uid: Uid| conflict.named.contains(&uid);
    let triple = value.cell.triple;
    match code {
        "E8020" => names(triple.data_element),
        "E8011" | "E8022" | "E8031" => names(value.cell.org_unit),
        "E8023" | "E8032" => names(triple.attribute_option_combo),
        "E8024" => names(triple.data_element) && names(triple.category_option_combo),
        "E8025" | "E8033" => names(triple.attribute_option_combo) && names(value.cell.org_unit),
        "E8012" | "E8030" => false,
        // One value that cannot be decoded, or several for one cell.
        _ => conflict.numbered.contains(&index),
    }
}
