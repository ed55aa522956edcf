//! A data value of a document, in DHIS2's own names.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::domain::{Cell, Period, Triple, Uid};

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct DataValue<'v> {
    data_element: Uid,
    period: Period,
    org_unit: Uid,
    category_option_combo: Uid,
    attribute_option_combo: Uid,
    #[serde(borrow)]
    pub(super) value: Cow<'v, str>,
}

impl<'v> DataValue<'v> {
    pub(super) fn new(cell: Cell, value: &'v str) -> DataValue<'v> {
        DataValue {
            data_element: cell.triple.data_element,
            period: cell.period,
            org_unit: cell.org_unit,
            category_option_combo: cell.triple.category_option_combo,
            attribute_option_combo: cell.triple.attribute_option_combo,
            value: Cow::Borrowed(value),
        }
    }

    pub(super) fn cell(&self) -> Cell {
        Cell {
            period: self.period,
            org_unit: self.org_unit,
            triple: Triple {
                data_element: self.data_element,
                category_option_combo: self.category_option_combo,
                attribute_option_combo: self.attribute_option_combo,
            },
        }
    }
}
