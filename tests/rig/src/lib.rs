//! The neighbours of the program, for tests and demo: a private PostgreSQL, a DHIS2 stand-in, a relay that fails, a
//! mail server and a sink for webhooks; and a small site between them for drills.
#![forbid(unsafe_code)]

pub mod dhis2;
pub mod drill;
pub mod mail;
pub mod pings;
pub mod postgres;
pub mod relay;
pub mod sink;
pub mod st_lucia;
