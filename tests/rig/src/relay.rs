//! A relay between the program and a DHIS2: it can drop, cut or replace what passes, or kill the program in the middle.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Child;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The connection closes before the server has seen anything.
    Dropped,
    /// The server does what it was asked; the answer never comes.
    Unanswered,
    /// The server does what it was asked; the last ten bytes of the answer are missing.
    Cut,
    /// The server is not asked, and this answer with an empty body comes instead.
    Status(u16),
    /// The program is killed before the server has seen the request.
    KilledBefore,
    /// The server does what it was asked, and the program is killed before it learns that.
    KilledAfter,
}

/// One fault: the requests from the `first` on, counted from 1, as many as `times` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub fate: Fate,
    pub first: usize,
    pub times: usize,
}

/// A running relay. Its threads end with the process.
pub struct Relay {
    port: u16,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    fault: Option<Fault>,
    seen: usize,
    child: Option<Child>,
    has_killed: bool,
}

impl Relay {
    /// Starts a relay to the server at `to`, a URL of this machine.
    ///
    /// # Panics
    /// If there is no free port.
    pub fn start(to: &str) -> Relay {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let server = to.trim_start_matches("http://").trim_end_matches('/');
        let server = server.to_owned();
        let plan = Arc::new(Mutex::new(Plan::default()));
        let shared = Arc::clone(&plan);
        thread::spawn(move || {
            // One after the other: the program has one request in flight and opens a connection for each.
            for client in listener.incoming().flatten() {
                // A client that goes away is what a relay is about.
                let _ = pass(&client, &server, &shared);
            }
        });
        Relay { port, plan }
    }

    /// The address, with a slash at its end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// From now on counts requests from 1, and lets this fault happen.
    pub fn expect(&self, fault: Option<Fault>) {
        let mut plan = locked(&self.plan);
        plan.fault = fault;
        plan.seen = 0;
        plan.has_killed = false;
    }

    /// Whether the program that was handed over has been killed.
    pub fn has_killed(&self) -> bool {
        locked(&self.plan).has_killed
    }

    /// Hands over the program, so that it can be killed.
    pub fn hold(&self, child: Child) {
        locked(&self.plan).child = Some(child);
    }

    /// Takes the program back.
    pub fn release(&self) -> Option<Child> {
        locked(&self.plan).child.take()
    }
}

fn locked(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

fn pass(mut client: &TcpStream, server: &str, plan: &Mutex<Plan>) -> io::Result<()> {
    let request = message(client)?;
    let fate = fate(&mut locked(plan));
    match fate {
        Some(Fate::Dropped) => return Ok(()),
        Some(Fate::Status(status)) => {
            let head =
                format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            return client.write_all(head.as_bytes());
        }
        Some(Fate::KilledBefore) => return kill(plan),
        _ => {}
    }
    let mut upstream = TcpStream::connect(server)?;
    upstream.write_all(&request)?;
    let answer = message(&upstream)?;
    match fate {
        Some(Fate::Unanswered) => Ok(()),
        Some(Fate::KilledAfter) => kill(plan),
        Some(Fate::Cut) => client.write_all(&answer[..answer.len().saturating_sub(10)]),
        _ => client.write_all(&answer),
    }
}

fn fate(plan: &mut Plan) -> Option<Fate> {
    plan.seen += 1;
    let fault = plan.fault?;
    let hit = (fault.first..fault.first + fault.times).contains(&plan.seen);
    hit.then_some(fault.fate)
}

fn kill(plan: &Mutex<Plan>) -> io::Result<()> {
    let plan = &mut *locked(plan);
    match &mut plan.child {
        Some(child) => {
            plan.has_killed = true;
            child.kill()
        }
        None => Ok(()),
    }
}

/// A head and as much of a body as it announces.
fn message(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let begin = bytes.len();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            // Whoever died in the middle waits for nothing; neither must the server.
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&bytes[begin..]).to_ascii_lowercase();
        if let Some(announced) = line.strip_prefix("content-length:") {
            length = announced.trim().parse().map_err(io::Error::other)?;
        }
        if line.trim().is_empty() {
            let begin = bytes.len();
            bytes.resize(begin + length, 0);
            reader.read_exact(&mut bytes[begin..])?;
            return Ok(bytes);
        }
    }
}
