//! The neighbours of the program, for tests and demo: a private PostgreSQL and a DHIS2 stand-in.
#![forbid(unsafe_code)]

pub mod dhis2;
pub mod postgres;
pub mod st_lucia;
