//! What is not as it was in the run before: the program, the files of the site, the two servers.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension};

use super::entry::{Finished, MappingPlan, RunStart, SourceAddress, body};

/// A sentence for each difference of a run and the one before it; each mapping is compared with the last run that read
/// its files.
pub(super) fn differences(connection: &Connection, run: i64) -> rusqlite::Result<Vec<String>> {
    let Some(now) = started(connection, run)? else {
        return Ok(Vec::new());
    };
    let mut told = Vec::new();
    let mut waiting: Vec<&MappingPlan> = now
        .mappings
        .iter()
        .filter(|mapping| !mapping.digests.is_empty())
        .collect();
    let mut statement = connection.prepare(
        "SELECT run, body FROM entry WHERE kind = 'started' AND run < ? ORDER BY run DESC",
    )?;
    let mut rows = statement.query([run])?;
    let mut is_first = true;
    while let Some(row) = rows.next()? {
        let earlier: i64 = row.get(0)?;
        let then: RunStart = body(row.get_ref(1)?.as_str()?);
        if is_first {
            of_site(&now, &then, earlier, &mut told);
            of_servers(connection, run, earlier, &mut told)?;
            is_first = false;
        }
        waiting.retain(|mapping| {
            let mut same = then.mappings.iter();
            let same = same.find(|each| each.name == mapping.name && !each.digests.is_empty());
            if let Some(same) = same {
                of_files(mapping, same, earlier, &mut told);
            }
            same.is_none()
        });
        if waiting.is_empty() {
            break;
        }
    }
    Ok(told)
}

pub(super) fn started(connection: &Connection, run: i64) -> rusqlite::Result<Option<RunStart>> {
    connection
        .query_row(
            "SELECT body FROM entry WHERE kind = 'started' AND run = ?",
            [run],
            |row| Ok(body(row.get_ref(0)?.as_str()?)),
        )
        .optional()
}

pub(super) fn finished(connection: &Connection, run: i64) -> rusqlite::Result<Option<Finished>> {
    connection
        .query_row(
            "SELECT body FROM entry WHERE kind = 'finished' AND run = ?",
            [run],
            |row| Ok(body(row.get_ref(0)?.as_str()?)),
        )
        .optional()
}

/// `role@host:port/database`.
fn shown(place: &SourceAddress) -> String {
    let hosts = place.hosts.join(",");
    match &place.role {
        Some(role) => format!("{role}@{hosts}/{}", place.database),
        None => format!("{hosts}/{}", place.database),
    }
}

fn of_site(now: &RunStart, then: &RunStart, earlier: i64, told: &mut Vec<String>) {
    if now.version != then.version {
        told.push(format!(
            "pg2dhis2 is {} and was {} in run {earlier}",
            now.version, then.version
        ));
    }
    if now.site != then.site {
        told.push(format!("the site file changed since run {earlier}"));
    }
    if now.dhis2 != then.dhis2 {
        told.push(format!(
            "DHIS2 is at {} and was at {} in run {earlier}",
            now.dhis2, then.dhis2
        ));
    }
    if let (Some(now), Some(then)) = (&now.source, &then.source)
        && now != then
    {
        told.push(format!(
            "the source is {} and was {} in run {earlier}",
            shown(now),
            shown(then)
        ));
    }
}

/// Known only where both runs came to an end.
fn of_servers(
    connection: &Connection,
    run: i64,
    earlier: i64,
    told: &mut Vec<String>,
) -> rusqlite::Result<()> {
    let (Some(now), Some(then)) = (finished(connection, run)?, finished(connection, earlier)?)
    else {
        return Ok(());
    };
    let each = [
        ("PostgreSQL", now.source_version, then.source_version),
        ("DHIS2", now.dhis2_version, then.dhis2_version),
        ("our account in DHIS2", now.dhis2_user, then.dhis2_user),
        (
            "the system id of DHIS2",
            now.dhis2_system_id,
            then.dhis2_system_id,
        ),
        (
            "DHIS2's time zone",
            now.dhis2_time_zone,
            then.dhis2_time_zone,
        ),
    ];
    for (what, now, then) in each {
        if let (Some(now), Some(then)) = (now, then)
            && now != then
        {
            told.push(format!("{what} is {now} and was {then} in run {earlier}"));
        }
    }
    Ok(())
}

fn of_files(now: &MappingPlan, then: &MappingPlan, earlier: i64, told: &mut Vec<String>) {
    let files: BTreeSet<&String> = now.digests.keys().chain(then.digests.keys()).collect();
    for file in files {
        let what = match (now.digests.get(file), then.digests.get(file)) {
            (Some(now), Some(then)) if now == then => continue,
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "is new",
            (None, _) => "is no part of it any more",
        };
        told.push(format!("{}: {file} {what} since run {earlier}", now.name));
    }
}
