//! Data values as text, in the order of fields in which servers write them: what stands above them comes first.

use std::collections::HashMap;
use std::rc::Rc;

use jiff::civil::DateTime;
use serde::Serialize;

use super::clock::with_offset;

/// The answer to a read.
#[derive(Serialize)]
pub(crate) struct Body<'b> {
    #[serde(rename = "dataSet", skip_serializing_if = "Option::is_none")]
    pub(crate) data_set: Option<&'b str>,
    /// The inner `None` is written as null.
    #[serde(rename = "completeDate", skip_serializing_if = "Option::is_none")]
    pub(crate) complete_date: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<&'b str>,
    #[serde(rename = "orgUnit", skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<&'b str>,
    #[serde(
        rename = "attributeOptionCombo",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) attribute_combo: Option<&'b str>,
    #[serde(rename = "dataValues")]
    pub(crate) values: Vec<Shown<'b>>,
}

impl Body<'_> {
    pub(crate) fn as_text(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text, truth values and lists can be written")
    }
}

/// One value; `None` is left out, an inner `None` written as null.
#[derive(Serialize)]
pub(crate) struct Shown<'b> {
    #[serde(rename = "dataElement")]
    pub(crate) element: &'b str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) period: Option<&'b str>,
    #[serde(rename = "orgUnit", skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<&'b str>,
    #[serde(rename = "categoryOptionCombo")]
    pub(crate) combo: &'b str,
    #[serde(
        rename = "attributeOptionCombo",
        skip_serializing_if = "Option::is_none"
    )]
    pub(crate) attribute_combo: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<Option<&'b str>>,
    #[serde(rename = "storedBy")]
    pub(crate) stored_by: &'b str,
    #[serde(serialize_with = "as_text")]
    pub(crate) created: Rc<str>,
    #[serde(rename = "lastUpdated", serialize_with = "as_text")]
    pub(crate) last_updated: Rc<str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) comment: Option<Option<&'b str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) followup: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<bool>,
}

fn as_text<S: serde::Serializer>(text: &Rc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(text)
}

/// Moments as text, each written once: thousands of rows share them.
#[derive(Default)]
pub(crate) struct Moments(HashMap<DateTime, Rc<str>>);

impl Moments {
    pub(crate) fn text_of(&mut self, moment: DateTime) -> Rc<str> {
        let text = self
            .0
            .entry(moment)
            .or_insert_with(|| with_offset(moment).into());
        Rc::clone(text)
    }
}
