//! The metadata a server holds: every object of the exports merged into it, by type and id, with unknown fields kept.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};

use super::model::Model;

/// A DHIS2 object as JSON.
pub(crate) type Object = Map<String, Value>;

/// All objects, and the model derived from them for checking data.
pub(crate) struct Metadata {
    by_type: BTreeMap<String, BTreeMap<String, Object>>,
    types: HashMap<String, String>,
    /// The order in which objects came, as their tables have it.
    places: HashMap<String, usize>,
    pub(crate) model: Model,
}

/// The category objects every DHIS2 creates at first start (2.38 – 2.43: the same ids).
const FRESH: &str = r#"{
  "categoryOptions": [{"id": "xYerKDKCefk", "code": "default", "name": "default", "shortName": "default",
    "sharing": {"public": "rwrw----", "users": {}, "userGroups": {}}}],
  "categories": [{"id": "GLevLNI9wkl", "code": "default", "name": "default", "shortName": "default",
    "dataDimensionType": "DISAGGREGATION", "categoryOptions": [{"id": "xYerKDKCefk"}],
    "sharing": {"public": "rw------", "users": {}, "userGroups": {}}}],
  "categoryCombos": [{"id": "bjDvmb4bfuf", "code": "default", "name": "default", "skipTotal": false,
    "dataDimensionType": "DISAGGREGATION", "categories": [{"id": "GLevLNI9wkl"}],
    "sharing": {"public": "rw------", "users": {}, "userGroups": {}}}],
  "categoryOptionCombos": [{"id": "HllvX50cXC0", "code": "default", "name": "default", "ignoreApproval": false,
    "categoryCombo": {"id": "bjDvmb4bfuf"}, "categoryOptions": [{"id": "xYerKDKCefk"}]}]
}"#;

impl Metadata {
    /// The metadata of a fresh DHIS2.
    pub(crate) fn fresh() -> Metadata {
        let mut metadata = Metadata {
            by_type: BTreeMap::new(),
            types: HashMap::new(),
            places: HashMap::new(),
            model: Model::default(),
        };
        let export = serde_json::from_str(FRESH).expect("the built-in objects are JSON");
        metadata
            .merge(&export)
            .expect("the built-in objects have ids");
        metadata
    }

    /// Merges an export: an object with a known id has the given fields replaced, others are added.
    pub(crate) fn merge(&mut self, export: &Value) -> Result<(), String> {
        let export = export.as_object().ok_or("a metadata export is an object")?;
        // An export also carries its date and the system it comes from, which are no lists.
        let lists = export
            .iter()
            .filter_map(|(kind, list)| Some((kind, list.as_array()?)));
        for (kind, list) in lists {
            for object in list {
                let object = object.as_object();
                let id = object
                    .and_then(|object| object.get("id"))
                    .and_then(Value::as_str);
                let (Some(object), Some(id)) = (object, id) else {
                    return Err(format!("an object of {kind} has no id"));
                };
                self.types.insert(id.to_owned(), kind.clone());
                let next = self.places.len();
                self.places.entry(id.to_owned()).or_insert(next);
                let held = self.by_type.entry(kind.clone()).or_default();
                let held = held.entry(id.to_owned()).or_default();
                held.extend(object.clone());
            }
        }
        self.model = Model::of(self);
        Ok(())
    }

    /// Takes an object out; what refers to it goes on doing so.
    pub(crate) fn remove(&mut self, kind: &str, id: &str) -> Result<(), String> {
        let held = self.by_type.get_mut(kind);
        let removed = held.and_then(|held| held.remove(id));
        removed.ok_or_else(|| format!("there is no {id} among {kind}"))?;
        self.types.remove(id);
        self.model = Model::of(self);
        Ok(())
    }

    /// All objects of a type such as `dataSets`, by id.
    pub(crate) fn all(&self, kind: &str) -> impl Iterator<Item = (&String, &Object)> {
        self.by_type.get(kind).into_iter().flatten()
    }

    pub(crate) fn get(&self, kind: &str, id: &str) -> Option<&Object> {
        self.by_type.get(kind)?.get(id)
    }

    /// Ids as a server that reads its tables through lists them: those it holds as they came, then the others.
    pub(crate) fn in_table_order<'i>(&self, mut ids: Vec<&'i str>) -> Vec<&'i str> {
        ids.sort_by_key(|id| self.places.get(*id).copied().unwrap_or(usize::MAX));
        ids
    }

    /// The object with that id, whatever its type, with the type.
    pub(crate) fn find(&self, id: &str) -> Option<(&str, &Object)> {
        let kind = self.types.get(id)?;
        Some((kind, self.get(kind, id)?))
    }

    pub(crate) fn holds(&self, kind: &str) -> bool {
        self.by_type.contains_key(kind)
    }
}

/// The id a reference such as `{"id": …}` points to.
pub(crate) fn reference(object: &Object, field: &str) -> Option<String> {
    let id = object.get(field)?.get("id")?.as_str()?;
    Some(id.to_owned())
}

/// The ids in a list of references.
pub(crate) fn references(object: &Object, field: &str) -> Vec<String> {
    let list = object.get(field).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.get("id")?.as_str()?.to_owned()))
        .collect()
}

/// A text field, empty where absent.
pub(crate) fn text(object: &Object, field: &str) -> String {
    let text = object.get(field).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

/// A true-or-false field, false where absent.
pub(crate) fn flag(object: &Object, field: &str) -> bool {
    object.get(field).and_then(Value::as_bool).unwrap_or(false)
}
