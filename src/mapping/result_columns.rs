//! Holds the columns of a result against those that the mapping declares, before a row is read.

use std::collections::BTreeMap;
use std::fmt;

use super::look_alike::LookAlike;
use super::mapping_file::Mapping;
use crate::domain::Dimension;

/// Characters of a key, a period or anything of a rule that are read.
const KEY_LENGTH: u32 = 1_000;
/// Characters of a value that are read: one more than DHIS2 takes, so that too long a one is seen.
const VALUE_LENGTH: u32 = 50_001;

/// A result that does not have the declared columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ColumnFault {
    /// A column that nobody declared: perhaps patient data. Named by place and type, not by name.
    Undeclared {
        place: usize,
        type_name: String,
    },
    Missing {
        column: String,
    },
    /// A column of rules that a person takes for one of ours.
    Resembles {
        column: String,
        ours: String,
        difference: LookAlike,
    },
    Repeated {
        column: String,
    },
    /// A rules column of a type that cannot hold it.
    WrongType {
        column: String,
        type_name: String,
        expected: &'static str,
    },
}

impl fmt::Display for ColumnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ColumnFault::Undeclared { place, type_name } => write!(
                f,
                "column {place} ({type_name}) is not declared by the mapping and may hold personal data; nothing was read; \
                 remove it from the query or declare it"
            ),
            ColumnFault::Missing { column } => {
                write!(
                    f,
                    "the result has no column `{column}`, which the mapping declares"
                )
            }
            ColumnFault::Resembles {
                column,
                ours,
                difference,
            } => write!(
                f,
                "column `{}` differs from `{ours}` in {}; call it `{ours}`",
                column.escape_debug(),
                difference.words()
            ),
            ColumnFault::Repeated { column } => {
                write!(
                    f,
                    "the result has column `{column}` twice; name the columns apart"
                )
            }
            ColumnFault::WrongType {
                column,
                type_name,
                expected,
            } => {
                write!(f, "column `{column}` is {type_name}; it must be {expected}")
            }
        }
    }
}

impl std::error::Error for ColumnFault {}

/// The columns of a result: name and PostgreSQL's type name, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Columns(pub(crate) Vec<(String, String)>);

/// Where the columns that a mapping declares stand in a result, from 0.
#[derive(Clone, Debug)]
pub(crate) struct RowColumns {
    pub(crate) period: Option<usize>,
    pub(crate) dimensions: BTreeMap<Dimension, Vec<usize>>,
    pub(crate) values: Vec<ValueColumn>,
    /// The most characters to read of each column.
    pub(crate) lengths: Vec<u32>,
}

/// A column of values in a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ValueColumn {
    pub(crate) place: usize,
    pub(crate) is_numeric: bool,
}

impl Mapping {
    /// Checks the columns of a query's result: exactly the declared ones, in any order.
    pub(crate) fn check_columns(&self, columns: &Columns) -> Result<RowColumns, ColumnFault> {
        let values = self.values.columns();
        let mut declared: Vec<&str> = values.clone();
        declared.extend(self.period_column.as_deref());
        for dimension in self.dimensions.values() {
            declared.extend(dimension.columns.iter().map(String::as_str));
        }
        columns.only(&declared)?;
        let is_value = |name: &str| values.contains(&name);
        Ok(RowColumns {
            period: self
                .period_column
                .as_deref()
                .map(|column| columns.place(column))
                .transpose()?,
            dimensions: self
                .dimensions
                .iter()
                .map(|(name, dimension)| Ok((*name, columns.places(&dimension.columns)?)))
                .collect::<Result<_, _>>()?,
            values: values
                .iter()
                .map(|column| {
                    let place = columns.place(column)?;
                    Ok(ValueColumn {
                        place,
                        is_numeric: columns.is_numeric(place),
                    })
                })
                .collect::<Result<_, _>>()?,
            lengths: columns
                .0
                .iter()
                .map(|(name, _)| {
                    if is_value(name) {
                        VALUE_LENGTH
                    } else {
                        KEY_LENGTH
                    }
                })
                .collect(),
        })
    }
}

impl Columns {
    /// Refuses a column that is almost one of `ours`.
    pub(crate) fn ensure_none_resembles(&self, ours: &[&str]) -> Result<(), ColumnFault> {
        for (column, _) in &self.0 {
            if ours.contains(&column.as_str()) {
                continue;
            }
            let near = ours
                .iter()
                .find_map(|our| Some((our, LookAlike::between(column, our)?)));
            if let Some((our, difference)) = near {
                return Err(ColumnFault::Resembles {
                    column: column.clone(),
                    ours: (*our).to_owned(),
                    difference,
                });
            }
        }
        Ok(())
    }

    /// Refuses a column that is not among `declared`, and one that stands twice.
    pub(crate) fn only(&self, declared: &[&str]) -> Result<(), ColumnFault> {
        // First what may be personal data, which is the gravest.
        for (index, (name, type_name)) in self.0.iter().enumerate() {
            if !declared.contains(&name.as_str()) {
                return Err(ColumnFault::Undeclared {
                    place: index + 1,
                    type_name: type_name.clone(),
                });
            }
        }
        for (index, (name, _)) in self.0.iter().enumerate() {
            if self
                .0
                .iter()
                .take(index)
                .any(|(earlier, _)| earlier == name)
            {
                return Err(ColumnFault::Repeated {
                    column: name.clone(),
                });
            }
        }
        Ok(())
    }

    pub(crate) fn find(&self, column: &str) -> Option<usize> {
        self.0.iter().position(|(name, _)| name == column)
    }

    pub(crate) fn place(&self, column: &str) -> Result<usize, ColumnFault> {
        self.find(column).ok_or_else(|| ColumnFault::Missing {
            column: column.to_owned(),
        })
    }

    pub(crate) fn places(&self, columns: &[String]) -> Result<Vec<usize>, ColumnFault> {
        columns.iter().map(|column| self.place(column)).collect()
    }

    pub(crate) fn type_name(&self, place: usize) -> &str {
        self.0.get(place).map_or("", |(_, type_name)| type_name)
    }

    /// Lengths for a result whose every column is read as a key is.
    pub(crate) fn key_lengths(&self) -> Vec<u32> {
        vec![KEY_LENGTH; self.0.len()]
    }

    fn is_numeric(&self, place: usize) -> bool {
        matches!(
            self.type_name(place),
            "int2" | "int4" | "int8" | "numeric" | "float4" | "float8"
        )
    }
}
