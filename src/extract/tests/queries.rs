//! Facts about queries that a real PostgreSQL answers.

use rig::postgres::cluster;

use super::super::ResultColumn;
use super::{ALL, answer, fails, read, source, sql, with_people};
use crate::extract::ExtractErrorKind;
use crate::mapping::ParameterValues;

#[test]
fn every_column_arrives_as_postgresql_writes_it() {
    let database = cluster().database("forms");
    database.execute("create type mood as enum ('fine'); create domain share as numeric(5, 2)");
    let mut source = source(&database.socket_url_as("rig_reader"));
    let mut snapshot = source.snapshot().expect("a snapshot");
    let shown = answer(
        &mut snapshot,
        "select null, 'NaN'::numeric, 1e40::numeric, 5.0000, 0.1::float8 + 0.2::float8, 'ab'::char(5), array[1, null], '2024-02-01'::date,
           '2024-02-01 12:00+00'::timestamptz at time zone 'America/St_Lucia', '2024-02-01 12:00-04'::timestamptz, true, interval '1 month 2 days',
           '\\x00ff'::bytea, 'fine'::mood, 1.5::share, row(1, 'a'), 'é' -- and a comment",
    );
    assert_eq!(
        shown,
        "-|NaN|10000000000000000000000000000000000000000|5.0000|0.30000000000000004|ab|{1,NULL}|2024-02-01|2024-02-01 08:00:00|\
         2024-02-01 16:00:00+00|true|1 mon 2 days|\\x00ff|fine|1.50|(1,a)|é"
    );
}

#[test]
fn the_forms_do_not_depend_on_what_the_role_has_set() {
    let database = cluster().database("role");
    database.execute(&format!("alter database {} set datestyle = 'SQL, DMY'; alter database {} set timezone = 'Asia/Tokyo'", database.name(), database.name()));
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    assert_eq!(
        answer(
            &mut snapshot,
            "select '2024-02-01'::date, '2024-02-01 00:00+00'::timestamptz"
        ),
        "2024-02-01|2024-02-01 00:00:00+00"
    );
}

#[test]
fn columns_are_shown_with_their_names_and_types_before_a_row_is_read() {
    let database = cluster().database("columns");
    database.execute("create domain share as numeric(5, 2)");
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    let text = "select 'a' as x, 1 as x, 2::bigint, 1.5::share as s, 'c'::char(3) as \"Ç d\", array['a'] as a";
    let (columns, _) = read(&mut snapshot, text, &ParameterValues::new()).expect("an answer");
    let columns: Vec<_> = columns
        .iter()
        .map(|column| (column.name.as_str(), column.type_name.as_str()))
        .collect();
    assert_eq!(
        columns,
        [
            ("x", "text"),
            ("x", "int4"),
            ("int8", "int8"),
            ("s", "numeric"),
            ("Ç d", "bpchar"),
            ("a", "_text")
        ]
    );

    // The query would fail on its first row, but is never run.
    let refusal = snapshot.rows(
        &sql("select 1 / (n - 1) as secret from generate_series(1, 9) as s(n)"),
        &ParameterValues::new(),
        |_: &[ResultColumn]| anyhow::bail!("undeclared"),
        |_| Ok(()),
    );
    assert_eq!(refusal.expect_err("a refusal").to_string(), "undeclared");
}

#[test]
fn a_parameter_stands_where_psql_would_put_it() {
    let database = cluster().database("parameters");
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    let parameters = ParameterValues::from(
        [
            ("day", "2024-03-31"),
            ("moment", "2026-01-01T04:00:00Z"),
            ("name", "O'Neil\\'; drop table person --"),
            ("number", "-9223372036854775808"),
            ("truth", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let text = "select date :'day' - 1, to_date(:'day', 'YYYY-MM-DD'), '2024-03-30' < :'day', pg_typeof(:'moment')::text, timestamptz:'moment', \
        :'name', :'number'::bigint, not :'truth'";
    let (_, rows) = read(&mut snapshot, text, &parameters).expect("an answer");
    let row: Vec<_> = rows[0].iter().flatten().map(String::as_str).collect();
    let expected = [
        "2024-03-30",
        "2024-03-31",
        "true",
        "unknown",
        "2026-01-01 04:00:00+00",
        "O'Neil\\'; drop table person --",
        "-9223372036854775808",
        "false",
    ];
    assert_eq!(row, expected);
    fails(
        &mut snapshot,
        "select :'name'",
        ExtractErrorKind::Source,
        &["test.sql, line 1, column 8", "unknown parameter :'name'"],
    );
}

#[test]
fn long_texts_are_cut_by_the_server_and_all_rows_are_fetched_in_order() {
    let database = cluster().database("rows");
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    // Two full fetches and nothing after them; then one row more.
    for wanted in [0, 1, 20_000, 20_001] {
        let mut next = 1;
        let query = sql(&format!(
            "select n, repeat('é', 100) from generate_series(1, {wanted}) as s(n) order by n"
        ));
        let read = snapshot.rows(
            &query,
            &ParameterValues::new(),
            |_| Ok(vec![ALL, 3]),
            |row| {
                assert_eq!(row, [Some(next.to_string().as_str()), Some("ééé")]);
                next += 1;
                Ok(())
            },
        );
        assert_eq!(read.expect("an answer"), wanted);
    }
}

#[test]
fn one_snapshot_sees_one_moment_and_the_next_sees_another() {
    let database = cluster().database("moment");
    with_people(&database);
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    database.execute("delete from person");
    assert_eq!(answer(&mut snapshot, "select count(*) from person"), "2");
    snapshot.close().expect("it closes");
    let mut snapshot = source.snapshot().expect("a second snapshot");
    assert_eq!(answer(&mut snapshot, "table person"), "");
}

#[test]
fn one_failed_attempt_does_not_stop_the_next_and_keeps_the_moment() {
    let database = cluster().database("attempts");
    with_people(&database);
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    database.execute("delete from person");
    fails(
        &mut snapshot,
        "select 1 / 0",
        ExtractErrorKind::Source,
        &["22012"],
    );
    let stopped = snapshot.rows(
        &sql("select 1 from generate_series(1, 30000)"),
        &ParameterValues::new(),
        |_| Ok(vec![ALL]),
        |_| anyhow::bail!("enough"),
    );
    assert_eq!(stopped.expect_err("it stops").to_string(), "enough");
    assert_eq!(answer(&mut snapshot, "select count(*) from person"), "2");
    snapshot.close().expect("it closes");
}

#[test]
fn what_a_query_sets_is_not_set_for_the_next() {
    let database = cluster().database("settings");
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    let shown = "select name || '=' || setting from pg_settings order by 1";
    let before = answer(&mut snapshot, shown);
    for local in [true, false] {
        let set = format!(
            "select set_config('statement_timeout', '0', {local}), set_config('datestyle', 'SQL, DMY', {local}), \
             set_config('row_security', 'on', {local}), set_config('timezone', 'Asia/Tokyo', {local}), set_config('ours.own', 'x', {local})"
        );
        answer(&mut snapshot, &set);
        assert_eq!(answer(&mut snapshot, shown), before);
    }
    let ours = "select current_setting('statement_timeout'), '2024-02-01'::date, current_setting('row_security'), current_setting('application_name')";
    assert_eq!(
        answer(&mut snapshot, ours),
        concat!("5min|2024-02-01|off|pg2dhis2/", env!("CARGO_PKG_VERSION"))
    );
}
