//! The DHIS2 stand-in as a program, for people who rehearse and for checks from outside: prints its URL when ready.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::process::ExitCode;
use std::{env, fs, thread};

use rig::dhis2::{Dialect, Setup, StandIn};

const USAGE: &str = "usage: dhis2-stand-in --dhis2 2.42|2.43 [--metadata FILE]... [--accounts FILE] [--now TIMESTAMP] [--port N] [--context-path /NAME]";

fn main() -> ExitCode {
    match start() {
        Ok(stand_in) => {
            let mut stdout = io::stdout();
            let told = writeln!(stdout, "{}", stand_in.url()).and_then(|()| stdout.flush());
            if let Err(error) = told {
                eprintln!("dhis2-stand-in: {error}");
                return ExitCode::FAILURE;
            }
            // It serves from its own threads until it is killed.
            loop {
                thread::park();
            }
        }
        Err(why) => {
            eprintln!("dhis2-stand-in: {why}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn start() -> Result<StandIn, String> {
    let mut dialect = None;
    let mut metadata = Vec::new();
    let mut accounts = None;
    let mut now = None;
    let mut port = 0;
    let mut context_path = String::new();
    let mut arguments = env::args().skip(1);
    while let Some(flag) = arguments.next() {
        let value = arguments.next().ok_or(format!("{flag} needs a value"));
        match flag.as_str() {
            "--dhis2" => dialect = Some(value?.parse::<Dialect>()?),
            "--metadata" => metadata.push(read(&value?)?),
            "--accounts" => accounts = Some(read(&value?)?),
            "--now" => now = Some(value?),
            "--port" => {
                let value = value?;
                port = value.parse().map_err(|_| format!("no port: {value}"))?;
            }
            "--context-path" => context_path = value?,
            other => return Err(format!("unknown argument {other}")),
        }
    }
    StandIn::with(&Setup {
        dialect: dialect.ok_or("--dhis2 says which server to play")?,
        metadata: metadata.iter().map(String::as_str).collect(),
        accounts: accounts.as_deref(),
        now: now.as_deref(),
        port,
        context_path: &context_path,
    })
}

fn read(path: &str) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))
}
