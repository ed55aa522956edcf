//! What the strict settings promise, against sockets that misbehave.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::error::{TransportError, What};
use super::{Client, HttpSettings};

/// Answers one request with `answer` and closes; the thread gives back what it was sent.
fn server(answer: &'static [u8]) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let served = thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a connection");
        let request = request(&mut peer);
        peer.write_all(answer).expect("the peer reads");
        request
    });
    (url, served)
}

fn request(peer: &mut TcpStream) -> String {
    let mut seen = Vec::new();
    let mut byte = [0];
    while !seen.ends_with(b"\r\n\r\n") && peer.read(&mut byte).expect("a request") == 1 {
        seen.push(byte[0]);
    }
    let head = String::from_utf8(seen).expect("ASCII");
    let length = head.lines().find_map(|line| {
        line.to_ascii_lowercase()
            .strip_prefix("content-length: ")?
            .parse()
            .ok()
    });
    let mut body = vec![0; length.unwrap_or(0)];
    peer.read_exact(&mut body).expect("the body as announced");
    head + &String::from_utf8(body).expect("ASCII")
}

fn client() -> Client {
    Client::new(&HttpSettings::default()).expect("system roots")
}

fn failure<T>(result: Result<T, TransportError>) -> TransportError {
    result.err().expect("a failure")
}

#[test]
fn a_redirect_is_an_answer_and_is_not_followed() {
    let (url, served) = server(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/login\r\nContent-Length: 0\r\n\r\n",
    );
    let answer = client().post_json(&url, &[], b"{}").expect("an answer");
    assert_eq!(answer.status, 302);
    assert_eq!(answer.location.as_deref(), Some("http://127.0.0.1:1/login"));
    served.join().expect("served");
}

#[test]
fn a_body_is_sent_as_it_is_with_its_length_and_an_error_status_keeps_its_body() {
    let (url, served) = server(
        b"HTTP/1.1 409 Conflict\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{\"a\":1}",
    );
    let answer = client()
        .post_json(&url, &[("accept", "application/json")], b"{\"b\":2}")
        .expect("an answer");
    assert_eq!(answer.status, 409);
    assert_eq!(answer.bytes().expect("a body"), b"{\"a\":1}");
    let request = served.join().expect("served").to_ascii_lowercase();
    assert!(request.contains("content-length: 7\r\n"), "{request}");
    assert!(!request.contains("transfer-encoding"), "{request}");
    assert!(request.ends_with("\r\n\r\n{\"b\":2}"), "{request}");
}

#[test]
fn refused_is_told_from_cut_after_sending() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let refused = failure(client().post_json(&url, &[], b"{}"));
    assert_eq!(
        (refused.what, refused.nothing_sent),
        (What::Unreachable, true)
    );

    let (url, served) = server(b"");
    let cut = failure(client().post_json(&url, &[], b"{}"));
    assert_eq!((cut.what, cut.nothing_sent), (What::Cut, false), "{cut}");
    served.join().expect("served");
}

#[test]
fn a_body_shorter_than_announced_is_cut() {
    let (url, served) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"a\":");
    let answer = client().get(&url, &[]).expect("a head");
    assert_eq!(failure(answer.bytes()).what, What::Cut);
    served.join().expect("served");
}

#[test]
fn a_server_that_never_answers_is_a_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let settings = HttpSettings {
        first_byte: Duration::from_millis(50),
        ..HttpSettings::default()
    };
    let client = Client::new(&settings).expect("system roots");
    let timeout = failure(client.post_json(&url, &[], b"{}"));
    assert_eq!(
        (timeout.what, timeout.nothing_sent),
        (What::Timeout, false),
        "{timeout}"
    );
}

#[test]
fn https_at_a_plain_port_is_named_and_nothing_was_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("https://{}/", listener.local_addr().expect("an address"));
    let served = thread::spawn(move || {
        let (mut peer, _) = listener.accept().expect("a connection");
        let mut hello = [0; 16];
        peer.read_exact(&mut hello).expect("a greeting");
        peer.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .expect("the peer reads");
    });
    let error = failure(client().post_json(&url, &[("authorization", "secret")], b"{}"));
    assert_eq!(
        (error.what, error.nothing_sent),
        (What::Tls, true),
        "{error}"
    );
    served.join().expect("served");
}

#[test]
fn garbage_is_not_http() {
    let (url, served) = server(b"\x16\x03\x01 this is not HTTP at all\r\n\r\n");
    let error = failure(client().get(&url, &[]));
    assert_eq!(error.what, What::Protocol, "{error}");
    served.join().expect("served");
}

#[test]
fn a_ca_file_without_a_certificate_is_refused() {
    let settings = HttpSettings {
        ca_pem: Some(b"nothing here".to_vec()),
        ..HttpSettings::default()
    };
    assert_eq!(failure(Client::new(&settings)).what, What::Tls);
}

#[test]
fn once_the_time_of_the_run_is_over_no_request_is_begun_and_one_under_way_ends() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", silent.local_addr().expect("an address"));
    let asked = |left: Duration| {
        let settings = HttpSettings {
            ends_at: Some(Instant::now() + left),
            ..HttpSettings::default()
        };
        let client = Client::new(&settings).expect("settings");
        let error = client.post_json(&url, &[], b"{}").err();
        error.expect("no answer comes")
    };
    let late = asked(Duration::ZERO);
    assert_eq!((late.what, late.nothing_sent), (What::Deadline, true));
    silent.set_nonblocking(true).expect("a socket");
    assert!(silent.accept().is_err(), "a connection was opened");
    let ended = asked(Duration::from_millis(200));
    assert_eq!((ended.what, ended.nothing_sent), (What::Deadline, false));
}
