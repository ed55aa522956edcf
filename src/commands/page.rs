//! Writes the status page after a run.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use super::status::{self, Look};
use crate::cli::PeriodArgs;
use crate::domain::Uid;
use crate::history::Past;
use crate::report::{Page, Report, PAGE_DAYS};
use crate::site::{self, Site};

/// Writes the page, if the site has one; what the run that just ended calls things is taken from its report.
pub(super) fn write(site: &Site, report: &Report) -> anyhow::Result<()> {
    let Some(file) = &site.page else {
        return Ok(());
    };
    let now = Timestamp::now();
    let mappings = site.mappings(&[])?;
    let look = Look {
        now,
        as_of: now,
        periods: &PeriodArgs::default(),
        max_age: status::MAX_AGE,
    };
    let past = Past::open(&site.state, site::alive(&site.state))?;
    let stands = status::of(site, &mappings, past.as_ref(), &look)?;
    let today = site.time_zone.to_datetime(now).date();
    let days = match &past {
        Some(past) => past.days(first(today), &site.time_zone)?,
        None => BTreeMap::new(),
    };
    let names: BTreeMap<Uid, String> = report
        .mappings
        .iter()
        .flat_map(|mapping| mapping.names.clone())
        .collect();
    let page = Page {
        site: &site.name(),
        dhis2: site.dhis2_url().unwrap_or_default(),
        made: now,
        time_zone: &site.time_zone,
        status: &stands,
        days: &days,
        analytics: None,
        names: &names,
    };
    site::write_published(file, &page.html())?;
    Ok(())
}

fn first(today: Date) -> Date {
    today
        .checked_sub(jiff::Span::new().days(PAGE_DAYS))
        .unwrap_or(today)
}
