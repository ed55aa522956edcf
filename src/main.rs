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

mod aftermath;
mod cli;
mod commands;
mod deliver;
mod dhis2;
mod domain;
mod exit;
mod extract;
#[cfg(test)]
mod fuzz;
mod history;
mod http;
mod map;
mod mapping;
mod notify;
mod pass;
mod plan;
mod push;
mod read;
mod report;
mod session;
mod site;
mod watchdog;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    report::logging(cli.command.site());
    let exit = commands::execute(&cli.command).unwrap_or_else(|error| {
        report::error(&error);
        exit::Exit::of(&error)
    });
    ExitCode::from(exit.code())
}
