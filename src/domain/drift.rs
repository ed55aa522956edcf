//! What changed in DHIS2 since the objects of a mapping were pinned.

use serde::Serialize;

use super::Uid;

/// One change of one object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Drift {
    pub(crate) change: Changed,
    pub(crate) object: Uid,
    /// Values would be refused or mean something else; else it is worth a note.
    pub(crate) harmful: bool,
    /// The change as a sentence, with what people call the object.
    pub(crate) text: String,
}

impl Drift {
    /// People read it so.
    pub(crate) fn sentence(&self) -> String {
        let beginning = if self.harmful { "harmful" } else { "note" };
        format!("{beginning}: {}", self.text)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Changed {
    /// The name or the code.
    Name,
    PeriodType,
    ValueType,
    AggregationType,
    ZeroIsSignificant,
    /// The data element is in the data set no more, or gone.
    DataElement,
    /// The option combos that a data element or the data set has.
    CategoryCombo,
    /// The category options that an option combo is made of.
    CategoryOptions,
    OrgUnitClosed,
    OrgUnitMoved,
    /// Not assigned to the data set any more, or gone.
    OrgUnit,
    /// Assigned since, and no row reports to it.
    NewOrgUnit,
}
