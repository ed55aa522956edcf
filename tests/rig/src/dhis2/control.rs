//! Calls below `/stand-in/` by which tests and people look behind the server and change it; no credentials, not listed.
//!
//! * `GET stored`: every row, in the form of the recordings' `stored`.
//! * `GET requests`: method, path with query, account and status of all calls answered; a reset leaves the list alone.
//! * `GET messages`: messages posted.
//! * `POST reset`: empties values, registrations, approvals, lock exceptions, data store, messages and jobs;
//!   with `?requests=true` the list of requests too.
//! * `POST now`: stops the clock at a timestamp, plain or as a JSON string.
//! * `POST metadata`: merges an export (`lockExceptions` too), with `?when=first-post` just before the next POST of values.
//! * `POST next-post`: how to answer the next POST of values, `{"status": …, "body": …, "apply": "nothing"|"all"}`.

use serde_json::{Value, json};

use super::Apply;
use super::answer::Answer;
use super::http::Incoming;
use super::period::Period;
use super::request::Query;
use super::world::{NextPost, World};

pub(crate) fn answer(world: &mut World, request: &Incoming, call: &str, query: &Query) -> Answer {
    let done = match (request.method.as_str(), call) {
        ("GET", "stored") => Ok(Value::Array(world.books.rows.as_recorded())),
        ("GET", "requests") => Ok(requests(world)),
        ("GET", "messages") => Ok(json!(world.books.messages)),
        ("POST", "reset") => {
            world.books.reset();
            // The list of requests survives a reset unless it is named.
            if query.is_true("requests") {
                world.requests.clear();
            }
            Ok(json!({}))
        }
        ("POST", "now") => set_now(world, &request.body),
        ("POST", "metadata") => {
            let export = String::from_utf8_lossy(&request.body);
            match query.first("when") {
                None => merge(world, &export),
                Some("first-post") => merge_at_post(world, &export),
                Some(other) => Err(format!("when={other}: only first-post is known")),
            }
            .map(|()| json!({}))
        }
        ("POST", "next-post") => next_post(world, &request.body).map(|()| json!({})),
        (method, call) => Err(format!("no control call {method} /stand-in/{call}")),
    };
    match done {
        Ok(body) => Answer::json(&body),
        Err(why) => Answer::json_with_status(400, &json!({ "error": why })),
    }
}

/// Merges an export at once.
pub(crate) fn merge(world: &mut World, export: &str) -> Result<(), String> {
    merge_parsed(world, &parsed(export)?)
}

/// Merges an export; its lock exceptions, which have no ids, are books rather than metadata.
pub(crate) fn merge_parsed(world: &mut World, export: &Value) -> Result<(), String> {
    let mut export = export.clone();
    let exceptions = export
        .as_object_mut()
        .and_then(|export| export.remove("lockExceptions"));
    world.metadata.merge(&export)?;
    let exceptions = exceptions.as_ref().and_then(Value::as_array);
    for exception in exceptions.into_iter().flatten() {
        let id = |field: &str| Some(exception.get(field)?.get("id")?.as_str()?.to_owned());
        let period = id("period").and_then(|text| Period::parse(&text, world.dialect));
        let (Some(set), Some(period), Some(unit)) = (id("dataSet"), period, id("organisationUnit"))
        else {
            return Err("a lock exception has a data set, a period and a unit".to_owned());
        };
        world.books.lock_exceptions.insert((set, period, unit));
    }
    Ok(())
}

/// Merges an export just before the next POST of values.
pub(crate) fn merge_at_post(world: &mut World, export: &str) -> Result<(), String> {
    let export = parsed(export)?;
    // A trial on metadata of its own finds what would fail later, unseen.
    let mut trial = export.clone();
    if let Some(trial) = trial.as_object_mut() {
        trial.remove("lockExceptions");
    }
    super::metadata::Metadata::fresh().merge(&trial)?;
    world.merges_at_post.push(export);
    Ok(())
}

fn parsed(export: &str) -> Result<Value, String> {
    serde_json::from_str(export).map_err(|error| format!("the metadata is not JSON: {error}"))
}

fn requests(world: &World) -> Value {
    let requests = world.requests.iter().map(|request| {
        json!({
            "method": request.method,
            "path": request.path,
            "account": request.account,
            "status": request.status,
        })
    });
    requests.collect()
}

/// The body is a timestamp, plain or as a JSON string.
fn set_now(world: &mut World, body: &[u8]) -> Result<Value, String> {
    let text = String::from_utf8_lossy(body);
    let quoted: Option<String> = serde_json::from_str(&text).ok();
    world.clock.set(quoted.as_deref().unwrap_or(&text))?;
    Ok(json!({}))
}

/// The body: `{"status": 200, "body": {…}, "apply": "nothing" | "all"}`.
fn next_post(world: &mut World, body: &[u8]) -> Result<(), String> {
    let given: Value = serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let status = given.get("status").and_then(Value::as_u64);
    let status = status.and_then(|status| u16::try_from(status).ok());
    let apply = match given.get("apply").and_then(Value::as_str) {
        None | Some("nothing") => Apply::Nothing,
        Some("all") => Apply::All,
        Some(other) => return Err(format!("apply is nothing or all, not {other}")),
    };
    world.next_post = Some(NextPost {
        status: status.ok_or("status is a number")?,
        body: given.get("body").cloned().unwrap_or_default(),
        apply,
    });
    Ok(())
}
