//! Identifier schemes: how a payload names elements, units and option combos.

use std::collections::HashMap;

use serde_json::Value;

use super::metadata::{Metadata, Object, reference, text};
use super::request::Query;

/// How objects of one kind are named.
#[derive(Clone, Debug, PartialEq)]
enum Scheme {
    Uid,
    Code,
    Name,
    Attribute(String),
}

impl Scheme {
    fn parse(text: &str) -> Scheme {
        match text.to_ascii_uppercase().as_str() {
            "CODE" => Scheme::Code,
            "NAME" => Scheme::Name,
            upper if upper.starts_with("ATTRIBUTE:") => Scheme::Attribute(text[10..].to_owned()),
            _ => Scheme::Uid,
        }
    }

    fn name_of(&self, object: &Object) -> String {
        match self {
            Scheme::Uid => text(object, "id"),
            Scheme::Code => text(object, "code"),
            Scheme::Name => text(object, "name"),
            Scheme::Attribute(id) => {
                let values = object.get("attributeValues").and_then(Value::as_array);
                let mut values = values.into_iter().flatten().filter_map(Value::as_object);
                let value = values.find(|value| reference(value, "attribute").as_ref() == Some(id));
                value.map(|value| text(value, "value")).unwrap_or_default()
            }
        }
    }
}

/// Turns names into ids, for one import.
pub(crate) struct Names {
    elements: HashMap<String, String>,
    units: HashMap<String, String>,
    combos: HashMap<String, String>,
    attribute_combos: HashMap<String, String>,
    data_sets: HashMap<String, String>,
    by_uid: [bool; 5],
}

/// What is named.
#[derive(Clone, Copy)]
pub(crate) enum Named {
    Element = 0,
    Unit = 1,
    Combo = 2,
    AttributeCombo = 3,
    DataSet = 4,
}

impl Names {
    /// `payload` holds the scheme fields of the body, which go before those of the URL.
    pub(crate) fn new(
        metadata: &Metadata,
        query: &Query,
        payload: &HashMap<String, String>,
    ) -> Names {
        let scheme = |field: Option<&str>| {
            let given = |name| payload.get(name).map(String::as_str).or(query.first(name));
            let given = field.and_then(given).or_else(|| given("idScheme"));
            given.map_or(Scheme::Uid, Scheme::parse)
        };
        let index = |kind, scheme: &Scheme| -> HashMap<String, String> {
            if *scheme == Scheme::Uid {
                return HashMap::new();
            }
            let named = metadata
                .all(kind)
                .map(|(id, object)| (scheme.name_of(object), id.clone()));
            named.filter(|(name, _)| !name.is_empty()).collect()
        };
        // The attribute option combo's own scheme is a field of the body only.
        let attribute = payload
            .get("attributeOptionComboIdScheme")
            .map(|text| Scheme::parse(text));
        let schemes = [
            scheme(Some("dataElementIdScheme")),
            scheme(Some("orgUnitIdScheme")),
            scheme(Some("categoryOptionComboIdScheme")),
            attribute.unwrap_or_else(|| scheme(Some("categoryOptionComboIdScheme"))),
            scheme(Some("dataSetIdScheme")),
        ];
        Names {
            elements: index("dataElements", &schemes[0]),
            units: index("organisationUnits", &schemes[1]),
            combos: index("categoryOptionCombos", &schemes[2]),
            attribute_combos: index("categoryOptionCombos", &schemes[3]),
            data_sets: index("dataSets", &schemes[4]),
            by_uid: schemes.map(|scheme| scheme == Scheme::Uid),
        }
    }

    /// The id meant; a uid is taken as it is, whether or not there is such an object.
    pub(crate) fn id_of<'a>(&'a self, what: Named, name: &'a str) -> Option<&'a str> {
        if self.by_uid[what as usize] {
            return Some(name);
        }
        let index = match what {
            Named::Element => &self.elements,
            Named::Unit => &self.units,
            Named::Combo => &self.combos,
            Named::AttributeCombo => &self.attribute_combos,
            Named::DataSet => &self.data_sets,
        };
        index.get(name).map(String::as_str)
    }
}
