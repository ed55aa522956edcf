//! The neighbours of the program, for tests and demo: a private PostgreSQL, a DHIS2 stand-in, and a relay that fails; and
//! a small site between them for drills.
#![forbid(unsafe_code)]

pub mod dhis2;
pub mod drill;
pub mod pings;
pub mod postgres;
pub mod relay;
pub mod st_lucia;
