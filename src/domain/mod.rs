//! The vocabulary of the program: UIDs, periods, numbers and value types, as DHIS2 means them.
//! Pure: nothing here reads a file, a clock, a socket or the environment.

mod number;
mod period;
mod period_parse;
mod period_range;
#[cfg(test)]
mod period_tests;
mod period_type;
mod uid;

pub(crate) use number::{Number, NumberError, canonical};
pub(crate) use period::Period;
pub(crate) use period_parse::PeriodError;
pub(crate) use period_range::PeriodRange;
pub(crate) use period_type::{PeriodType, UnknownPeriodType};
pub(crate) use uid::{DEFAULT_COMBO, Uid, UidError};

mod cell;
mod change;
mod metadata;
mod text;

pub(crate) use cell::{Cell, Key, Space, Triple};
pub(crate) use change::{Change, ChangeKind, Sent};
pub(crate) use metadata::{
    Account, DataElement, DataSet, InputPeriod, LiveRow, OrgUnit, Server, Version,
};
pub(crate) use text::Text;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Old,
    New,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(from = "String")]
pub(crate) struct ValueType;
impl From<String> for ValueType {
    fn from(_: String) -> Self {
        ValueType
    }
}
