//! `push`: a document → plan → DHIS2.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::Context;
use jiff::Timestamp;

use super::deliver::{Mode, deliver};
use super::run::{connect, empty_report};
use super::saved_plan;
use crate::cli::PushArgs;
use crate::exit::{Exit, Problem};
use crate::map;
use crate::push::{Budget, EXTRA_REQUESTS};
use crate::report::{self, MappingReport};
use crate::site::{Lock, Site};

pub(super) fn push(args: &PushArgs) -> anyhow::Result<Exit> {
    let started = Timestamp::now();
    let site = Site::load(args.site.config.as_deref())?;
    let access = site.dhis2()?;
    report::ensure_writable(args.send.report.output.output.as_deref())?;
    saved_plan::ensure_writable(args.send.save_plan.as_deref())?;
    let mut json = Vec::new();
    report::input(args.input.as_deref())?
        .read_to_end(&mut json)
        .map_err(|error| {
            Problem::new(Exit::Usage, format!("the input cannot be read ({error})"))
        })?;
    let desired = map::read(&json)
        .context("reading the document to push, which must be one that `map` wrote")?;
    drop(json);
    let mode = args.send.mode();
    let _lock = match mode {
        Mode::Send => Some(Lock::take(&site.state, started)?),
        Mode::DryRun | Mode::AskServer => None,
    };
    let mut report = empty_report("push", mode, started, started);
    let mut mapping = MappingReport::new(&desired.mapping);
    match connect(access, &mut report) {
        Ok(mut connection) => {
            let mut budget = Budget {
                extra_requests: EXTRA_REQUESTS,
            };
            // Its problem is in the mapping's report.
            let _ = deliver(
                &mut connection,
                desired,
                mode,
                &mut budget,
                args.send.keep(),
                &mut mapping,
            );
            report.requests = connection.dhis2.requests;
        }
        Err(error) => report.problems.push(Problem::of(&error)),
    }
    report.mappings.push(mapping);
    // The document does not have the digests of the mapping's files.
    saved_plan::save(args.send.save_plan.as_deref(), &mut report, |_| {
        BTreeMap::new()
    });
    report.ended = Timestamp::now();
    report::show(&report, &args.site, &args.send.report)?;
    Ok(report.exit())
}
