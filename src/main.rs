//! The frame: reads the command line, runs the command, turns the outcome into an exit code.
#![forbid(unsafe_code)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing
    )
)]

mod dhis2;
mod domain;
mod extract;
mod http;
mod map;
mod mapping;
mod plan;
mod push;

fn main() {}
