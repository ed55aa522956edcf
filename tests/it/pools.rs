//! The program behind a real PgBouncer: it works there, and leaves nothing behind on the server's connection.

use postgres::{Client, NoTls, SimpleQueryMessage};
use rig::dhis2::Dialect;
use rig::postgres::{Pool, PoolMode};

use crate::small_site::SmallSite;

const ROLE: &str = "pool_role";

/// Everything that a session can keep for the next client, a line each.
const LEFT: &str = "
SELECT name || ' = ' || setting FROM pg_settings WHERE name NOT IN ('application_name')
UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements
UNION ALL SELECT 'cursor ' || name FROM pg_cursors WHERE name <> ''
UNION ALL SELECT 'lock ' || objid FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
UNION ALL SELECT 'temporary ' || relname FROM pg_class WHERE relnamespace = pg_my_temp_schema()
UNION ALL SELECT 'backend ' || pg_backend_pid()
ORDER BY 1";

/// A site whose registry has types of its own, which libraries look up by statements of their own.
fn site() -> SmallSite {
    let site = SmallSite::new(Dialect::V2_43);
    site.database.execute(&format!(
        "DO $$ BEGIN CREATE ROLE {ROLE} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
         CREATE TYPE place AS ENUM ('VsF9dWr6arv'); CREATE DOMAIN amount AS numeric(9, 2);
         ALTER TABLE t ALTER unit TYPE place USING unit::place, ALTER value TYPE amount USING value::amount;
         GRANT SELECT, INSERT ON t TO {ROLE}"
    ));
    let allowed = "allow-overprivileged-role = true\n\n[dhis2]";
    site.replace("pg2dhis2.toml", "[dhis2]", allowed);
    site
}

fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    let messages = client.simple_query(sql).expect("an answer");
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    });
    rows.collect()
}

fn connect(pool: &Pool) -> Client {
    Client::connect(&pool.url_as(ROLE), NoTls).expect("a way in")
}

fn end(site: &SmallSite) {
    let role = format!("DROP OWNED BY {ROLE}");
    site.database.execute(&role);
}

#[track_caller]
fn check(mode: PoolMode, disturb: &str) {
    let site = site();
    let pool = Pool::start(&site.database, mode, &[ROLE]).expect("a pool");
    site.replace("pg2dhis2.toml", &site.database.url(), &pool.url_as(ROLE));
    let mut before = connect(&pool);
    before
        .batch_execute(disturb)
        .expect("a session as others leave it");
    let left = rows(&mut before, LEFT);
    drop(before);
    for _ in 0..2 {
        site.run().code(0);
    }
    assert_eq!(site.dhis2.stored().len(), 1);
    let mut after = connect(&pool);
    if let PoolMode::Transaction = mode {
        assert_eq!(rows(&mut after, LEFT), left, "{mode:?}");
    } else {
        let kept: Vec<String> = rows(&mut after, LEFT);
        let ours = |line: &&String| line.starts_with("prepared") || line.starts_with("cursor ");
        assert_eq!(kept.iter().find(ours), None);
    }
    let written = after.batch_execute("INSERT INTO t (value) VALUES (1)");
    written.expect("others may write as before");
    drop(after);
    end(&site);
}

#[test]
fn nothing_is_left_on_a_connection_of_a_pool() {
    check(PoolMode::Transaction, "");
    check(PoolMode::Session, "");
}

#[test]
fn what_others_left_on_a_connection_is_not_seen() {
    // PgBouncer itself looks after the time zone, the order of dates and a few more.
    let disturb = "SET intervalstyle = 'sql_standard'; SET search_path = pg_catalog; SET statement_timeout = '30ms'; SET extra_float_digits = 0;
        CREATE TEMPORARY TABLE t (element text, unit text, period text, value text)";
    check(PoolMode::Transaction, disturb);
}

#[test]
fn a_pool_that_refuses_for_good_is_not_asked_again() {
    let site = site();
    let pool = Pool::start(&site.database, PoolMode::Transaction, &[ROLE]).expect("a pool");
    let url = format!("{}?options=-c%20geqo%3Doff", pool.url_as(ROLE));
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    site.refused(site.run(), 13, "take options out of the url of [source]");
    site.replace("pg2dhis2.toml", &url, &pool.url_as("nobody_here"));
    let run = site.run();
    assert!([12, 13].contains(&run.code), "{}: {}", run.code, run.stderr);
    end(&site);
}
