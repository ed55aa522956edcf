//! Lists of DHIS2's objects by their ids, and what every object has.

use serde::Deserialize;

use super::Dhis2;
use super::error::Dhis2Error;
use crate::domain::Uid;

/// Objects asked for by id in one request, so that its URL stays far below the 8 KiB a Tomcat takes.
pub(super) const IDS: usize = 100;

#[derive(Clone, Deserialize)]
pub(super) struct Reference {
    pub(super) id: Uid,
}

#[derive(Clone, Deserialize)]
pub(super) struct Access {
    pub(super) data: DataAccess,
}

#[derive(Clone, Deserialize)]
pub(super) struct DataAccess {
    #[serde(default = "permitted")]
    pub(super) read: bool,
    pub(super) write: bool,
}

fn permitted() -> bool {
    true
}

impl Dhis2 {
    /// The objects of a kind with these ids.
    pub(super) fn listed<T: serde::de::DeserializeOwned>(
        &mut self,
        kind: &str,
        fields: &str,
        ids: &[Uid],
    ) -> Result<T, Dhis2Error> {
        let ids: Vec<String> = ids.iter().map(Uid::to_string).collect();
        let filter = format!("id:in:[{}]", ids.join(","));
        let query = [
            ("filter", filter.as_str()),
            ("fields", fields),
            ("paging", "false"),
        ];
        self.document(&format!("reading {kind}"), kind, &query)
    }
}
