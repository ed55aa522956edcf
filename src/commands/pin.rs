//! `pin`: DHIS2 → a file that says what the objects are like that the mappings name.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;

use crate::cli::PinArgs;
use crate::deliver::Connection;
use crate::domain::{Dimension, Drift, ObjectKind, Pin, Uid};
use crate::exit::{Exit, Problem};
use crate::mapping::{Codes, Mapping, PinFile, coded, digest};
use crate::plan;
use crate::report;
use crate::session;
use crate::site::{self, Memory, Site};
use crate::watchdog::Work;

pub(super) fn pin(args: &PinArgs) -> anyhow::Result<Exit> {
    let (site, watch) = session::site(&args.site, Work::Usual)?;
    let codes = codes(&site)?;
    let access = site.dhis2_without_pin()?;
    let path = site.pin_path();
    // What is there is compared where it can be read, and replaced in any case.
    let old = match (args.check, site.pin()) {
        (true, Ok(None)) => {
            let shown = path.display();
            let message = format!("there is no pin {shown} yet; run `pg2dhis2 pin`");
            return Err(Problem::new(Exit::Config, message).into());
        }
        (true, old) => old?,
        (false, old) => old.ok().flatten(),
    };
    watch.doing("asking DHIS2");
    let url = access.url.clone();
    let mut connection = Connection::open(access, Memory::default())?;
    let mappings = by_code(&site, &mut connection, codes)?;
    let new = read(&mut connection, &url, &mappings)?;
    let text = new.text().context("writing the pin")?;
    let new = PinFile {
        shown: path.display().to_string(),
        pin: new,
        digest: digest(&text),
    };
    // Codes and options must be found by the pin as they were found by asking.
    let pinned = site.mappings_by(&[], Codes::Pinned(Some(&new)))?;
    let mut notes = Vec::new();
    for mapping in &pinned {
        notes.extend(
            mapping
                .check(&new)
                .err()
                .map(|error| format!("note: {error}")),
        );
    }
    let drift = match &old {
        Some(old) => drift(&mut connection, &old.pin, &pinned)?,
        None => BTreeSet::new(),
    };
    notes.extend(drift.iter().map(Drift::sentence));
    if !args.check {
        report::notes(&notes, &args.site);
        return write(&path, &text);
    }
    let differs = old.is_some_and(|old| old.digest != new.digest);
    if differs && drift.is_empty() {
        notes.push(format!(
            "note: {} is not what `pg2dhis2 pin` would write now, though nothing it knows has changed; run it",
            new.shown
        ));
    }
    report::notes(&notes, &args.site);
    judge(&drift)
}

/// Every code that a file of the site names. No file says yet what they stand for.
fn codes(site: &Site) -> anyhow::Result<BTreeSet<(ObjectKind, String)>> {
    let known: RefCell<BTreeMap<(ObjectKind, String), Uid>> = RefCell::default();
    let made_up = |kind: ObjectKind, code: &str| {
        let mut known = known.borrow_mut();
        let number = known.len();
        // Any UID will do, as long as two codes have not the same.
        let uid: Uid = format!("c{number:010}")
            .parse()
            .map_err(|error| format!("too many codes: {error}"))?;
        Ok(*known.entry((kind, code.to_owned())).or_insert(uid))
    };
    site.mappings_by(&[], Codes::Asked(&made_up))?;
    Ok(known.into_inner().into_keys().collect())
}

/// The mappings of the site, with DHIS2 asked for the codes.
fn by_code(
    site: &Site,
    connection: &mut Connection,
    codes: BTreeSet<(ObjectKind, String)>,
) -> anyhow::Result<Vec<Mapping>> {
    let mut by_kind: BTreeMap<ObjectKind, Vec<String>> = BTreeMap::new();
    for (kind, code) in codes {
        by_kind.entry(kind).or_default().push(code);
    }
    let mut found = BTreeMap::new();
    for (kind, codes) in by_kind {
        found.insert(kind, connection.dhis2.coded(kind, &codes)?);
    }
    let ask = |kind: ObjectKind, code: &str| {
        let known = found.get(&kind).into_iter().flatten();
        let known: Vec<(&str, Uid)> = known.map(|(code, uid)| (code.as_str(), *uid)).collect();
        coded(kind, code, &known, "DHIS2")
    };
    site.mappings_by(&[], Codes::Asked(&ask))
}

/// Reads all that the mappings name.
fn read(connection: &mut Connection, url: &str, mappings: &[Mapping]) -> anyhow::Result<Pin> {
    let mut pin = Pin::new(url, &connection.server.version.text);
    for (data_set, elements) in elements(mappings) {
        let set = connection.data_set(data_set)?;
        let combos = connection.dhis2.combos_of_data_set(data_set)?;
        pin.take(&set, elements.as_ref(), &combos);
    }
    let named = mappings.iter().flat_map(|mapping| &mapping.named);
    let units: BTreeSet<Uid> = named
        .filter(|named| named.kind == ObjectKind::Of(Dimension::OrgUnit))
        .map(|named| named.uid)
        .filter(|uid| !pin.organisation_units.contains_key(uid))
        .collect();
    let units: Vec<Uid> = units.into_iter().collect();
    let mut codes = connection.dhis2.codes_of_org_units(&units)?;
    for (uid, unit) in connection.dhis2.org_units(&units)? {
        pin.take_unit(uid, &unit, codes.remove(&uid));
    }
    Ok(pin)
}

/// The data elements that mappings name, by data set; None where a mapping takes them from its rows or rules.
fn elements(mappings: &[Mapping]) -> BTreeMap<Uid, Option<BTreeSet<Uid>>> {
    let mut elements: BTreeMap<Uid, Option<BTreeSet<Uid>>> = BTreeMap::new();
    for mapping in mappings {
        let known = elements.entry(mapping.data_set);
        let known = known.or_insert_with(|| Some(BTreeSet::new()));
        let kind = ObjectKind::Of(Dimension::DataElement);
        let named = mapping.named.iter().filter(|named| named.kind == kind);
        let named: BTreeSet<Uid> = named.map(|named| named.uid).collect();
        match known {
            Some(_) if named.is_empty() => *known = None,
            Some(known) => known.extend(named),
            None => {}
        }
    }
    elements
}

/// What DHIS2 changed since a pin, for all mappings.
fn drift(
    connection: &mut Connection,
    pin: &Pin,
    mappings: &[Mapping],
) -> anyhow::Result<BTreeSet<Drift>> {
    let mut drift = BTreeSet::new();
    for mapping in mappings {
        let target = connection.target_of_pin(pin, mapping.data_set)?;
        drift.extend(plan::drift(pin, &target, &mapping.scope(), None));
    }
    Ok(drift)
}

fn write(path: &Path, text: &str) -> anyhow::Result<Exit> {
    site::write_published(path, text).map_err(|error| {
        let (shown, why) = (path.display(), site::reason(&error));
        Problem::new(
            Exit::Config,
            format!("the pin {shown} cannot be written ({why})"),
        )
    })?;
    Ok(Exit::Ok)
}

fn judge(drift: &BTreeSet<Drift>) -> anyhow::Result<Exit> {
    let harmful = drift.iter().filter(|drift| drift.harmful).count();
    if harmful == 0 {
        return Ok(Exit::Ok);
    }
    let message = format!(
        "DHIS2 has changed since the pin in {harmful} ways that do harm; mend the mappings or DHIS2, then run `pg2dhis2 pin`"
    );
    Err(Problem::new(Exit::Target, message).into())
}
