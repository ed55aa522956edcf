//! What makes a query's result unusable as a whole.

use std::fmt;

use super::rules::RuleFault;
use crate::domain::{Cell, Period};
use crate::mapping::ColumnFault;

/// A result that is not what the mapping promises. Holds no value of a row but periods and UIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MapFault {
    Columns {
        result: String,
        fault: ColumnFault,
    },
    Rules {
        result: String,
        fault: RuleFault,
    },
    Period {
        query: String,
        fault: PeriodFault,
    },
    /// Two rows with the same keys.
    RepeatedRow {
        period: Period,
    },
    /// Rows of different keys in one cell, where the mapping refuses to combine.
    Meet {
        cell: Cell,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PeriodFault {
    Missing,
    NotAPeriod,
    NotAskedFor(Period),
}

impl fmt::Display for MapFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MapFault::Columns { result, fault } => write!(f, "{result}: {fault}"),
            MapFault::Rules { result, fault } => write!(f, "{result}: {fault}"),
            MapFault::Period { query, fault } => write!(f, "{query}: {fault}"),
            MapFault::RepeatedRow { period } => write!(
                f,
                "two rows of {period} have the same keys; group the query by every declared column"
            ),
            MapFault::Meet { cell } => write!(
                f,
                "rows of different keys meet in the cell {cell}; write `combine` if that is meant, else mend the map"
            ),
        }
    }
}

impl fmt::Display for PeriodFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PeriodFault::Missing => f.write_str("a row has no period"),
            PeriodFault::NotAPeriod => {
                f.write_str("a row's period is not spelled as DHIS2 does (202503, 2025Q1, 2025W9)")
            }
            PeriodFault::NotAskedFor(period) => write!(
                f,
                "a row is of period {period}, which was not asked for; bound the query by :'period_start' and :'period_end'"
            ),
        }
    }
}

impl std::error::Error for MapFault {}
