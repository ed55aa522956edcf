//! The `fields` parameter: which properties of an object to show, nested in brackets, with presets.

use serde_json::{Map, Value, json};

use super::Dialect;
use super::properties::View;

/// A parsed `fields` expression such as `id,dataSetElements[dataElement[id]]`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields {
    /// `*` and its kin.
    all: bool,
    named: Vec<Field>,
    excluded: Vec<String>,
}

#[derive(Clone, Debug)]
struct Field {
    name: String,
    shown_as: String,
    inner: Option<Fields>,
}

impl Fields {
    pub(crate) fn parse(expression: &str) -> Fields {
        let mut rest = expression.chars().peekable();
        list(&mut rest)
    }

    /// The object as the account may see it, with the fields asked for; what an object does not have is left out.
    pub(crate) fn of(&self, kind: &str, object: &Map<String, Value>, view: &View) -> Value {
        let mut shown = Map::new();
        if self.all {
            for name in view.property_names(kind, object) {
                if let Some(value) = view.property(kind, object, &name) {
                    shown.insert(name, view.shortened(value));
                }
            }
        }
        for field in &self.named {
            let Some(value) = view.property(kind, object, &field.name) else {
                continue;
            };
            let value = match &field.inner {
                Some(inner) => inner.within(&field.name, value, view),
                None => view.shortened(value),
            };
            shown.insert(field.shown_as.clone(), value);
        }
        for name in &self.excluded {
            shown.remove(name);
        }
        // 2.42 adds a period's name whatever is asked for; seen with `dataInputPeriods[period[id]]`.
        if kind == "period" && view.dialect == Dialect::V2_42 {
            shown.extend(object.get("id").map(|id| ("name".to_owned(), id.clone())));
        }
        Value::Object(shown)
    }

    /// Applies the fields to a property's value: to what a reference points to, or to an embedded object.
    fn within(&self, property: &str, value: Value, view: &View) -> Value {
        match value {
            Value::Array(entries) => {
                let shown = entries.into_iter();
                shown
                    .map(|entry| self.within(property, entry, view))
                    .collect()
            }
            Value::Object(object) => match view.resolve(&object) {
                Some((kind, whole)) => self.of(kind, whole, view),
                None => self.of(property, &object, view),
            },
            other => other,
        }
    }
}

type Rest<'a> = std::iter::Peekable<std::str::Chars<'a>>;

fn list(rest: &mut Rest) -> Fields {
    let mut fields = Fields::default();
    loop {
        let name = word(rest);
        let inner = rest.next_if_eq(&'[').map(|_| list(rest));
        add(&mut fields, &name, inner);
        if rest.next_if_eq(&',').is_some() {
            continue;
        }
        // Either the closing bracket of this list or the end of the expression.
        rest.next();
        return fields;
    }
}

/// A name with its transformers, which have brackets of the other kind: `code~rename(key)`.
fn word(rest: &mut Rest) -> String {
    let mut word = String::new();
    while let Some(c) = rest.next_if(|c| !matches!(c, ',' | '[' | ']')) {
        word.push(c);
    }
    word.trim().to_owned()
}

fn add(fields: &mut Fields, word: &str, inner: Option<Fields>) {
    let plain = |names: &[&str]| -> Vec<Field> {
        let named = names.iter().map(|name| Field {
            name: (*name).to_owned(),
            shown_as: (*name).to_owned(),
            inner: None,
        });
        named.collect()
    };
    match word {
        "" => {}
        "*" | ":all" | ":owner" | ":persisted" | ":simple" => fields.all = true,
        ":identifiable" => fields.named.extend(plain(&[
            "id",
            "code",
            "name",
            "created",
            "lastUpdated",
            "access",
        ])),
        ":nameable" => fields.named.extend(plain(&[
            "id",
            "code",
            "name",
            "shortName",
            "description",
            "created",
            "lastUpdated",
        ])),
        ":idName" => fields.named.extend(plain(&["id", "displayName"])),
        word if word.starts_with('!') => fields.excluded.push(word[1..].to_owned()),
        word => {
            let (name, transformer) = word.split_once(['~', '|']).unwrap_or((word, ""));
            let renamed = transformer
                .strip_prefix("rename(")
                .and_then(|rest| rest.strip_suffix(')'));
            fields.named.push(Field {
                name: name.to_owned(),
                shown_as: renamed.unwrap_or(name).to_owned(),
                inner,
            });
        }
    }
}

/// A reference as DHIS2 shows it where no inner fields are asked for.
pub(crate) fn id_only(id: &str) -> Value {
    json!({ "id": id })
}
