//! Where output goes: data to standard output or a file, words to standard error.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;

use super::{Reader, Report, json, text};
use crate::cli::{Format, SendArgs, SiteArgs};
use crate::exit::{Exit, Problem};
use crate::site;

/// Writes data to the file that was named, whole or not at all, or to standard output.
pub(crate) fn document(
    file: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let Some(file) = file else {
        let mut out = BufWriter::new(io::stdout().lock());
        let written = write(&mut out).and_then(|()| Ok(out.flush()?));
        return written.or_else(ignore_closed_pipe);
    };
    // An error of the data must not be told as one of the file.
    let mut failure = None;
    let written = site::write_private(file, |out| {
        write(out).map_err(|error| {
            failure = Some(error);
            io::Error::other("not written")
        })
    });
    match (failure, written) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => {
            let shown = file.display();
            Err(Problem::new(Exit::Config, format!("{shown} cannot be written ({error})")).into())
        }
        (None, Ok(())) => Ok(()),
    }
}

/// Data from the file that was named, or from standard input.
pub(crate) fn input(file: Option<&Path>) -> anyhow::Result<Box<dyn BufRead>> {
    match file {
        None => Ok(Box::new(BufReader::new(io::stdin()))),
        Some(file) => {
            let opened = File::open(file).map_err(|error| {
                let shown = file.display();
                Problem::new(
                    Exit::Usage,
                    format!("the input {shown} cannot be read ({error})"),
                )
            })?;
            Ok(Box::new(BufReader::new(opened)))
        }
    }
}

/// Shows the report: to a terminal always, elsewhere only if there is something to say.
pub(crate) fn show(report: &Report, site: &SiteArgs, send: &SendArgs) -> anyhow::Result<()> {
    if send.format == Format::Json {
        document(send.output.output.as_deref(), |out| {
            serde_json::to_writer_pretty(&mut *out, &json::whole(report))
                .map_err(io::Error::from)
                .and_then(|()| out.write_all(b"\n"))
                .context("writing the report")
        })?;
    }
    let terminal = io::stderr().is_terminal();
    let speaks = report.exit() != Exit::Ok || terminal || report.dry_run;
    let reader = if terminal {
        Reader::Terminal
    } else {
        Reader::Anybody
    };
    let words = match (send.format, site.quiet) {
        (Format::Text, false) if speaks => text::whole(report, reader),
        _ => text::problems(report),
    };
    if send.format == Format::Text
        && !site.quiet
        && let Some(file) = &send.output.output
    {
        document(Some(file), |out| {
            Ok(out.write_all(text::whole(report, Reader::Anybody).as_bytes())?)
        })?;
    }
    say(&words);
    Ok(())
}

/// Tells an error that ended a command.
pub(crate) fn error(error: &anyhow::Error) {
    say(&format!("pg2dhis2: {error:#}\n"));
}

/// Sends the program's own log to standard error; the libraries' would tell SQL and parameters.
pub(crate) fn logging(site: &SiteArgs) {
    let level = match site.verbose {
        0 => log::LevelFilter::Off,
        1 => log::LevelFilter::Info,
        _ => log::LevelFilter::Debug,
    };
    env_logger::Builder::new()
        .filter_module("pg2dhis2", level)
        .format(|out, record| writeln!(out, "{}", record.args()))
        .target(env_logger::Target::Stderr)
        .init();
}

/// Nobody may be there to read it; that changes nothing.
fn say(words: &str) {
    let mut err = anstream::stderr().lock();
    let _ = err.write_all(words.as_bytes()).and_then(|()| err.flush());
}

/// Who reads our data and has enough closes the pipe: `extract | head`.
fn ignore_closed_pipe(error: anyhow::Error) -> anyhow::Result<()> {
    let closed = error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|error| error.kind() == io::ErrorKind::BrokenPipe);
    if closed { Ok(()) } else { Err(error) }
}
