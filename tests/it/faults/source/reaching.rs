//! The source cannot be reached, refuses us, or is not who it must be.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use postgres::{Client, NoTls};
use rig::postgres::{Cluster, UNLISTED_ROLE, cluster};

use super::super::Holds::NothingSent;
use super::super::{Fault, Met};
use super::site::{limits, met, site, wired, with};
use crate::small_site::SmallSite;
use crate::tls_front::{Identity, Speaks, front};
use crate::wire::Wire;

pub(super) const FAULTS: [Fault; 13] = [
    Fault {
        number: "F01",
        what: "nothing listens on the port",
        met: || nobody_there("127.0.0.1", free_port()),
        code: 5,
        says: "Connection refused; the next run tries again",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F02",
        what: "a server that accepts and never says a word, up to the deadline",
        met: || mute("deadline = \"1s\"", "?connect_timeout=0"),
        code: 5,
        says: "hung while reading the source, and was ended after its deadline",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F02",
        what: "a server that accepts and never says a word, up to the time for connecting",
        met: || mute("attempts = 1", "?connect_timeout=1"),
        code: 5,
        says: "the server does not answer; the next run tries again",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F03",
        what: "a name that no DNS knows",
        // Longer than a label may be, so that no server needs to be asked.
        met: || nobody_there(&"x".repeat(64), 5432),
        code: 5,
        says: "failed to lookup address information",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F04",
        what: "a wrong password",
        met: wrong_password,
        code: 12,
        says: "(28P01); no run tries these credentials again until",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F05",
        what: "no way in by pg_hba.conf",
        met: || {
            let site = site();
            as_user(&site, UNLISTED_ROLE);
            wired(&site)
        },
        code: 12,
        says: "(28000); those who run the server must let this role in from here",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F06",
        what: "no such database",
        met: || {
            let site = site();
            let name = site.database.name();
            site.replace("pg2dhis2.toml", name, &format!("{name}_gone"));
            wired(&site)
        },
        code: 13,
        says: "does not exist (3D000); correct the database's name in [source] url",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F07",
        what: "no free connection",
        met: || {
            let site = site();
            let name = site.database.name();
            let none = format!("ALTER DATABASE \"{name}\" CONNECTION LIMIT 0");
            site.database.execute(&none);
            wired(&site)
        },
        code: 5,
        says: "(53300); the next run tries again",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F08",
        what: "a server that is stopping",
        met: stopping,
        code: 5,
        says: "(57P03); the next run tries again",
        asked: 3,
        holds: NothingSent,
    },
    Fault {
        number: "F34",
        what: "a certificate of an unknown authority",
        met: || {
            let (shown, trusted) = (Identity::of("127.0.0.1"), Identity::of("127.0.0.1"));
            shown_a_certificate(&shown, &trusted)
        },
        code: 13,
        says: "is not signed by a trusted authority; name the authority's file as sslrootcert",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F34",
        what: "a certificate for another host",
        met: || {
            let other = Identity::of("elsewhere.example");
            shown_a_certificate(&other, &other)
        },
        code: 13,
        says: "connect by that name, or reissue it with this one",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F34",
        what: "a certificate that has expired",
        met: || {
            let old = Identity::expired("127.0.0.1");
            shown_a_certificate(&old, &old)
        },
        code: 13,
        says: "the server's certificate has expired; renew it",
        asked: 1,
        holds: NothingSent,
    },
    Fault {
        number: "F35",
        what: "a server without TLS",
        met: || {
            let site = site();
            let asked = format!("{}?sslmode=require", site.database.url());
            site.replace("pg2dhis2.toml", &site.database.url(), &asked);
            wired(&site)
        },
        code: 13,
        says: "the server offers no TLS; switch it on there, or write a weaker sslmode",
        asked: 1,
        holds: NothingSent,
    },
];

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("its address").port()
}

/// Where nobody listens, nobody counts: how often it was tried is what the program says.
fn nobody_there(host: &str, port: u16) -> Met {
    let site = site();
    let url = format!("postgresql://x@{host}:{port}/x?sslmode=disable");
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    met(&site, || {
        let run = site.run();
        let tries = run.stderr.split_once("after ").map(|(_, rest)| rest);
        let tries = tries.and_then(|rest| rest.split(" tries: ").next()?.parse().ok());
        (run, tries.unwrap_or(1))
    })
}

fn mute(lines: &str, asked: &str) -> Met {
    let site = site();
    limits(&site, lines);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let accepted = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&accepted);
    thread::spawn(move || {
        let mut kept = Vec::new();
        for client in listener.incoming().flatten() {
            counted.fetch_add(1, Ordering::SeqCst);
            kept.push(client);
        }
    });
    let url = format!("postgresql://x@127.0.0.1:{port}/x{asked}");
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    met(&site, || (site.run(), accepted.load(Ordering::SeqCst)))
}

fn as_user(site: &SmallSite, role: &str) {
    let (old, new) = (site.database.url(), site.database.url_as(role));
    site.replace("pg2dhis2.toml", &old, &new);
}

fn wrong_password() -> Met {
    let site = with("password-file = \"source.password\"");
    site.write("source.password", "wrong");
    cluster().create_role_with_password("fault_password", "right");
    as_user(&site, "fault_password");
    wired(&site)
}

/// A server that somebody has told to stop once its last session is over, and that takes no other until then.
fn stopping() -> Met {
    let site = site();
    let own = Cluster::start_private().expect("a server of our own");
    let database = own.database("stopping");
    let mut last = database.connect();
    let file = last.query_one("SELECT pg_read_file('postmaster.pid')", &[]);
    let file: String = file.expect("its process").get(0);
    let process = file.lines().next().expect("a line");
    let told = Command::new("kill").args(["-TERM", process]).status();
    assert!(told.expect("kill").success());
    let refused = |error: postgres::Error| {
        let code = error.code().map(|code| code.code().to_owned());
        code.as_deref() == Some("57P03")
    };
    let url = database.superuser_url();
    while !Client::connect(&url, NoTls).err().is_some_and(refused) {}
    site.replace("pg2dhis2.toml", &site.database.url(), &database.url());
    let wire = Wire::before(&site, &format!("127.0.0.1:{}", database.tcp_port()), 0);
    let seen = met(&site, || (site.run(), wire.connections()));
    drop(last);
    seen
}

/// A source behind TLS; whoever stands there hears nothing beyond the handshake.
fn shown_a_certificate(shown: &Identity, trusted: &Identity) -> Met {
    let site = site();
    let front = front(shown, Speaks::Postgres, site.database.tcp_port());
    let here = format!("127.0.0.1:{}", front.port);
    let url = format!("postgresql://x@{here}/x?sslrootcert=ca.pem");
    site.replace("pg2dhis2.toml", &site.database.url(), &url);
    site.write("ca.pem", &trusted.pem());
    let wire = Wire::before(&site, &here, 0);
    let seen = met(&site, || (site.run(), wire.connections()));
    assert_eq!(front.heard(), 0);
    seen
}
