//! What the server that answered says about itself, and whether it is one that may be read.

use jiff::{SignedDuration, Timestamp};
use postgres::{SimpleQueryMessage, SimpleQueryRow, Transaction};

use super::error::{self, ExtractError, ExtractErrorKind};
use super::settings::{ServerChoice, SourceSettings};
use crate::domain::{Lag, SourcePosition, SourceServer};

/// A function that tells of a standby fails on a primary and the other way round; CASE keeps it from being called there. The timeline of
/// a standby is told in three places, each of which may be behind or withheld from a role without rights.
const FACTS: &str = "
select pg_catalog.pg_is_in_recovery() as standby, pg_catalog.current_setting('server_version') as version,
    (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8 as time,
    exists (select from pg_catalog.pg_class where relname = 'pg_dist_node') as distributed,
    system_identifier as system,
    case when pg_catalog.pg_is_in_recovery() then greatest(
            (select timeline_id from pg_catalog.pg_control_checkpoint()),
            (select min_recovery_end_timeline from pg_catalog.pg_control_recovery()),
            (select received_tli from pg_catalog.pg_stat_wal_receiver))
        else ('x' || pg_catalog.left(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 8))::pg_catalog.bit(32)::pg_catalog.int4
    end as timeline,
    pg_catalog.pg_wal_lsn_diff(case when pg_catalog.pg_is_in_recovery() then pg_catalog.pg_last_wal_replay_lsn()
        else pg_catalog.pg_current_wal_insert_lsn() end, '0/0') as log_bytes,
    case when not pg_catalog.pg_is_in_recovery() then 0
        when not exists (select from pg_catalog.pg_stat_wal_receiver) then null
        when pg_catalog.pg_last_wal_receive_lsn() <= pg_catalog.pg_last_wal_replay_lsn() then 0
        else pg_catalog.ceil(extract(epoch from pg_catalog.clock_timestamp() - pg_catalog.pg_last_xact_replay_timestamp()))
    end::pg_catalog.int8 as behind
from pg_catalog.pg_control_system()";

/// The same as far as an engine of another make can tell it.
const FEWER_FACTS: &str = "
select pg_catalog.pg_is_in_recovery() as standby, pg_catalog.current_setting('server_version') as version,
    (extract(epoch from pg_catalog.clock_timestamp()) * 1000000)::pg_catalog.int8 as time,
    exists (select from pg_catalog.pg_class where relname = 'pg_dist_node') as distributed,
    null as system, null as timeline, null as log_bytes, case when pg_catalog.pg_is_in_recovery() then null else 0 end as behind";

/// What the server in front of us says; `host` is its name in the site's URL. The transaction goes on, whatever the server knows.
pub(super) fn look(
    transaction: &mut Transaction<'_>,
    host: &str,
) -> Result<SourceServer, ExtractError> {
    let failed = |error: &postgres::Error| {
        error::in_session(&format!("asking {host} which server it is"), error)
    };
    let row = match row(transaction, FACTS) {
        Ok(row) => row,
        Err(error) if error.as_db_error().is_some() => {
            log::debug!("{}", failed(&error));
            row(transaction, FEWER_FACTS).map_err(|error| failed(&error))?
        }
        Err(error) => return Err(failed(&error)),
    };
    row.as_ref()
        .and_then(|row| server(row, host))
        .ok_or_else(|| {
            let text =
                format!("asking {host} which server it is: it does not answer as PostgreSQL does");
            ExtractError::new(ExtractErrorKind::Source, text)
        })
}

fn row(
    transaction: &mut Transaction<'_>,
    query: &str,
) -> Result<Option<SimpleQueryRow>, postgres::Error> {
    let mut inner = transaction.savepoint("facts")?;
    let messages = inner.simple_query(query);
    inner.rollback()?;
    let rows = messages?.into_iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    Ok(rows.last())
}

fn server(row: &SimpleQueryRow, host: &str) -> Option<SourceServer> {
    let position = || {
        Some(SourcePosition {
            system: row.get("system")?.parse().ok()?,
            timeline: row.get("timeline")?.parse().ok()?,
            log_bytes: row.get("log_bytes")?.parse().ok()?,
        })
    };
    let lag = match row.get("behind") {
        None => Lag::Unknown,
        Some("0") => Lag::None,
        Some(seconds) => Lag::Behind(SignedDuration::from_secs(seconds.parse().ok()?)),
    };
    let time = Timestamp::from_microsecond(row.get("time")?.parse().ok()?).ok()?;
    Some(SourceServer {
        version: row.get("version")?.to_owned(),
        host: host.to_owned(),
        is_standby: row.get("standby")? == "t",
        lag,
        position: position(),
        time,
        clock_ahead: time.duration_since(Timestamp::now()),
        is_distributed: row.get("distributed")? == "t",
    })
}

/// Refuses a server that `target_session_attrs` does not mean, and a standby that is too far behind.
pub(super) fn ensure_wanted(
    server: &SourceServer,
    target: ServerChoice,
    settings: &SourceSettings,
) -> Result<(), ExtractError> {
    let refused = |why: String| {
        let text = format!("{} is not read: {why}", server.host);
        Err(ExtractError::new(ExtractErrorKind::NotThisServer, text))
    };
    match target {
        ServerChoice::Primary if server.is_standby => {
            refused("it is a standby, and target_session_attrs asks for a primary".to_owned())
        }
        ServerChoice::Standby if !server.is_standby => {
            refused("it is no standby, and target_session_attrs asks for one".to_owned())
        }
        _ => match server.lag {
            Lag::Behind(lag) if lag > settings.max_lag => refused(format!(
                "it is a standby and {lag:#} behind its primary, more than max-lag ({:#}) allows",
                settings.max_lag
            )),
            _ => Ok(()),
        },
    }
}
