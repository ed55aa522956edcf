//! A service that cron jobs report to: it keeps what it is told, and can be made to fail or to be slow.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// One signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ping {
    pub method: String,
    /// The path and its query.
    pub path: String,
    pub body: String,
}

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Well,
    /// Answers with this status.
    Refusing(u16),
    /// It takes the signal and never answers.
    Silent,
}

/// A running service on a free port; it ends with the process.
pub struct Pings {
    port: u16,
    heard: Arc<Mutex<Vec<Ping>>>,
}

impl Pings {
    /// # Panics
    /// If there is no port.
    pub fn start(mood: Mood) -> Pings {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heard);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                // Who hangs up is the client's affair.
                thread::spawn(move || serve(client, mood, &kept));
            }
        });
        Pings { port, heard }
    }

    /// The address, with no slash at its end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/ping/key", self.port)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// All signals so far.
    pub fn heard(&self) -> Vec<Ping> {
        let heard = self.heard.lock();
        heard.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn serve(client: TcpStream, mood: Mood, kept: &Mutex<Vec<Ping>>) -> io::Result<()> {
    let mut writer = client.try_clone()?;
    let mut reader = BufReader::new(client);
    let ping = read(&mut reader)?;
    kept.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(ping);
    let status = match mood {
        Mood::Well => 200,
        Mood::Refusing(status) => status,
        Mood::Silent => {
            // Until the client has had enough.
            return reader.read_to_end(&mut Vec::new()).map(drop);
        }
    };
    writer.write_all(
        format!("HTTP/1.1 {status} X\r\ncontent-length: 2\r\nconnection: close\r\n\r\nOK")
            .as_bytes(),
    )
}

fn read(reader: &mut impl BufRead) -> io::Result<Ping> {
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or_default();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let mut word = || words.next().unwrap_or_default();
    Ok(Ping {
        method: word(),
        path: word(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
