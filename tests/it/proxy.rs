//! A proxy is used where the site file names one and never because the environment does; it sees no credential.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use rig::dhis2::Dialect;
use rig::st_lucia::LOADER_TOKEN;

use crate::program::{command, program_with_output};
use crate::small_site::{NOW, SmallSite};
use crate::tls_front::{Identity, Speaks, front};

/// A proxy that connects its clients, or answers all with one status; what they asked of it, heads whole.
struct Proxy {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn start(status: &'static str) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let heads = Arc::clone(&asked);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let heads = Arc::clone(&heads);
                thread::spawn(move || connect(client, status, &heads));
            }
        });
        Proxy { address, asked }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn connect(mut client: TcpStream, status: &str, heads: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head)? > 0 {}
    let place = head.split(' ').nth(1).unwrap_or_default().to_owned();
    heads.lock().unwrap().push(head);
    write!(client, "HTTP/1.1 {status}\r\n\r\n")?;
    if !status.starts_with("200") {
        return client.shutdown(Shutdown::Both);
    }
    let server = TcpStream::connect(place)?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    let there = thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut &server, &mut client);
    let _ = client.shutdown(Shutdown::Write);
    there.join().map_err(|_| io::Error::other("the way there"))
}

/// A site whose DHIS2 is behind TLS at `localhost:<port>`.
fn site() -> (SmallSite, u16) {
    let site = SmallSite::new(Dialect::V2_43);
    let url = site.dhis2.url();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    let identity = Identity::of("localhost");
    let front = front(&identity, Speaks::Https, port.parse().unwrap());
    let address = format!("https://localhost:{}/", front.port);
    site.replace("pg2dhis2.toml", &url, &address);
    site.write("ca.pem", &identity.pem());
    site.replace("pg2dhis2.toml", "[dhis2]", "[dhis2]\nca-file = \"ca.pem\"");
    (site, front.port)
}

fn with_proxy(site: &SmallSite, address: &str) {
    let line = format!("[dhis2]\nproxy = \"{address}\"");
    site.replace("pg2dhis2.toml", "[dhis2]", &line);
}

#[test]
fn the_proxy_that_the_site_names_is_gone_through_and_sees_names_alone() {
    let (site, port) = site();
    let proxy = Proxy::start("200 Connection established");
    with_proxy(&site, &proxy.address);
    site.run().code(0).silent();
    assert_eq!(site.dhis2.values().len(), 1);
    let asked = proxy.asked();
    assert_eq!(asked.len(), site.dhis2.requests().len());
    for head in asked {
        let first = format!("CONNECT localhost:{port} HTTP/1.1\r\n");
        assert!(head.starts_with(&first), "{head}");
        let lower = head.to_ascii_lowercase();
        assert!(!lower.contains("authorization") && !head.contains(LOADER_TOKEN));
    }
}

#[test]
fn a_proxy_that_does_not_connect_is_told_and_not_gone_around() {
    let (site, _) = site();
    let proxy = Proxy::start("403 Forbidden");
    with_proxy(&site, &proxy.address);
    site.refused(site.run(), 14, "the proxy does not connect us");
    assert!(!proxy.asked().is_empty());
    assert!(site.dhis2.requests().is_empty());
}

#[test]
fn proxies_and_servers_of_the_environment_are_not_heeded() {
    let trap = Proxy::start("200 Connection established");
    let host = trap.address.trim_start_matches("http://");
    let (host, port) = host.split_once(':').unwrap();
    let plain = SmallSite::new(Dialect::V2_43);
    let (behind, _) = site();
    for site in [&plain, &behind] {
        let mut run = command(site.folder.path(), &["run", "-p", "202503", "--as-of", NOW]);
        for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
            run.env(name, &trap.address);
            run.env(name.to_ascii_lowercase(), &trap.address);
        }
        // libpq would heed these.
        run.env("PGHOST", host).env("PGHOSTADDR", host);
        run.env("PGPORT", port).env("PGSERVICE", "trap");
        run.env("PGSSLMODE", "disable").env("PGUSER", "trap");
        program_with_output(&mut run).code(0).silent();
        assert_eq!(site.dhis2.values().len(), 1);
    }
    assert_eq!(trap.asked(), [""; 0]);
}

#[test]
fn an_address_that_is_none_of_a_proxy_or_would_tell_it_the_token_is_refused() {
    let (site, _) = site();
    for (address, words) in [
        (
            "http://me:hunter2@proxy.example:3128",
            "must not hold a user or password",
        ),
        ("proxy.example:3128", "such as http://proxy.example:3128"),
        ("http://proxy.example", "such as http://proxy.example:3128"),
        (
            "socks5://proxy.example:1080",
            "such as http://proxy.example:3128",
        ),
        (
            "http://proxy.example:3128/x",
            "such as http://proxy.example:3128",
        ),
        ("http://:0", "such as http://proxy.example:3128"),
    ] {
        with_proxy(&site, address);
        let run = site.program(&["run", "-vv", "-p", "202503"]);
        assert!(!run.stderr.contains("hunter2"), "{}", run.stderr);
        site.refused(run, 10, words);
        site.replace("pg2dhis2.toml", &format!("\nproxy = \"{address}\""), "");
    }
    let plain = SmallSite::new(Dialect::V2_43);
    with_proxy(&plain, "http://proxy.example:3128");
    plain.refused(plain.run(), 10, "`url` does not begin with https://");
}
