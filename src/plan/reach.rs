//! How far we reach in DHIS2: which units and objects of a mapping the data set and the account let us work with.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::domain::{
    Account, Blocked, Cell, DataElement, DataSet, Desired, Engine, LiveRow, OrgUnit, OrgUnitScope,
    OwnUser, Period, Server, Uid, is_ours,
};

/// What DHIS2 is like at the time of the plan, for one data set.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) server: Server,
    pub(crate) account: Account,
    pub(crate) data_set: DataSet,
    /// Other accounts whose values count as ours.
    pub(crate) own_users: Vec<OwnUser>,
    /// Cells that are deleted in DHIS2 because we deleted them. DHIS2 ≤ 2.42 keeps our name on a value that a person
    /// deleted (recording `person-edits`), so the name does not tell.
    pub(crate) own_deletions: BTreeSet<Cell>,
    /// The units that the mapping names and DHIS2 has, though the data set has not.
    pub(crate) other_units: BTreeMap<Uid, OrgUnit>,
    /// The data elements that the mapping names and DHIS2 has, though the data set has not; with their names.
    pub(crate) other_elements: BTreeMap<Uid, String>,
    /// The data elements and combos whose values mean something else than when they were pinned.
    pub(crate) changed_since_pin: BTreeSet<Uid>,
}

impl Target {
    pub(crate) fn engine(&self) -> Engine {
        self.server.version.engine()
    }

    /// Whether a live value counts as ours.
    pub(super) fn is_ours(&self, row: &LiveRow<'_>) -> bool {
        let account = &self.account.username;
        is_ours(account, &self.own_users, row.stored_by, || row.updated())
    }

    /// Whether a deleted row is one that we deleted, or that never held a value.
    pub(super) fn is_own_deletion(&self, row: &LiveRow<'_>) -> bool {
        let by_name = row.stored_by == Some(self.account.username.as_str());
        // A row that held a comment alone, which DHIS2 ≤ 2.42 trims by night. An import that deletes without a value leaves
        // none either (recording `write-delete`), and no comment.
        let comment_alone = row.value.is_none() && row.comment.is_some();
        (comment_alone && self.engine() == Engine::Old)
            || (by_name && (row.value.is_none() || self.own_deletions.contains(&row.cell)))
    }

    /// Whether a period is over by DHIS2's own clock.
    pub(crate) fn is_over(&self, period: Period) -> bool {
        period < period.period_type().containing(self.server.now.date())
    }

    /// Whether DHIS2 adds the values of a data element up over units.
    pub(crate) fn is_summed(&self, data_element: Uid) -> bool {
        let element = self.element(data_element);
        element.is_some_and(|element| {
            matches!(
                element.aggregation_type.as_str(),
                "SUM" | "AVERAGE_SUM_ORG_UNIT"
            ) && element.value_type.is_numeric()
        })
    }

    pub(crate) fn element(&self, data_element: Uid) -> Option<&DataElement> {
        self.data_set.elements.get(&data_element)
    }

    /// A unit that the data set has, or that the mapping names.
    pub(super) fn unit(&self, uid: Uid) -> Option<&OrgUnit> {
        let own = self.data_set.org_units.get(&uid);
        own.or_else(|| self.other_units.get(&uid))
    }

    /// The units from the top of the account's down to one, itself the last.
    pub(crate) fn line_to(&self, uid: Uid) -> Vec<Uid> {
        let path = self.unit(uid).map_or("", |unit| &unit.path);
        let mut tops = self.account.capture_paths.iter();
        let top = tops
            .find(|top| is_below(path, top))
            .map_or("", String::as_str);
        // The last step of the top's own path stays.
        let above = top.rsplit_once('/').map_or("", |(above, _)| above);
        let line = path.strip_prefix(above).unwrap_or(path).split('/');
        let line: Vec<Uid> = line.filter_map(|step| step.parse().ok()).collect();
        if line.is_empty() { vec![uid] } else { line }
    }

    /// Whether the account may enter data of a unit.
    pub(super) fn is_in_hierarchy(&self, unit: &OrgUnit) -> bool {
        let mut paths = self.account.capture_paths.iter();
        paths.any(|path| is_below(&unit.path, path))
    }

    /// Whether the account may see data of a unit. DHIS2 ≤ 2.42 reads by the data view units and falls back to the
    /// capture units; 2.43 reads by the latter.
    pub(crate) fn is_seen(&self, unit: &OrgUnit) -> bool {
        let paths = &self.account.view_paths;
        match self.engine() {
            Engine::Old if !paths.is_empty() => paths.iter().any(|path| is_below(&unit.path, path)),
            Engine::Old | Engine::New => true,
        }
    }
}

/// The units of a mapping's run that can be read and written, and the part of them that is in scope.
pub(crate) struct Reach {
    /// The units of the data set in the account's hierarchy.
    reachable: BTreeSet<Uid>,
    readable: BTreeSet<Uid>,
    scope: BTreeSet<Uid>,
    /// The combos of each data element that the account may store values of.
    combos: BTreeMap<Uid, Rc<BTreeMap<Uid, String>>>,
    category_option_combos: BTreeSet<Uid>,
    attribute_option_combos: BTreeSet<Uid>,
    /// The scope narrows the units that rows may go to.
    has_unit_scope: bool,
    /// The data set is of the mapping's period type.
    period_type_fits: bool,
}

impl Reach {
    pub(super) fn of(desired: &Desired, target: &Target) -> Reach {
        let data_set = &target.data_set;
        let reachable: BTreeSet<Uid> = data_set
            .org_units
            .iter()
            .filter(|(_, unit)| target.is_in_hierarchy(unit))
            .map(|(uid, _)| *uid)
            .collect();
        let scope: BTreeSet<Uid> = match &desired.scope.org_units {
            // Units that were taken off the data set too: what we stored there is still ours to answer for.
            OrgUnitScope::Listed(units) => units
                .iter()
                .filter(|uid| {
                    let unit = target.unit(**uid);
                    unit.is_some_and(|unit| target.is_in_hierarchy(unit))
                })
                .copied()
                .collect(),
            OrgUnitScope::OfDataSet { below } if below.is_empty() => reachable.clone(),
            OrgUnitScope::OfDataSet { below } => reachable
                .iter()
                .filter(|uid| {
                    let unit = data_set.org_units.get(uid);
                    unit.is_some_and(|unit| unit.is_below_any(below))
                })
                .copied()
                .collect(),
            OrgUnitScope::Seen => BTreeSet::new(),
        };
        let is_shared = |element: &DataElement| element.may_read || target.engine() == Engine::New;
        let elements = data_set.elements.iter();
        let combos: BTreeMap<Uid, Rc<BTreeMap<Uid, String>>> = elements
            .filter(|(_, element)| is_shared(element))
            .map(|(uid, element)| (*uid, Rc::clone(&element.category_option_combos)))
            .collect();
        let period_type_fits = data_set.period_type == desired.period_type;
        let seen: BTreeSet<Uid> = desired.space.units().iter().copied().collect();
        let readable = match period_type_fits {
            true => scope
                .iter()
                .chain(reachable.intersection(&seen))
                .copied()
                .collect(),
            false => BTreeSet::new(),
        };
        Reach {
            reachable,
            readable,
            scope,
            category_option_combos: combos
                .values()
                .flat_map(|combos| combos.keys().copied())
                .collect(),
            combos,
            has_unit_scope: desired.scope.org_units != OrgUnitScope::Seen,
            attribute_option_combos: data_set.attribute_option_combos.keys().copied().collect(),
            period_type_fits,
        }
    }

    pub(super) fn units(&self) -> impl Iterator<Item = Uid> + '_ {
        self.readable.iter().copied()
    }

    /// A unit that must be read and that the account may not see: what DHIS2 holds there cannot be known.
    pub(super) fn unseen(&self, target: &Target) -> Option<Uid> {
        let seen = |uid: &Uid| target.unit(*uid).is_none_or(|unit| target.is_seen(unit));
        self.units().find(|uid| !seen(uid))
    }

    pub(super) fn reads(&self, unit: Uid) -> bool {
        self.readable.contains(&unit)
    }

    /// Whether the data set and the account reach the unit, read for this plan or not.
    pub(super) fn has_unit(&self, unit: Uid) -> bool {
        self.reachable.contains(&unit)
    }

    pub(super) fn in_scope(&self, unit: Uid) -> bool {
        self.scope.contains(&unit)
    }

    pub(super) fn scope(&self) -> &BTreeSet<Uid> {
        &self.scope
    }

    pub(super) fn period_type_fits(&self) -> bool {
        self.period_type_fits
    }

    pub(super) fn has_element(&self, uid: Uid) -> bool {
        self.combos.contains_key(&uid)
    }

    /// Whether an option combo is one of a data element's own.
    pub(super) fn has_combo_of(&self, data_element: Uid, combo: Uid) -> bool {
        let combos = self.combos.get(&data_element);
        combos.is_some_and(|combos| combos.contains_key(&combo))
    }

    /// Whether the data set has all of a cell, and the account reaches it.
    pub(super) fn has_cell(&self, cell: &Cell) -> bool {
        let triple = &cell.triple;
        self.period_type_fits
            && self.has_unit(cell.org_unit)
            && self.has_combo_of(triple.data_element, triple.category_option_combo)
            && self.has_attribute_option_combo(triple.attribute_option_combo)
    }

    /// Whether a row that goes to the unit leaves what its mapping answers for.
    pub(super) fn leaves_scope(&self, unit: Uid) -> bool {
        self.has_unit_scope && !self.scope.contains(&unit)
    }

    pub(super) fn has_category_option_combo(&self, uid: Uid) -> bool {
        self.category_option_combos.contains(&uid)
    }

    pub(super) fn has_attribute_option_combo(&self, uid: Uid) -> bool {
        self.attribute_option_combos.contains(&uid)
    }

    /// Why a unit cannot be written to; `None` if it can.
    pub(super) fn unit_fault(&self, uid: Uid, target: &Target) -> Option<Blocked> {
        match target.data_set.org_units.get(&uid) {
            Some(unit) if target.is_in_hierarchy(unit) => None,
            Some(_) => Some(Blocked::OrgUnitOutsideHierarchy),
            None if target.other_units.contains_key(&uid) => Some(Blocked::OrgUnitNotInDataSet),
            None => Some(Blocked::UnknownOrgUnit),
        }
    }
}

/// Whether a path is that of a unit or lies below it.
fn is_below(path: &str, root: &str) -> bool {
    match path.strip_prefix(root) {
        Some(rest) => rest.is_empty() || rest.starts_with('/'),
        None => false,
    }
}
