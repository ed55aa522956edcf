//! A relay between the program and the DHIS2 stand-in, which spoils the answers that a test tells it to.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

/// Starts a relay to the server at `to` and gives its URL. `spoil` gets the first line of each request and the whole
/// answer, and gives the bytes that the program is to see.
pub(crate) fn relay(
    to: &str,
    mut spoil: impl FnMut(&str, Vec<u8>) -> Vec<u8> + Send + 'static,
) -> String {
    relay_as_it_likes(to, move |first, answer, client| {
        client.write_all(&spoil(first, answer))
    })
}

/// The same for answers of any length: `respond` writes to the program itself.
pub(crate) fn relay_as_it_likes(
    to: &str,
    mut respond: impl FnMut(&str, Vec<u8>, &mut TcpStream) -> io::Result<()> + Send + 'static,
) -> String {
    relay_before(to, move |asked, client| {
        let answer = asked.answer()?;
        respond(&asked.first, answer, client)
    })
}

/// What the program asks; the server does not know of it yet.
#[derive(Clone)]
pub(crate) struct Asked {
    /// Its first line.
    pub(crate) first: String,
    pub(crate) request: Vec<u8>,
    server: String,
}

impl Asked {
    /// The server's answer.
    pub(crate) fn answer(&self) -> io::Result<Vec<u8>> {
        self.answer_to(&self.request)
    }

    /// The server's answer to another request.
    pub(crate) fn answer_to(&self, request: &[u8]) -> io::Result<Vec<u8>> {
        let mut upstream = TcpStream::connect(&self.server)?;
        upstream.write_all(request)?;
        message(&upstream)
    }
}

/// The same for what happens before the server is asked, if it is asked at all.
pub(crate) fn relay_before(
    to: &str,
    mut respond: impl FnMut(&Asked, &mut TcpStream) -> io::Result<()> + Send + 'static,
) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("its address"));
    let server = to
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that goes away is what some tests are about.
            let _ = pass(stream, &server, &mut respond);
        }
    });
    url
}

/// One request: the program opens a connection for each.
fn pass(
    mut client: TcpStream,
    server: &str,
    respond: &mut impl FnMut(&Asked, &mut TcpStream) -> io::Result<()>,
) -> io::Result<()> {
    let request = message(&client)?;
    let text = String::from_utf8_lossy(&request);
    let first = text.lines().next().unwrap_or_default().to_owned();
    let server = server.to_owned();
    let asked = Asked {
        first,
        request,
        server,
    };
    respond(&asked, &mut client)
}

/// A head and as much of a body as it announces.
fn message(stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut reader = BufReader::new(stream);
    let (mut bytes, mut length) = (Vec::new(), 0);
    loop {
        let begin = bytes.len();
        if reader.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(bytes);
        }
        let line = String::from_utf8_lossy(&bytes[begin..]).to_ascii_lowercase();
        if let Some(announced) = line.strip_prefix("content-length:") {
            length = announced.trim().parse().map_err(io::Error::other)?;
        }
        if line.trim().is_empty() {
            reader.take(length).read_to_end(&mut bytes)?;
            return Ok(bytes);
        }
    }
}

/// Tells a stand-in something at once, behind the program's back.
pub(crate) fn post(url: &str) {
    let address = url.trim_start_matches("http://");
    let (server, path) = address.split_once('/').expect("a path");
    let mut stream = TcpStream::connect(server).expect("the stand-in");
    let head = format!("POST /{path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\n\r\n");
    stream
        .write_all(head.as_bytes())
        .expect("the stand-in reads");
    message(&stream).expect("an answer");
}
