//! The import summary: DHIS2's account of one import, in the forms of both engines.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::domain::Uid;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportSummary {
    pub(crate) status: Status,
    /// The import ended by an exception (≤ 2.42): values before it stay stored.
    pub(crate) broke: bool,
    pub(crate) imported: u64,
    pub(crate) updated: u64,
    pub(crate) ignored: u64,
    pub(crate) deleted: u64,
    pub(crate) conflicts: Vec<Conflict>,
    /// The server writes them so; some versions have none.
    pub(crate) rejected_indexes: Vec<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Status {
    Success,
    Warning,
    Error,
}

/// Made from what the server writes one by one: there may be a million of them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "RawConflict")]
pub(crate) struct Conflict {
    /// DHIS2's error code; a few old conflicts have none.
    pub(crate) code: Option<String>,
    /// The values it is about, as the server writes them: −1 for one it does not tell.
    pub(crate) indexes: Vec<i64>,
    /// The UIDs it names.
    pub(crate) named: Vec<Uid>,
    /// The values it tells only in its arguments: `3-short`, `[0, 3]-DataValueKey[…]`.
    pub(crate) numbered: Vec<usize>,
}

/// The summary in the answer to an import; `None` if there is none or its counts are no counts.
pub(crate) fn summary(answer: &[u8]) -> Option<ImportSummary> {
    let message: Message = serde_json::from_slice(answer).ok()?;
    let raw = message.response;
    Some(ImportSummary {
        status: raw.status,
        broke: raw
            .description
            .is_some_and(|text| text.starts_with("The import process failed")),
        imported: raw.import_count.imported,
        updated: raw.import_count.updated,
        ignored: raw.import_count.ignored,
        deleted: raw.import_count.deleted,
        conflicts: raw.conflicts,
        rejected_indexes: raw.rejected_indexes,
    })
}

#[derive(Deserialize)]
struct Message {
    response: RawSummary,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSummary {
    status: Status,
    description: Option<String>,
    import_count: Counts,
    #[serde(default)]
    conflicts: Vec<Conflict>,
    #[serde(default)]
    rejected_indexes: Vec<i64>,
}

#[derive(Deserialize)]
struct Counts {
    imported: u64,
    updated: u64,
    ignored: u64,
    deleted: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawConflict {
    error_code: Option<String>,
    #[serde(default)]
    objects: Map<String, Value>,
    #[serde(default)]
    indexes: Vec<i64>,
}

/// `objects` has a member for each object concerned (≤ 2.42), or one `args` with all arguments of the message, joined
/// by `-` (≥ 2.43).
impl From<RawConflict> for Conflict {
    fn from(raw: RawConflict) -> Conflict {
        let texts = || raw.objects.values().filter_map(Value::as_str);
        let named = texts()
            .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric()))
            .filter_map(|word| word.parse().ok())
            .collect();
        let arguments = raw.objects.get("args").and_then(Value::as_str);
        let first = arguments
            .and_then(|text| text.split('-').next())
            .unwrap_or_default();
        let numbered = first
            .trim_start_matches('[')
            .trim_end_matches(']')
            .split(", ")
            .filter_map(|number| number.parse().ok())
            .collect();
        Conflict {
            code: raw.error_code,
            indexes: raw.indexes,
            named,
            numbered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::summary;

    #[test]
    fn an_answer_without_a_whole_summary_is_none() {
        for answer in [
            "",
            "{}",
            "[]",
            "<html>",
            r#"{"httpStatus":"Conflict","status":"ERROR","message":"could not execute statement"}"#,
            r#"{"response":{"status":"SUCCESS"}}"#,
            r#"{"response":{"status":"SUCCESS","importCount":{"imported":-1,"updated":0,"ignored":0,"deleted":0}}}"#,
            r#"{"response":{"status":"SUCCESS","importCount":{"imported":1,"updated":0,"ignored":0,"deleted":0}"#,
        ] {
            assert_eq!(summary(answer.as_bytes()), None, "{answer}");
        }
    }
}
