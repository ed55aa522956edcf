//! Writes the status page of the site.

use anyhow::anyhow;
use jiff::{Span, Timestamp};

use super::mapping_status::{self, Look, MAX_AGE};
use crate::cli::PeriodArgs;
use crate::history::Past;
use crate::report::{Report, StatusPage};
use crate::site::{self, Site};

/// What the run that just ended calls things is taken from its report.
pub(crate) fn write(site: &Site, report: &Report) -> anyhow::Result<()> {
    let Some(file) = &site.watchers.page else {
        return Ok(());
    };
    let now = Timestamp::now();
    let look = Look {
        now,
        as_of: report.as_of,
        periods: &PeriodArgs {
            periods: Vec::new(),
            as_of: None,
        },
        max_age: MAX_AGE,
    };
    let past = Past::open(&site.state, site::alive(&site.state))?;
    let stands = mapping_status::of(site, &site.mappings(&[])?, past.as_ref(), &look)?;
    let today = site.time_zone.to_datetime(now).date();
    let first = today.checked_sub(Span::new().days(StatusPage::DAYS - 1))?;
    let days = past.as_ref().map(|past| past.days(first, &site.time_zone));
    let page = StatusPage {
        site: &site.name(),
        dhis2: report.dhis2.as_ref().map_or("DHIS2", |dhis2| &dhis2.url),
        made: now,
        time_zone: &site.time_zone,
        status: &stands,
        days: &days.transpose()?.unwrap_or_default(),
        names: &report.names(),
    };
    site::write_published(file, &page.html()).map_err(|error| {
        let (shown, why) = (file.display(), site::reason(&error));
        anyhow!("the file {shown} cannot be written ({why})")
    })
}
