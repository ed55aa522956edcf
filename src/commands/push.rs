//! `push`: a document → plan → DHIS2.

use std::io::Read;

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::PushArgs;
use crate::deliver::{self, Delivery, PartOf};
use crate::domain::Desired;
use crate::exit::{Exit, Problem};
use crate::map;
use crate::report::{self, MappingReport};
use crate::session::{Intent, Preparation};
use crate::watchdog::Work;

pub(super) fn push(args: &PushArgs) -> anyhow::Result<Exit> {
    let mut preparation = Preparation::of(args.into(), Work::Usual)?;
    let dhis2 = preparation.site.dhis2()?;
    preparation.watch.doing("waiting for its input");
    let (desired, created) = read(args)?;
    preparation.take_turn()?;
    let memory = preparation.memory(&dhis2)?;
    let site_scopes = deliver::site_scopes(&preparation.site, &mut preparation.report);
    // The document does not have the digests of the mapping's files.
    let mut intent = Intent::new(&dhis2.url);
    intent.add(&desired.mapping, &desired.periods, None);
    let mut session = preparation.begin(intent)?;
    let mut mapping = MappingReport::new(&desired.mapping);
    let part = PartOf {
        is_last: true,
        age: Some(age(created, session.report.started)),
    };
    let mut delivery = Delivery::new(dhis2, memory, site_scopes);
    delivery.deliver(desired, part, &mut session, &mut mapping);
    let mut reports = vec![mapping];
    delivery.look_for_stranded(&mut session, &mut reports);
    session.conclude(reports)
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

/// Its age in seconds; a document from a clock that is ahead of ours is new.
fn age(created: Timestamp, now: Timestamp) -> u64 {
    let seconds = now.duration_since(created).as_secs();
    u64::try_from(seconds).unwrap_or_default()
}
