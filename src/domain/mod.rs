//! The vocabulary of the program: UIDs, periods, numbers and value types, cells and their changes, as DHIS2 means
//! them. Pure: nothing here reads a file, a clock, a socket or the environment.

mod author;
mod cell;
mod change;
mod clocks;
mod complete;
mod desired;
mod drift;
mod engine;
mod fingerprint;
mod held;
mod limits;
mod metadata;
mod number;
#[cfg(test)]
mod number_tests;
mod outcome;
mod own_user;
mod period;
mod period_totals;
mod pin;
mod policy;
mod reject;
mod release;
mod rows;
mod shown_key;
mod source_server;
mod text;
mod traced;
mod uid;
mod value;

pub(crate) use author::Author;
pub(crate) use cell::{Cell, Form, Key, Space, Triple};
pub(crate) use change::{Change, ChangeKind, People, Sent, ServerCounts};
pub(crate) use clocks::{ClockQuestion, Clocks};
pub(crate) use complete::{Complete, Registration};
pub(crate) use desired::{
    Desired, DesiredCell, Incomplete, OrgUnitScope, RowPlace, Scope, TripleScope, Unplaced,
};
pub(crate) use drift::{Changed, Drift};
pub(crate) use engine::Engine;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use held::{Concerns, HeldCell, MovedCell, Trip};
pub(crate) use limits::{FEWEST, GuardLimits, LEAST_TOTAL, Share};
pub(crate) use metadata::{
    Account, CategoryOption, DataElement, DataSet, InputPeriod, LiveRow, OrgUnit, Server, Version,
};
pub(crate) use number::{Number, Total, canonical};
pub(crate) use outcome::{Blocked, CellAccount, CellCounts, CellOutcome, Closed, Left};
pub(crate) use own_user::{OwnUser, is_ours};
pub(crate) use period::{Period, PeriodRange, PeriodType};
pub(crate) use period_totals::PeriodTotals;
pub(crate) use pin::{CategoryCombo, ObjectKind, Pin, PinnedElement, PinnedOrgUnit};
pub(crate) use policy::{Absent, Combine, ElementPolicies, Foreign, Policies, Word};
pub(crate) use reject::{NO_CODE, sentence};
pub(crate) use release::Releasable;
pub(crate) use rows::{Dimension, KeyGroup, RowAccount, RowCounts, RowOutcome, Sums};
pub(crate) use shown_key::{KeyMask, ShownKey, escaped, shown_label};
pub(crate) use source_server::{Lag, SourceAge, SourcePosition, SourceServer};
pub(crate) use text::{ShownValue, Text};
pub(crate) use traced::{AnsweredBy, Asked, Traced, TracedAnswer, TracedRow, TracedRule};
pub(crate) use uid::{DEFAULT_COMBO, Uid};
pub(crate) use value::{ValueType, reads_as_zero};
