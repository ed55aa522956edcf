//! Properties of metadata objects: the stored ones, DHIS2's defaults, and those it computes for the reader.

use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::Dialect;
use super::access::{Account, Right, Sharing};
use super::fields::id_only;
use super::metadata::{Metadata, Object, reference};
use super::model::Model;

/// The server as one account sees it at one moment.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) metadata: &'a Metadata,
    pub(crate) account: &'a Account,
    pub(crate) dialect: Dialect,
    pub(crate) now: DateTime,
    /// The server's address as the client has it, with a slash at the end.
    pub(crate) base: &'a str,
}

impl<'a> View<'a> {
    pub(crate) fn model(&self) -> &'a Model {
        &self.metadata.model
    }

    /// A property of an object of that type (or, for embedded objects, of the property that holds it).
    pub(crate) fn property(&self, kind: &str, object: &Object, name: &str) -> Option<Value> {
        if let Some(computed) = self.computed(kind, object, name) {
            return Some(computed);
        }
        if let Some(stored) = object.get(name).filter(|value| !value.is_null()) {
            return Some(as_typed(kind, name, stored));
        }
        if let Some(plain) = name.strip_prefix("display") {
            let mut plain = plain.to_owned();
            plain.get_mut(..1)?.make_ascii_lowercase();
            return object.get(&plain).cloned();
        }
        default_of(kind, name)
    }

    /// Everything an object has to show.
    pub(crate) fn property_names(&self, kind: &str, object: &Object) -> Vec<String> {
        let computed: &[&str] = match kind {
            "organisationUnits" => &["path", "level", "displayName"],
            "categoryCombos" => &["isDefault", "categoryOptionCombos", "displayName", "access"],
            "dataSets" | "categoryOptions" => &["displayName", "access"],
            _ => &[],
        };
        let mut names: Vec<String> = object.keys().cloned().collect();
        names.extend(computed.iter().map(|name| (*name).to_owned()));
        names
    }

    /// The object a reference points to, with its type.
    pub(crate) fn resolve(&self, reference: &Object) -> Option<(&'a str, &'a Object)> {
        let id = reference.get("id")?.as_str()?;
        self.metadata.find(id)
    }

    /// A value without inner fields: references shrink to their ids.
    pub(crate) fn shortened(&self, value: Value) -> Value {
        match value {
            Value::Array(entries) => {
                let shown = entries.into_iter();
                shown.map(|entry| self.shortened(entry)).collect()
            }
            Value::Object(object) => match object.get("id").and_then(Value::as_str) {
                Some(id) if self.metadata.find(id).is_some() => id_only(id),
                _ => Value::Object(object),
            },
            other => other,
        }
    }

    /// Whether the account may read the object at all. Option combos and units are not shared but open.
    pub(crate) fn may_read(&self, kind: &str, object: &Object) -> bool {
        let shared = object.contains_key("sharing")
            && !matches!(
                kind,
                "organisationUnits" | "categoryOptionCombos" | "options"
            );
        !shared || Sharing::of(object).allows(self.account, Right::Read)
    }

    fn computed(&self, kind: &str, object: &Object, name: &str) -> Option<Value> {
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        Some(match (kind, name) {
            ("organisationUnits", "path") => json!(self.metadata.model.units.get(id)?.path),
            ("organisationUnits", "level") => json!(self.metadata.model.units.get(id)?.level()),
            ("organisationUnits", "children") => {
                self.pointing_here("organisationUnits", "parent", id)
            }
            ("organisationUnits", "ancestors") => {
                let unit = self.metadata.model.units.get(id)?;
                let above = unit.ancestors_and_self().filter(|above| *above != id);
                above.map(id_only).collect()
            }
            ("organisationUnits", "dataSets") => {
                let sets = self.metadata.model.data_sets.values();
                let sets = sets.filter(|set| set.units.contains(id));
                sets.map(|set| id_only(&set.id)).collect()
            }
            ("categoryCombos", "isDefault") => json!(object.get("name") == Some(&json!("default"))),
            ("categoryCombos", "categoryOptionCombos") => {
                self.pointing_here("categoryOptionCombos", "categoryCombo", id)
            }
            ("dataElements", "dataSetElements") => {
                let element = self.metadata.model.elements.get(id)?;
                let sets = element.data_sets.iter();
                sets.map(|set| json!({ "dataSet": id_only(set), "dataElement": id_only(id) }))
                    .collect()
            }
            ("optionSets", "options") if !object.contains_key("options") => {
                self.pointing_here("options", "optionSet", id)
            }
            (_, "access") => self.access(object),
            _ => return None,
        })
    }

    fn pointing_here(&self, kind: &str, field: &str, id: &str) -> Value {
        let pointing = self.metadata.all(kind);
        let pointing = pointing.filter(|(_, other)| reference(other, field).as_deref() == Some(id));
        pointing.map(|(other, _)| id_only(other)).collect()
    }

    fn access(&self, object: &Object) -> Value {
        let sharing = Sharing::of(object);
        let may = |right| sharing.allows(self.account, right);
        json!({
            "read": may(Right::Read),
            "write": may(Right::Write),
            "update": may(Right::Write),
            "delete": may(Right::Write),
            "data": {"read": may(Right::DataRead), "write": may(Right::DataWrite)},
        })
    }
}

/// Numbers DHIS2 keeps as doubles and moments it writes with milliseconds.
fn as_typed(kind: &str, name: &str, stored: &Value) -> Value {
    match (kind, name) {
        ("dataSets", "expiryDays" | "timelyDays") => json!(stored.as_f64().unwrap_or(0.0)),
        (_, "openingDate" | "closedDate" | "closingDate" | "startDate" | "endDate") => {
            let moment = stored.as_str().and_then(super::clock::moment);
            moment.map_or_else(
                || stored.clone(),
                |moment| json!(super::clock::without_offset(moment)),
            )
        }
        _ => stored.clone(),
    }
}

/// What DHIS2 shows for a property that was never set.
fn default_of(kind: &str, name: &str) -> Option<Value> {
    Some(match (kind, name) {
        ("dataSets", "expiryDays" | "timelyDays") => json!(0.0),
        ("dataSets", "openFuturePeriods" | "openPeriodsAfterCoEndDate") => json!(0),
        ("dataSets", "noValueRequiresComment" | "compulsoryFieldsCompleteOnly") => json!(false),
        ("dataSets", "dataInputPeriods" | "dataSetElements" | "organisationUnits")
        | ("categoryOptions", "organisationUnits") => json!([]),
        ("dataElements", "zeroIsSignificant") => json!(false),
        _ => return None,
    })
}

/// A user as `/api/me` shows it.
pub(crate) fn user_object(account: &Account, metadata: &Metadata) -> Map<String, Value> {
    let ids = |ids: &[String]| -> Value { ids.iter().map(|id| id_only(id)).collect() };
    let readable = metadata.model.data_sets.values();
    let readable = readable.filter(|set| set.sharing.allows(account, Right::DataRead));
    let fields = json!({
        "id": account.id,
        "username": account.username,
        "name": account.name(),
        "displayName": account.name(),
        "authorities": account.authorities,
        "organisationUnits": ids(&account.organisation_units),
        "dataViewOrganisationUnits": ids(account.view_units()),
        "userGroups": ids(&account.user_groups),
        "dataSets": readable.map(|set| json!(set.id)).collect::<Value>(),
    });
    let Value::Object(fields) = fields else {
        unreachable!("written as an object above");
    };
    fields
}
