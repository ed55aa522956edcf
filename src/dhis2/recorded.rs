//! For tests: a socket that gives prepared answers, those of the recordings among them.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::login_session::LoginSession;
use super::{Credentials, Dhis2, Settings};
use crate::http;

/// A server that gives these answers to the requests that come, one connection each; joining it gives the first line
/// of each request.
pub(super) fn answering(answers: Vec<String>) -> (Dhis2, thread::JoinHandle<Vec<String>>) {
    let (dhis2, served) = answering_with_heads(answers);
    let first = |head: String| head.lines().next().unwrap_or_default().to_owned();
    let firsts = move || {
        let heads = served.join().expect("the server ends");
        heads.into_iter().map(first).collect()
    };
    (dhis2, thread::spawn(firsts))
}

/// The same; joining it gives the whole head of each request, with names in lower case.
pub(super) fn answering_with_heads(
    answers: Vec<String>,
) -> (Dhis2, thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let settings = Settings {
        url: format!(
            "http://{}/dhis/",
            listener.local_addr().expect("an address")
        ),
        credentials: Credentials::Token("d2pat_x".into()),
        session: LoginSession::default(),
        http: http::HttpSettings::default(),
        attempts: 2,
        wait: Duration::ZERO,
    };
    let served = thread::spawn(move || {
        let answered = answers.into_iter().map(|answer| {
            let (mut peer, _) = listener.accept().expect("a connection");
            let mut lines = BufReader::new(peer.try_clone().expect("a clone")).lines();
            let mut head = lines.next().expect("a request").expect("a line") + "\n";
            for line in lines {
                let line = line.expect("a header");
                if line.is_empty() {
                    break;
                }
                head += &line;
                head.push('\n');
            }
            peer.write_all(answer.as_bytes()).expect("the peer reads");
            head
        });
        answered.collect()
    });
    (Dhis2::connect(&settings).expect("settings"), served)
}

pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> String {
    let mut text = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text + "\r\n" + body
}

/// A recorded answer.
pub(super) fn recorded(version: &str, scenario: &str, step: usize) -> String {
    let path = format!("tests/golden/exchanges/{version}/{scenario}.json");
    let text = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("a recording");
    let recording: Value = serde_json::from_slice(&text).expect("JSON");
    let response = &recording["steps"][step]["response"];
    let headers = response["headers"].as_object().expect("headers");
    let headers: Vec<(&str, &str)> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str().expect("text")))
        .collect();
    let body = match response["body"]["text"].as_str() {
        Some(text) => text.to_owned(),
        None => response["body"].to_string(),
    };
    let status = response["status"].as_u64().expect("a status");
    answer(u16::try_from(status).expect("a status"), &headers, &body)
}
