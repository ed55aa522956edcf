//! Which source values were sent from last, so that an older one is not sent from.

use rusqlite::OptionalExtension;

use super::entry::{AboutToSend, SentFrom, body};
use super::past::Past;
use crate::domain::{Releasable, SourceAge, SourcePosition, SourceServer};
use crate::exit::Problem;

/// So many sendings are looked back on at most.
const LOOK_BACK: u32 = 1_000;

/// A run that sent values from a source that holds more than another.
#[derive(Debug)]
pub(crate) struct NewerSource {
    pub(crate) run: i64,
    pub(crate) host: String,
    /// By that source's own clock.
    pub(crate) time: String,
    /// Nobody knows whether the other one is older: it does not tell its position.
    pub(crate) is_unsure: bool,
}

impl From<&SourceServer> for SentFrom {
    fn from(server: &SourceServer) -> SentFrom {
        let position = server.position;
        SentFrom {
            host: server.host.clone(),
            standby: server.is_standby,
            time: server.time.to_string(),
            system: position.map(|position| position.system.to_string()),
            timeline: position.map_or(0, |position| position.timeline),
            log_bytes: position.map_or(0, |position| position.log_bytes),
        }
    }
}

impl SentFrom {
    fn position(&self) -> Option<SourcePosition> {
        Some(SourcePosition {
            system: self.system.as_ref()?.parse().ok()?,
            timeline: self.timeline,
            log_bytes: self.log_bytes,
        })
    }
}

impl Past {
    /// The latest run that sent values from a source which holds something that this one lacks, or may lack. What was sent
    /// before a person said that an older one is meant does not count.
    pub(crate) fn newer_source(
        &self,
        server: &SourceServer,
    ) -> Result<Option<NewerSource>, Problem> {
        self.read(|| {
            let meant: Option<i64> = self
                .connection
                .query_row(
                    "SELECT max(seq) FROM entry WHERE run = 0 AND kind = 'released' AND subject = ?",
                    [Releasable::OlderSource.to_string()],
                    |row| row.get(0),
                )
                .optional()?
                .flatten();
            let mut statement = self.connection.prepare(
                "SELECT run, body FROM entry WHERE kind = 'sending' AND seq > ? ORDER BY seq DESC LIMIT ?",
            )?;
            let mut rows = statement.query((meant.unwrap_or_default(), LOOK_BACK))?;
            while let Some(row) = rows.next()? {
                let sending: AboutToSend = body(row.get_ref(1)?.as_str()?);
                let Some(sent) = sending.source else {
                    continue;
                };
                let age = server.position.zip(sent.position());
                let age = age.map(|(ours, sent)| ours.age(sent));
                let is_unsure = match age {
                    Some(SourceAge::OtherSystem) => continue,
                    // Older ones are never sent from, so that the latest of a cluster is the newest.
                    Some(SourceAge::NotOlder) => return Ok(None),
                    Some(SourceAge::Older) => false,
                    None if server.is_standby => true,
                    None => return Ok(None),
                };
                return Ok(Some(NewerSource {
                    run: row.get(0)?,
                    host: sent.host,
                    time: sent.time,
                    is_unsure,
                }));
            }
            Ok(None)
        })
    }
}
