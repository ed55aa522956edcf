//! Writes a document: first what `push` needs, then what `POST /api/dataValueSets` takes.

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::data_value::DataValue;
use super::header::DocumentHeader;
use crate::domain::Desired;

/// A mapping's desired values as JSON: `{"pg2dhis2": …, "dataSet": …, "dataValues": […]}`.
pub(crate) struct Document<'d> {
    pub(crate) desired: &'d Desired,
    /// RFC 3339.
    pub(crate) created: String,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry(
            "pg2dhis2",
            &DocumentHeader::of(self.desired, self.created.clone()),
        )?;
        map.serialize_entry("dataSet", &self.desired.data_set)?;
        map.serialize_entry("dataValues", &DataValues(self.desired))?;
        map.end()
    }
}

struct DataValues<'d>(&'d Desired);

impl Serialize for DataValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut values = serializer.serialize_seq(Some(self.0.cells.len()))?;
        for cell in &self.0.cells {
            if let Some(whole) = self.0.space.cell(cell.key) {
                values.serialize_element(&DataValue::new(whole, cell.value.as_str()))?;
            }
        }
        values.end()
    }
}
