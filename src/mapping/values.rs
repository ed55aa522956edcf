//! Where a row's values stand: in one column, or in one column for each data element.

use crate::domain::Uid;

#[derive(Debug)]
pub(crate) enum Values {
    /// One value a row.
    Long { column: String },
    /// One value a column; each is a row of its own in the accounting.
    Wide(Vec<WideColumn>),
}

#[derive(Debug)]
pub(crate) struct WideColumn {
    pub(crate) column: String,
    pub(crate) data_element: Uid,
    /// Instead of what the category option combo's dimension says.
    pub(crate) category_option_combo: Option<Uid>,
}

impl Values {
    /// The columns that hold values.
    pub(crate) fn columns(&self) -> Vec<&str> {
        match self {
            Values::Long { column } => vec![column],
            Values::Wide(columns) => columns.iter().map(|each| each.column.as_str()).collect(),
        }
    }
}
