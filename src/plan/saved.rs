//! A plan as it is kept in a file: what would change in each mapping, for another day. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::domain::{Author, Cell, ChangeKind, Fingerprint, Period, PeriodType, Triple, Uid};

/// The version of the format; another one is refused.
pub(crate) const VERSION: &str = "plan/1";

/// Everything in the file but its first line, which is version and digest.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SavedPlan {
    /// The version of the program.
    pub(crate) version: String,
    pub(crate) created: Timestamp,
    pub(crate) as_of: Timestamp,
    pub(crate) dhis2: SavedServer,
    pub(crate) mappings: Vec<SavedMapping>,
}

/// The DHIS2 that the plan was compared with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SavedServer {
    pub(crate) url: String,
    pub(crate) version: String,
    pub(crate) user: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct SavedMapping {
    pub(crate) name: String,
    pub(crate) data_set: Uid,
    pub(crate) period_type: PeriodType,
    /// A person must look before anything of the mapping is sent.
    pub(crate) held: bool,
    /// A plan that is older, in seconds, is held.
    pub(crate) max_age: u64,
    /// The digest of the changes.
    pub(crate) digest: String,
    /// Digests of the mapping's files, where they were read.
    pub(crate) digests: BTreeMap<String, String>,
    /// Ordered by cell, each cell once.
    pub(crate) changes: Vec<SavedChange>,
}

/// One change, without comment and mark: those that the cell has when the plan is applied are sent back with it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SavedChange {
    pub(crate) kind: ChangeKind,
    data_element: Uid,
    period: Period,
    org_unit: Uid,
    category_option_combo: Uid,
    attribute_option_combo: Uid,
    /// The live value when the plan was made.
    pub(crate) old: Option<String>,
    /// None: the value is to be deleted.
    pub(crate) new: Option<String>,
    /// The old value was last stored by somebody else.
    pub(crate) foreign: bool,
}

impl SavedChange {
    /// `new` is the value to write, which does not count for a delete; `author` is somebody else who stored the old one.
    pub(crate) fn new(
        cell: &Cell,
        kind: ChangeKind,
        old: Option<&str>,
        new: &str,
        author: Option<&Author>,
    ) -> SavedChange {
        SavedChange {
            kind,
            data_element: cell.triple.data_element,
            period: cell.period,
            org_unit: cell.org_unit,
            category_option_combo: cell.triple.category_option_combo,
            attribute_option_combo: cell.triple.attribute_option_combo,
            old: old.map(str::to_owned),
            new: (kind != ChangeKind::Delete).then(|| new.to_owned()),
            foreign: author.is_some(),
        }
    }

    pub(crate) fn cell(&self) -> Cell {
        Cell {
            period: self.period,
            org_unit: self.org_unit,
            triple: Triple {
                data_element: self.data_element,
                category_option_combo: self.category_option_combo,
                attribute_option_combo: self.attribute_option_combo,
            },
        }
    }

    /// Its line in the file.
    pub(crate) fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }
}

impl SavedMapping {
    /// What is no plan of ours, though its form is: cells that are not in order, periods of another type, a change
    /// that contradicts itself.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        let cells = || self.changes.iter().map(SavedChange::cell);
        if !cells().is_sorted_by(|one, next| one < next) {
            return Some("its changes are not in order, or two are of one cell");
        }
        if cells().any(|cell| cell.period.period_type() != self.period_type) {
            return Some("a change is of another period type");
        }
        let deletes = |change: &SavedChange| change.kind == ChangeKind::Delete;
        if self
            .changes
            .iter()
            .any(|change| deletes(change) != change.new.is_none())
        {
            return Some("a change has no new value, or a delete has one");
        }
        None
    }
}

/// The digest of a mapping's plan: SHA-256 of its changes' lines, each with its end.
pub(crate) fn digest<'c>(
    changes: impl IntoIterator<Item = &'c SavedChange>,
) -> serde_json::Result<String> {
    let mut fingerprint = Fingerprint::default();
    for change in changes {
        fingerprint.add(change.line()?.as_bytes());
        fingerprint.add(b"\n");
    }
    Ok(fingerprint.hex())
}

#[cfg(test)]
mod tests {
    use super::{SavedChange, SavedMapping, digest};
    use crate::domain::{Cell, ChangeKind, DEFAULT_COMBO, PeriodType, Triple};

    fn change(period: &str, unit: &str, kind: ChangeKind) -> SavedChange {
        let cell = Cell {
            period: period.parse().expect("a period"),
            org_unit: unit.parse().expect("a UID"),
            triple: Triple {
                data_element: "M1eFRJpEkoO".parse().expect("a UID"),
                category_option_combo: DEFAULT_COMBO,
                attribute_option_combo: DEFAULT_COMBO,
            },
        };
        SavedChange::new(&cell, kind, Some("5"), "7", None)
    }

    fn fault(changes: Vec<SavedChange>) -> Option<&'static str> {
        let mapping = SavedMapping {
            name: "m".to_owned(),
            data_set: "YE8SgpSMBQ9".parse().expect("a UID"),
            period_type: PeriodType::Monthly,
            held: false,
            max_age: 21_600,
            digest: String::new(),
            digests: Default::default(),
            changes,
        };
        mapping.fault()
    }

    const ONE: &str = "UnitAaaaaa1";
    const TWO: &str = "UnitAaaaaa2";

    #[test]
    fn cells_stand_in_order_and_once_and_are_of_the_mappings_period_type() {
        let update = |period, unit| change(period, unit, ChangeKind::Update);
        let fine = vec![
            update("202501", TWO),
            update("202502", ONE),
            update("202502", TWO),
        ];
        assert_eq!(fault(fine), None);
        for wrong in [
            vec![update("202501", ONE), update("202501", ONE)],
            vec![update("202502", ONE), update("202501", ONE)],
            vec![update("2025", ONE)],
        ] {
            assert!(fault(wrong).is_some());
        }
    }

    #[test]
    fn only_a_delete_has_no_new_value() {
        let delete = change("202501", ONE, ChangeKind::Delete);
        assert_eq!(delete.new, None);
        assert_eq!(fault(vec![delete.clone()]), None);
        for kind in [ChangeKind::Create, ChangeKind::Update, ChangeKind::Zero] {
            let mut contradicting = delete.clone();
            contradicting.kind = kind;
            assert!(fault(vec![contradicting]).is_some());
        }
    }

    #[test]
    fn a_digest_is_that_of_the_lines() {
        let changes = [change("202501", ONE, ChangeKind::Delete)];
        // printf '%s\n' '{"kind":"delete",…,"foreign":false}' | sha256sum
        let line = r#"{"kind":"delete","dataElement":"M1eFRJpEkoO","period":"202501","orgUnit":"UnitAaaaaa1","categoryOptionCombo":"HllvX50cXC0","attributeOptionCombo":"HllvX50cXC0","old":"5","new":null,"foreign":false}"#;
        assert_eq!(changes[0].line().expect("JSON"), line);
        let expected = "9d65c0cfa02c87345def299f36301f6cb92dead6aef41b2c687f83e4f227391a";
        assert_eq!(digest(&changes).expect("a digest"), expected);
    }
}
