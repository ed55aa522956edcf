//! Why a read of data values is refused: E2001 – E2012.

use super::Dialect;
use super::access::Right;
use super::answer::Refusal;
use super::properties::View;
use super::read_values::{Wanted, duration, is_readable};
use super::request::Query;

impl Wanted {
    /// E2001 – E2009. Of several wrong things 2.42 names the last, 2.43 the first.
    pub(crate) fn validate(&self, view: &View, query: &Query) -> Result<(), Refusal> {
        let mut wrong = self.wrong_sources_and_times(query);
        wrong.extend(self.wrong_units_and_limit(query));
        let named = match view.dialect {
            Dialect::V2_42 => wrong.pop(),
            Dialect::V2_43 => wrong.into_iter().next(),
        };
        named.map_or(Ok(()), |(code, message)| {
            Err(Refusal::with_code(409, message, code))
        })
    }

    /// E2001 – E2005.
    fn wrong_sources_and_times(&self, query: &Query) -> Vec<(&'static str, String)> {
        let dates = self.start.is_some() && self.end.is_some();
        let span = query.first("lastUpdatedDuration");
        let timeless = self.periods.is_empty() && !dates && self.updated_since.is_none();
        let unclear = span.filter(|text| duration(text).is_none());
        let rules = [
            (
                !self.any_source,
                "E2001",
                "At least one data element, data set or data element group must be specified",
            ),
            (
                timeless && span.is_none(),
                "E2002",
                "At least one period, start/end dates, last updated or last updated duration must be specified",
            ),
            (
                !self.periods.is_empty() && dates,
                "E2003",
                "Both periods and start/end date cannot be specified",
            ),
            (
                dates && self.start > self.end,
                "E2004",
                "Start date must be before end date",
            ),
        ];
        let broken = rules.into_iter().filter(|(broken, ..)| *broken);
        let mut wrong: Vec<_> = broken
            .map(|(_, code, message)| (code, message.to_owned()))
            .collect();
        wrong.extend(unclear.map(|text| ("E2005", format!("Duration is not valid: `{text}`"))));
        wrong
    }

    /// E2006 – E2009.
    fn wrong_units_and_limit(&self, query: &Query) -> Vec<(&'static str, String)> {
        let rules = [
            (
                !self.any_unit,
                "E2006",
                "At least one organisation unit or organisation unit group must be specified",
            ),
            (
                self.children && self.any_unit_group,
                "E2007",
                "Organisation unit children cannot be included for organisation unit groups",
            ),
            (
                self.children && !self.any_named_unit,
                "E2008",
                "At least one organisation unit must be specified when children are included",
            ),
        ];
        let broken = rules.into_iter().filter(|(broken, ..)| *broken);
        let mut wrong: Vec<_> = broken
            .map(|(_, code, message)| (code, message.to_owned()))
            .collect();
        let limit = query.first("limit").filter(|limit| limit.starts_with('-'));
        wrong.extend(limit.map(|limit| {
            (
                "E2009",
                format!("Limit cannot be less than zero: `{limit}`"),
            )
        }));
        wrong
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
