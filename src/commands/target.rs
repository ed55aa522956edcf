//! Learns what DHIS2 is like for a mapping, and refuses a server, an account or metadata with which nothing can go well.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::DateTime;

use super::rights::{ensure_is_meant, ensure_may_not_more, ensure_may_use, ensure_may_write};
use crate::dhis2::Dhis2;
use crate::domain::{
    Account, Cell, DEFAULT_COMBO, DataSet, Desired, Drift, OrgUnit, OrgUnitScope, OwnUser, Period,
    PeriodType, Pin, Server, Triple, TripleScope, Uid,
};
use crate::exit::{Exit, Problem};
use crate::plan::{self, Answerer, Search, Target};
use crate::site::{Dhis2Access, Memory, Registrations};

/// A DHIS2 that has answered, with what is known of it.
pub(super) struct Connection {
    pub(super) dhis2: Dhis2,
    pub(super) server: Server,
    pub(super) account: Account,
    pub(super) chunk: usize,
    /// What earlier runs found there.
    pub(super) memory: Memory,
    /// Every mapping of the site, to tell which values of ours none answers for.
    pub(super) answerers: Vec<Answerer>,
    /// What could not be looked at, for the report of the mapping that is delivered.
    pub(super) notes: Vec<String>,
    /// Data sets and periods in which such values have been looked for.
    searched: BTreeSet<(Uid, Period)>,
    /// All units below those of the account, once somebody has asked.
    hierarchy: Option<BTreeMap<Uid, OrgUnit>>,
    pub(super) registrations: Registrations,
    own_users: Vec<OwnUser>,
    /// What it was like when it was pinned.
    pin: Option<Box<Pin>>,
    data_sets: HashMap<Uid, DataSet>,
    claims: Vec<Claim>,
}

/// The cells that a mapping of this run answers for.
struct Claim {
    mapping: String,
    period_type: PeriodType,
    triples: Vec<TripleScope>,
    org_units: BTreeSet<Uid>,
}

impl Connection {
    /// Asks who answers, and who we are there.
    pub(super) fn open(access: Dhis2Access, memory: Memory) -> anyhow::Result<Connection> {
        let mut dhis2 = access.dhis2;
        let server = dhis2.server()?;
        ensure_is_meant(&server, access.system_id.as_deref())?;
        let account = dhis2.account()?;
        ensure_may_write(&account)?;
        if !access.allow_overprivileged {
            ensure_may_not_more(&account)?;
        }
        Ok(Connection {
            dhis2,
            server,
            account,
            chunk: access.chunk,
            memory,
            answerers: Vec::new(),
            notes: Vec::new(),
            searched: BTreeSet::new(),
            hierarchy: None,
            registrations: access.registrations,
            own_users: access.own_users,
            pin: access.pin,
            data_sets: HashMap::new(),
            claims: Vec::new(),
        })
    }

    /// Whether a value that `user` stored then counts as ours.
    pub(super) fn owns(&self, user: Option<&str>, when: Option<DateTime>) -> bool {
        let of_other = |user| self.own_users.iter().any(|own| own.stored(user, when));
        user.is_some_and(|user| user == self.account.username || of_other(user))
    }

    /// What a mapping's plan is made against.
    pub(super) fn target(&mut self, desired: &Desired) -> anyhow::Result<Target> {
        self.target_of(desired.data_set, &Named::of(desired))
    }

    /// What a plan is made against that names these objects for a data set.
    pub(super) fn target_of(&mut self, data_set: Uid, named: &Named) -> anyhow::Result<Target> {
        let data_set = self.data_set(data_set)?;
        ensure_may_use(&data_set, &self.account)?;
        self.ensure_metadata(named, &data_set)?;
        ensure_readable(named, &data_set, &self.account)?;
        let mut named = named.clone();
        if let Some(pin) = &self.pin {
            named.take_pinned(pin, data_set.id);
        }
        self.target_with(data_set, &named)
    }

    /// What the objects of a pin are compared with.
    pub(super) fn target_of_pin(&mut self, pin: &Pin, data_set: Uid) -> anyhow::Result<Target> {
        let mut named = Named::default();
        named.take_pinned(pin, data_set);
        let data_set = self.data_set(data_set)?;
        self.target_with(data_set, &named)
    }

    /// The data set, and those of the named objects that are elsewhere in DHIS2.
    fn target_with(&mut self, data_set: DataSet, named: &Named) -> anyhow::Result<Target> {
        let elsewhere = |named: &BTreeSet<Uid>, known: &dyn Fn(&Uid) -> bool| -> Vec<Uid> {
            named.iter().filter(|uid| !known(uid)).copied().collect()
        };
        let units = elsewhere(&named.org_units, &|uid| {
            data_set.org_units.contains_key(uid)
        });
        let elements = elsewhere(&named.data_elements, &|uid| {
            data_set.elements.contains_key(uid)
        });
        Ok(Target {
            server: self.server.clone(),
            account: self.account.clone(),
            own_users: self.own_users.clone(),
            own_deletions: self.memory.deletions().clone(),
            other_units: self.dhis2.org_units(&units)?,
            other_elements: self.dhis2.data_elements(&elements)?,
            data_set,
            changed_since_pin: BTreeSet::new(),
        })
    }

    /// What DHIS2 changed since the pin; the target learns what of it blocks.
    pub(super) fn drift(&self, desired: &Desired, target: &mut Target) -> Vec<Drift> {
        let Some(pin) = &self.pin else {
            return Vec::new();
        };
        let drift = plan::drift(pin, target, &desired.scope, Some(&desired.space));
        target.changed_since_pin = plan::blocks(&drift);
        drift
    }

    /// Refuses a mapping that answers for a cell of an earlier one, which only DHIS2's units can show.
    pub(super) fn claim(
        &mut self,
        desired: &Desired,
        org_units: &BTreeSet<Uid>,
    ) -> anyhow::Result<()> {
        let claim = Claim {
            mapping: desired.mapping.clone(),
            period_type: desired.period_type,
            triples: desired.scope.triples.clone().unwrap_or_default(),
            org_units: org_units.clone(),
        };
        if let Some(earlier) = self.claims.iter().find(|earlier| earlier.meets(&claim)) {
            return Err(target(format!(
                "answers for cells that mapping {} answers for too: the same data elements and combos in the same organisation \
                 units; narrow one by scope-org-units, or take the elements out of one",
                earlier.mapping
            )));
        }
        if self
            .claims
            .iter()
            .all(|earlier| earlier.mapping != claim.mapping)
        {
            self.claims.push(claim);
        }
        Ok(())
    }

    /// Where to look for values of ours that no mapping answers for: in every period once.
    pub(super) fn search(&mut self, desired: &Desired) -> Search {
        if self.answerers.is_empty() {
            return Search::default();
        }
        let periods = desired.periods.iter().copied();
        let new = periods.filter(|period| self.searched.insert((desired.data_set, *period)));
        Search {
            periods: new.collect(),
            answerers: self.answerers.clone(),
        }
    }

    /// All units below those of the account, whatever data sets they have.
    pub(super) fn hierarchy(&mut self) -> anyhow::Result<&BTreeMap<Uid, OrgUnit>> {
        if self.hierarchy.is_none() {
            let mut units = BTreeMap::new();
            for path in &self.account.capture_paths {
                units.extend(self.dhis2.org_units_below(path)?);
            }
            self.hierarchy = Some(units);
        }
        Ok(self.hierarchy.get_or_insert_default())
    }

    pub(super) fn data_set(&mut self, id: Uid) -> anyhow::Result<DataSet> {
        if let Some(data_set) = self.data_sets.get(&id) {
            return Ok(data_set.clone());
        }
        let mut data_set = self.dhis2.data_set(id)?;
        if data_set.expiry_days > 0.0 {
            match self.dhis2.lock_exceptions(id) {
                Ok(exceptions) => data_set.lock_exceptions = exceptions,
                // Without them more is closed than must be, and nothing is sent that DHIS2 would refuse.
                Err(error) if matches!(error.status, Some(403 | 404)) => self.notes.push(format!(
                    "units with a lock exception count as closed too: {error}"
                )),
                Err(error) => return Err(error.into()),
            }
        }
        self.data_sets.insert(id, data_set.clone());
        Ok(data_set)
    }

    /// Objects of which not one is the data set's mean that the mapping is for another DHIS2.
    fn ensure_metadata(&mut self, named: &Named, data_set: &DataSet) -> anyhow::Result<()> {
        let set = format!("data set {} ({})", data_set.name, data_set.id);
        let none = |named: &BTreeSet<Uid>, known: &dyn Fn(&Uid) -> bool| {
            !named.is_empty() && !named.iter().any(known)
        };
        if none(&named.data_elements, &|uid| {
            data_set.elements.contains_key(uid)
        }) {
            return Err(target(format!(
                "not one of the mapping's data elements is in {set}; is this the right data set, and the right server?"
            )));
        }
        let attribute = &data_set.attribute_option_combos;
        if none(&named.attribute_option_combos, &|uid| {
            attribute.contains_key(uid)
        }) {
            let line = match attribute.keys().next() {
                Some(uid) if attribute.len() == 1 => {
                    format!("write uid = \"{uid}\" in [attribute-option-combo]")
                }
                _ => "write the table [attribute-option-combo]".to_owned(),
            };
            return Err(target(format!(
                "{set} does not have the mapping's attribute option combo; {line}"
            )));
        }
        let category = |uid: &Uid| {
            let mut elements = data_set.elements.values();
            elements.any(|element| element.category_option_combos.contains_key(uid))
        };
        if none(&named.category_option_combos, &category) {
            let only_default = named
                .category_option_combos
                .iter()
                .all(|uid| *uid == DEFAULT_COMBO);
            let line = match only_default
                .then(|| self.dhis2.default_combo())
                .transpose()?
            {
                Some(uid) if uid != DEFAULT_COMBO => {
                    format!(
                        "the default combo of this server is another: write uid = \"{uid}\" in [category-option-combo]"
                    )
                }
                _ => "mend the table [category-option-combo]".to_owned(),
            };
            return Err(target(format!(
                "no data element of {set} has a category option combo of the mapping; {line}"
            )));
        }
        Ok(())
    }
}

impl Claim {
    /// Whether another mapping has a cell of this one.
    fn meets(&self, other: &Claim) -> bool {
        self.mapping != other.mapping
            && self.period_type == other.period_type
            && !self.org_units.is_disjoint(&other.org_units)
            && self
                .triples
                .iter()
                .any(|triples| other.triples.iter().any(|others| triples.overlaps(others)))
    }
}

/// The objects that a mapping can produce or did produce.
#[derive(Clone, Default)]
pub(super) struct Named {
    data_elements: BTreeSet<Uid>,
    category_option_combos: BTreeSet<Uid>,
    attribute_option_combos: BTreeSet<Uid>,
    org_units: BTreeSet<Uid>,
}

impl Named {
    fn of(desired: &Desired) -> Named {
        let mut named = Named::default();
        for triple in desired.space.triples() {
            named.add(triple);
        }
        for scope in desired.scope.triples.iter().flatten() {
            named.data_elements.extend(&scope.data_elements);
            named
                .category_option_combos
                .extend(&scope.category_option_combos);
            named
                .attribute_option_combos
                .extend(&scope.attribute_option_combos);
        }
        named.org_units.extend(desired.space.units());
        if let OrgUnitScope::Listed(units) = &desired.scope.org_units {
            named.org_units.extend(units);
        }
        // Whether their rows may belong to any unit, or to one that is no part of the data set.
        if !desired.policies.complete.is_never() {
            let places = desired.unplaced.iter();
            named
                .org_units
                .extend(places.filter_map(|rows| rows.place.org_unit));
        }
        named
    }

    pub(super) fn of_cells(cells: impl Iterator<Item = Cell>) -> Named {
        let mut named = Named::default();
        for cell in cells {
            named.add(&cell.triple);
            named.org_units.insert(cell.org_unit);
        }
        named
    }

    fn add(&mut self, triple: &Triple) {
        self.data_elements.insert(triple.data_element);
        self.category_option_combos
            .insert(triple.category_option_combo);
        self.attribute_option_combos
            .insert(triple.attribute_option_combo);
    }

    /// The objects of the data set when it was pinned, of which some may be elsewhere now.
    fn take_pinned(&mut self, pin: &Pin, data_set: Uid) {
        let elements = pin.data_elements.iter();
        let elements = elements.filter(|(_, each)| each.data_sets.contains_key(&data_set));
        self.data_elements.extend(elements.map(|(uid, _)| *uid));
        let units = pin.organisation_units.iter();
        let units = units.filter(|(_, each)| each.data_sets.contains(&data_set));
        self.org_units.extend(units.map(|(uid, _)| *uid));
    }
}

/// What people call the objects that a report may name.
pub(super) fn names(target: &Target) -> BTreeMap<Uid, String> {
    let mut names = target.other_elements.clone();
    let units = target.other_units.iter().chain(&target.data_set.org_units);
    names.extend(units.map(|(uid, unit)| (*uid, unit.name.clone())));
    let combos = target.data_set.attribute_option_combos.iter();
    names.extend(combos.map(|(uid, name)| (*uid, name.clone())));
    for (uid, element) in &target.data_set.elements {
        names.insert(*uid, element.name.clone());
        let combos = element.category_option_combos.iter();
        names.extend(combos.map(|(uid, name)| (*uid, name.clone())));
    }
    names
}

/// DHIS2 leaves values out, without a word, whose attribute option combo has a category option that the account may not
/// read (dhis2-web-api 6.3): they would look as if they were not there.
fn ensure_readable(named: &Named, data_set: &DataSet, account: &Account) -> anyhow::Result<()> {
    let combos = named.attribute_option_combos.iter();
    let mut options = combos.flat_map(|combo| data_set.options(*combo));
    match options.find(|option| !option.may_read) {
        None => Ok(()),
        Some(option) => Err(target(format!(
            "the DHIS2 account {} may not read data of the category option {}, so that what DHIS2 holds cannot be known; \
             change the data sharing of the option",
            account.username, option.name
        ))),
    }
}

fn target(message: String) -> anyhow::Error {
    Problem::new(Exit::Target, message).into()
}
