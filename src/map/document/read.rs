//! Reads a document back, value by value, into as little memory as mapping it took.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::data_value::DataValue;
use super::header::{DocumentError, DocumentHeader, VERSION};
use super::whole::ensure_whole;
use crate::domain::{Desired, DesiredCell, Text, Uid};

/// Reads a document from JSON and checks that it adds up. Returns when it was created too.
pub(crate) fn read(json: &[u8]) -> Result<(Desired, Timestamp), DocumentError> {
    if json.iter().all(u8::is_ascii_whitespace) {
        return Err(DocumentError("the input is empty".to_owned()));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let (desired, created) = deserializer
        .deserialize_map(DocumentVisitor)
        .and_then(|read| deserializer.end().map(|()| read))
        .map_err(|error| DocumentError(describe(&error)))?;
    ensure_whole(&desired)?;
    let created = created
        .parse()
        .map_err(|_| DocumentError("it does not say when it was created".to_owned()))?;
    Ok((desired, created))
}

/// Says what is wrong without repeating a value: serde's own texts can hold one.
fn describe(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    // Only at the beginning: serde repeats names it does not know, and they can hold anything.
    let ours = text
        .strip_prefix(OURS)
        .and_then(|rest| rest.split_once(OURS))
        .map(|(ours, _)| ours.to_owned());
    match (ours, error.is_eof()) {
        (Some(ours), _) => ours,
        (None, true) => "the input ends in the middle".to_owned(),
        (None, false) if error.is_syntax() => format!("not JSON at line {line}, column {column}"),
        (None, false) => format!("not of the form `map` writes, at line {line}, column {column}"),
    }
}

/// Stands around messages of our own in serde's errors.
const OURS: char = '\u{1}';

fn ours<E: Error>(message: &str) -> E {
    E::custom(format!("{OURS}{message}{OURS}"))
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    /// The desired values, and the moment at which the document was created, as text.
    type Value = (Desired, String);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a document written by `pg2dhis2 map`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(Desired, String), A::Error> {
        const NOT_OURS: &str =
            "not written by `pg2dhis2 map`: its first member must be \"pg2dhis2\"";
        match map.next_key::<Cow<'_, str>>()? {
            Some(key) if key == "pg2dhis2" => {}
            _ => return Err(ours(NOT_OURS)),
        }
        let header = map.next_value_seed(HeaderSeed)?;
        if map.next_key::<Cow<'_, str>>()?.as_deref() != Some("dataSet") {
            return Err(ours("its second member must be \"dataSet\""));
        }
        let data_set: Uid = map.next_value()?;
        if map.next_key::<Cow<'_, str>>()?.as_deref() != Some("dataValues") {
            return Err(ours("its third member must be \"dataValues\""));
        }
        let space = header.space();
        let created = header.created.clone();
        let mut desired = header
            .into_desired(data_set, space)
            .map_err(|error| ours(&error.0))?;
        map.next_value_seed(ValuesSeed(&mut desired))?;
        if map.next_key::<Cow<'_, str>>()?.is_some() {
            return Err(ours("it has a member that `map` does not write"));
        }
        Ok((desired, created))
    }
}

/// Looks at the version before anything else, so that another one is told as such.
struct HeaderSeed;

impl<'de> DeserializeSeed<'de> for HeaderSeed {
    type Value = DocumentHeader;

    fn deserialize<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<DocumentHeader, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        match value.get("version").and_then(serde_json::Value::as_str) {
            Some(VERSION) => {}
            Some(_) => {
                return Err(ours(
                    "it was written by another version of pg2dhis2; run `map` again",
                ));
            }
            None => return Err(ours("its member \"pg2dhis2\" has no version")),
        }
        serde_json::from_value(value)
            .map_err(|_| ours("its member \"pg2dhis2\" is not of the form `map` writes"))
    }
}

struct ValuesSeed<'d>(&'d mut Desired);

impl<'de> DeserializeSeed<'de> for ValuesSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for ValuesSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let desired = self.0;
        while let Some(value) = seq.next_element::<DataValue<'de>>()? {
            let cell = value.cell();
            if desired.periods.binary_search(&cell.period).is_err() {
                return Err(ours(
                    "a data value is of a period that the document does not name",
                ));
            }
            let key = desired.space.intern(&cell);
            desired.cells.push(DesiredCell {
                key,
                value: Text::from(&*value.value),
            });
        }
        let renumbered = desired.space.sort();
        for cell in &mut desired.cells {
            cell.key = renumbered.key(cell.key);
        }
        desired.incomplete = std::mem::take(&mut desired.incomplete)
            .into_iter()
            .map(|(key, why)| (renumbered.key(key), why))
            .collect();
        desired.cells.sort_unstable_by_key(|cell| cell.key);
        Ok(())
    }
}
