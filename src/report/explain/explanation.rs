//! What is known of where a number of DHIS2 comes from.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::DateTime;

use crate::domain::{Cell, Combine, Incomplete, Period, Text, TracedRow, Uid};
use crate::history::{OpenOfCell, PastChange};

/// The answer to the question where the values of a data element in an organisation unit and a period come from; it is this
/// large because it tells both sides and the history.
#[derive(Debug)]
pub(crate) struct Explanation {
    pub(crate) data_element: Uid,
    pub(crate) org_unit: Uid,
    pub(crate) period: Period,
    pub(crate) as_of: Timestamp,
    /// What people call the objects.
    pub(crate) names: BTreeMap<Uid, String>,
    pub(crate) codes: BTreeMap<Uid, String>,
    /// Those of the site that fill the data element in such periods.
    pub(crate) mappings: Vec<String>,
    pub(crate) cells: Vec<CellExplained>,
    /// Rows that may belong there and reached no cell, each with its mapping.
    pub(crate) not_placed: Vec<(String, TracedRow)>,
    /// Rows that a rule would have sent there that does not count in the period.
    pub(crate) elsewhere: Vec<(String, TracedRow)>,
    /// Rows that are not listed.
    pub(crate) more: u64,
    /// When the history begins; none: nothing is recorded yet.
    pub(crate) since: Option<String>,
    pub(crate) notes: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct CellExplained {
    pub(crate) cell: Cell,
    /// The one that answers for it; none: no mapping of the site does now.
    pub(crate) mapping: Option<String>,
    pub(crate) rows: Vec<TracedRow>,
    pub(crate) combine: Option<Combine>,
    /// What the rows make; none: the source has nothing for it.
    pub(crate) desired: Option<Text>,
    pub(crate) incomplete: Option<Incomplete>,
    pub(crate) live: Option<LiveExplained>,
    pub(crate) open: Vec<OpenOfCell>,
    /// The oldest first.
    pub(crate) changes: Vec<PastChange>,
}

/// What DHIS2 holds.
#[derive(Debug)]
pub(crate) struct LiveExplained {
    /// None: there is a comment or a mark alone.
    pub(crate) value: Option<Text>,
    pub(crate) deleted: bool,
    pub(crate) user: Option<String>,
    /// The moment by DHIS2's clock.
    pub(crate) when: Option<DateTime>,
    /// Our account, or another that counts as ours.
    pub(crate) ours: bool,
}
