//! `map`: JSON Lines → a document that DHIS2 would take. Opens no socket.

use anyhow::Context;
use jiff::Timestamp;

use crate::cli::{MapArgs, SiteArgs};
use crate::domain::Desired;
use crate::exit::Exit;
use crate::map::Document;
use crate::mapping::PinFile;
use crate::plan;
use crate::read::{WrittenRows, ensure_balanced};
use crate::report;
use crate::site::{self, NewSecret, Site};

pub(super) fn map(args: &MapArgs) -> anyhow::Result<Exit> {
    let site = Site::load(args.site.config.as_deref())?;
    let mask = site::key_mask(&site.state, NewSecret::ThrownAway)?;
    let mut input = report::input(args.input.as_deref())?;
    let rows = WrittenRows::begin(&mut input)?;
    let asked = args.mapping.clone().map_or_else(|| rows.mapping(), Ok)?;
    let mappings = site.mappings(&[asked])?;
    let mapping = mappings.first().context("the mapping was read")?;
    let pin = site.pin()?;
    if let Some(pin) = &pin {
        mapping.check(pin)?;
    }
    let desired = rows.desired(mapping, &mask)?;
    ensure_balanced(&desired)?;
    if let Some(pin) = &pin {
        tell_blocked(pin, &desired, &args.site);
    }
    let document = Document {
        desired: &desired,
        created: Timestamp::now().to_string(),
    };
    report::document(args.output.output.as_deref(), |out| {
        serde_json::to_writer(&mut *out, &document)
            .map_err(std::io::Error::from)
            .and_then(|()| out.write_all(b"\n"))
            .context("writing the document")
    })?;
    Ok(Exit::Ok)
}

/// Tells what DHIS2 would refuse, as far as the pin knows.
fn tell_blocked(pin: &PinFile, desired: &Desired, args: &SiteArgs) {
    let blocked = plan::foreseen(&pin.pin, desired);
    let notes = blocked.iter().map(|(why, cells)| {
        let shown = &pin.shown;
        let all = desired.cells.len();
        format!("note: DHIS2 would block {cells} of {all} cells, says {shown}: {why}")
    });
    report::notes(&notes.collect::<Vec<_>>(), args);
}
