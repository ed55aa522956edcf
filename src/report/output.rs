//! Where output goes: data to standard output or a file, words to standard error.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;

use super::of_run::{Report, ReportReader};
use super::{json, log_lines, phrases, text};
use crate::cli::{Format, ReportArgs, SiteArgs};
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
        return written.or_else(of_standard_output);
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
        (None, Err(error)) => Err(unwritable(file, &error).into()),
        (None, Ok(())) => Ok(()),
    }
}

/// Refuses a file that cannot be written, before a command has done what it is to report.
pub(crate) fn ensure_writable(file: Option<&Path>) -> Result<(), Problem> {
    match file {
        None => Ok(()),
        Some(file) => site::ensure_writable(file).map_err(|error| unwritable(file, &error)),
    }
}

fn unwritable(file: &Path, error: &io::Error) -> Problem {
    let (shown, why) = (file.display(), site::reason(error));
    Problem::new(
        Exit::Config,
        format!("the output file {shown} cannot be written ({why}); name another with --output"),
    )
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
                    format!(
                        "the input {shown} cannot be read ({})",
                        site::reason(&error)
                    ),
                )
            })?;
            Ok(Box::new(BufReader::new(opened)))
        }
    }
}

/// Shows the report: to a terminal always, elsewhere only if there is something to say.
pub(crate) fn show(report: &Report, site: &SiteArgs, args: &ReportArgs) -> anyhow::Result<()> {
    let kept = keep(report, site, args).map_err(|error| {
        Problem::new(
            Exit::State,
            format!("{error:#}; the report is lost, not what the command did"),
        )
    });
    let terminal = is_read_at_terminal();
    let speaks = report.exit() != Exit::Ok || terminal || report.dry_run || report.in_parts;
    let reader = if terminal {
        ReportReader::Terminal
    } else {
        ReportReader::Anybody
    };
    say(&match (args.format, site.quiet) {
        (Format::Text, false) if speaks => text::whole(report, reader),
        _ => text::problems(report),
    });
    Ok(kept?)
}

/// Writes the report for scripts, and the one for people where a file was named for it.
fn keep(report: &Report, site: &SiteArgs, args: &ReportArgs) -> anyhow::Result<()> {
    let file = args.output.output.as_deref();
    match (args.format, file) {
        (Format::Json, file) => document(file, |out| pretty(out, &json::whole(report))),
        (Format::Text, Some(file)) if !site.quiet => document(Some(file), |out| {
            Ok(out.write_all(text::whole(report, ReportReader::Anybody).as_bytes())?)
        }),
        (Format::Text, _) => Ok(()),
    }
}

/// Whether a person sees at once what we say.
pub(crate) fn is_read_at_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Whether a person sees at once what a command writes.
pub(super) fn is_written_to_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Tells an error that ended a command.
pub(crate) fn error(error: &anyhow::Error) {
    say(&text::problem(&format!("{error:#}")));
}

/// Tells what went wrong beside the command, which ended as it did.
pub(crate) fn warning(message: &str) {
    say(&text::problem(message));
}

/// Tells what people may want to know of a command that has no report.
pub(crate) fn notes(notes: &[String], site: &SiteArgs) {
    let mut words = String::new();
    for note in notes {
        phrases::line(&mut words, note);
    }
    if !site.quiet {
        say(&words);
    }
}

/// Nobody may be there to read it; that changes nothing.
pub(super) fn say(words: &str) {
    let mut err = anstream::stderr().lock();
    let _ = err
        .write_all(log_lines::written(words).as_bytes())
        .and_then(|()| err.flush());
}

/// Who reads our data and has enough closes the pipe: `extract | head`.
fn of_standard_output(error: anyhow::Error) -> anyhow::Result<()> {
    let causes = error.chain();
    match causes
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .next()
    {
        None => Err(error),
        Some(fault) if fault.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Some(fault) => {
            let why = site::reason(fault);
            let message = format!("standard output cannot be written ({why})");
            Err(Problem::new(Exit::Config, message).into())
        }
    }
}

/// Writes JSON as people can read it too.
pub(super) fn pretty(out: &mut dyn Write, value: &serde_json::Value) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)
        .map_err(io::Error::from)
        .and_then(|()| out.write_all(b"\n"))
        .context("writing JSON")
}

/// Says something about the history as a whole.
pub(crate) fn sentence(sentence: &str, file: Option<&Path>) -> anyhow::Result<()> {
    document(file, |out| Ok(writeln!(out, "{sentence}")?))
}
