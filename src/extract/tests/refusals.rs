//! Facts about what a real PostgreSQL and we refuse, and about the words for it.

use std::net::TcpListener;
use std::time::Duration;

use rig::postgres::cluster;
use secrecy::SecretString;

use super::super::{ExtractErrorKind, Source, SourceSettings};
use super::{answer, fails, fault, source, with_people};

#[test]
fn only_a_query_that_changes_nothing_is_run() {
    let database = cluster().database("guard");
    with_people(&database);
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    for text in [
        "commit",
        "rollback",
        "begin",
        "show datestyle",
        "explain analyze delete from person",
        "delete from person",
        "delete from person returning id",
        "with gone as (delete from person returning id) select id from gone",
        "select 1 into copy_of_person",
        "create table t ()",
        "copy person to stdout",
        "set transaction read write",
        "lock table person",
        "do $$ begin delete from person; end $$",
        "call remove()",
        "prepare p as delete from person",
        "select 1) as q, (select 2",
        "select remove()",
        "select id from person for update",
        "select nextval('s') from (select 1) as q",
        "select set_config('transaction_read_only', 'off', false)",
    ] {
        let error = fault(&mut snapshot, text);
        assert_eq!(error.kind, ExtractErrorKind::Source, "{text}: {error}");
        assert!(error.to_string().contains("test.sql"), "{text}: {error}");
    }
    assert_eq!(
        answer(
            &mut snapshot,
            "select current_setting('transaction_read_only'), count(*) from person"
        ),
        "on|2"
    );
    fails(
        &mut snapshot,
        "commit",
        ExtractErrorKind::Source,
        &["only one plain query"],
    );
    snapshot.close().expect("it closes");
    assert_eq!(
        database.query("select count(*) from person"),
        [[Some("2".to_owned())]]
    );
}

#[test]
fn faults_of_the_text_are_shown_with_their_place_in_the_file() {
    let database = cluster().database("places");
    with_people(&database);
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    let mut check =
        |text: &str, parts: &[&str]| fails(&mut snapshot, text, ExtractErrorKind::Source, parts);
    check(
        "select id,\n  facilty from person",
        &[
            "test.sql, line 2, column 3",
            "\"facilty\" does not exist",
            "42703",
        ],
    );
    check(
        "select é from persons",
        &["test.sql, line 1, column 15", "\"persons\"", "42P01"],
    );
    check(
        "select (1",
        &["test.sql, line 1, column 10", "end of input", "42601"],
    );
    check(
        "with d as (delete from person returning id)\nselect id from d",
        &["only one plain query", "0A000"],
    );
    check(
        "select '2024-02-30'::date",
        &["test.sql, line 1, column 8", "22008", "withheld"],
    );
}

#[test]
fn no_message_holds_a_value_of_a_row() {
    let database = cluster().database("private");
    with_people(&database);
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    for (text, code) in [
        ("select name::int from person", "22P02"),
        ("select name::date from person", "22007"),
        ("select name::json from person", "22P02"),
        (
            "select to_number(name, '9') + 1 / (id - 1) from person",
            "22",
        ),
        ("select shout(name) from person", "42501"),
        // These two are faults of class 42 that come with the rows, not with the text of the query.
        ("select to_tsquery(name || ' &|') from person", "42601"),
        ("select name::regclass from person", "42P01"),
        ("select xmlparse(document name) from person", "2200M"),
        ("select name::label from person", "23514"),
        ("select shout_as(name, 'P0001') from person", "P0001"),
        ("select shout_as(name, 'XX000') from person", "XX000"),
        ("select shout_as(name, '22023') from person", "22023"),
    ] {
        fails(
            &mut snapshot,
            text,
            ExtractErrorKind::Source,
            &[code, "withheld", "test.sql"],
        );
    }
    assert_eq!(
        answer(&mut snapshot, "select sum(tell(name)) from person"),
        "2"
    );
}

#[test]
fn a_role_that_may_not_read_or_would_not_see_all_rows_is_told_so() {
    let database = cluster().database("rights");
    with_people(&database);
    database.execute(
        "create role places_reader login; create table open (id int); grant select on open to places_reader;
         alter table open enable row level security; create policy p on open using (id > 0)",
    );
    let mut source = source(&database.url_as("places_reader"));
    let mut snapshot = source.snapshot().expect("a snapshot");
    fails(
        &mut snapshot,
        "table person",
        ExtractErrorKind::Source,
        &["permission denied for table person", "42501"],
    );
    fails(
        &mut snapshot,
        "table open",
        ExtractErrorKind::Source,
        &["row-level security", "42501"],
    );
    drop(snapshot);
    drop(source);
    database.execute("drop owned by places_reader; drop role places_reader");
}

#[test]
fn a_query_that_runs_or_waits_too_long_is_cancelled() {
    let database = cluster().database("long");
    with_people(&database);
    let mut settings =
        SourceSettings::from_url(&database.url(), "".as_ref(), Vec::new()).expect("settings");
    settings.statement_timeout = Duration::from_millis(300);
    settings.lock_timeout = Duration::from_millis(100);
    let mut source = Source::connect(&settings, None).expect("a connection");
    let mut snapshot = source.snapshot().expect("a snapshot");
    fails(
        &mut snapshot,
        "select pg_sleep(60)::text",
        ExtractErrorKind::TimedOut,
        &["test.sql", "statement-timeout (300 ms)", "57014"],
    );
    let mut holder = database.connect();
    let mut lock = holder.transaction().expect("a transaction");
    lock.batch_execute("lock table person").expect("a lock");
    fails(
        &mut snapshot,
        "table person",
        ExtractErrorKind::Locked,
        &["test.sql", "lock-timeout (100 ms)", "55P03"],
    );
}

#[test]
fn a_lost_connection_fails_this_attempt_and_all_later_ones() {
    let database = cluster().database("lost");
    let mut source = source(&database.url());
    let mut snapshot = source.snapshot().expect("a snapshot");
    let end = "select pg_terminate_backend(pg_backend_pid())";
    fails(&mut snapshot, end, ExtractErrorKind::Lost, &["test.sql"]);
    fails(
        &mut snapshot,
        "select 1",
        ExtractErrorKind::Lost,
        &["closed"],
    );
    assert!(snapshot.close().is_err());
}

#[test]
fn a_connection_that_is_refused_says_why() {
    let database = cluster().database("refused");
    cluster().create_role_with_password("refused_role", "right");
    let connect = |url: &str, password: Option<&str>| {
        let settings = SourceSettings::from_url(url, "".as_ref(), Vec::new()).expect(url);
        let password = password.map(SecretString::from);
        match Source::connect(&settings, password.as_ref()) {
            Ok(source) => Ok(source.server().version.clone()),
            Err(error) => Err((error.kind, error.to_string())),
        }
    };
    let url = database.url_as("refused_role");
    assert!(
        !connect(&url, Some("right"))
            .expect("the right password")
            .is_empty()
    );

    let (kind, text) = connect(&url, Some("Sesame7")).expect_err("a wrong password");
    assert_eq!(kind, ExtractErrorKind::Credentials, "{text}");
    assert!(
        text.contains("28P01") && text.contains("as refused_role") && !text.contains("Sesame7"),
        "{text}"
    );

    let (kind, text) = connect(&url, None).expect_err("no password");
    assert_eq!(kind, ExtractErrorKind::Credentials, "{text}");
    assert!(text.contains("password-file"), "{text}");

    let elsewhere = database.url().replace(database.name(), "no_such_database");
    let (kind, text) = connect(&elsewhere, None).expect_err("no database");
    assert_eq!(kind, ExtractErrorKind::NoSuchDatabase, "{text}");

    let encrypted = format!("{}?sslmode=require", database.url());
    let (kind, text) = connect(&encrypted, None).expect_err("no TLS");
    assert_eq!(kind, ExtractErrorKind::Tls, "{text}");
    assert!(text.contains("offers no TLS"), "{text}");
}

#[test]
fn the_next_server_is_tried_where_none_answers_and_not_where_one_refuses() {
    let database = cluster().database("several");
    cluster().create_role_with_password("several_role", "right");
    let port = database.tcp_port();
    // Nothing can listen on a socket in a folder that does not exist.
    let connect = |role: &str, hosts: &str| {
        let url = format!(
            "postgresql://{role}@/{}?host={hosts}&port={port}",
            database.name()
        );
        Source::connect(
            &SourceSettings::from_url(&url, "".as_ref(), Vec::new()).expect("settings"),
            None,
        )
    };
    assert!(connect("rig_reader", "/nowhere,127.0.0.1").is_ok());
    let error = connect("rig_reader", "/nowhere,/nowhere/else")
        .err()
        .expect("nothing answers");
    assert_eq!(error.kind, ExtractErrorKind::Unreachable);
    assert!(error.to_string().contains("/nowhere/else"), "{error}");
    let error = connect("several_role", "127.0.0.1,/nowhere")
        .err()
        .expect("a refusal");
    assert_eq!(error.kind, ExtractErrorKind::Credentials);
}

#[test]
fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "postgresql://sync@127.0.0.1:{}/sluhis",
        mute.local_addr().expect("an address").port()
    );
    let mut settings = SourceSettings::from_url(&url, "".as_ref(), Vec::new()).expect("settings");
    settings.connect_timeout = Some(Duration::from_millis(20));
    let error = Source::connect(&settings, None).err().expect("no answer");
    assert_eq!(error.kind, ExtractErrorKind::Unreachable);
    assert!(error.to_string().contains("does not answer"), "{error}");
}
