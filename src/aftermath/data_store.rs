//! A summary of the month in DHIS2's data store: one key for each site and month, counts only, so that all sites are seen
//! in one place; and whoever else writes there for the same mapping is noticed.

use std::time::Instant;

use anyhow::{anyhow, bail};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::dhis2::{Dhis2, Kept};
use crate::history::{Concern, Month, MonthOfMapping, Past, Recorder, moment};
use crate::report::Report;
use crate::site::{self, DataStore, Site};

/// Another host that ran in this time runs still.
const RECENT: SignedDuration = SignedDuration::from_hours(48);
/// So many other sites are looked at in a run.
const SITES: usize = 20;
const FORM: &str = "site/1";

/// Who else sends to the same data sets.
pub(crate) fn notice(
    site: &Site,
    recorder: &Recorder,
    report: &Report,
    end: Instant,
) -> anyhow::Result<Vec<String>> {
    let Some(store) = site.data_store() else {
        return Ok(Vec::new());
    };
    let mut notes = Vec::new();
    let mut dhis2 = site.dhis2_until(end)?;
    let month = month_of(site, Timestamp::now());
    let own = key(site, month);
    if let Some(kept) = dhis2.kept(&store.namespace, &own)? {
        notes.extend(stranger(site, recorder, &own, &kept)?);
    }
    let keys = dhis2.keys(&store.namespace)?.into_iter();
    let suffix = suffix(month);
    let others = keys.filter(|key| *key != own && key.ends_with(&suffix));
    for key in others.take(SITES) {
        // One that is not for our account to read.
        let Ok(Some(kept)) = dhis2.kept(&store.namespace, &key) else {
            continue;
        };
        notes.extend(rivals(&kept, report, &key));
    }
    Ok(notes)
}

/// Keeps what the month comes to so far; in its first run also the last of the month before.
pub(crate) fn keep(site: &Site, recorder: &Recorder, end: Instant) -> anyhow::Result<()> {
    let Some(store) = site.data_store() else {
        return Ok(());
    };
    let Some(past) = Past::open(&site.state, Vec::new())? else {
        return Ok(());
    };
    let mut dhis2 = site.dhis2_until(end)?;
    let failed_before = past.failed_after(Concern::DataStore, recorder.run - 1)?;
    let last = recorder.last()?;
    let first = month_of(site, Timestamp::now());
    let month = runs_of(site, &past, first)?;
    if month.runs == 1 {
        let before = first.saturating_sub(1.month());
        let earlier = runs_of(site, &past, before)?;
        if earlier.runs > 0 {
            let document = document(site, before, &earlier, &last, recorder.run);
            let key = key(site, before);
            if dhis2.keep(&store.namespace, &key, &document)? != Kept::Changed {
                share(&mut dhis2, store, &key)?;
            }
        }
    }
    let document = document(site, first, &month, &last, recorder.run);
    let key = key(site, first);
    let kept = dhis2.keep(&store.namespace, &key, &document)?;
    // The sharing may be what failed before.
    match kept == Kept::Changed && !failed_before {
        true => Ok(()),
        false => share(&mut dhis2, store, &key),
    }
}

fn share(dhis2: &mut Dhis2, store: &DataStore, key: &str) -> anyhow::Result<()> {
    let shared = dhis2.share(&store.namespace, key, &store.readers)?;
    if !shared {
        bail!(
            "DHIS2 did not take the sharing of {key}; does it have the user group data-store-group, and may our account share?"
        );
    }
    Ok(())
}

/// Whether another history than ours wrote last under our name.
fn stranger(
    site: &Site,
    recorder: &Recorder,
    key: &str,
    kept: &Value,
) -> anyhow::Result<Option<String>> {
    let wrote = text(kept, "/updated").and_then(|at| at.parse().ok());
    if !is_recent(wrote) {
        return Ok(None);
    }
    let entry = kept.pointer("/history/entry").and_then(Value::as_i64);
    let (Some(entry), Some(hash)) = (entry, text(kept, "/history/hash")) else {
        return Ok(None);
    };
    let past =
        Past::open(&site.state, Vec::new())?.ok_or_else(|| anyhow!("there is no history"))?;
    // Removed by retention or not yet there: entries of the last two days are neither.
    if past.has(entry, hash)? {
        return Ok(None);
    }
    log::debug!("run {} does not know entry {entry}", recorder.run);
    let host = text(kept, "/host").unwrap_or_default();
    let at = text(kept, "/updated").unwrap_or_default();
    Ok(Some(format!(
        "{key} of the data store was written by another history than this one (host {host}, {at}): another installation has \
         the same `name`, or the state folder was replaced; two that send to the same data set undo each other's changes"
    )))
}

/// The mappings of this run that another site ran lately, a sentence each.
fn rivals(kept: &Value, report: &Report, key: &str) -> Vec<String> {
    let (site, host) = (text(kept, "/site"), text(kept, "/host"));
    let (site, host) = (site.unwrap_or_default(), host.unwrap_or_default());
    let mappings = kept.pointer("/mappings").and_then(Value::as_object);
    let ours = |name: &str, data_set: Option<&str>| {
        report.mappings.iter().any(|mapping| {
            let own = mapping.plan.data_set.map(|data_set| data_set.to_string());
            mapping.name == name && own.as_deref() == data_set
        })
    };
    let mut notes = Vec::new();
    for (name, of) in mappings.into_iter().flatten() {
        let last = text(of, "/lastRun");
        let is_recent = is_recent(last.and_then(|at| at.parse().ok()));
        if is_recent && ours(name, text(of, "/dataSet")) {
            let last = last.unwrap_or_default();
            notes.push(format!(
                "{name}: site {site} on host {host} runs the same mapping into the same data set (last at {last}; {key} of the data \
                 store): two that send there undo each other's changes; stop one"
            ));
        }
    }
    notes
}

fn is_recent(at: Option<Timestamp>) -> bool {
    at.is_some_and(|at| Timestamp::now().duration_since(at) < RECENT)
}

fn text<'v>(value: &'v Value, place: &str) -> Option<&'v str> {
    value.pointer(place).and_then(Value::as_str)
}

/// The first day of the month in the site's time zone.
fn month_of(site: &Site, now: Timestamp) -> Date {
    site.time_zone.to_datetime(now).date().first_of_month()
}

fn key(site: &Site, month: Date) -> String {
    site.name() + &suffix(month)
}

/// `-2026-11`.
fn suffix(month: Date) -> String {
    month.strftime("-%Y-%m").to_string()
}

fn runs_of(site: &Site, past: &Past, first: Date) -> anyhow::Result<Month> {
    let begins = |day: Date| -> anyhow::Result<String> {
        let midnight = site.time_zone.to_timestamp(day.at(0, 0, 0, 0))?;
        Ok(moment(midnight))
    };
    Ok(past.month(&begins(first)?, &begins(first.checked_add(1.month())?)?)?)
}

fn document(site: &Site, month: Date, runs: &Month, last: &(i64, String), run: i64) -> Value {
    let mappings = runs.mappings.iter();
    let mappings: serde_json::Map<String, Value> = mappings
        .map(|(name, of)| (name.clone(), of_mapping(of)))
        .collect();
    json!({
        "pg2dhis2": FORM,
        "version": env!("CARGO_PKG_VERSION"),
        "site": site.name(),
        "host": site::host(),
        "month": month.strftime("%Y-%m").to_string(),
        "updated": moment(Timestamp::now()),
        "run": run,
        "history": { "entry": last.0, "hash": last.1 },
        "runs": runs.runs,
        "interrupted": runs.interrupted,
        "exits": exits(&runs.exits),
        "mappings": mappings,
    })
}

fn of_mapping(of: &MonthOfMapping) -> Value {
    let mut value = json!({
        "dataSet": of.data_set,
        "runs": of.runs,
        "exits": exits(&of.exits),
        "lastRun": of.last_run,
        "lastSuccess": of.last_success,
    });
    if let Some(value) = value.as_object_mut() {
        let changed = of.changed.iter();
        value.extend(changed.map(|(outcome, count)| ((*outcome).to_owned(), json!(count))));
    }
    value
}

/// Runs by exit code; JSON has only texts as names.
fn exits(exits: &std::collections::BTreeMap<u8, u64>) -> Value {
    let each = exits.iter();
    each.map(|(code, runs)| (code.to_string(), json!(runs)))
        .collect::<serde_json::Map<String, Value>>()
        .into()
}
