//! A stand-in for DHIS2 on loopback, in two dialects, for tests, rehearsals and checks from outside.
//!
//! It follows the rules real servers were seen to follow; `tests/replay.rs` holds it to their recordings. It shares
//! no code with the program under test.

mod access;
mod answer;
mod approvals;
mod auth;
mod books;
mod clock;
mod collections;
mod completeness;
mod control;
mod data_store;
mod entry;
mod fields;
mod http;
mod id_schemes;
mod import_options;
mod jobs;
mod lock_exceptions;
mod metadata;
mod model;
mod new_checks;
mod new_decode;
mod new_engine;
mod new_timeliness;
mod new_values;
mod old_checks;
mod old_engine;
mod old_lookup;
mod old_strict;
mod old_timeliness;
mod open_periods;
mod payload;
mod period;
mod properties;
mod read_refusals;
mod read_values;
mod request;
mod routes;
mod rows;
mod server_info;
mod sessions;
mod shown_values;
mod summary;
mod value_types;
mod world;

#[cfg(test)]
mod rule_tests;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use access::{Account, DEFAULT_ACCOUNTS};
use books::Books;
use clock::Clock;
use http::Server;
use metadata::Metadata;
use period::Period;
use rows::{Key, Stored};
use sessions::Sessions;
use world::{NextPost, World};

pub use server_info::SYSTEM_ID;

/// Which server is played: the last with the old import engine, or the first usable one with the new.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// 2.42.5.2.
    V2_42,
    /// 2.43.1.
    V2_43,
}

impl Dialect {
    /// The version the server says it has.
    pub fn version(self) -> &'static str {
        match self {
            Dialect::V2_42 => "2.42.5.2",
            Dialect::V2_43 => "2.43.1",
        }
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(text: &str) -> Result<Dialect, String> {
        match text {
            "2.42" => Ok(Dialect::V2_42),
            "2.43" => Ok(Dialect::V2_43),
            other => Err(format!("the stand-in speaks 2.42 and 2.43, not {other}")),
        }
    }
}

/// How a stand-in is to be started.
pub struct Setup<'a> {
    pub dialect: Dialect,
    /// DHIS2 metadata exports, merged in this order.
    pub metadata: Vec<&'a str>,
    /// A JSON list of accounts; `None` for those of the recordings (`admin`/`district`, `loader`, `regional`, `reader`).
    pub accounts: Option<&'a str>,
    /// A timestamp at which the clock stands still; `None` for the host's clock.
    pub now: Option<&'a str>,
    /// 0 for any free port.
    pub port: u16,
    /// Such as `/dhis`; empty for none.
    pub context_path: &'a str,
}

/// Whether a POST answered falsely is carried out all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apply {
    Nothing,
    All,
}

/// One call the server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    /// With its query, as sent.
    pub path: String,
    /// The username; `None` where the credentials were wrong or not asked for.
    pub account: Option<String>,
    pub status: u16,
    /// Whether it came with credentials and without the cookie of a session that goes on.
    pub is_login: bool,
    /// The bytes of the body that came, and of the one that went back.
    pub bytes: (usize, usize),
}

/// A row to put into the data value table; empty option combos mean the default one.
#[derive(Clone, Debug, Default)]
pub struct Row {
    pub element: String,
    /// ISO.
    pub period: String,
    pub unit: String,
    pub combo: String,
    pub attribute_combo: String,
    pub value: Option<String>,
    pub comment: Option<String>,
    pub follow_up: bool,
    pub stored_by: String,
    pub deleted: bool,
}

/// Element, ISO period, unit, category option combo, attribute option combo.
pub type ValueKey = (String, String, String, String, String);

/// A running server; it stops when dropped.
pub struct StandIn {
    world: Arc<Mutex<World>>,
    server: Server,
}

impl StandIn {
    /// Starts with the accounts of the recordings, on any free port.
    ///
    /// # Panics
    /// If the metadata or the time cannot be read.
    pub fn start(dialect: Dialect, metadata: &[&str], now: Option<&str>) -> StandIn {
        let setup = Setup {
            dialect,
            metadata: metadata.to_vec(),
            accounts: None,
            now,
            port: 0,
            context_path: "",
        };
        StandIn::with(&setup).expect("the stand-in starts")
    }

    /// Starts as told; the error says what is wrong with the setup.
    pub fn with(setup: &Setup) -> Result<StandIn, String> {
        let accounts = setup.accounts.unwrap_or(DEFAULT_ACCOUNTS);
        let accounts: Vec<Account> =
            serde_json::from_str(accounts).map_err(|error| format!("the accounts: {error}"))?;
        let mut world = World {
            dialect: setup.dialect,
            context_path: setup.context_path.trim_end_matches('/').to_owned(),
            accounts,
            metadata: Metadata::fresh(),
            books: Books::default(),
            clock: Clock::default(),
            merges_at_post: Vec::new(),
            next_post: None,
            sessions: Sessions::default(),
            requests: Vec::new(),
            imports: None,
        };
        for export in &setup.metadata {
            control::merge(&mut world, export)?;
        }
        for account in &mut world.accounts {
            account.take_roles(&world.metadata)?;
        }
        if let Some(now) = setup.now {
            world.clock.set(now)?;
        }
        let world = Arc::new(Mutex::new(world));
        let respond = {
            let world = Arc::clone(&world);
            move |request: &http::Incoming| locked(&world).respond(request)
        };
        let server = Server::start(setup.port, respond).map_err(|error| error.to_string())?;
        Ok(StandIn { world, server })
    }

    /// The address, with a slash at its end.
    pub fn url(&self) -> String {
        let context_path = &self.world().context_path;
        format!("http://127.0.0.1:{}{context_path}/", self.server.port)
    }

    /// Every row, deleted ones too, in the form of the recordings' `stored`.
    pub fn stored(&self) -> Vec<Value> {
        self.world().books.rows.as_recorded()
    }

    /// The live values: not deleted and not null.
    pub fn values(&self) -> BTreeMap<ValueKey, String> {
        let world = self.world();
        let live = world.books.rows.iter().filter(|(_, row)| !row.deleted);
        live.filter_map(|(key, row)| {
            let text = |id: &Arc<str>| id.to_string();
            let (element, period) = (text(&key.element), text(&key.period.iso));
            let combos = (text(&key.combo), text(&key.attribute_combo));
            let key = (element, period, text(&key.unit), combos.0, combos.1);
            Some((key, row.value.clone()?))
        })
        .collect()
    }

    /// Empties values, registrations, approvals, lock exceptions, data store and messages.
    pub fn reset(&self) {
        self.world().books.reset();
    }

    /// Stops the clock at a timestamp.
    ///
    /// # Panics
    /// If it is none.
    pub fn set_now(&self, now: &str) {
        self.world().clock.set(now).expect("a timestamp");
    }

    /// Merges an export: given fields of objects with known ids are replaced. What it may hold beside metadata is told
    /// by the control call `POST metadata`.
    ///
    /// # Panics
    /// If it is no export.
    pub fn merge_metadata(&self, export: &str) {
        control::merge(&mut self.world(), export).expect("a metadata export");
    }

    /// Merges an export just before the next POST of values, behind the client's back.
    ///
    /// # Panics
    /// If it is no export.
    pub fn merge_metadata_at_first_post(&self, export: &str) {
        control::merge_at_post(&mut self.world(), export).expect("a metadata export");
    }

    /// All calls answered since the start or since they were forgotten.
    pub fn requests(&self) -> Vec<Request> {
        self.world().requests.clone()
    }

    /// From now on keeps the bodies of imports.
    pub fn watch_imports(&self) {
        self.world().imports = Some(Vec::new());
    }

    /// The bodies of all imports since they are kept, dry ones and refused ones too; of what is no JSON null.
    pub fn imports(&self) -> Vec<Value> {
        let world = self.world();
        let bodies = world.imports.iter().flatten();
        bodies
            .map(|body| serde_json::from_slice(body).unwrap_or_default())
            .collect()
    }

    pub fn forget_requests(&self) {
        self.world().requests.clear();
    }

    /// Messages sent to user groups, as posted, with `id` and `sender`.
    pub fn messages(&self) -> Vec<Value> {
        self.world().books.messages.clone()
    }

    /// Lets one more account in.
    ///
    /// # Panics
    /// If it is none.
    pub fn add_account(&self, account: &str) {
        let account = serde_json::from_str(account).expect("an account");
        self.world().accounts.push(account);
    }

    /// What stands in the data store, by namespace and key.
    pub fn data_store(&self) -> BTreeMap<(String, String), Value> {
        let world = self.world();
        let kept = world.books.data_store.iter();
        kept.flat_map(|(namespace, held)| {
            held.iter()
                .map(|(key, entry)| ((namespace.clone(), key.clone()), entry.value.clone()))
        })
        .collect()
    }

    /// Ends every build of the analytics tables that goes on.
    pub fn finish_analytics(&self) {
        let mut world = self.world();
        let now = world.clock.now();
        jobs::finish_analytics(&mut world.books, now);
    }

    pub fn forget_messages(&self) {
        self.world().books.messages.clear();
    }

    /// Puts a row into the data value table without any check.
    ///
    /// # Panics
    /// If the period is none.
    pub fn put(&self, row: Row) {
        let mut world = self.world();
        let default = world.metadata.model.default_combo.clone();
        let combo = |id: String| -> Arc<str> {
            let id = if id.is_empty() { default.clone() } else { id };
            id.into()
        };
        let period = Period::parse(&row.period, world.dialect).expect("an ISO period");
        let key = Key {
            element: row.element.into(),
            period,
            unit: row.unit.into(),
            combo: combo(row.combo),
            attribute_combo: combo(row.attribute_combo),
        };
        let unmarked = match world.dialect {
            Dialect::V2_42 => Some(false),
            Dialect::V2_43 => None,
        };
        let now = world.clock.now();
        let stored = Stored {
            value: row.value,
            comment: row.comment,
            follow_up: if row.follow_up { Some(true) } else { unmarked },
            stored_by: row.stored_by,
            created: now,
            last_updated: now,
            deleted: row.deleted,
        };
        world.books.rows.put(key, stored);
    }

    /// Answers the next POST of values so, whatever it is: a server that is ill, or lies.
    pub fn answer_next_post_with(&self, status: u16, body: Value, apply: Apply) {
        self.world().next_post = Some(NextPost {
            status,
            body,
            apply,
        });
    }

    fn world(&self) -> MutexGuard<'_, World> {
        locked(&self.world)
    }
}

/// A request that panicked must not take the others with it.
fn locked(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}
