//! Closes what is approved. DHIS2 2.43.1 takes values for data that is approved at a higher unit (recording `approved`);
//! for us it is closed all the same.

use std::collections::{BTreeMap, BTreeSet};

use super::Connection;
use crate::domain::{Period, Uid};
use crate::plan::{Plan, Target};

/// A period, unit and attribute option combo: what DHIS2 approves as one.
type Place = (Period, Uid, Uid);

/// Asks only where the plan would change something, and no place twice.
pub(crate) fn close_approved(
    connection: &mut Connection,
    plan: &mut Plan,
    target: &Target,
) -> anyhow::Result<()> {
    let Some(workflow) = target.data_set.workflow else {
        return Ok(());
    };
    let mut known = BTreeMap::new();
    let mut approved = BTreeSet::new();
    for place in plan.places() {
        if is_approved(connection, workflow, place, target, &mut known)? {
            approved.insert(place);
        }
    }
    plan.close_approved(&approved);
    Ok(())
}

/// Whether a place is approved itself, or at a unit above it: from the top of the account's units down, because an answer
/// there is one for all below.
fn is_approved(
    connection: &mut Connection,
    workflow: Uid,
    (period, org_unit, combo): Place,
    target: &Target,
    known: &mut BTreeMap<Place, bool>,
) -> anyhow::Result<bool> {
    for unit in target.line_to(org_unit) {
        let place = (period, unit, combo);
        let approved = match known.get(&place) {
            Some(approved) => *approved,
            None => {
                let approved = connection.dhis2.is_approved(workflow, place)?;
                known.insert(place, approved);
                approved
            }
        };
        if approved {
            return Ok(true);
        }
    }
    Ok(false)
}
