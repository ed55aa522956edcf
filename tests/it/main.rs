//! The one integration binary: every test runs the built program as a user runs it.
#![forbid(unsafe_code)]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod program;
mod st_lucia;
mod st_lucia_results;
