//! Facts about the source: settings as URLs, and queries on a real PostgreSQL.

mod queries;
mod refusals;
mod settings;
mod trust;

use rig::postgres::Database;

use super::{ExtractError, ExtractErrorKind, ResultColumn, Snapshot, Source, SourceSettings};
use crate::mapping::{ParameterValues, Sql};

/// More characters than any test value has.
const ALL: u32 = 1000;

type Rows = Vec<Vec<Option<String>>>;

fn source(url: &str) -> Source {
    let settings = SourceSettings::from_url(url, "".as_ref(), Vec::new()).expect(url);
    Source::connect(&settings, None).unwrap_or_else(|error| panic!("{url}: {error}"))
}

fn sql(text: &str) -> Sql {
    Sql::parse(
        "test.sql",
        text,
        &["day", "moment", "name", "number", "truth"],
    )
    .expect(text)
}

/// The columns and rows of a query.
fn read(
    snapshot: &mut Snapshot<'_>,
    text: &str,
    parameters: &ParameterValues,
) -> anyhow::Result<(Vec<ResultColumn>, Rows)> {
    let (mut columns, mut rows) = (Vec::new(), Rows::new());
    let check = |seen: &[ResultColumn]| {
        columns = seen.to_vec();
        Ok(vec![ALL; seen.len()])
    };
    let count = snapshot.rows(&sql(text), parameters, check, |row| {
        rows.push(row.iter().map(|text| text.map(str::to_owned)).collect());
        Ok(())
    })?;
    assert_eq!(count, rows.len() as u64);
    Ok((columns, rows))
}

/// What a query answers, a row a line, NULL as `-`.
fn answer(snapshot: &mut Snapshot<'_>, text: &str) -> String {
    let (_, rows) = read(snapshot, text, &ParameterValues::new())
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    let line = |row: &Vec<Option<String>>| {
        row.iter()
            .map(|text| text.as_deref().unwrap_or("-"))
            .collect::<Vec<_>>()
            .join("|")
    };
    rows.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The fault of a query that must fail.
#[track_caller]
fn fault(snapshot: &mut Snapshot<'_>, text: &str) -> ExtractError {
    match read(snapshot, text, &ParameterValues::new()) {
        Ok((_, rows)) => panic!("{text} gave {} rows", rows.len()),
        Err(error) => error.downcast().expect("a fault of the source"),
    }
}

#[track_caller]
fn fails(snapshot: &mut Snapshot<'_>, text: &str, kind: ExtractErrorKind, parts: &[&str]) {
    let error = fault(snapshot, text);
    assert_eq!(error.kind, kind, "{text}: {error}");
    let shown = error.to_string();
    for part in parts {
        assert!(shown.contains(part), "{text}: {part:?} is not in: {shown}");
    }
    assert!(!shown.contains("Jane"), "{text}: {shown}");
}

fn with_people(database: &Database) {
    database.execute(
        "create table person (id int primary key, name text, born date);
         insert into person values (1, 'Jane', '2020-02-29'), (2, null, null);
         create function shout(text) returns int language plpgsql as $$ begin raise exception '%', $1 using errcode = '42501'; end $$;
         create domain label as text check (value <> 'Jane');
         create function shout_as(text, code text) returns int language plpgsql as $$ begin raise exception '%', $1 using errcode = code; end $$;
         create function tell(text) returns int language plpgsql as $$ begin raise notice '%', $1; return 1; end $$;
         create function remove() returns int language plpgsql as $$ begin delete from person; return 1; end $$",
    );
}
