//! The accounting of cells: every cell, desired or live in scope, ends in exactly one outcome.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Period;

/// What became of a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CellOutcome {
    Unchanged,
    Left,
    Closed,
    Blocked,
    Held,
    Moved,
    Created,
    Updated,
    Zeroed,
    Deleted,
    Rejected,
    Unconfirmed,
    NotSent,
}

impl CellOutcome {
    /// Those after which DHIS2 is known to hold what the source says.
    pub(crate) const ACCEPTED: [CellOutcome; 5] = [
        CellOutcome::Unchanged,
        CellOutcome::Created,
        CellOutcome::Updated,
        CellOutcome::Zeroed,
        CellOutcome::Deleted,
    ];

    pub(crate) const ALL: [CellOutcome; 13] = [
        CellOutcome::Unchanged,
        CellOutcome::Left,
        CellOutcome::Closed,
        CellOutcome::Blocked,
        CellOutcome::Held,
        CellOutcome::Moved,
        CellOutcome::Created,
        CellOutcome::Updated,
        CellOutcome::Zeroed,
        CellOutcome::Deleted,
        CellOutcome::Rejected,
        CellOutcome::Unconfirmed,
        CellOutcome::NotSent,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            CellOutcome::Unchanged => "unchanged",
            CellOutcome::Left => "left",
            CellOutcome::Closed => "closed",
            CellOutcome::Blocked => "blocked",
            CellOutcome::Held => "held",
            CellOutcome::Moved => "moved",
            CellOutcome::Created => "created",
            CellOutcome::Updated => "updated",
            CellOutcome::Zeroed => "zeroed",
            CellOutcome::Deleted => "deleted",
            CellOutcome::Rejected => "rejected",
            CellOutcome::Unconfirmed => "unconfirmed",
            CellOutcome::NotSent => "not sent",
        }
    }
}

/// Cells by outcome, beside the count that their sum is held against.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct CellCounts {
    /// desired ∪ (live ∩ scope), counted where they come in.
    pub(crate) cells: u64,
    outcomes: [u64; CellOutcome::ALL.len()],
}

impl CellCounts {
    pub(crate) fn count(&mut self, outcome: CellOutcome) {
        self.add_to(outcome, 1);
    }

    /// Counts cells as something else than before.
    pub(crate) fn recount(&mut self, from: CellOutcome, to: CellOutcome, cells: u64) {
        let places = CellOutcome::ALL.into_iter().zip(self.outcomes.iter_mut());
        for (outcome, place) in places {
            if outcome == from {
                *place = place.saturating_sub(cells);
            }
        }
        self.add_to(to, cells);
    }

    pub(crate) fn of(&self, outcome: CellOutcome) -> u64 {
        self.iter()
            .find(|(each, _)| *each == outcome)
            .map_or(0, |(_, count)| count)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (CellOutcome, u64)> + '_ {
        CellOutcome::ALL.into_iter().zip(self.outcomes)
    }

    pub(crate) fn add(&mut self, other: &CellCounts) {
        self.cells += other.cells;
        for (outcome, count) in other.iter() {
            self.add_to(outcome, count);
        }
    }

    pub(crate) fn balances(&self) -> bool {
        self.cells == self.outcomes.iter().sum::<u64>()
    }

    fn add_to(&mut self, outcome: CellOutcome, count: u64) {
        let places = CellOutcome::ALL.into_iter().zip(self.outcomes.iter_mut());
        for (each, place) in places {
            if each == outcome {
                *place += count;
            }
        }
    }
}

/// Cells by period and outcome.
#[derive(Clone, Debug, Default)]
pub(crate) struct CellAccount {
    pub(crate) periods: BTreeMap<Period, CellCounts>,
}

impl CellAccount {
    pub(crate) fn total(&self) -> CellCounts {
        let mut total = CellCounts::default();
        for counts in self.periods.values() {
            total.add(counts);
        }
        total
    }

    pub(crate) fn balances(&self) -> bool {
        self.periods.values().all(CellCounts::balances)
    }
}

/// Why a cell stays as it is though it differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Left {
    /// `absent = "leave"`.
    Absent,
    /// Somebody else's, and the source has nothing.
    Foreign,
    /// Somebody else's, under `foreign = "keep"`.
    ForeignKept,
    /// A row of it is empty: a part is not the sum.
    EmptyRow,
    /// A row that could not be placed may belong to it.
    Unplaced,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Left::Absent => "the source has nothing and the mapping says to leave it",
            Left::Foreign => "stored by somebody else, and the source has nothing",
            Left::ForeignKept => "stored by somebody else, and the mapping says to keep it",
            Left::EmptyRow => "a row of it is empty, and a part is not the sum",
            Left::Unplaced => "a row that could not be placed may belong to it",
        })
    }
}

/// Why DHIS2 takes no value for a cell now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Closed {
    /// Later than the data set's open future periods allow (E7641, E8030).
    Future,
    /// The expiry days after the period's end are over (E7640, E8030).
    Expired,
    /// Not in an open data input period (E7643, E8030).
    InputWindow,
    /// Approved, at the unit or above it (E7642, E8033). DHIS2 2.43.1 looks at the very unit alone and would take the
    /// value; for us it is closed all the same.
    Approved,
}

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Closed::Future => "the data set does not take values for this period yet",
            Closed::Expired => {
                "the data set's expiry days are over; a lock exception opens it for a unit"
            }
            Closed::InputWindow => {
                "no data input period of the data set is open for it; open one there"
            }
            Closed::Approved => "approved there or above; take the approval back to change it",
        })
    }
}

/// Why this server would refuse a cell, or why its value would be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Blocked {
    UnknownDataElement,
    /// DHIS2 ≤ 2.42 takes no value of a data element that it does not show to the account (E7610); 2.43 does.
    DataElementHidden,
    DataElementNotInDataSet,
    UnknownOrgUnit,
    OrgUnitNotInDataSet,
    OrgUnitOutsideHierarchy,
    /// A rule sends a row to a unit that another mapping may answer for.
    OrgUnitOutsideMapping,
    /// The mapping does not answer for the data element and combos.
    OutsideMapping,
    WrongPeriodType,
    ComboNotOfDataElement,
    ComboNotOfDataSet,
    /// The account may not write data of a category option behind a combo, `default` included (E7613, E7615, E8012).
    OptionNotWritable,
    /// The attribute option is not for the unit (E7639, E8025).
    AttributeOptionNotOfUnit,
    /// The period is outside the dates of the attribute option (E7638, E8032).
    AttributeOptionOutsideDates,
    OrgUnitClosed,
    ValueType,
    NotAnOption,
    /// A person's comment, which goes back with the value (E7620, E8125).
    CommentTooLong,
    /// DHIS2 2.43 takes a value of an element with an option set for comments only with one of its codes (E8124).
    CommentNotAnOption,
    ZeroRefused,
    InvalidRow,
    /// This version does not know the period, or its type.
    UnknownPeriod,
    /// DHIS2 2.43.0 and 2.43.1 refuse exactly the open data input periods (DHIS2-21981).
    InputPeriodsInverted,
    /// What a value of it means is not what it was when the mapping's objects were pinned.
    ChangedSincePin,
}

impl fmt::Display for Blocked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Blocked::UnknownDataElement => "DHIS2 has no such data element",
            Blocked::DataElementHidden => {
                "the data element is not shared with our account; share it"
            }
            Blocked::DataElementNotInDataSet => "the data element is not in the data set",
            Blocked::UnknownOrgUnit => "DHIS2 has no such organisation unit",
            Blocked::OrgUnitNotInDataSet => {
                "the organisation unit is not assigned to the data set; assign it"
            }
            Blocked::OrgUnitOutsideHierarchy => {
                "the organisation unit is outside the hierarchy of our account; give the account its unit"
            }
            Blocked::OrgUnitOutsideMapping => {
                "the organisation unit is outside scope-org-units of the mapping; mend the rule that sends rows there, or widen the scope"
            }
            Blocked::OutsideMapping => {
                "the mapping does not answer for the data element and combo; mend the table or spreadsheet that names them"
            }
            Blocked::WrongPeriodType => "the data set has another period type",
            Blocked::ComboNotOfDataElement => {
                "the category option combo is not one of the data element's"
            }
            Blocked::ComboNotOfDataSet => "the attribute option combo is not one of the data set's",
            Blocked::OptionNotWritable => {
                "our account may not write data of a category option behind the combo; share it"
            }
            Blocked::AttributeOptionNotOfUnit => {
                "the attribute option is not for the organisation unit; add the unit to the option"
            }
            Blocked::AttributeOptionOutsideDates => {
                "the period is outside the dates of the attribute option"
            }
            Blocked::OrgUnitClosed => {
                "the organisation unit was not open on the first day of the period; mend its dates to reopen it"
            }
            Blocked::ValueType => "the value does not fit the data element's value type",
            Blocked::NotAnOption => "the value is not a code of the data element's option set",
            Blocked::CommentTooLong => {
                "somebody's comment on it is longer than this DHIS2 takes; shorten it"
            }
            Blocked::CommentNotAnOption => {
                "this DHIS2 takes the data element only with a comment from its option set; choose one in DHIS2, or take the option set for comments off the data element"
            }
            Blocked::ZeroRefused => "the data element's value type takes no zero",
            Blocked::InvalidRow => "a row of the cell has no usable value",
            Blocked::UnknownPeriod => "this version of DHIS2 does not know the period",
            Blocked::InputPeriodsInverted => {
                "DHIS2 2.43.0 and 2.43.1 refuse open data input periods; update DHIS2"
            }
            Blocked::ChangedSincePin => "its data element or combo has changed since the pin",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{CellAccount, CellCounts, CellOutcome};

    #[test]
    fn cells_balance_when_each_has_one_outcome() {
        for outcome in CellOutcome::ALL {
            let mut counts = CellCounts::default();
            assert!(counts.balances());
            counts.cells += 1;
            assert!(!counts.balances(), "a cell without an outcome");
            counts.count(outcome);
            assert!(counts.balances());
            assert_eq!(counts.of(outcome), 1);
            counts.count(outcome);
            assert!(!counts.balances(), "a cell with two outcomes");
        }
    }

    #[test]
    fn a_period_that_does_not_balance_is_not_made_good_by_another() {
        let mut account = CellAccount::default();
        let lacking = CellCounts {
            cells: 1,
            ..CellCounts::default()
        };
        let mut surplus = CellCounts::default();
        surplus.count(CellOutcome::Created);
        account.periods.insert("202501".parse().unwrap(), lacking);
        account.periods.insert("202502".parse().unwrap(), surplus);
        assert!(account.total().balances());
        assert!(!account.balances());
    }
}
