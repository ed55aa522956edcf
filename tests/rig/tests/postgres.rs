//! The private PostgreSQL keeps its promises: it is real, its databases are apart, it goes away.
#![forbid(unsafe_code)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use postgres::{Client, Config, NoTls};
use rig::postgres::{Cluster, Standby, cluster};

fn text(value: &str) -> Option<String> {
    Some(value.to_owned())
}

#[test]
fn a_query_answers_as_postgresql_writes_and_null_is_none() {
    let database = cluster().database("answers");
    database.execute("CREATE TABLE t (a int, b text); INSERT INTO t VALUES (1, 'é'), (2, NULL)");
    let rows = database.query("SELECT a, b, a / 4.0 FROM t ORDER BY a");
    assert_eq!(
        rows[0],
        [text("1"), text("é"), text("0.25000000000000000000")]
    );
    assert_eq!(rows[1], [text("2"), None, text("0.50000000000000000000")]);
}

#[test]
fn each_test_has_a_database_of_its_own_which_is_dropped_in_the_end() {
    let (one, two) = (cluster().database("apart"), cluster().database("apart"));
    one.execute("CREATE TABLE only_in_one ()");
    let seen = |name: &str| {
        two.query(&format!("SELECT FROM pg_database WHERE datname = '{name}'"))
            .len()
    };
    assert_eq!(two.query("SELECT to_regclass('only_in_one')"), [[None]]);
    let name = one.name().to_owned();
    assert_eq!(seen(&name), 1);
    drop(one);
    assert_eq!(seen(&name), 0);
}

#[test]
fn a_standby_has_what_its_primary_has_and_takes_nothing_else() {
    let servers = Standby::start().unwrap();
    let database = servers.database("followed");
    database.execute("CREATE TABLE t AS SELECT 7 AS n");
    let mut session = Client::connect(&servers.url(&database), NoTls).unwrap();
    let n: i32 = session.query_one("SELECT n FROM t", &[]).unwrap().get(0);
    assert_eq!(n, 7);
    let refused = servers.connect().execute("CREATE TABLE u ()", &[]);
    assert_eq!(refused.unwrap_err().code().unwrap().code(), "25006");
}

#[test]
fn a_copy_has_the_rows_of_its_template_and_does_not_change_it() {
    let persons = "SELECT count(*) FROM registry.person";
    let template = cluster().sluhis();
    let first = cluster().database_from(&template);
    let planted = first.query("SELECT count(*) FROM qa.planted_case");
    assert_ne!(planted, [[text("0")]]);
    first.execute("TRUNCATE qa.planted_case; TRUNCATE registry.person CASCADE");
    assert_eq!(first.query(persons), [[text("0")]]);
    let second = cluster().database_from(&cluster().sluhis());
    assert_eq!(
        second.query("SELECT count(*) FROM qa.planted_case"),
        planted
    );
    assert_ne!(second.query(persons), [[text("0")]]);
}

#[test]
fn the_sync_role_reads_no_names() {
    let database = cluster().database_from(&cluster().sluhis());
    let mut session = Config::from_str(&database.url_as("sluhis_sync")).unwrap();
    let mut session = session
        .options("-c statement_timeout=10s")
        .connect(NoTls)
        .unwrap();
    session
        .batch_execute("SELECT sex FROM registry.person LIMIT 1")
        .unwrap();
    let refused = session.batch_execute("SELECT family_name FROM registry.person LIMIT 1");
    assert_eq!(refused.unwrap_err().code().unwrap().code(), "42501");
}

#[test]
fn the_socket_and_the_loopback_port_lead_to_the_same_database() {
    let database = cluster().database("both_ways");
    for url in [database.url(), database.socket_url_as("postgres")] {
        let mut client = Config::from_str(&url).unwrap().connect(NoTls).unwrap();
        let row = client
            .query_one("SELECT current_database()::text", &[])
            .unwrap();
        assert_eq!(row.get::<_, String>(0), database.name());
    }
}

#[test]
fn a_role_with_a_password_must_show_it_and_others_need_none() {
    let database = cluster().database("passwords");
    cluster().create_role_with_password("needs_one", "it's secret");
    database.execute("CREATE ROLE needs_none LOGIN");
    for url in [
        database.url_as("needs_one"),
        database.socket_url_as("needs_one"),
    ] {
        let mut config = Config::from_str(&url).unwrap();
        assert!(config.connect(NoTls).is_err(), "no password");
        let refused = config.password("wrong").connect(NoTls).err().unwrap();
        assert_eq!(refused.code().unwrap().code(), "28P01");
        config.password("it's secret").connect(NoTls).unwrap();
    }
    Config::from_str(&database.url_as("needs_none"))
        .unwrap()
        .connect(NoTls)
        .unwrap();
}

#[test]
fn a_dropped_cluster_leaves_no_files_and_frees_its_port() {
    let cluster = Cluster::start().unwrap();
    let database = cluster.database("last");
    let (folder, port) = (database.socket_dir().to_owned(), database.tcp_port());
    assert!(Path::new(&folder).join("data").exists());
    drop(database);
    drop(cluster);
    assert!(!Path::new(&folder).exists());
    TcpListener::bind(("127.0.0.1", port)).unwrap();
}

/// The supervisor shares its owner's standard error, which ends when both are gone.
#[test]
fn a_cluster_goes_away_with_a_killed_process() {
    let mut owner = Command::new(env!("CARGO_BIN_EXE_sluhis"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(owner.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    let (_, folder) = line.trim().split_once("socket in ").unwrap();
    let running = fs::read_to_string(Path::new(folder).join("data/postmaster.pid")).unwrap();
    let port: u16 = running.lines().nth(3).unwrap().parse().unwrap();
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());

    owner.kill().unwrap();
    owner.wait().unwrap();
    let mut complaints = String::new();
    owner
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut complaints)
        .unwrap();
    assert_eq!(complaints, "");
    assert!(!Path::new(folder).exists());
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
