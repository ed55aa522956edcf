//! DHIS2's analytics tables, which dashboards read: has them built where values changed since, and tells when that ended.

use std::time::Instant;

use jiff::{SignedDuration, Timestamp};

use crate::dhis2::Build;
use crate::domain::Period;
use crate::history::{After, Concern, Noted, Past, Recorder, moment};
use crate::report::Report;
use crate::site::Site;

/// A job that nobody has heard of for so long is over: it died with the server.
const PATIENCE: SignedDuration = SignedDuration::from_hours(48);

/// What became of the tables that an earlier run had built, once it is known.
pub(crate) fn notice(
    site: &Site,
    recorder: &mut Recorder,
    end: Instant,
) -> anyhow::Result<Vec<String>> {
    if !site.analytics().is_some_and(|analytics| analytics.refresh) {
        return Ok(Vec::new());
    }
    let Some((asked, job)) = last(site, recorder)?.and_then(unfinished) else {
        return Ok(Vec::new());
    };
    let (run, at) = (asked.run, asked.at.as_str());
    let build = site.analytics_until(end)?.analytics_build(&job)?;
    let text = match build {
        Build::Done(time) => {
            format!(
                "DHIS2's analytics tables, asked for by run {run} at {at}, were built by {time} (DHIS2's time)"
            )
        }
        Build::Failed(time) => {
            format!(
                "DHIS2 failed to build its analytics tables, asked for by run {run} at {at} (at {time}, DHIS2's time); see its log"
            )
        }
        Build::Unfinished if is_lost(&asked) => {
            format!(
                "of DHIS2's analytics tables, asked for by run {run} at {at}, nothing was heard again; did DHIS2 restart?"
            )
        }
        Build::Unfinished => return Ok(Vec::new()),
    };
    let after = After {
        text: text.clone(),
        job: Some(job),
        ended: true,
        ..After::default()
    };
    recorder.after(Concern::Analytics, &after)?;
    Ok(vec![text])
}

/// Has the tables built if values changed since they were, not too often and not beside another job.
pub(crate) fn refresh(
    site: &Site,
    recorder: &mut Recorder,
    report: &Report,
    end: Instant,
) -> anyhow::Result<()> {
    let analytics = site.analytics().filter(|analytics| analytics.refresh);
    let (Some(analytics), Some(dhis2)) = (analytics, &report.dhis2) else {
        return Ok(());
    };
    let last = last(site, recorder)?;
    let is_due = match &last {
        None => true,
        Some(last) => age(&last.at).is_none_or(|age| age.unsigned_abs() >= analytics.every),
    };
    if !is_due || last.and_then(unfinished).is_some() {
        return Ok(());
    }
    let Some(past) = Past::open(&site.state, Vec::new())? else {
        return Ok(());
    };
    if first_changed(&past, dhis2.analytics)?.is_none() {
        return Ok(());
    }
    let mut connection = site.analytics_until(end)?;
    let server = connection.server()?;
    // Somebody may have had them built while the run went on.
    let Some(first) = first_changed(&past, server.analytics)? else {
        return Ok(());
    };
    let years = i32::from(server.now.year()) - first + 1;
    let years = u32::try_from(years).unwrap_or_default().max(1);
    if connection.builds_analytics(server.now)? {
        log::info!("DHIS2 is building its analytics tables already");
        return Ok(());
    }
    let job = connection.build_analytics(years)?;
    let after = After {
        text: format!(
            "asked DHIS2 to build its analytics tables for {years} years, from {first} on"
        ),
        job: Some(job),
        ..After::default()
    };
    Ok(recorder.after(Concern::Analytics, &after)?)
}

/// The first year in which values changed after the tables were built.
fn first_changed(past: &Past, built: Option<Timestamp>) -> anyhow::Result<Option<i32>> {
    let changed = past.changed_after(&built.map(moment).unwrap_or_default())?;
    Ok(changed.iter().filter_map(|period| year(period)).min())
}

/// The last job that a run began, or heard the end of. The one of an end has the moment of its beginning.
fn last(site: &Site, recorder: &Recorder) -> anyhow::Result<Option<Noted>> {
    let Some(past) = Past::open(&site.state, Vec::new())? else {
        return Ok(None);
    };
    let upto = recorder.run.saturating_add(1);
    let last = past.last_after(Concern::Analytics, upto, |after| after.job.is_some())?;
    match last {
        Some(Noted {
            after:
                After {
                    job: Some(job),
                    ended: true,
                    ..
                },
            ..
        }) => {
            let of_job = |after: &After| after.job.as_deref() == Some(&job) && !after.ended;
            let begun = past.last_after(Concern::Analytics, upto, of_job)?;
            Ok(begun.map(|begun| Noted {
                after: After {
                    ended: true,
                    ..begun.after
                },
                ..begun
            }))
        }
        last => Ok(last),
    }
}

/// A job whose end is not known yet.
fn unfinished(last: Noted) -> Option<(Noted, String)> {
    let job = last.after.job.clone().filter(|_| !last.after.ended)?;
    Some((last, job))
}

fn is_lost(asked: &Noted) -> bool {
    age(&asked.at).is_some_and(|age| age > PATIENCE)
}

fn age(at: &str) -> Option<SignedDuration> {
    let at: Timestamp = at.parse().ok()?;
    Some(Timestamp::now().duration_since(at))
}

/// The year in which a period begins.
fn year(period: &str) -> Option<i32> {
    let period: Period = period.parse().ok()?;
    Some(period.start().year().into())
}
