//! Which data is approved, and which expired data may be entered all the same: what closes and opens a unit's period.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::Dhis2;
use super::error::Dhis2Error;
use crate::domain::{Form, Period, Uid};

#[derive(Deserialize)]
struct Approval {
    state: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LockExceptions {
    #[serde(default)]
    lock_exceptions: Vec<LockException>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LockException {
    data_set: Option<ObjectId>,
    period: Option<NamedPeriod>,
    organisation_unit: Option<ObjectId>,
}

#[derive(Deserialize)]
struct ObjectId {
    id: Uid,
}

#[derive(Deserialize)]
struct NamedPeriod {
    id: String,
}

impl Dhis2 {
    /// Whether data of a workflow is approved for a period, unit and attribute option combo: there, or at a unit above
    /// it (recordings `approved`, `approvals`).
    pub(crate) fn is_approved(&mut self, workflow: Uid, form: Form) -> Result<bool, Dhis2Error> {
        let (workflow, period) = (workflow.to_string(), form.period.to_string());
        let org_unit = form.org_unit.to_string();
        let combo = form.attribute_option_combo.to_string();
        let approval: Approval = self.document(
            &format!("asking whether data of {period} is approved at {org_unit}"),
            "dataApprovals",
            &[
                ("wf", &workflow),
                ("pe", &period),
                ("ou", &org_unit),
                ("aoc", &combo),
            ],
        )?;
        // UNAPPROVED_READY, UNAPPROVED_ABOVE, UNAPPROVABLE …; all others are approved or accepted somewhere.
        Ok(!approval.state.starts_with("UNAPPROV"))
    }

    /// The periods and units for which a data set takes values although its expiry days are over.
    pub(crate) fn lock_exceptions(
        &mut self,
        data_set: Uid,
    ) -> Result<BTreeSet<(Period, Uid)>, Dhis2Error> {
        let page: LockExceptions = self.document(
            "reading lock exceptions",
            "lockExceptions",
            &[
                ("fields", "dataSet[id],period[id],organisationUnit[id]"),
                ("paging", "false"),
            ],
        )?;
        let own = page.lock_exceptions.into_iter().filter_map(|exception| {
            let of = exception.data_set?.id;
            let period = exception.period?.id.parse().ok()?;
            let unit = exception.organisation_unit?.id;
            (of == data_set).then_some((period, unit))
        });
        Ok(own.collect())
    }
}
