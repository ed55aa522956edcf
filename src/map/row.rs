//! One row of a result: its period, its keys, its value.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::fault::{MapFault, PeriodFault};
use super::resolved::Resolved;
use crate::domain::{Combine, Dimension, Number, Period, RowPlace, Text, Uid, canonical};
use crate::mapping::{RowColumns, ValueColumn};

/// What a row's value is, before asking where it goes.
pub(super) enum RowValue {
    /// The source makes no statement.
    Null,
    /// No value that DHIS2 could hold, or that could be added up.
    Invalid,
    Usable {
        text: Text,
        number: Option<Number>,
    },
}

/// The longest value DHIS2 stores, in characters (ValidationUtils.VALUE_MAX_LENGTH).
const LONGEST_VALUE: usize = 50_000;

impl RowValue {
    /// Reads a value of a column; `combine` tells how its data element's rows combine, where the row has one.
    pub(super) fn read(
        text: Option<&str>,
        column: ValueColumn,
        combine: Option<Combine>,
    ) -> RowValue {
        let Some(text) = text else {
            return RowValue::Null;
        };
        let adds = combine.is_some_and(|combine| combine != Combine::Refuse);
        let number = Number::parse(text).ok();
        if column.is_numeric {
            return match (canonical(text), number) {
                // What is added up must fit exactly.
                (Ok(_), None) if adds => RowValue::Invalid,
                (Ok(canonical), number) => RowValue::Usable {
                    text: Text::from(canonical.as_str()),
                    number,
                },
                (Err(_), _) => RowValue::Invalid,
            };
        }
        // DHIS2 ≤ 2.42 takes a blank for a delete, and no version stores an empty value.
        let holdable = !text.trim().is_empty() && text.chars().count() <= LONGEST_VALUE;
        if holdable && (number.is_some() || !adds) {
            RowValue::Usable {
                text: Text::from(text),
                number,
            }
        } else {
            RowValue::Invalid
        }
    }

    pub(super) fn number(&self) -> Option<Number> {
        match self {
            RowValue::Usable { number, .. } => *number,
            RowValue::Null | RowValue::Invalid => None,
        }
    }
}

/// The values of the columns that tell a row from the others of its period.
pub(super) struct RowKeys<'r> {
    pub(super) columns: &'r RowColumns,
    pub(super) row: &'r [Option<&'r str>],
}

impl RowKeys<'_> {
    pub(super) fn of(&self, dimension: Dimension) -> Vec<Option<String>> {
        let places = self.columns.dimensions.get(&dimension);
        places
            .into_iter()
            .flatten()
            .map(|place| self.row.get(*place).copied().flatten().map(str::to_owned))
            .collect()
    }

    pub(super) fn fingerprint(&self) -> RowFingerprint {
        let mut halves = [DefaultHasher::new(), DefaultHasher::new()];
        for (salt, half) in halves.iter_mut().enumerate() {
            salt.hash(half);
            for places in self.columns.dimensions.values() {
                for place in places {
                    self.row.get(*place).hash(half);
                }
            }
        }
        RowFingerprint(halves)
    }
}

/// 128 bits that stand for a row's keys, so that a million rows can be held against each other in 16 MB.
pub(super) struct RowFingerprint([DefaultHasher; 2]);

impl RowFingerprint {
    /// Tells the values of the row's value columns apart.
    pub(super) fn of_value(&self, index: usize) -> u128 {
        let [high, low] = self.0.clone().map(|mut half| {
            index.hash(&mut half);
            u128::from(half.finish())
        });
        high << 64 | low
    }
}

/// The period of a row, which must be one of those its query was asked for.
pub(super) fn period(
    query: &str,
    allowed: &[Period],
    columns: &RowColumns,
    row: &[Option<&str>],
) -> Result<Period, MapFault> {
    let fault = |fault| MapFault::Period {
        query: query.to_owned(),
        fault,
    };
    let Some(place) = columns.period else {
        // The query ran for one period.
        return allowed
            .first()
            .copied()
            .ok_or_else(|| fault(PeriodFault::Missing));
    };
    let text = row.get(place).copied().flatten();
    let text = text.ok_or_else(|| fault(PeriodFault::Missing))?;
    let period: Period = text.parse().map_err(|_| fault(PeriodFault::NotAPeriod))?;
    match allowed.binary_search(&period) {
        Ok(_) => Ok(period),
        Err(_) => Err(fault(PeriodFault::NotAskedFor(period))),
    }
}

pub(super) fn uid(answers: &BTreeMap<Dimension, Resolved>, dimension: Dimension) -> Option<Uid> {
    match answers.get(&dimension) {
        Some(Resolved::Uid(uid)) => Some(*uid),
        _ => None,
    }
}

/// Where a row belongs, as far as its dimensions have answers.
pub(super) fn place(period: Period, answers: &BTreeMap<Dimension, Resolved>) -> RowPlace {
    RowPlace {
        period,
        data_element: uid(answers, Dimension::DataElement),
        category_option_combo: uid(answers, Dimension::CategoryOptionCombo),
        attribute_option_combo: uid(answers, Dimension::AttributeOptionCombo),
        org_unit: uid(answers, Dimension::OrgUnit),
    }
}
