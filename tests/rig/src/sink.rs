//! A server on loopback that takes whatever is posted to it, and can be ill: for webhooks.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Status(u16),
    /// It takes the request and never answers.
    Hangs,
    /// It answers a byte at a time, for ever.
    Drips,
}

/// A call it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Method and path.
    pub what: String,
    pub body: String,
}

/// A running sink. Its threads end with the process.
pub struct Sink {
    port: u16,
    mood: Arc<Mutex<Mood>>,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl Sink {
    /// Starts on any free port.
    ///
    /// # Panics
    /// If there is none.
    pub fn start(mood: Mood) -> Sink {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let sink = Sink {
            port: listener.local_addr().expect("its address").port(),
            mood: Arc::new(Mutex::new(mood)),
            posts: Arc::default(),
        };
        let (mood, posts) = (Arc::clone(&sink.mood), Arc::clone(&sink.posts));
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (mood, posts) = (Arc::clone(&mood), Arc::clone(&posts));
                // A client that goes away is what some moods are about.
                thread::spawn(move || answer(client, &mood, &posts));
            }
        });
        sink
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address, with a slash at its end.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/", self.port)
    }

    /// From now on answers so.
    pub fn answer(&self, mood: Mood) {
        *locked(&self.mood) = mood;
    }

    /// Takes the calls it got, whatever it answered.
    pub fn take(&self) -> Vec<Post> {
        std::mem::take(&mut locked(&self.posts))
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(mut client: TcpStream, mood: &Mutex<Mood>, posts: &Mutex<Vec<Post>>) -> io::Result<()> {
    let post = post(&client)?;
    locked(posts).push(post);
    let mood = *locked(mood);
    match mood {
        Mood::Status(status) => {
            let head =
                format!("HTTP/1.1 {status} Told\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            client.write_all(head.as_bytes())
        }
        // Until the client goes.
        Mood::Hangs => client.read(&mut [0]).map(drop),
        Mood::Drips => {
            client.set_read_timeout(Some(Duration::from_millis(50)))?;
            client.write_all(b"HTTP/1.1 200 OK\r\nX: ")?;
            loop {
                client.write_all(b"x")?;
                match client.read(&mut [0]) {
                    Ok(0) => return Ok(()),
                    Err(error) if !is_pause(&error) => return Err(error),
                    _ => {}
                }
            }
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn post(client: &TcpStream) -> io::Result<Post> {
    let mut reader = BufReader::new(client);
    let mut what = String::new();
    reader.read_line(&mut what)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let line = line.trim().to_ascii_lowercase();
        if let Some(announced) = line.strip_prefix("content-length:") {
            length = announced.trim().parse().map_err(io::Error::other)?;
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let what = what.rsplit_once(' ').map_or("", |(what, _)| what);
    Ok(Post {
        what: what.to_owned(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}
