//! Writes how the mappings of the site stand for Prometheus' node exporter.

use anyhow::anyhow;

use crate::cli::PeriodArgs;
use crate::history::{Past, Recorder};
use crate::read::periods;
use crate::report::{MappingMetrics, Metrics, Report};
use crate::site::{self, Site};

pub(crate) fn write(site: &Site, recorder: &Recorder, report: &Report) -> anyhow::Result<()> {
    let Some(file) = &site.watchers.metrics else {
        return Ok(());
    };
    let metrics = gathered(site, recorder, report)?;
    site::write_published(file, &metrics.text()).map_err(|error| {
        let (shown, why) = (file.display(), site::reason(&error));
        anyhow!("the file {shown} cannot be written ({why})")
    })
}

/// The figures of all mappings of the site, in the periods that a run looks at by itself.
fn gathered(site: &Site, recorder: &Recorder, report: &Report) -> anyhow::Result<Metrics> {
    let mut metrics = Metrics {
        run: recorder.run,
        ended: unix(report.ended),
        seconds: report.ended.duration_since(report.started).as_secs_f64(),
        exit: report.exit().code(),
        requests: report.requests,
        analytics: None,
        mappings: Vec::new(),
    };
    let Some(past) = Past::open(&site.state, Vec::new())? else {
        return Ok(metrics);
    };
    let built = past.analytics()?.and_then(|(built, _)| built.parse().ok());
    metrics.analytics = built.map(unix);
    let usual = PeriodArgs {
        periods: Vec::new(),
        as_of: None,
    };
    for mapping in site.mappings(&[])? {
        let (as_of, time_zone) = (report.as_of, &site.time_zone);
        let periods = periods::of_run(&mapping, &usual, Some(&past), as_of, time_zone)?;
        metrics.mappings.push(MappingMetrics {
            standing: past.standing(&mapping.name, &periods)?,
            last: past.last_of(&mapping.name)?,
            name: mapping.name,
        });
    }
    Ok(metrics)
}

fn unix(moment: jiff::Timestamp) -> f64 {
    moment.as_millisecond() as f64 / 1e3
}
