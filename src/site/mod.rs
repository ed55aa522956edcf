//! Reads every file a site writes: the site file, mappings with what they name, secrets; and takes the lock.

mod access;
mod address;
pub(crate) mod alarm;
mod alert;
mod files;
mod key_secret;
mod lock;
mod login;
mod machine;
mod mappings;
mod memory;
mod pin_file;
mod registrations;
mod secret;
mod site_file;
mod state;
mod tables;
mod watchers;

pub(crate) use access::{Dhis2Access, SourceAccess};
pub(crate) use alert::Channel;
pub(crate) use files::{ensure_room, ensure_writable, reason, write_private, write_published};
pub(crate) use key_secret::{NewSecret, key_mask};
pub(crate) use lock::{Backfill, Lock, Next, alive};
pub(crate) use machine::{host, user};
pub(crate) use memory::{Confirmed, ConfirmedPeriod, Memory};
pub(crate) use registrations::{RegistrationState, Registrations};
pub(crate) use secret::forbid_core_files;
pub(crate) use state::{is_usable, make_usable};
pub(crate) use tables::{DataStore, Site};
