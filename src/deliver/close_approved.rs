//! Closes what is approved. DHIS2 2.43.1 takes values for data that is approved at a higher unit (recording `approved`);
//! for us it is closed all the same.

use std::collections::{BTreeMap, BTreeSet};

use super::connection::Connection;
use crate::domain::{Form, Uid};
use crate::plan::{Plan, Target};

/// Asks only where the plan would change something, and for no form twice.
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
    for form in plan.forms() {
        if is_approved(connection, workflow, form, target, &mut known)? {
            approved.insert(form);
        }
    }
    plan.close_approved(&approved);
    Ok(())
}

/// Whether a form is approved itself, or at a unit above it: from the top of the account's units down, because an answer
/// there is one for all below.
fn is_approved(
    connection: &mut Connection,
    workflow: Uid,
    form: Form,
    target: &Target,
    known: &mut BTreeMap<Form, bool>,
) -> anyhow::Result<bool> {
    for org_unit in target.line_to(form.org_unit) {
        let above = Form { org_unit, ..form };
        let approved = match known.get(&above) {
            Some(approved) => *approved,
            None => {
                let approved = connection.dhis2.is_approved(workflow, above)?;
                known.insert(above, approved);
                approved
            }
        };
        if approved {
            return Ok(true);
        }
    }
    Ok(false)
}
