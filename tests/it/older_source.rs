//! A source that is older than one that values were sent from is not sent from, unless a person says that it is meant.

use rig::dhis2::Dialect;
use rig::postgres::{Database, Standby};

use crate::history::run as recorded;
use crate::small_site::{NUMBER, SmallSite, UNITS};

/// A site whose source is the primary of a pair.
fn site(servers: &Standby) -> (SmallSite, Database) {
    let site = SmallSite::new(Dialect::V2_43);
    let primary = servers.database("small");
    primary.execute(&format!(
        "CREATE TABLE t (element text, unit text, period text, value text);
         INSERT INTO t VALUES ('{NUMBER}', '{}', '202503', '70');",
        UNITS[0]
    ));
    site.replace("pg2dhis2.toml", &site.database.url(), &url_of(&primary));
    (site, primary)
}

/// The primary is reached by its socket alone.
fn url_of(primary: &Database) -> String {
    let url = primary.url();
    let role = url
        .split("//")
        .nth(1)
        .and_then(|rest| rest.split('@').next());
    primary.socket_url_as(role.expect("a role"))
}

/// The standby replays no more.
fn pause(servers: &Standby) {
    let mut standby = servers.connect();
    standby
        .batch_execute("SELECT pg_wal_replay_pause()")
        .unwrap();
    let paused = "SELECT pg_get_wal_replay_pause_state() = 'paused' FROM pg_sleep(0.05)";
    let is_paused = || standby.query_one(paused, &[]).unwrap().get::<_, bool>(0);
    assert!(std::iter::repeat_with(is_paused).take(1_200).any(|is| is));
}

fn live(site: &SmallSite) -> Vec<String> {
    site.dhis2.values().into_values().collect()
}

#[test]
fn a_standby_that_is_behind_what_was_sent_is_not_sent_from() {
    let servers = Standby::start().expect("a standby");
    let (site, primary) = site(&servers);
    primary.execute("UPDATE t SET value = '5'");
    let standby = servers.url(&primary);
    // The standby stays where it is, and the registry goes on.
    pause(&servers);
    primary.execute("UPDATE t SET value = '70'");
    site.run().code(0);
    assert_eq!(live(&site), ["70"]);
    let source = recorded(&site, "1")["sent-from"][0].clone();
    assert_eq!(source["standby"], false);
    assert!(source["log-bytes"].as_u64().unwrap() > 0, "{source}");
    // The primary is down; the standby is next.
    site.replace("pg2dhis2.toml", &url_of(&primary), &standby);
    site.replace("pg2dhis2.toml", "[source]", "[source]\nmax-lag = \"1000h\"");
    for _ in 0..2 {
        site.run()
            .code(4)
            .stderr_has("is older than the one that values were sent from in run 1")
            .stderr_has("a standby")
            .stderr_has("pg2dhis2 release database-behind");
        assert_eq!(live(&site), ["70"]);
    }
    site.program(&["run", "-n", "-p", "202503"])
        .code(4)
        .stderr_has("is older than");
    // It catches up.
    servers
        .connect()
        .batch_execute("SELECT pg_wal_replay_resume()")
        .unwrap();
    servers.url(&primary);
    site.run().code(0);
    assert_eq!(live(&site), ["70"]);
    // An idle server is not older, however often it is read.
    site.run().code(0);
    site.run().code(0);
}

#[test]
fn a_source_that_was_restored_is_sent_from_once_a_person_says_so() {
    let servers = Standby::start().expect("a standby");
    let (site, primary) = site(&servers);
    primary.execute("UPDATE t SET value = '5'");
    let restored = servers.url(&primary);
    pause(&servers);
    primary.execute("UPDATE t SET value = '70'");
    site.run().code(0);
    site.replace("pg2dhis2.toml", &url_of(&primary), &restored);
    site.replace("pg2dhis2.toml", "[source]", "[source]\nmax-lag = \"1000h\"");
    site.run().code(4).stderr_has("is older than");
    let release = [
        "release",
        "database-behind",
        "--until",
        "2999-12-31",
        "--why",
        "restored from a backup",
    ];
    site.program(&release).code(0);
    site.run().code(0);
    assert_eq!(live(&site), ["5"]);
    // It is what values were sent from now.
    site.run().code(0);
    site.program(&["history", "--verify"]).code(0);
}
