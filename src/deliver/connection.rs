//! Learns what DHIS2 is like for a mapping, and refuses a server, an account or metadata with which nothing can go well.

use std::collections::{BTreeSet, HashMap};
use std::time::Instant;

use jiff::civil::DateTime;

use super::later_look::LaterLook;
use super::named_objects::NamedObjects;
use super::rights::{
    ensure_is_meant, ensure_may_not_more, ensure_may_use, ensure_may_write, ensure_metadata,
    ensure_readable,
};
use super::scopes::Scopes;
use crate::dhis2::Dhis2;
use crate::domain::{Account, DataSet, Desired, Drift, OwnUser, Period, Pin, Server, Uid, is_ours};
use crate::plan::{self, MappingScope, Search, Target};
use crate::session::Session;
use crate::site::{Dhis2Access, Memory, Registrations};

/// A DHIS2 that has answered, with what is known of it. It has so many fields because everything that a run learns of its
/// DHIS2, its account and its own earlier runs is learnt once, and needed by every mapping.
pub(crate) struct Connection {
    pub(crate) dhis2: Dhis2,
    pub(crate) server: Server,
    pub(crate) account: Account,
    pub(crate) chunk: usize,
    /// What earlier runs found there.
    pub(crate) memory: Memory,
    /// Every mapping of the site, to tell which values of ours none answers for.
    pub(crate) site_scopes: Vec<MappingScope>,
    /// What could not be looked at, for the report of the mapping that is delivered.
    pub(crate) notes: Vec<String>,
    /// Data sets and periods in which such values have been looked for.
    searched: BTreeSet<(Uid, Period)>,
    /// Where values that no mapping answers for are looked for once everything is sent.
    pub(super) later_looks: Vec<LaterLook>,
    /// When the first of the live values was read that the next plan is made from.
    pub(super) read_at: Instant,
    pub(crate) registrations: Registrations,
    own_users: Vec<OwnUser>,
    /// What it was like when it was pinned.
    pin: Option<Box<Pin>>,
    data_sets: HashMap<Uid, DataSet>,
    pub(super) scopes: Scopes,
}

impl Connection {
    /// Asks who answers, and who we are there.
    pub(crate) fn open(access: Dhis2Access, memory: Memory) -> anyhow::Result<Connection> {
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
            site_scopes: Vec::new(),
            notes: Vec::new(),
            searched: BTreeSet::new(),
            later_looks: Vec::new(),
            read_at: Instant::now(),
            registrations: access.registrations,
            own_users: access.own_users,
            pin: access.pin,
            data_sets: HashMap::new(),
            scopes: Scopes::default(),
        })
    }

    /// Opens DHIS2 for a session; its report tells who answered.
    pub(super) fn open_for(
        session: &mut Session<'_>,
        access: Dhis2Access,
        memory: Memory,
    ) -> anyhow::Result<Connection> {
        let url = access.url.clone();
        let allowed = access.allow_overprivileged;
        let connection = Connection::open(access, memory)?;
        if allowed {
            session.may_do_more(&connection.account);
        }
        session.dhis2_answered(url, &connection.server, &connection.account);
        Ok(connection)
    }

    /// Whether a value that `user` stored then counts as ours.
    pub(crate) fn owns(&self, user: Option<&str>, when: Option<DateTime>) -> bool {
        is_ours(&self.account.username, &self.own_users, user, || when)
    }

    /// What a mapping's plan is made against.
    pub(crate) fn target(&mut self, desired: &Desired) -> anyhow::Result<Target> {
        self.target_of(desired.data_set, &NamedObjects::of(desired))
    }

    /// What a plan is made against that names these objects for a data set.
    pub(super) fn target_of(
        &mut self,
        data_set: Uid,
        named: &NamedObjects,
    ) -> anyhow::Result<Target> {
        let data_set = self.data_set(data_set)?;
        ensure_may_use(&data_set, &self.account)?;
        ensure_metadata(&mut self.dhis2, named, &data_set)?;
        ensure_readable(named, &data_set, &self.account)?;
        let mut named = named.clone();
        if let Some(pin) = &self.pin {
            named.take_pinned(pin, data_set.id);
        }
        self.target_with(data_set, &named)
    }

    /// What the objects of a pin are compared with.
    pub(crate) fn target_of_pin(&mut self, pin: &Pin, data_set: Uid) -> anyhow::Result<Target> {
        let mut named = NamedObjects::default();
        named.take_pinned(pin, data_set);
        let data_set = self.data_set(data_set)?;
        self.target_with(data_set, &named)
    }

    /// The data set, and those of the named objects that are elsewhere in DHIS2.
    fn target_with(&mut self, data_set: DataSet, named: &NamedObjects) -> anyhow::Result<Target> {
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
    pub(crate) fn drift(&self, desired: &Desired, target: &mut Target) -> Vec<Drift> {
        let Some(pin) = &self.pin else {
            return Vec::new();
        };
        let drift = plan::drift(pin, target, &desired.scope, Some(&desired.space));
        target.changed_since_pin = plan::blocks(&drift);
        drift
    }

    /// Where to look for values of ours that no mapping answers for: in every period once.
    pub(crate) fn search(&mut self, desired: &Desired) -> Search {
        if self.site_scopes.is_empty() {
            return Search::default();
        }
        let periods = desired.periods.iter().copied();
        let new = periods.filter(|period| self.searched.insert((desired.data_set, *period)));
        Search {
            periods: new.collect(),
            site_scopes: self.site_scopes.clone(),
        }
    }

    pub(crate) fn data_set(&mut self, id: Uid) -> anyhow::Result<DataSet> {
        if let Some(data_set) = self.data_sets.get(&id) {
            return Ok(data_set.clone());
        }
        let mut data_set = self.dhis2.data_set(id)?;
        if data_set.expiry_days > 0.0 {
            match self.dhis2.lock_exceptions(id) {
                Ok(exceptions) => data_set.lock_exceptions = exceptions,
                // More is closed without them than must be, and nothing is sent that DHIS2 would refuse.
                Err(error) if matches!(error.status, Some(403 | 404)) => self.notes.push(format!(
                    "units with a lock exception count as closed too: {error}"
                )),
                Err(error) => return Err(error.into()),
            }
        }
        self.data_sets.insert(id, data_set.clone());
        Ok(data_set)
    }
}
