//! DHIS2's data store: short documents under a namespace and a key, for all sites of a country in one place.
//!
//! Facts: `POST` makes a key (409 `E1004` where it exists), `PUT` changes it (404 `E1005` where it does not, in older
//! releases); a new key is open to everybody until its sharing is set, by the id that `…/metaData` tells.

use serde::Deserialize;
use serde_json::{Value, json};

use super::Dhis2;
use super::error::{Dhis2Error, Kind};
use super::method::Method;

/// What DHIS2 calls the data store where it speaks of sharing.
const TYPE: &str = "dataStore";
const NOBODY: &str = "--------";
const READ: &str = "r-------";

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// Under a key that was there.
    Changed,
    /// Under a new one, which everybody may read and write as yet.
    New,
}

/// Who may read a key besides its owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    Nobody,
    /// A user group, by its UID.
    Group(String),
}

#[derive(Deserialize)]
struct MetaData {
    id: String,
}

#[derive(Deserialize)]
struct Shared {
    object: Value,
}

impl Dhis2 {
    /// The keys of a namespace, as far as our account sees them; none where there is no such namespace.
    pub(crate) fn keys(&mut self, namespace: &str) -> Result<Vec<String>, Dhis2Error> {
        let doing = "reading the keys of the data store";
        let keys = self.document(doing, &format!("{TYPE}/{namespace}"), &[]);
        Ok(there(keys)?.unwrap_or_default())
    }

    /// The document under a key; None where there is none.
    pub(crate) fn kept(&mut self, namespace: &str, key: &str) -> Result<Option<Value>, Dhis2Error> {
        let doing = format!("reading {key} of the data store");
        there(self.document(&doing, &path(namespace, key), &[]))
    }

    /// Keeps a document under a key, whatever is there.
    pub(crate) fn keep(
        &mut self,
        namespace: &str,
        key: &str,
        document: &Value,
    ) -> Result<Kept, Dhis2Error> {
        let doing = format!("writing {key} of the data store");
        let json = document.to_string();
        let path = path(namespace, key);
        let mut write = |method| self.change(&doing, method, &path, &[], json.as_bytes());
        match write(Method::Put) {
            Ok(answer) if answer.status == 201 => Ok(Kept::New),
            Ok(_) => Ok(Kept::Changed),
            Err(error) if error.status == Some(404) && error.code.is_some() => {
                write(Method::Post).map(|_| Kept::New)
            }
            Err(error) if error.status == Some(403) && error.kind == Kind::Credentials => {
                let message = format!(
                    "{doing}: the key belongs to another account (403); give this site another `name`"
                );
                Err(Dhis2Error { message, ..error })
            }
            Err(error) => Err(error),
        }
    }

    /// Lets a key be read by a group, or by its owner alone; whether DHIS2 then has it so. It leaves out a group that it
    /// does not know and says nothing.
    pub(crate) fn share(
        &mut self,
        namespace: &str,
        key: &str,
        readers: &Readers,
    ) -> Result<bool, Dhis2Error> {
        let doing = format!("sharing {key} of the data store");
        let meta: MetaData =
            self.document(&doing, &format!("{}/metaData", path(namespace, key)), &[])?;
        let query = [("type", TYPE), ("id", meta.id.as_str())];
        let groups = match readers {
            Readers::Nobody => json!([]),
            Readers::Group(group) => json!([{ "id": group, "access": READ }]),
        };
        let wanted = json!({
            "object": {
                "publicAccess": NOBODY,
                "externalAccess": false,
                "userAccesses": [],
                "userGroupAccesses": groups,
            }
        });
        let json = wanted.to_string();
        self.change(&doing, Method::Put, "sharing", &query, json.as_bytes())?;
        let shared: Shared = self.document(&doing, "sharing", &query)?;
        Ok(is_so(&shared.object, readers))
    }
}

fn path(namespace: &str, key: &str) -> String {
    format!("{TYPE}/{namespace}/{key}")
}

/// What is not there is no failure.
fn there<T>(read: Result<T, Dhis2Error>) -> Result<Option<T>, Dhis2Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.status == Some(404) && error.code.is_some() => Ok(None),
        Err(error) => Err(error),
    }
}

fn is_so(object: &Value, readers: &Readers) -> bool {
    let groups = object.get("userGroupAccesses").and_then(Value::as_array);
    let mut groups = groups.into_iter().flatten();
    let reads = |group: &Value, id: &str| {
        let access = group.get("access").and_then(Value::as_str);
        let same = group.get("id").and_then(Value::as_str) == Some(id);
        same && access.is_some_and(|access| access.starts_with('r'))
    };
    let shared = match readers {
        Readers::Nobody => groups.next().is_none(),
        Readers::Group(id) => groups.any(|group| reads(group, id)),
    };
    let public = object.get("publicAccess").and_then(Value::as_str);
    shared && public == Some(NOBODY)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Kept, Readers, is_so};
    use crate::dhis2::recorded::{answer, answering};

    const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

    #[test]
    fn where_put_makes_no_key_post_does() {
        let unknown = r#"{"status":"ERROR","message":"Key 'k' not found","errorCode":"E1005"}"#;
        let made = r#"{"status":"OK","message":"Key created: 'k'"}"#;
        let answers = vec![answer(404, &JSON, unknown), answer(201, &JSON, made)];
        let (mut dhis2, served) = answering(answers);
        assert_eq!(dhis2.keep("n", "k", &json!({ "a": 1 })), Ok(Kept::New));
        let asked = served.join().expect("asked twice");
        assert!(
            asked[0].starts_with("PUT /dhis/api/dataStore/n/k "),
            "{asked:?}"
        );
        assert!(
            asked[1].starts_with("POST /dhis/api/dataStore/n/k "),
            "{asked:?}"
        );
    }

    #[test]
    fn a_key_is_shared_only_if_nobody_else_may_read_it() {
        let group = Readers::Group("VYy11YtcQMI".to_owned());
        let object = |public: &str, id: &str| json!({ "publicAccess": public, "userGroupAccesses": [{ "id": id, "access": "r-------" }] });
        assert!(is_so(&object("--------", "VYy11YtcQMI"), &group));
        assert!(!is_so(&object("rw------", "VYy11YtcQMI"), &group));
        assert!(!is_so(&object("--------", "another"), &group));
        assert!(!is_so(&object("--------", "another"), &Readers::Nobody));
        assert!(is_so(
            &json!({ "publicAccess": "--------" }),
            &Readers::Nobody
        ));
    }
}
