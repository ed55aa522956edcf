//! Calls below `/stand-in/` by which tests and people look behind the server and change it; no credentials, not listed.
//!
//! * `GET stored`: every row, in the form of the recordings' `stored`.
//! * `GET requests`: method, path with query, account and status of all calls answered, whether they were logins, and the
//!   bytes of both bodies; a reset leaves the list alone.
//! * `GET messages`: messages posted.
//! * `POST reset`: empties values, registrations, approvals, lock exceptions, data store, messages and jobs;
//!   with `?requests=true` the list of requests too.
//! * `POST end-sessions`: ends every session.
//! * `POST now`: stops the clock at a timestamp, plain or as a JSON string.
//! * `POST metadata`: merges an export, with `?when=first-post` just before the next POST of values. It may also hold
//!   `lockExceptions`, `dataApprovals`, the `dialect` the server is upgraded to, and what is `removed`: lists of objects
//!   by type, the two just named among them.
//! * `POST next-post`: how to answer the next POST of values, `{"status": …, "body": …, "apply": "nothing"|"all"}`.

use serde_json::{Value, json};

use super::Apply;
use super::answer::Answer;
use super::books::{Approval, ApprovalKey};
use super::http::Incoming;
use super::metadata::Object;
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
        ("POST", "end-sessions") => {
            world.sessions.end();
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

/// Merges an export with what stands in it beside metadata.
pub(crate) fn merge_parsed(world: &mut World, export: &Value) -> Result<(), String> {
    let (metadata, beside) = apart(export);
    world.metadata.merge(&metadata)?;
    if let Some(dialect) = beside.get("dialect").and_then(Value::as_str) {
        world.dialect = dialect.parse()?;
    }
    for exception in listed(&beside, "lockExceptions") {
        let key = lock_exception(world, exception)?;
        world.books.lock_exceptions.insert(key);
    }
    for approval in listed(&beside, "dataApprovals") {
        let key = approval_key(world, approval)?;
        let approval = Approval {
            by: "somebody".to_owned(),
            at: world.clock.now(),
        };
        world.books.approvals.insert(key, approval);
    }
    let removed = beside.get("removed").and_then(Value::as_object);
    for (kind, objects) in removed.into_iter().flatten() {
        for object in objects.as_array().into_iter().flatten() {
            remove(world, kind, object)?;
        }
    }
    Ok(())
}

/// The metadata of an export, and what stands beside it.
fn apart(export: &Value) -> (Value, Object) {
    let (mut metadata, mut beside) = (export.clone(), Object::new());
    if let Some(metadata) = metadata.as_object_mut() {
        for name in ["lockExceptions", "dataApprovals", "removed", "dialect"] {
            beside.extend(metadata.remove_entry(name));
        }
    }
    (metadata, beside)
}

fn listed<'v>(beside: &'v Object, name: &str) -> impl Iterator<Item = &'v Value> {
    let list = beside.get(name).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn remove(world: &mut World, kind: &str, object: &Value) -> Result<(), String> {
    match kind {
        "lockExceptions" => {
            let key = lock_exception(world, object)?;
            world.books.lock_exceptions.remove(&key);
        }
        "dataApprovals" => {
            let key = approval_key(world, object)?;
            world.books.approvals.remove(&key);
        }
        kind => {
            let id = object.get("id").and_then(Value::as_str);
            world.metadata.remove(kind, id.unwrap_or_default())?;
        }
    }
    Ok(())
}

fn lock_exception(world: &World, object: &Value) -> Result<(String, Period, String), String> {
    let parts = id(object, "dataSet").zip(unit_and_period(world, object));
    let (set, (unit, period)) =
        parts.ok_or("a lock exception has a data set, a period and a unit")?;
    Ok((set, period, unit))
}

/// The attribute option combo is the default one where none is given.
fn approval_key(world: &World, object: &Value) -> Result<ApprovalKey, String> {
    let parts = id(object, "workflow").zip(unit_and_period(world, object));
    let (workflow, (unit, period)) =
        parts.ok_or("an approval has a workflow, a period and a unit")?;
    let combo = id(object, "attributeOptionCombo");
    let combo = combo.unwrap_or_else(|| world.metadata.model.default_combo.clone());
    Ok((workflow, period, unit, combo))
}

fn unit_and_period(world: &World, object: &Value) -> Option<(String, Period)> {
    let period = Period::parse(&id(object, "period")?, world.dialect)?;
    Some((id(object, "organisationUnit")?, period))
}

fn id(object: &Value, field: &str) -> Option<String> {
    Some(object.get(field)?.get("id")?.as_str()?.to_owned())
}

/// Merges an export just before the next POST of values.
pub(crate) fn merge_at_post(world: &mut World, export: &str) -> Result<(), String> {
    let export = parsed(export)?;
    // A trial on metadata of its own finds what would fail later, unseen.
    super::metadata::Metadata::fresh().merge(&apart(&export).0)?;
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
            "login": request.is_login,
            "bytes": [request.bytes.0, request.bytes.1],
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
