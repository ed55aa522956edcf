//! The source takes us in and then does not let us finish.

use std::process::Command;
use std::sync::OnceLock;

use rig::postgres::Standby;

use super::super::Holds::{All, NothingSent};
use super::super::{Fault, Met};
use super::site::{limits, met, queried, run_while, site, waiting, wired, with};
use crate::small_site::{NUMBER, SmallSite, UNITS};
use crate::wire::Wire;

pub(super) const FAULTS: [Fault; 9] = [
    Fault {
        number: "F09",
        what: "the session is ended between two rows, each time",
        met: || queried(&site(), &ENDS_ITSELF.replace("ELEMENT", NUMBER)),
        code: 5,
        // Whether its last words arrive is a matter of luck.
        says: "after 3 tries: running query.sql: the ",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F09",
        what: "the session is ended during a query, once",
        met: ended_once,
        code: 0,
        says: "",
        asked: 2,
        holds: All,
    },
    Fault {
        number: "F10",
        what: "a query takes longer than it may",
        met: || {
            let site = with("statement-timeout = \"50ms\"");
            site.replace("mappings/query.sql", "FROM t", "FROM t, pg_sleep(60)");
            wired(&site)
        },
        code: 5,
        says: "query.sql: it ran longer than statement-timeout (50 ms), or was cancelled on the server (57014); tune",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F11",
        what: "somebody else has locked the table",
        met: || {
            let site = with("lock-timeout = \"20ms\"");
            let mut lock = site.database.connect();
            let locked = lock.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
            locked.expect("a lock");
            wired(&site)
        },
        code: 5,
        says: "locked for longer than lock-timeout (20 ms) (55P03); the next run tries again",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F12",
        what: "a standby that cancels the query for what it replays, each time",
        met: || on_a_standby(usize::MAX),
        code: 5,
        // Between two rows the session is ended instead, and whether its last words arrive is a matter of luck.
        says: "after 3 tries: running query.sql: ",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F12",
        what: "a standby that cancels the query for what it replays, once",
        met: || on_a_standby(1),
        code: 0,
        says: "",
        asked: 2,
        holds: All,
    },
    Fault {
        number: "F14",
        what: "a deadlock, each time",
        met: || deadlocked(usize::MAX),
        code: 5,
        says: "query.sql: deadlock detected (40P01); the next run tries again",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F14",
        what: "a deadlock, once",
        met: || deadlocked(1),
        code: 0,
        says: "",
        asked: 2,
        holds: All,
    },
    Fault {
        number: "F15",
        what: "the server's process stands still",
        met: frozen,
        code: 5,
        says: "hung while reading the source, and was ended after its deadline",
        asked: 1,
        holds: NothingSent,
    },
];

/// More rows than are fetched at once.
const ENDS_ITSELF: &str =
    "SELECT 'ELEMENT' AS element, n::text AS unit, '202503' AS period, '7' AS value
FROM generate_series(1, 20000) AS n WHERE n < 15000 OR pg_terminate_backend(pg_backend_pid())";

/// Lets the query wait until `go_on` was called with the session that is to let it.
fn lingering(site: &SmallSite) -> impl Fn(&mut postgres::Client) + use<> {
    site.replace(
        "mappings/query.sql",
        "FROM t",
        "FROM t, (SELECT pg_sleep(seconds) FROM pause) AS waits",
    );
    |session| {
        let over = session.batch_execute("UPDATE pause SET seconds = 0");
        over.expect("the pause is over");
    }
}

const PAUSE: &str = "CREATE TABLE pause AS SELECT 600 AS seconds";

fn ended_once() -> Met {
    let site = site();
    site.database.execute(PAUSE);
    let go_on = lingering(&site);
    let wire = Wire::into(&site, 0);
    let mut session = site.database.connect();
    met(&site, || {
        let run = run_while(&site, || {
            for pid in waiting(&mut session, site.database.name(), "PgSleep") {
                go_on(&mut session);
                let ended = session.execute("SELECT pg_terminate_backend($1)", &[&pid]);
                ended.expect("the session is ended");
            }
        });
        (run, wire.connections())
    })
}

/// The registry's server removes rows that a query on its standby may still need to see.
fn on_a_standby(times: usize) -> Met {
    // Never dropped: the servers end with the process.
    static SERVERS: OnceLock<Standby> = OnceLock::new();
    let servers = SERVERS.get_or_init(|| Standby::start().expect("a standby"));
    let registry = servers.database("registry");
    registry.execute(PAUSE);
    registry.execute(&format!(
        "CREATE TABLE t AS SELECT '{NUMBER}' AS element, '{}' AS unit, '202503' AS period, '6' AS value; CREATE TABLE gone (n int)",
        UNITS[0]
    ));
    let site = site();
    let url = servers.url(&registry);
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    let (_, server) = url.rsplit_once('@').expect("a role");
    let server = server.split('/').next().expect("a server");
    let wire = Wire::before(&site, server, 0);
    let go_on = lingering(&site);
    let (mut session, mut standby) = (registry.connect(), servers.connect());
    met(&site, || {
        let mut cancelled = Vec::new();
        let run = run_while(&site, || {
            for pid in waiting(&mut standby, registry.name(), "PgSleep") {
                if !cancelled.contains(&pid) {
                    cancelled.push(pid);
                    if cancelled.len() == times {
                        go_on(&mut session);
                    }
                    for sql in [
                        "INSERT INTO gone VALUES (1)",
                        "DELETE FROM gone",
                        "VACUUM gone",
                    ] {
                        session.batch_execute(sql).expect("rows come and go");
                    }
                }
            }
        });
        (run, wire.connections())
    })
}

/// Waits until somebody waits for the table that the query reads, unless it may go on.
const DEADLOCK: &str = "CREATE TABLE pause AS SELECT false AS over;
CREATE FUNCTION awaited() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN
    WHILE NOT (SELECT over FROM pause) AND NOT EXISTS (SELECT FROM pg_locks WHERE relation = 't'::regclass AND NOT granted)
    LOOP PERFORM pg_sleep(0.01); END LOOP;
    RETURN true; END $$;";

/// A session holds what the query will wait for, and then waits for what the query holds.
fn deadlocked(times: usize) -> Met {
    let site = site();
    let name = site.database.name();
    // Found by the program's session, for the other does not look.
    let soon = format!("ALTER DATABASE \"{name}\" SET deadlock_timeout = '20ms'");
    site.database.execute(&format!("{DEADLOCK} {soon}"));
    site.replace(
        "mappings/query.sql",
        "WHERE",
        "WHERE CASE WHEN awaited() THEN pg_advisory_xact_lock(1)::text IS NOT NULL END AND",
    );
    let wire = Wire::into(&site, 0);
    let (mut other, mut looks) = (site.database.connect(), site.database.connect());
    let mut other = |sql: &str| other.batch_execute(sql).expect("the other goes on");
    other("SET deadlock_timeout = '10min'");
    met(&site, || {
        let mut met = 0;
        let run = run_while(&site, || {
            let holds =
                "SELECT FROM pg_locks, pg_sleep(0.02) WHERE relation = 't'::regclass AND granted";
            let holds = !looks.query(holds, &[]).expect("locks").is_empty();
            if holds && met < times {
                met += 1;
                other("BEGIN; SELECT pg_advisory_xact_lock(1)");
                if met == times {
                    looks
                        .batch_execute("UPDATE pause SET over = true")
                        .expect("it is over");
                }
                other("LOCK TABLE t IN ACCESS EXCLUSIVE MODE; ROLLBACK");
            }
        });
        (run, wire.connections())
    })
}

fn frozen() -> Met {
    let site = with("lock-timeout = \"10m\"");
    limits(&site, "deadline = \"3s\"");
    let mut lock = site.database.connect();
    let locked = lock.batch_execute("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
    locked.expect("a lock");
    let wire = Wire::into(&site, 0);
    let mut session = site.database.connect();
    let signal = |signal: &str, pid: i32| {
        let mut told = Command::new("kill");
        told.args([signal, &pid.to_string()]);
        assert!(told.status().expect("kill").success());
    };
    let mut stopped = None;
    let seen = met(&site, || {
        let run = run_while(&site, || {
            if stopped.is_none() {
                let found = waiting(&mut session, site.database.name(), "relation");
                stopped = found.first().copied();
                stopped.into_iter().for_each(|pid| signal("-STOP", pid));
            }
        });
        (run, wire.connections())
    });
    signal("-CONT", stopped.expect("a session that stood still"));
    seen
}
