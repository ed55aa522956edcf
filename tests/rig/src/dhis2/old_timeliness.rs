//! The old engine's checks of when and where an attribute option combo and a data set take data: E7638 – E7644.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::SignedDuration;
use jiff::civil::Date;

use super::books::{Approval, ApprovalKey};
use super::clock::days_after;
use super::import_options::ImportOptions;
use super::model::DataSet;
use super::old_checks::{Entry, conflict, refused, shown};
use super::open_periods::{latest_open, shifted};
use super::payload::Given;
use super::period::Period;
use super::properties::View;
use super::summary::Conflict;

pub(crate) struct Timeliness<'a> {
    view: &'a View<'a>,
    /// A superuser who asks for it is not held up by the clock.
    forced: bool,
    data_set: Option<String>,
    /// The latest period each data set takes.
    latest: HashMap<String, Option<Period>>,
}

impl<'a> Timeliness<'a> {
    pub(crate) fn new(
        view: &'a View<'a>,
        options: &ImportOptions,
        data_set: Option<String>,
    ) -> Timeliness<'a> {
        let sets = view.model().data_sets.iter();
        let latest = sets.map(|(id, set)| (id.clone(), latest_open(set, view.now.date())));
        Timeliness {
            view,
            forced: options.force && view.account.is_super(),
            latest: latest.collect(),
            data_set,
        }
    }

    /// The data set of the payload, or else all that hold the element with this unit and attribute option combo.
    fn target_sets(&self, entry: &Entry) -> Vec<&'a DataSet> {
        let model = self.view.model();
        if let Some(id) = &self.data_set {
            return model.data_sets.get(id).into_iter().collect();
        }
        let sets = entry.described.data_sets.iter();
        sets.filter_map(|id| model.data_sets.get(id))
            .filter(|set| set.units.contains(entry.unit))
            .filter(|set| model.combo_has(&set.combo, entry.attribute_combo))
            .collect()
    }

    pub(crate) fn check(
        &self,
        approvals: &BTreeMap<ApprovalKey, Approval>,
        lock_exceptions: &BTreeSet<(String, Period, String)>,
        entry: &Entry,
        given: &Given,
    ) -> Result<(), Vec<Conflict>> {
        self.attribute_combo(entry, given)?;
        if self.forced {
            return Ok(());
        }
        let targets = self.target_sets(entry);
        let each = |check: &dyn Fn(&DataSet) -> Option<Conflict>| {
            let conflicts: Vec<Conflict> = targets.iter().filter_map(|set| check(set)).collect();
            if conflicts.is_empty() {
                Ok(())
            } else {
                Err(conflicts)
            }
        };
        each(&|set| self.expired(set, lock_exceptions, entry, given))?;
        each(&|set| self.future(set, entry, given))?;
        each(&|set| self.approved(set, approvals, entry, given))?;
        each(&|set| self.shut(set, entry, given))?;
        let sets = entry.described.data_sets.iter();
        let sets: Vec<&DataSet> = sets
            .filter_map(|id| self.view.model().data_sets.get(id))
            .collect();
        if !sets.is_empty() && !sets.iter().any(|set| self.takes_input(set, entry.period)) {
            let period = given.period.as_deref();
            let shown = shown(&given.period);
            let text = format!(
                "Period: `{shown}` does not conform to the open periods of associated data sets"
            );
            return refused("E7644", Some("period"), text, &[("period", period)]);
        }
        Ok(())
    }

    fn attribute_combo(&self, entry: &Entry, given: &Given) -> Result<(), Vec<Conflict>> {
        let model = self.view.model();
        let Some(combo) = model.combos.get(entry.attribute_combo) else {
            return Ok(());
        };
        let name = given.attribute_combo.as_deref();
        let shown_name = shown(&given.attribute_combo);
        let outside = combo.options.iter().any(|option| {
            let end = option.end.map(|end| self.extended(end, entry));
            option.start.is_some_and(|start| start > entry.period.end)
                || end.is_some_and(|end| end < entry.period.start)
        });
        if outside {
            let period = given.period.as_deref();
            let text = format!(
                "Period: `{}` is not within date range of attribute option combo: `{shown_name}`",
                shown(&given.period)
            );
            let objects = [("period", period), ("categoryOptionCombo", name)];
            return refused("E7638", Some("period"), text, &objects);
        }
        let mut bound = combo
            .options
            .iter()
            .filter(|option| !option.units.is_empty());
        if bound.any(|option| !model.is_within(entry.unit, &option.units)) {
            let unit = given.unit.as_deref();
            let text = format!(
                "Organisation unit: `{}` is not valid for attribute option combo: `{shown_name}`",
                shown(&given.unit)
            );
            let objects = [("organisationUnit", unit), ("categoryOptionCombo", name)];
            return refused("E7639", Some("orgUnit"), text, &objects);
        }
        Ok(())
    }

    /// A category option's end, moved on by the periods the data set stays open after it.
    fn extended(&self, end: Date, entry: &Entry) -> Date {
        let sets = self.view.model().data_sets.values();
        let sets = sets.filter(|set| match &self.data_set {
            Some(id) => set.id == *id,
            None => set.elements.contains_key(entry.element),
        });
        let moved =
            sets.map(|set| shifted(&set.period_type, end, set.open_periods_after_co_end_date));
        moved.max().unwrap_or(end)
    }

    fn expired(
        &self,
        set: &DataSet,
        lock_exceptions: &BTreeSet<(String, Period, String)>,
        entry: &Entry,
        given: &Given,
    ) -> Option<Conflict> {
        // Fractions of days count, from the end of the period's last day.
        let seconds = SignedDuration::from_secs((set.expiry_days * 86_400.0) as i64);
        let closes = days_after(entry.period.end, 1).checked_add(seconds).ok()?;
        let exception = (set.id.clone(), entry.period.clone(), entry.unit.to_owned());
        let locked = set.expiry_days > 0.0
            && self.view.now > closes
            && !self.view.account.has("F_EDIT_EXPIRED")
            && !lock_exceptions.contains(&exception);
        locked.then(|| {
            let period = given.period.as_deref();
            let shown = shown(&given.period);
            // The two spaces are DHIS2's.
            let text = format!(
                "Current date is past expiry days for period: `{shown}`  and data set: `{}`",
                set.id
            );
            let objects = [("period", period), ("dataSet", Some(set.id.as_str()))];
            conflict("E7640", Some("period"), text, &objects)
        })
    }

    fn future(&self, set: &DataSet, entry: &Entry, given: &Given) -> Option<Conflict> {
        let latest = self.latest.get(&set.id)?.as_ref()?;
        (entry.period.end > latest.end).then(|| {
            let (period, element) = (given.period.as_deref(), given.element.as_deref());
            let text = format!(
                "Period: `{}` is after latest open future period: `{}` for data element: `{}` and data set: `{}`",
                shown(&given.period),
                latest.iso,
                shown(&given.element),
                set.id
            );
            let objects = [
                ("period", period),
                ("dataElement", element),
                ("dataSet", Some(set.id.as_str())),
            ];
            conflict("E7641", Some("period"), text, &objects)
        })
    }

    fn approved(
        &self,
        set: &DataSet,
        approvals: &BTreeMap<ApprovalKey, Approval>,
        entry: &Entry,
        given: &Given,
    ) -> Option<Conflict> {
        let workflow = set.workflow.clone()?;
        let unit = self.view.model().units.get(entry.unit)?;
        let mut units = unit.ancestors_and_self();
        let approved = units.any(|unit| {
            let combo = entry.attribute_combo.to_owned();
            approvals.contains_key(&(
                workflow.clone(),
                entry.period.clone(),
                unit.to_owned(),
                combo,
            ))
        });
        approved.then(|| {
            let (unit, period) = (given.unit.as_deref(), given.period.as_deref());
            let combo = given.attribute_combo.as_deref();
            let text = format!(
                "Data already approved for data set: `{}` period: `{}` org unit: `{}` attribute option combo: `{}`",
                set.id,
                shown(&given.period),
                shown(&given.unit),
                shown(&given.attribute_combo)
            );
            let objects = [
                ("organisationUnit", unit),
                ("period", period),
                ("categoryOptionCombo", combo),
                ("dataSet", Some(set.id.as_str())),
            ];
            conflict("E7642", None, text, &objects)
        })
    }

    fn shut(&self, set: &DataSet, entry: &Entry, given: &Given) -> Option<Conflict> {
        (!self.takes_input(set, entry.period)).then(|| {
            let period = given.period.as_deref();
            let shown = shown(&given.period);
            let text = format!(
                "Period: `{shown}` is not open for this data set at this time: `{}`",
                set.id
            );
            let objects = [("period", period), ("dataSet", Some(set.id.as_str()))];
            conflict("E7643", Some("period"), text, &objects)
        })
    }

    fn takes_input(&self, set: &DataSet, period: &Period) -> bool {
        let mut listed = set
            .input_periods
            .iter()
            .filter(|input| *input.period == *period.iso);
        set.input_periods.is_empty() || listed.any(|input| input.includes(self.view.now))
    }
}
