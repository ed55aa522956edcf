//! The member `pg2dhis2` of a document: what comparing with DHIS2 needs to know besides the values.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::domain::{
    Cell, Desired, Dimension, GuardLimits, Incomplete, KeyGroup, Number, Period, PeriodType,
    Policies, RowAccount, RowCounts, RowOutcome, Scope, ShownKey, Space, Sums, Triple, Uid,
    Unplaced,
};

/// The version of the format; another one is refused.
pub(crate) const VERSION: &str = "map/1";

/// Input that is not a document of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DocumentError(pub(super) String);

impl fmt::Display for DocumentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DocumentError {}

/// It has many fields because `push` knows of the mapping only what stands here.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct DocumentHeader {
    pub(super) version: String,
    pub(super) mapping: String,
    /// RFC 3339.
    pub(super) created: String,
    period_type: PeriodType,
    pub(super) periods: Vec<Period>,
    scope: Scope,
    policies: Policies,
    guards: GuardLimits,
    accounting: Accounting,
    unplaced: Vec<Unplaced>,
    incomplete: Vec<IncompleteCell>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Accounting {
    rows: BTreeMap<Period, RowCounts>,
    keys: Vec<Keys>,
    rows_of_other_keys: u64,
    queries: BTreeMap<String, u64>,
    sums: Vec<ElementSums>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Keys {
    outcome: RowOutcome,
    dimension: Dimension,
    key: String,
    period: Period,
    rows: u64,
}

/// Sums as text, because a number of JSON is read as a float by too many programs.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ElementSums {
    data_element: Option<Uid>,
    rows: String,
    desired: String,
    excluded: String,
    unmapped: String,
    #[serde(default)]
    overflowed: bool,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct IncompleteCell {
    data_element: Uid,
    period: Period,
    org_unit: Uid,
    category_option_combo: Uid,
    attribute_option_combo: Uid,
    by: IncompleteBy,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum IncompleteBy {
    Empty,
    Invalid,
}

impl DocumentHeader {
    pub(super) fn of(desired: &Desired, created: String) -> DocumentHeader {
        DocumentHeader {
            version: VERSION.to_owned(),
            mapping: desired.mapping.clone(),
            created,
            period_type: desired.period_type,
            periods: desired.periods.clone(),
            scope: desired.scope.clone(),
            policies: desired.policies.clone(),
            guards: desired.guards.clone(),
            accounting: Accounting::of(&desired.rows),
            unplaced: desired.unplaced.clone(),
            incomplete: desired
                .incomplete
                .iter()
                .filter_map(|(key, why)| Some(IncompleteCell::of(desired.space.cell(*key)?, *why)))
                .collect(),
        }
    }

    pub(super) fn space(&self) -> Space {
        Space::new(self.period_type)
    }

    /// Everything but the values, which are still to be read; `space` is the one their keys are made in.
    pub(super) fn into_desired(
        self,
        data_set: Uid,
        mut space: Space,
    ) -> Result<Desired, DocumentError> {
        let period_type = self.period_type;
        let of_type = |period: &Period| period.period_type() == period_type;
        let periods_fit = self.periods.iter().all(of_type)
            && self.periods.is_sorted_by(|one, next| one < next)
            && !self.periods.is_empty()
            && self
                .incomplete
                .iter()
                .all(|cell| self.periods.contains(&cell.period));
        if !periods_fit {
            return Err(DocumentError(
                "its periods are not those of its period type".to_owned(),
            ));
        }
        let incomplete = self
            .incomplete
            .iter()
            .map(|cell| (space.intern(&cell.cell()), cell.why()))
            .collect();
        Ok(Desired {
            mapping: self.mapping,
            data_set,
            period_type,
            periods: self.periods,
            space,
            cells: Vec::new(),
            incomplete,
            unplaced: self.unplaced,
            scope: self.scope,
            policies: self.policies,
            guards: self.guards,
            rows: self.accounting.account()?,
        })
    }
}

impl Accounting {
    fn of(rows: &RowAccount) -> Accounting {
        Accounting {
            rows: rows.periods.clone(),
            keys: rows.keys.iter().map(Keys::of).collect(),
            rows_of_other_keys: rows.rows_of_other_keys,
            queries: rows.queries.clone(),
            sums: rows
                .sums
                .iter()
                .map(|(element, sums)| ElementSums::of(*element, sums))
                .collect(),
        }
    }

    fn account(self) -> Result<RowAccount, DocumentError> {
        Ok(RowAccount {
            periods: self.rows,
            keys: self.keys.into_iter().map(Keys::group).collect(),
            rows_of_other_keys: self.rows_of_other_keys,
            queries: self.queries,
            sums: self
                .sums
                .into_iter()
                .map(|sums| Ok((sums.data_element, sums.sums()?)))
                .collect::<Result<_, _>>()?,
        })
    }
}

impl Keys {
    fn of(group: &KeyGroup) -> Keys {
        Keys {
            outcome: group.outcome,
            dimension: group.dimension,
            key: group.key.masked.clone(),
            period: group.period,
            rows: group.rows,
        }
    }

    fn group(self) -> KeyGroup {
        KeyGroup {
            outcome: self.outcome,
            dimension: self.dimension,
            key: ShownKey::masked(self.key),
            period: self.period,
            rows: self.rows,
        }
    }
}

impl ElementSums {
    fn of(data_element: Option<Uid>, sums: &Sums) -> ElementSums {
        ElementSums {
            data_element,
            rows: sums.rows.to_string(),
            desired: sums.desired.to_string(),
            excluded: sums.excluded.to_string(),
            unmapped: sums.unmapped.to_string(),
            overflowed: sums.overflowed,
        }
    }

    fn sums(&self) -> Result<Sums, DocumentError> {
        let number = |text: &str| {
            Number::parse(text).map_err(|_| DocumentError("a sum in it is not a number".to_owned()))
        };
        Ok(Sums {
            rows: number(&self.rows)?,
            desired: number(&self.desired)?,
            excluded: number(&self.excluded)?,
            unmapped: number(&self.unmapped)?,
            overflowed: self.overflowed,
        })
    }
}

impl IncompleteCell {
    fn of(cell: Cell, why: Incomplete) -> IncompleteCell {
        IncompleteCell {
            data_element: cell.triple.data_element,
            period: cell.period,
            org_unit: cell.org_unit,
            category_option_combo: cell.triple.category_option_combo,
            attribute_option_combo: cell.triple.attribute_option_combo,
            by: match why {
                Incomplete::Empty => IncompleteBy::Empty,
                Incomplete::Invalid => IncompleteBy::Invalid,
            },
        }
    }

    fn cell(&self) -> Cell {
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

    fn why(&self) -> Incomplete {
        match self.by {
            IncompleteBy::Empty => Incomplete::Empty,
            IncompleteBy::Invalid => Incomplete::Invalid,
        }
    }
}
