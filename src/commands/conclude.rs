//! How a command that may send ends: recorded, told, and only then passed on to those who watch from elsewhere.

use jiff::Timestamp;

use super::record::Record;
use super::{alerts, monitoring};
use crate::cli::{ReportArgs, SiteArgs};
use crate::exit::Exit;
use crate::report::{self, Report};
use crate::site::Site;
use crate::watchdog::Watch;

/// From here on nothing that fails changes the exit code, but that the report cannot be written.
pub(super) fn conclude(
    site: &Site,
    watch: &Watch,
    mut record: Record,
    mut report: Report,
    args: (&SiteArgs, &ReportArgs),
) -> anyhow::Result<Exit> {
    report.ended = Timestamp::now();
    watch.doing("asking DHIS2 what happened since the last run");
    monitoring::noticed(site, &mut record, &mut report);
    record.finish(site, &mut report);
    let exit = report.exit();
    let shown = report::show(&report, args.0, args.1);
    alerts::tell(site, watch, &report, args.0);
    monitoring::ended(site, &mut record, &report);
    match shown {
        Ok(()) => Ok(exit),
        // The run has ended and is told as it did: only its report is lost.
        Err(error) => {
            report::error(&error);
            Ok(Exit::of(&error))
        }
    }
}
