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

// Nothing uses these yet.
#[allow(dead_code)]
mod dhis2;
#[allow(dead_code, unused_imports)]
mod domain;
#[allow(dead_code)]
mod http;
#[allow(dead_code)]
mod push;

fn main() {}
