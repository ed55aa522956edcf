//! The new engine's reading of names and periods: one that cannot be read refuses the whole request.

use std::collections::HashMap;
use std::sync::Arc;

use super::answer::Refusal;
use super::id_schemes::{Named, Names};
use super::new_checks::GroupError;
use super::payload::{Given, Payload};
use super::period::Period;
use super::properties::View;
use super::value_types::is_uid;

/// A value with its key decoded; option combos not given stay so until it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Value {
    pub(crate) index: usize,
    pub(crate) element: Arc<str>,
    pub(crate) period: Period,
    pub(crate) unit: Arc<str>,
    pub(crate) combo: Option<Arc<str>>,
    pub(crate) attribute_combo: Option<Arc<str>>,
    pub(crate) value: Option<String>,
    pub(crate) comment: Option<String>,
    pub(crate) follow_up: Option<bool>,
    pub(crate) deleted: Option<bool>,
}

/// All values of a request.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) data_set: Option<String>,
    pub(crate) values: Vec<Value>,
}

#[derive(Debug)]
pub(crate) enum Undecodable {
    Error(GroupError),
    Exception(Refusal),
}

pub(crate) fn decode(view: &View, names: &Names, payload: &Payload) -> Result<Group, Undecodable> {
    let data_set = match &payload.data_set {
        Some(name) => Some(decoded_set(names, name)?),
        None => None,
    };
    let completion = payload
        .complete_date
        .as_deref()
        .filter(|text| !text.is_empty());
    if let Some(text) = completion {
        if super::clock::moment(text).is_none() {
            return error(
                "E8008",
                [text],
                format!("Data set completion date not valid: `{text}`"),
            );
        }
        if payload.data_set.is_none() || payload.unit.is_none() || payload.period.is_none() {
            let text = "Data set completion requires data set, org unit and period".to_owned();
            return error("E8009", [""; 0], text);
        }
    }
    let mut decoder = Decoder {
        view,
        names,
        payload,
        periods: HashMap::new(),
        interned: HashMap::new(),
    };
    if let Some(text) = decoder.group_period() {
        decoder.period(text)?;
    }
    let values = payload.values.iter().enumerate();
    let values = values.map(|(index, given)| decoder.value(index, given));
    Ok(Group {
        data_set,
        values: values.collect::<Result<_, _>>()?,
    })
}

fn decoded_set(names: &Names, name: &str) -> Result<String, Undecodable> {
    let Some(id) = names.id_of(Named::DataSet, name) else {
        return error("E8005", [name], format!("Data set not found: `{name}`"));
    };
    if !is_uid(id) {
        return error("E8004", [id], format!("Data set UID not valid: `{id}`"));
    }
    Ok(id.to_owned())
}

struct Decoder<'a> {
    view: &'a View<'a>,
    names: &'a Names,
    payload: &'a Payload,
    periods: HashMap<String, Period>,
    interned: HashMap<String, Arc<str>>,
}

/// How the parts of a key are called in messages, with the codes for missing, unknown and malformed ones.
struct Part {
    named: Named,
    called: &'static str,
    missing: &'static str,
    unknown: &'static str,
    malformed: &'static str,
}

const ELEMENT: Part = Part {
    named: Named::Element,
    called: "data element",
    missing: "E8102",
    unknown: "E8103",
    malformed: "E8104",
};
const UNIT: Part = Part {
    named: Named::Unit,
    called: "org unit",
    missing: "E8105",
    unknown: "E8107",
    malformed: "E8106",
};
const COMBO: Part = Part {
    named: Named::Combo,
    called: "category option combo",
    missing: "",
    unknown: "E8108",
    malformed: "E8109",
};
const ATTRIBUTE_COMBO: Part = Part {
    named: Named::AttributeCombo,
    called: "attribute option combo",
    missing: "",
    unknown: "E8110",
    malformed: "E8111",
};

impl<'a> Decoder<'a> {
    fn group_period(&self) -> Option<&'a str> {
        let text = self.payload.period.as_deref();
        text.filter(|text| !text.is_empty())
    }

    fn value(&mut self, index: usize, given: &Given) -> Result<Value, Undecodable> {
        let payload = self.payload;
        // An empty period is one that was given: the group's does not stand in for it.
        let text = match given.period.as_deref() {
            Some(text) => Some(text).filter(|text| !text.is_empty()),
            None => self.group_period(),
        };
        let Some(text) = text else {
            return missing("E8100", "period", index, given);
        };
        let period = self.period(text)?;
        let element = self.required(index, given, given.element.as_deref(), &ELEMENT)?;
        let unit = given.unit.as_deref().or(payload.unit.as_deref());
        let unit = self.required(index, given, unit, &UNIT)?;
        let given_text = |text: &'_ Option<String>| text.clone().filter(|text| !text.is_empty());
        let combo = self.optional(index, given_text(&given.combo), &COMBO)?;
        let own = given_text(&given.attribute_combo);
        let attribute_combo = own.or_else(|| payload.attribute_combo.clone());
        let attribute_combo = self.optional(index, attribute_combo, &ATTRIBUTE_COMBO)?;
        Ok(Value {
            index,
            element,
            period,
            unit,
            combo,
            attribute_combo,
            value: given.value.clone(),
            comment: given.comment.clone(),
            follow_up: given.follow_up,
            deleted: given.deleted,
        })
    }

    /// An unreadable period is an exception the server stumbles over only later.
    fn period(&mut self, text: &str) -> Result<Period, Undecodable> {
        if let Some(period) = self.periods.get(text) {
            return Ok(period.clone());
        }
        let Some(period) = Period::parse(text, self.view.dialect) else {
            let message = "Cannot invoke \"org.hisp.dhis.datavalue.DataEntryGroup.deletion()\" because \"group\" is null";
            return Err(Undecodable::Exception(Refusal::new(500, message)));
        };
        self.periods.insert(text.to_owned(), period.clone());
        Ok(period)
    }

    fn required(
        &mut self,
        index: usize,
        given: &Given,
        name: Option<&str>,
        part: &Part,
    ) -> Result<Arc<str>, Undecodable> {
        match name {
            Some(name) => self.id(index, name, part),
            None => missing(part.missing, part.called, index, given),
        }
    }

    fn optional(
        &mut self,
        index: usize,
        name: Option<String>,
        part: &Part,
    ) -> Result<Option<Arc<str>>, Undecodable> {
        name.map(|name| self.id(index, &name, part)).transpose()
    }

    fn id(&mut self, index: usize, name: &str, part: &Part) -> Result<Arc<str>, Undecodable> {
        let number = index.to_string();
        let called = part.called;
        let Some(id) = self.names.id_of(part.named, name) else {
            let text = format!("Value #{index} {called} not found: `{name}`");
            return error(part.unknown, [&number, name], text);
        };
        if !is_uid(id) {
            let text = format!("Value #{index} {called} UID not valid: `{id}`");
            return error(part.malformed, [&number, id], text);
        }
        let held = self
            .interned
            .entry(id.to_owned())
            .or_insert_with(|| id.into());
        Ok(Arc::clone(held))
    }
}

fn error<T, const N: usize>(
    code: &'static str,
    arguments: [&str; N],
    text: String,
) -> Result<T, Undecodable> {
    Err(Undecodable::Error(GroupError {
        code,
        arguments: arguments
            .iter()
            .map(|argument| (*argument).to_owned())
            .collect(),
        text,
    }))
}

/// The message shows the value as Java prints its record.
fn missing<T>(
    code: &'static str,
    called: &str,
    index: usize,
    given: &Given,
) -> Result<T, Undecodable> {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "null".to_owned());
    let flag = |flag: Option<bool>| flag.map_or_else(|| "null".to_owned(), |flag| flag.to_string());
    let shown = format!(
        "Input[dataElement={}, orgUnit={}, categoryOptionCombo={}, categoryOptions=null, attributeOptionCombo={}, attributeCombo=null, attributeOptions=null, period={}, value={}, comment={}, followUp={}, deleted={}]",
        text(&given.element),
        text(&given.unit),
        text(&given.combo),
        text(&given.attribute_combo),
        text(&given.period),
        text(&given.value),
        text(&given.comment),
        flag(given.follow_up),
        flag(given.deleted),
    );
    let message = format!("Value #{index} {called} not defined in group or value: `{shown}`");
    error(code, [&index.to_string(), &shown], message)
}
