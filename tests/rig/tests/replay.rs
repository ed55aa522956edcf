//! Replays every recorded exchange of the two real servers against the stand-in and compares what it answers and stores.
#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rig::dhis2::{Dialect, StandIn};
use serde_json::{Map, Value, json};

/// Scenarios not replayed, with the reason.
const LEFT_OUT: [(&str, &str); 5] = [
    ("import-csv", "the stand-in reads JSON alone"),
    ("import-adx", "the stand-in reads JSON alone"),
    ("import-adx-plain", "the stand-in reads JSON alone"),
    (
        "data-store-sharing",
        "of what describes a key the stand-in has its identifier alone",
    ),
    ("validation", "the stand-in has no validation rules"),
];

/// Tokens of `loader` with limits, as scenarios name them.
const TOKENS: [(&str, &str, &str); 3] = [
    (
        "token:get",
        "d2p_get0000000000000000000000000000000000000000000001",
        r#""methods": ["GET"]"#,
    ),
    (
        "token:address",
        "d2p_address00000000000000000000000000000000000000001",
        r#""addresses": ["192.0.2.1"]"#,
    ),
    (
        "token:expired",
        "d2p_expired00000000000000000000000000000000000000001",
        r#""expired": true"#,
    ),
];

/// The servers' clock while they were recorded.
const NOW: &str = "2026-11-23";

/// Headers that were recorded.
const HEADERS: [&str; 4] = [
    "content-type",
    "location",
    "content-disposition",
    "www-authenticate",
];

#[test]
fn the_stand_in_answers_and_stores_as_the_recorded_servers_did() {
    let mut wrong = Vec::new();
    let mut replayed = 0;
    for dialect in [Dialect::V2_42, Dialect::V2_43] {
        let server = Recorded::start(dialect);
        for path in scenarios(dialect) {
            let scenario = read_json(&path);
            let name = scenario["name"].as_str().expect("a scenario has a name");
            if LEFT_OUT.iter().any(|(left_out, _)| *left_out == name) {
                continue;
            }
            server.stand_in.reset();
            let steps = scenario["steps"].as_array().expect("a scenario has steps");
            for (number, step) in steps.iter().enumerate() {
                for difference in server.differences(step) {
                    wrong.push(format!(
                        "{} {name} step {number}: {difference}",
                        dialect.version()
                    ));
                }
            }
            replayed += 1;
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(replayed, 2 * (89 - LEFT_OUT.len()), "scenarios replayed");
}

/// A stand-in with the metadata and accounts of the recordings.
struct Recorded {
    stand_in: StandIn,
    host: String,
    token: String,
    /// The session of each account, by its credentials.
    sessions: RefCell<BTreeMap<String, String>>,
}

struct Answer {
    status: u64,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Recorded {
    fn start(dialect: Dialect) -> Recorded {
        let text = |path: PathBuf| {
            fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        };
        let exports = [
            text(root().join("examples/st-lucia/dhis2/metadata.json")),
            text(exchanges().join("extra_metadata.json")),
            text(exchanges().join("extra_metadata_2.json")),
        ];
        let exports: Vec<&str> = exports.iter().map(String::as_str).collect();
        let stand_in = StandIn::start(dialect, &exports, Some(NOW));
        for (_, token, limit) in TOKENS {
            stand_in.add_token("loader", &format!(r#"{{"token": "{token}", {limit}}}"#));
        }
        let host = stand_in.url();
        let host = host.trim_start_matches("http://").trim_end_matches('/');
        let accounts = read_json(&exchanges().join("accounts.json"));
        let mut accounts = accounts.as_array().into_iter().flatten();
        let token = accounts.find_map(|account| account["token"].as_str());
        Recorded {
            host: host.to_owned(),
            token: token.expect("an account has a token").to_owned(),
            stand_in,
            sessions: RefCell::default(),
        }
    }

    /// Makes the request of a step and says how the answer and the stored rows differ.
    fn differences(&self, step: &Value) -> Vec<String> {
        let (request, expected) = (&step["request"], &step["response"]);
        let answer = self.call(request);
        let mut differences = Vec::new();
        if expected["status"] != json!(answer.status) {
            differences.push(format!(
                "status {}, not {}",
                answer.status, expected["status"]
            ));
        }
        for name in HEADERS {
            let found = answer.headers.iter().find(|(key, _)| key == name);
            let found = found.map(|(_, value)| Value::from(value.replace(&self.host, "<host>")));
            let (found, recorded) = (found.unwrap_or_default(), &expected["headers"][name]);
            if !matches(recorded, &found, Order::Matters) {
                differences.push(format!("{name} {found}, not {recorded}"));
            }
        }
        let order = if request["method"] == "GET" {
            Order::MeansNothing
        } else {
            Order::Matters
        };
        let found = self.body(&expected["body"], &answer.body);
        if !matches(&expected["body"], &found, order) {
            let (found, recorded) = (shortened(&found), shortened(&expected["body"]));
            differences.push(format!("body\n    {found}\n not\n    {recorded}"));
        }
        let stored = Value::Array(self.stand_in.stored());
        if !matches(&step["stored"], &stored, Order::Matters) {
            let (found, recorded) = (shortened(&stored), shortened(&step["stored"]));
            differences.push(format!("stored\n    {found}\n not\n    {recorded}"));
        }
        differences
    }

    /// The body in the form it would have been recorded in.
    fn body(&self, recorded: &Value, body: &[u8]) -> Value {
        let text = String::from_utf8_lossy(body).replace(&self.host, "<host>");
        if recorded.get("length").is_some() {
            let start: String = text.chars().take(400).collect();
            return json!({ "text": start, "length": text.chars().count() });
        }
        let mut body: Value = serde_json::from_str(&text).unwrap_or(Value::String(text));
        // The recordings leave out what describes one machine.
        if let Some(info) = body.as_object_mut() {
            info.remove("systemId");
        }
        if let Some(response) = body.get_mut("response").and_then(Value::as_object_mut) {
            response.remove("importOptions");
        }
        body
    }

    fn call(&self, request: &Value) -> Answer {
        let path = request["path"].as_str().expect("a request has a path");
        let method = request["method"].as_str().expect("a request has a method");
        let body = match (&request["raw_base64"], request.get("body")) {
            (Value::String(raw), _) => STANDARD.decode(raw).expect("base64"),
            (_, Some(Value::Null)) | (_, None) => Vec::new(),
            (_, Some(body)) => body.to_string().into_bytes(),
        };
        let has_body = request.get("body").is_some() || request.get("raw_base64").is_some();
        let mut headers = Map::new();
        headers.insert("Accept".into(), json!("application/json"));
        headers.insert("X-Requested-With".into(), json!("XMLHttpRequest"));
        if has_body {
            headers.insert("Content-Type".into(), json!("application/json"));
        }
        let credentials = self.credentials(&request["account"]);
        if let Some(credentials) = &credentials {
            headers.insert("Authorization".into(), json!(credentials));
            if let Some(session) = self.sessions.borrow().get(credentials) {
                headers.insert("Cookie".into(), json!(session));
            }
        }
        headers.extend(request["headers"].as_object().cloned().unwrap_or_default());
        let target = if path.is_empty() { "/" } else { path };
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n",
            self.host
        );
        for (name, value) in &headers {
            if let Some(value) = value.as_str() {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        let answer = exchange(&self.host, &[head.as_bytes(), &body].concat());
        let mut set = answer.headers.iter();
        let begun =
            set.find(|(name, value)| name == "set-cookie" && value.starts_with("JSESSIONID="));
        if let (Some(credentials), Some((_, cookie))) = (credentials, begun) {
            let cookie = cookie.split(';').next().unwrap_or_default();
            let before = self
                .sessions
                .borrow_mut()
                .insert(credentials, cookie.to_owned());
            assert_eq!(before, None, "a second login while a session goes on");
        }
        answer
    }

    fn credentials(&self, account: &Value) -> Option<String> {
        let basic = |name: &str, password: &str| {
            let plain = format!("{name}:{password}");
            format!("Basic {}", STANDARD.encode(plain))
        };
        match account {
            Value::Array(pair) => Some(basic(pair[0].as_str()?, pair[1].as_str()?)),
            Value::String(name) if name.starts_with("token:") => {
                let (_, token, _) = TOKENS.iter().find(|(named, ..)| named == name)?;
                Some(format!("ApiToken {token}"))
            }
            Value::String(name) if name == "token" => Some(format!("ApiToken {}", self.token)),
            Value::String(name) if name == "admin" => Some(basic(name, "district")),
            Value::String(name) => Some(basic(name, "Loader-2026!")),
            _ => None,
        }
    }
}

fn exchange(host: &str, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(host).expect("the stand-in listens");
    stream.write_all(request).expect("the stand-in reads");
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).expect("a status line");
    let status = line.split(' ').nth(1).and_then(|code| code.parse().ok());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("a header");
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let mut body = Vec::new();
    reader.read_to_end(&mut body).expect("a body");
    Answer {
        status: status.unwrap_or_else(|| panic!("no status in {line:?}")),
        headers,
        body,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Order {
    Matters,
    MeansNothing,
}

/// Equality in which `<time>`, `<host>` and `<generated>` stand for any text.
fn matches(recorded: &Value, found: &Value, order: Order) -> bool {
    match (recorded, found) {
        (Value::Object(recorded), Value::Object(found)) => {
            recorded.len() == found.len()
                && recorded.iter().all(|(name, value)| {
                    found
                        .get(name)
                        .is_some_and(|found| matches(value, found, order))
                })
        }
        (Value::Array(recorded), Value::Array(found)) if order == Order::MeansNothing => {
            let mut left: Vec<&Value> = found.iter().collect();
            recorded.len() == found.len()
                && recorded.iter().all(|value| {
                    let place = left.iter().position(|found| matches(value, found, order));
                    place.map(|place| left.swap_remove(place)).is_some()
                })
        }
        (Value::Array(recorded), Value::Array(found)) => {
            let mut pairs = recorded.iter().zip(found);
            recorded.len() == found.len() && pairs.all(|(a, b)| matches(a, b, order))
        }
        (Value::String(recorded), Value::String(found)) => fits(recorded, found),
        (recorded, found) => recorded == found,
    }
}

fn fits(recorded: &str, found: &str) -> bool {
    let place = ["<time>", "<generated>"]
        .into_iter()
        .filter_map(|mark| Some((recorded.find(mark)?, mark)))
        .min();
    let Some((at, mark)) = place else {
        return recorded == found;
    };
    let (before, after) = (&recorded[..at], &recorded[at + mark.len()..]);
    let Some(rest) = found.strip_prefix(before) else {
        return false;
    };
    let mut ends = rest.char_indices().map(|(end, _)| end).chain([rest.len()]);
    ends.any(|end| fits(after, &rest[end..]))
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    let start: String = text.chars().take(1_500).collect();
    start
}

fn scenarios(dialect: Dialect) -> Vec<PathBuf> {
    let folder = exchanges().join(dialect.version());
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths
}

fn read_json(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn exchanges() -> PathBuf {
    root().join("tests/golden/exchanges")
}
