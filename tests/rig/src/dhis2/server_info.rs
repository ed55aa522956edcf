//! What the server says about itself and about who is asking: `/api/system/info` and `/api/me`.

use jiff::civil::{DateTime, date};
use serde_json::{Value, json};

use super::Dialect;
use super::answer::{Answer, Refusal};
use super::clock::without_offset;
use super::fields::Fields;
use super::properties::{View, user_object};
use super::request::Query;

/// The identity of every stand-in. The recordings leave it out, as all that describes one machine; every account is told it.
pub const SYSTEM_ID: &str = "7b0c1d62-5a8e-4f3b-9c47-21de60a9f585";

/// `GET /api/system/info`, without what describes the machine.
pub(crate) fn system_info(view: &View, analytics: Option<DateTime>) -> Answer {
    // Analytics have never run, which DHIS2 writes as the beginning of Unix time.
    let never = without_offset(date(1970, 1, 1).at(0, 0, 0, 0));
    let hours = view
        .now
        .date()
        .since(date(1970, 1, 1))
        .map_or(0, |span| span.get_days())
        * 24;
    let since = format!("{hours} h, 0 m, 0 s");
    let mut info = json!({
        "calendar": "iso8601",
        "dateFormat": "yyyy-mm-dd",
        "serverDate": without_offset(view.now),
        "serverTimeZoneId": "Etc/UTC",
        "serverTimeZoneDisplayName": "Coordinated Universal Time",
        "lastAnalyticsTableSuccess": analytics.map_or(never.clone(), without_offset),
        "intervalSinceLastAnalyticsTableSuccess": since,
        "lastAnalyticsTableRuntime": "",
        "lastSystemMonitoringSuccess": never,
        "lastAnalyticsTablePartitionSuccess": never,
        "intervalSinceLastAnalyticsTablePartitionSuccess": since,
        "lastAnalyticsTablePartitionRuntime": "",
        "version": view.dialect.version(),
        "systemName": "DHIS 2",
        "systemId": SYSTEM_ID,
    });
    if view.dialect == Dialect::V2_43 {
        info["sessionTimeout"] = json!(3600);
        info["capability"] = json!({"analyticsTotalCounts": false});
    }
    Answer::json(&info)
}

/// `GET /api/systemSettings/<key>`: every setting has its default, which for those an importer asks about is false.
pub(crate) fn setting(key: &str) -> Result<Answer, Refusal> {
    let known = key == "keyIncludeZeroValuesInAnalytics"
        || key.starts_with("keyDataImportStrict")
        || key.starts_with("keyDataImportRequire");
    match known {
        true => Ok(Answer::json(&json!({ key: false }))),
        false => Err(Refusal::new(404, format!("Setting does not exist: {key}"))),
    }
}

/// `GET /api/me` and, with an authority, `/api/me/authorization/<authority>`.
pub(crate) fn me(view: &View, query: &Query, path: &[&str]) -> Option<Answer> {
    Some(match path {
        [] => {
            let fields = Fields::parse(query.first("fields").unwrap_or("*"));
            let user = user_object(view.account, view.metadata);
            Answer::json(&fields.of("users", &user, view))
        }
        ["authorization"] | ["authorities"] => Answer::json(&json!(view.account.authorities)),
        ["authorization" | "authorities", authority] => {
            Answer::json(&Value::Bool(view.account.has(authority)))
        }
        _ => return None,
    })
}
