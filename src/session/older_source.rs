//! What was read from a source that is older than one that values were sent from before is not sent.

use super::mode::Mode;
use crate::domain::SourceServer;
use crate::exit::{Exit, Problem};
use crate::history::{NewerSource, Past};
use crate::site::Site;

/// Why nothing may be sent that was read from this source. A dry run does without where it may not read the history.
pub(super) fn forbid(site: &Site, mode: Mode, server: &SourceServer) -> Option<Problem> {
    let past = Past::open(&site.state, Vec::new());
    let newer = past.and_then(|past| {
        let newer = past.map(|past| past.newer_source(server));
        Ok(newer.transpose()?.flatten())
    });
    match newer {
        Ok(newer) => newer.map(|newer| held(server, &newer)),
        Err(problem) => Some(problem).filter(|_| mode == Mode::Send),
    }
}

fn held(server: &SourceServer, newer: &NewerSource) -> Problem {
    let kind = if server.is_standby {
        "a standby"
    } else {
        "no standby"
    };
    let is_older = match newer.is_unsure {
        true => "may be older than",
        false => "is older than",
    };
    let message = format!(
        "held, nothing of it is sent: the source {} ({kind}) {is_older} the one that values were sent from in run {} ({}, at {} by \
         its clock); wait until it has caught up or the other one is back; after a restore, say that it is meant: pg2dhis2 release \
         database-behind --until DATE --why TEXT",
        server.host, newer.run, newer.host, newer.time
    );
    Problem::new(Exit::Held, message)
}
