//! What every command that compares with DHIS2 begins with: an empty report, what earlier runs found, the connection.

use jiff::Timestamp;

use super::mode::Mode;
use super::relaxed;
use super::target::Connection;
use crate::exit::Problem;
use crate::mapping::Mapping;
use crate::plan::Answerer;
use crate::report::{Dhis2Facts, Report};
use crate::site::{Dhis2Access, Memory, Site};

/// What earlier runs found in DHIS2. A dry run does without where it may not read it.
pub(super) fn memory(site: &Site, mode: Mode, url: &str) -> Result<Memory, Problem> {
    let loaded = Memory::load(&site.state, url);
    match mode {
        Mode::Send => loaded,
        Mode::DryRun | Mode::AskServer => Ok(loaded.unwrap_or_default()),
    }
}

/// Every mapping of the site, whatever this run is about.
pub(super) fn answerers(site: &Site, report: &mut Report) -> Vec<Answerer> {
    match site.mappings(&[]) {
        Ok(mappings) => mappings.iter().map(answerer).collect(),
        Err(error) => {
            report.notes.push(format!(
                "values that no mapping answers for were not looked for: {error:#}"
            ));
            Vec::new()
        }
    }
}

pub(super) fn answerer(mapping: &Mapping) -> Answerer {
    Answerer {
        data_set: mapping.data_set,
        period_type: mapping.period_type,
        scope: mapping.scope(),
    }
}

pub(super) fn empty_report(
    command: &'static str,
    mode: Mode,
    as_of: Timestamp,
    started: Timestamp,
) -> Report {
    Report {
        command,
        dry_run: mode != Mode::Send,
        as_of,
        started,
        ended: started,
        source: None,
        dhis2: None,
        requests: 0,
        notes: Vec::new(),
        relaxed: Vec::new(),
        problems: Vec::new(),
        mappings: Vec::new(),
    }
}

/// Opens DHIS2 and notes in the report who answered.
pub(super) fn connect(
    access: Dhis2Access,
    memory: Memory,
    report: &mut Report,
) -> anyhow::Result<Connection> {
    let url = access.url.clone();
    let allowed = access.allow_overprivileged;
    let connection = Connection::open(access, memory)?;
    if allowed {
        relaxed::account(report, &connection.account);
    }
    report.dhis2 = Some(Dhis2Facts {
        url,
        version: connection.server.version.text.clone(),
        time_zone: connection.server.time_zone.clone(),
        system_id: connection.server.system_id.clone(),
        user: connection.account.username.clone(),
    });
    report.notes.extend(connection.server.note.clone());
    Ok(connection)
}
