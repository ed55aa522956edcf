//! `/api/dataStore` and `/api/messageConversations`: what a client may leave with the server for others to read.

use serde_json::{Value, json};

use super::answer::{Answer, Refusal};
use super::books::Books;
use super::properties::View;

/// `GET /api/dataStore`, `…/<namespace>` and `…/<namespace>/<key>`.
pub(crate) fn read(books: &Books, path: &[&str]) -> Result<Answer, Refusal> {
    let [namespace, rest @ ..] = path else {
        let namespaces: Vec<&String> = books.data_store.keys().collect();
        return Ok(Answer::json(&json!(namespaces)));
    };
    let held = books.data_store.get(*namespace);
    match rest {
        [] => {
            let Some(held) = held else {
                let message = format!("Namespace not found: '{namespace}'");
                return Err(Refusal::with_code(404, message, "E1005"));
            };
            let keys: Vec<&String> = held.keys().collect();
            Ok(Answer::json(&json!(keys)))
        }
        [key, ..] => match held.and_then(|held| held.get(*key)) {
            Some(value) => Ok(Answer::json(value)),
            None => Err(unknown(namespace, key)),
        },
    }
}

/// `POST` adds a key, `PUT` changes or adds it, `DELETE` takes it away.
pub(crate) fn write(
    books: &mut Books,
    method: &str,
    path: &[&str],
    body: &[u8],
) -> Result<Answer, Refusal> {
    let [namespace, key] = path else {
        return Err(Refusal::new(
            405,
            format!("Method '{method}' is not supported."),
        ));
    };
    let held = books
        .data_store
        .get(*namespace)
        .is_some_and(|held| held.contains_key(*key));
    if method == "DELETE" {
        if !held {
            return Err(unknown(namespace, key));
        }
        let entries = books.data_store.entry((*namespace).to_owned()).or_default();
        entries.remove(*key);
        if entries.is_empty() {
            books.data_store.remove(*namespace);
        }
        let message = format!("Key '{key}' deleted from namespace '{namespace}'");
        return Ok(Answer::message(200, &message));
    }
    if method == "POST" && held {
        let message = format!("Key '{key}' already exists in namespace '{namespace}'");
        return Err(Refusal::with_code(409, message, "E1004"));
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        let message = format!("Invalid JSON value for key '{key}'");
        return Err(Refusal::new(400, message));
    };
    let entries = books.data_store.entry((*namespace).to_owned()).or_default();
    entries.insert((*key).to_owned(), value);
    Ok(match held {
        true => Answer::message(200, &format!("Key updated: '{key}'")),
        false => Answer::message(201, &format!("Key created: '{key}'")),
    })
}

/// `POST /api/messageConversations`.
pub(crate) fn send_message(view: &View, books: &mut Books, body: &[u8]) -> Result<Answer, Refusal> {
    let Ok(mut message) = serde_json::from_slice::<Value>(body) else {
        return Err(Refusal::new(400, "Message could not be read"));
    };
    let to = |kind: &str| {
        message
            .get(kind)
            .and_then(Value::as_array)
            .is_some_and(|to| !to.is_empty())
    };
    if !["users", "userGroups", "organisationUnits"]
        .iter()
        .any(|kind| to(kind))
    {
        return Err(Refusal::new(409, "No recipients selected."));
    }
    let id = books.generate_uid();
    message["id"] = json!(id);
    message["sender"] = json!(view.account.username);
    books.messages.push(message);
    let answer = Answer::message(201, "Message conversation created");
    Ok(answer.with(
        "Location",
        format!("{}api/messageConversations/{id}", view.base),
    ))
}

fn unknown(namespace: &str, key: &str) -> Refusal {
    let message = format!("Key '{key}' not found in namespace '{namespace}'");
    Refusal::with_code(404, message, "E1005")
}
