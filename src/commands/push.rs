//! `push`: a document → plan → DHIS2.

use std::collections::BTreeMap;
use std::io::Read;

use anyhow::Context;
use jiff::Timestamp;

use super::deliver::{Orders, deliver};
use super::mode::Mode;
use super::record::{Intent, Record};
use super::saved_plan;
use super::start::{answerers, connect, empty_report, memory};
use super::{alerts, begin};
use crate::cli::PushArgs;
use crate::domain::Desired;
use crate::exit::{Exit, Problem};
use crate::map;
use crate::push::{Budget, EXTRA_REQUESTS};
use crate::report::{self, MappingReport};
use crate::site::Lock;
use crate::watchdog::Work;

pub(super) fn push(args: &PushArgs) -> anyhow::Result<Exit> {
    let started = Timestamp::now();
    let (site, watch) = begin(&args.site, Work::Usual)?;
    let access = site.dhis2()?;
    report::ensure_writable(args.send.report.output.output.as_deref())?;
    saved_plan::ensure_writable(args.send.save_plan.as_deref())?;
    watch.doing("waiting for its input");
    let (desired, created) = read(args)?;
    let mode = args.send.mode();
    let _lock = match mode {
        Mode::Send => Some(Lock::take(&site.state, started)?),
        Mode::DryRun | Mode::AskServer => None,
    };
    let mut report = empty_report("push", mode, started, started);
    let memory = memory(&site, mode, &access.url)?;
    let answerers = answerers(&site, &mut report);
    let mut intent = Intent::new(&access.url);
    intent.add(&desired.mapping, &desired.periods, None);
    let mut record = Record::begin(&site, mode, intent, &mut report)?;
    let orders = Orders {
        mode,
        keep: args.send.keep(),
        releases: &args.send.release,
        is_last: true,
        age: Some(age(created, started)),
    };
    let mut mapping = MappingReport::new(&desired.mapping);
    watch.doing("asking DHIS2");
    match connect(access, memory, &mut report) {
        Ok(mut connection) => {
            connection.answerers = answerers;
            let mut budget = Budget {
                extra_requests: EXTRA_REQUESTS,
            };
            // Its problem is in the mapping's report.
            let _ = deliver(
                &mut connection,
                desired,
                &orders,
                &mut budget,
                &mut record,
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
    record.finish(&site, &mut report);
    report::show(&report, &args.site, &args.send.report)?;
    alerts::tell(&site, &watch, &report, &args.site);
    Ok(report.exit())
}

/// The document, and when it was made.
fn read(args: &PushArgs) -> anyhow::Result<(Desired, Timestamp)> {
    let mut json = Vec::new();
    report::input(args.input.as_deref())?
        .read_to_end(&mut json)
        .map_err(|error| {
            Problem::new(Exit::Usage, format!("the input cannot be read ({error})"))
        })?;
    map::read(&json).context("reading the document to push, which must be one that `map` wrote")
}

/// In seconds; a document from a clock that is ahead of ours is new.
fn age(created: Timestamp, now: Timestamp) -> u64 {
    let seconds = now.duration_since(created).as_secs();
    u64::try_from(seconds).unwrap_or_default()
}
