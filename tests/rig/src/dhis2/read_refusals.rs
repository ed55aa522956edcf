//! Why a read of data values is refused: E2001 – E2012.

use super::Dialect;
use super::access::Right;
use super::answer::Refusal;
use super::properties::View;
use super::read_values::{Wanted, duration, is_readable};
use super::request::Query;

impl Wanted {
    /// E2001 – E2009.
    pub(crate) fn validate(&self, query: &Query) -> Result<(), Refusal> {
        let conflict = |code, message: &str| Err(Refusal::with_code(409, message, code));
        let dates = self.start.is_some() && self.end.is_some();
        let duration_given = query.first("lastUpdatedDuration");
        if !self.any_source {
            return conflict(
                "E2001",
                "At least one data element, data set or data element group must be specified",
            );
        }
        if self.periods.is_empty()
            && !dates
            && self.updated_since.is_none()
            && duration_given.is_none()
        {
            return conflict(
                "E2002",
                "At least one period, start/end dates, last updated or last updated duration must be specified",
            );
        }
        if !self.periods.is_empty() && dates {
            return conflict(
                "E2003",
                "Both periods and start/end date cannot be specified",
            );
        }
        if dates && self.start > self.end {
            return conflict("E2004", "Start date must be before end date");
        }
        if let Some(text) = duration_given.filter(|text| duration(text).is_none()) {
            return conflict("E2005", &format!("Duration is not valid: `{text}`"));
        }
        if !self.any_unit {
            return conflict(
                "E2006",
                "At least one organisation unit or organisation unit group must be specified",
            );
        }
        if self.children && query.list("orgUnit").is_empty() {
            return conflict(
                "E2007",
                "At least one organisation unit must be specified when children are included",
            );
        }
        if self.children && query.first("orgUnitGroup").is_some() {
            return conflict(
                "E2008",
                "Organisation unit groups cannot be specified when children are included",
            );
        }
        if let Some(limit) = query.first("limit").filter(|limit| limit.starts_with('-')) {
            return conflict(
                "E2009",
                &format!("Limit cannot be less than zero: `{limit}`"),
            );
        }
        Ok(())
    }

    /// E2010 – E2012; one forbidden unit refuses the whole read.
    pub(crate) fn permit(&self, view: &View) -> Result<(), Refusal> {
        let (model, account) = (view.model(), view.account);
        if account.is_super() {
            return Ok(());
        }
        let refuse = |code, what: &str, ids: Vec<&String>| {
            let ids: Vec<&str> = ids.into_iter().map(String::as_str).collect();
            let message = format!("User is not allowed to {what}(s): `[{}]`", ids.join(", "));
            if ids.is_empty() {
                Ok(())
            } else {
                Err(Refusal::with_code(409, message, code))
            }
        };
        let sets = self.data_sets.iter().filter(|id| {
            let set = model.data_sets.get(*id);
            set.is_some_and(|set| !set.sharing.allows(account, Right::DataRead))
        });
        refuse("E2010", "read data for data set", sets.collect())?;
        let combos = self
            .attribute_combos
            .iter()
            .filter(|id| !is_readable(view, id));
        refuse(
            "E2011",
            "read data for attribute option combo",
            combos.collect(),
        )?;
        let roots = match view.dialect {
            Dialect::V2_42 => account.view_units(),
            Dialect::V2_43 => &account.organisation_units,
        };
        let units = self.units.iter();
        let units =
            units.filter(|unit| model.units.contains_key(*unit) && !model.is_within(unit, roots));
        refuse("E2012", "view org unit", units.collect())
    }
}
