//! `/api/dataStore` and `/api/messageConversations`: what a client may leave with the server for others to read.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Refusal};
use super::books::Books;
use super::properties::View;
use super::request::Query;

/// What stands under a key. A new one is open to everybody who may use the data store.
pub(crate) struct Entry {
    id: String,
    pub(crate) value: Value,
    /// The id of the account that made it.
    owner: String,
    public: String,
    /// Ids of user groups with what they may do.
    groups: Vec<(String, String)>,
}

#[derive(Deserialize)]
struct Shared {
    object: Wanted,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    public_access: String,
    #[serde(default)]
    user_group_accesses: Vec<Grant>,
}

#[derive(Deserialize)]
struct Grant {
    id: String,
    access: String,
}

impl Entry {
    fn allows(&self, view: &View, letter: u8) -> bool {
        let place = usize::from(letter == b'w');
        let grants = |access: &str| access.as_bytes().get(place) == Some(&letter);
        let account = view.account;
        let by_group =
            |(id, access): &(String, String)| grants(access) && account.user_groups.contains(id);
        account.is_super()
            || self.owner == account.id
            || grants(&self.public)
            || self.groups.iter().any(by_group)
    }
}

/// `GET /api/dataStore`, `…/<namespace>`, `…/<namespace>/<key>` and `…/metaData`. Who may not read a key is refused
/// (documented, not recorded).
pub(crate) fn read(view: &View, books: &Books, path: &[&str]) -> Result<Answer, Refusal> {
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
        [key, rest @ ..] => match held.and_then(|held| held.get(*key)) {
            Some(entry) if !entry.allows(view, b'r') => Err(denied(namespace, key)),
            Some(entry) if rest == ["metaData"] => Ok(Answer::json(
                &json!({ "id": entry.id, "namespace": namespace, "key": key }),
            )),
            Some(entry) => Ok(Answer::json(&entry.value)),
            None => Err(unknown(namespace, key)),
        },
    }
}

/// `POST` adds a key, `PUT` changes or adds it, `DELETE` takes it away.
pub(crate) fn write(
    view: &View,
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
    let entry = books
        .data_store
        .get(*namespace)
        .and_then(|held| held.get(*key));
    let held = entry.is_some();
    if entry.is_some_and(|entry| method != "POST" && !entry.allows(view, b'w')) {
        return Err(denied(namespace, key));
    }
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
    let id = books.generate_uid();
    let entries = books.data_store.entry((*namespace).to_owned()).or_default();
    let entry = entries.entry((*key).to_owned()).or_insert_with(|| Entry {
        id,
        value: Value::Null,
        owner: view.account.id.clone(),
        public: "rw------".to_owned(),
        groups: Vec::new(),
    });
    entry.value = value;
    Ok(match held {
        true => Answer::message(200, &format!("Key updated: '{key}'")),
        false => Answer::message(201, &format!("Key created: '{key}'")),
    })
}

/// `GET`, `POST` and `PUT /api/sharing?type=dataStore&id=…`. A group that nobody knows is left out without a word.
pub(crate) fn sharing(
    view: &View,
    books: &mut Books,
    method: &str,
    query: &Query,
    body: &[u8],
) -> Result<Answer, Refusal> {
    let (kind, id) = (query.first("type"), query.first("id").unwrap_or_default());
    let entries = books
        .data_store
        .values_mut()
        .flat_map(|held| held.values_mut());
    let entry = entries
        .into_iter()
        .find(|entry| entry.id == id)
        .filter(|_| kind == Some("dataStore"));
    let Some(entry) = entry else {
        let message = format!(
            "Object of type {} with ID {id} was not found.",
            kind.unwrap_or_default()
        );
        return Err(Refusal::new(404, message));
    };
    if !entry.allows(view, b'w') {
        return Err(Refusal::new(
            403,
            "You do not have manage access to this object.",
        ));
    }
    if method == "GET" {
        let groups: Vec<Value> = entry
            .groups
            .iter()
            .map(|(id, access)| json!({ "id": id, "access": access }))
            .collect();
        let object = json!({
            "id": entry.id,
            "publicAccess": entry.public,
            "externalAccess": false,
            "userGroupAccesses": groups,
            "userAccesses": [],
        });
        return Ok(Answer::json(
            &json!({ "meta": Map::new(), "object": object }),
        ));
    }
    let Ok(Shared { object }) = serde_json::from_slice(body) else {
        return Err(Refusal::new(400, "Sharing could not be read"));
    };
    entry.public = object.public_access;
    let known = |grant: &Grant| view.metadata.get("userGroups", &grant.id).is_some();
    let grants = object.user_group_accesses.into_iter().filter(known);
    entry.groups = grants.map(|grant| (grant.id, grant.access)).collect();
    Ok(Answer::message(200, "Access control set"))
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

fn denied(namespace: &str, key: &str) -> Refusal {
    Refusal::new(
        403,
        format!("Access denied for key '{key}' in namespace '{namespace}'"),
    )
}

fn unknown(namespace: &str, key: &str) -> Refusal {
    let message = format!("Key '{key}' not found in namespace '{namespace}'");
    Refusal::with_code(404, message, "E1005")
}
