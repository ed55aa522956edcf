//! How far we reach in DHIS2: which units and objects of a mapping the data set and the account let us work with.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{
    Account, Blocked, DataElement, DataSet, Desired, Engine, OrgUnit, OrgUnitScope, Server, Uid,
};

/// What DHIS2 is like at the time of the plan, for one data set.
pub(crate) struct Target {
    pub(crate) server: Server,
    pub(crate) account: Account,
    pub(crate) data_set: DataSet,
    /// Other accounts whose values count as ours.
    pub(crate) own_users: Vec<String>,
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

    pub(crate) fn is_ours(&self, user: &str) -> bool {
        user == self.account.username || self.own_users.iter().any(|own| own == user)
    }

    pub(crate) fn element(&self, data_element: Uid) -> Option<&DataElement> {
        self.data_set.elements.get(&data_element)
    }

    /// Whether the account may enter and see data of a unit.
    pub(super) fn is_in_hierarchy(&self, unit: &OrgUnit) -> bool {
        let below = |paths: &[String]| paths.iter().any(|path| is_below(&unit.path, path));
        // DHIS2 ≤ 2.42 reads by the data view units and falls back to the capture units; 2.43 reads by the latter.
        let seen = match self.engine() {
            Engine::Old if !self.account.view_paths.is_empty() => below(&self.account.view_paths),
            Engine::Old | Engine::New => true,
        };
        seen && below(&self.account.capture_paths)
    }
}

/// The units of a mapping's run that can be read and written, and the part of them that is in scope.
pub(crate) struct Reach {
    /// The units of the data set in the account's hierarchy.
    reachable: BTreeSet<Uid>,
    readable: BTreeSet<Uid>,
    scope: BTreeSet<Uid>,
    elements: BTreeSet<Uid>,
    category_option_combos: BTreeSet<Uid>,
    attribute_option_combos: BTreeSet<Uid>,
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
            OrgUnitScope::Listed(units) => reachable.intersection(units).copied().collect(),
            OrgUnitScope::OfDataSet { below } if below.is_empty() => reachable.clone(),
            OrgUnitScope::OfDataSet { below } => reachable
                .iter()
                .filter(|uid| {
                    let path = data_set.org_units.get(uid).map_or("", |unit| &unit.path);
                    below
                        .iter()
                        .any(|root| path.split('/').any(|step| step == root.to_string()))
                })
                .copied()
                .collect(),
            OrgUnitScope::Seen => BTreeSet::new(),
        };
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
            elements: data_set.elements.keys().copied().collect(),
            category_option_combos: data_set
                .elements
                .values()
                .flat_map(|element| element.category_option_combos.keys().copied())
                .collect(),
            attribute_option_combos: data_set.attribute_option_combos.keys().copied().collect(),
            period_type_fits,
        }
    }

    pub(super) fn units(&self) -> impl Iterator<Item = Uid> + '_ {
        self.readable.iter().copied()
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
        self.elements.contains(&uid)
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
