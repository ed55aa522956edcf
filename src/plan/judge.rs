//! The outcome of one cell, tried in the order in which the outcomes are told to people.

use super::places::Places;
use super::timeliness::{Timeliness, timeliness};
use super::{Reach, Target, checks, same};
use crate::domain::{Absent, Blocked, Cell, ChangeKind, Closed, Foreign, Incomplete, Left, Scope};

/// All that is known of a cell.
pub(super) struct Case<'c> {
    pub(super) cell: Cell,
    pub(super) desired: Option<&'c str>,
    /// The live value; a deleted one is none.
    pub(super) live: Option<&'c str>,
    /// The live value was last stored by somebody else, or deleted by them.
    pub(super) theirs: bool,
    /// A person's comment, which goes back with a change.
    pub(super) comment: Option<&'c str>,
    pub(super) incomplete: Option<Incomplete>,
    pub(super) places: &'c Places,
    pub(super) scope: &'c Scope,
}

pub(super) enum Judgement<'c> {
    Unchanged,
    Left(Left),
    Closed(Closed),
    Blocked(Blocked),
    /// Somebody else's value differs, and a person must look.
    Hold,
    Change(ChangeKind, &'c str),
}

pub(super) fn judge<'c>(
    case: &Case<'c>,
    absent: Absent,
    foreign: Foreign,
    target: &Target,
    reach: &Reach,
) -> Judgement<'c> {
    if let Some(why) = leaves_scope(case, reach) {
        return Judgement::Blocked(why);
    }
    if is_unchanged(case, absent, target) {
        return Judgement::Unchanged;
    }
    if let Some(why) = is_left(case, absent, foreign) {
        return Judgement::Left(why);
    }
    let timeliness = timeliness(case.cell.period, case.cell.org_unit, target);
    if let Timeliness::Closed(why) = timeliness {
        return Judgement::Closed(why);
    }
    if case.desired.is_some() && case.incomplete == Some(Incomplete::Invalid) {
        return Judgement::Blocked(Blocked::InvalidRow);
    }
    if let Some(why) = checks::cell_fault(&case.cell, target, reach) {
        return Judgement::Blocked(why);
    }
    if let Timeliness::Refused(why) = timeliness {
        return Judgement::Blocked(why);
    }
    let (kind, value) = match (case.desired, case.live, absent) {
        (Some(desired), None, _) => (ChangeKind::Create, desired),
        (Some(desired), Some(_), _) => (ChangeKind::Update, desired),
        (None, Some(live), Absent::Delete) => (ChangeKind::Delete, live),
        (None, _, _) => (ChangeKind::Zero, "0"),
    };
    let fault = match kind {
        ChangeKind::Delete => None,
        _ => checks::value_fault(&case.cell, value, target),
    };
    let fault = fault.or_else(|| checks::comment_fault(&case.cell, case.comment, target));
    match (fault, kind) {
        (Some(Blocked::ValueType | Blocked::NotAnOption), ChangeKind::Zero) => {
            return Judgement::Blocked(Blocked::ZeroRefused);
        }
        (Some(why), _) => return Judgement::Blocked(why),
        (None, _) => {}
    }
    if case.theirs && foreign == Foreign::Hold {
        return Judgement::Hold;
    }
    Judgement::Change(kind, value)
}

/// Why a mapping must not write a cell at all, even where it holds that value already: another may answer for it.
fn leaves_scope(case: &Case<'_>, reach: &Reach) -> Option<Blocked> {
    let (unit, triple) = (case.cell.org_unit, &case.cell.triple);
    // What DHIS2 would refuse anyway has a reason that says more.
    if case.desired.is_none() || !reach.has_cell(&case.cell) {
        None
    } else if !case.scope.may_have(triple) {
        Some(Blocked::OutsideMapping)
    } else {
        let leaves = reach.leaves_scope(unit);
        leaves.then_some(Blocked::OrgUnitOutsideMapping)
    }
}

fn is_unchanged(case: &Case<'_>, absent: Absent, target: &Target) -> bool {
    let element = target.element(case.cell.triple.data_element);
    match (case.desired, case.live) {
        (Some(desired), Some(live)) => same::same(element, desired, live, target),
        (Some(value), None) => same::is_nothing(element, value),
        // A zero that stands for "the source has nothing" is where it should be; of a boolean it is `false`.
        (None, Some(live)) => {
            same::is_nothing(element, live)
                || (absent == Absent::Zero
                    && !case.theirs
                    && same::same(element, "0", live, target))
        }
        (None, None) => true,
    }
}

fn is_left(case: &Case<'_>, absent: Absent, foreign: Foreign) -> Option<Left> {
    let theirs = case.theirs;
    if case.desired.is_some() {
        return match case.incomplete {
            Some(Incomplete::Empty) => Some(Left::EmptyRow),
            _ if theirs && foreign == Foreign::Keep => Some(Left::ForeignKept),
            _ => None,
        };
    }
    if theirs {
        Some(Left::Foreign)
    } else if absent == Absent::Leave {
        Some(Left::Absent)
    } else if case.incomplete == Some(Incomplete::Empty) {
        Some(Left::EmptyRow)
    } else if case.places.may_be(&case.cell) {
        Some(Left::Unplaced)
    } else {
        None
    }
}
