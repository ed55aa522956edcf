//! `/api/completeDataSetRegistrations`: what is registered as complete, and registering more.

use serde::{Deserialize, Serialize};

use super::Dhis2;
use super::blocks::blocks;
use super::error::{Dhis2Error, Kind};
use super::refusal::shown;
use super::request::unanswered;
use crate::domain::{Period, Registration, Uid};

const PATH: &str = "completeDataSetRegistrations";

/// A registration as DHIS2 shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LiveRegistration {
    pub(crate) registration: Registration,
    /// False: somebody took it back in the data entry app, which keeps the registration.
    pub(crate) completed: bool,
    pub(crate) stored_by: Option<String>,
}

/// What DHIS2 says of registrations it was asked to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RegistrationSummary {
    /// New ones and those that were there already.
    pub(crate) made: u64,
    /// What DHIS2 says of it in its own words, which may be fewer than what it did not make: each names one object, not a registration.
    pub(crate) conflicts: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    #[serde(default)]
    complete_data_set_registrations: Vec<RegistrationRow>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationRow {
    data_set: Uid,
    period: Period,
    organisation_unit: Uid,
    attribute_option_combo: Uid,
    stored_by: Option<String>,
    completed: Option<bool>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationBody {
    complete_data_set_registrations: Vec<Outgoing>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outgoing {
    data_set: Uid,
    period: Period,
    organisation_unit: Uid,
    attribute_option_combo: Uid,
    completed: bool,
}

#[derive(Deserialize)]
struct RegistrationMessage {
    message: Option<String>,
    response: Option<RegistrationResponse>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegistrationResponse {
    import_count: RegistrationCounts,
    #[serde(default)]
    conflicts: Vec<RegistrationConflict>,
}

#[derive(Deserialize)]
struct RegistrationCounts {
    imported: u64,
    updated: u64,
}

#[derive(Deserialize)]
struct RegistrationConflict {
    object: Option<String>,
    value: Option<String>,
}

impl Dhis2 {
    /// Every registration of the data set in these periods and units, of any attribute option combo and by anybody.
    /// The units must lie in the account's hierarchy.
    pub(crate) fn registrations(
        &mut self,
        data_set: Uid,
        periods: &[Period],
        units: &[Uid],
    ) -> Result<Vec<LiveRegistration>, Dhis2Error> {
        let doing = format!("reading what is registered as complete of data set {data_set}");
        let data_set = data_set.to_string();
        let mut found = Vec::new();
        for (periods, units) in blocks(periods, units) {
            let periods: Vec<String> = periods.iter().map(Period::to_string).collect();
            let units: Vec<String> = units.iter().map(Uid::to_string).collect();
            let mut query = vec![("dataSet", data_set.as_str())];
            query.extend(periods.iter().map(|period| ("period", period.as_str())));
            query.extend(units.iter().map(|unit| ("orgUnit", unit.as_str())));
            let shown: Shown = self.document(&doing, PATH, &query)?;
            let rows = shown.complete_data_set_registrations.into_iter();
            found.extend(rows.map(LiveRegistration::from));
        }
        Ok(found)
    }

    /// Asks once for these to be registered, without a message to anybody. DHIS2 says `SUCCESS` as soon as one of them
    /// was, so that only its counts, its conflicts and reading back tell.
    pub(crate) fn complete(
        &mut self,
        registrations: &[Registration],
    ) -> Result<RegistrationSummary, Dhis2Error> {
        let doing = format!("registering {} as complete", registrations.len());
        let unclear = |nothing_sent: bool, what: &str| {
            let kind = Kind::Temporary { nothing_sent };
            Dhis2Error::new(kind, format!("{doing}: {what}; the next run looks again"))
        };
        let body = RegistrationBody {
            complete_data_set_registrations: registrations.iter().map(Outgoing::from).collect(),
        };
        let json = serde_json::to_vec(&body).map_err(|error| unclear(true, &error.to_string()))?;
        let answer = self.post(&doing, PATH, &[("skipNotifications", "true")], &json)?;
        let answer = answer.bytes().map_err(|error| unanswered(&doing, &error))?;
        let message: RegistrationMessage = serde_json::from_slice(&answer)
            .map_err(|_| unclear(false, "DHIS2's answer has no import summary"))?;
        let Some(RegistrationResponse {
            import_count,
            conflicts,
        }) = message.response
        else {
            let words = shown(message.message.as_deref().unwrap_or("no reason given"));
            return Err(unclear(false, &format!("DHIS2 did not do it ({words})")));
        };
        Ok(RegistrationSummary {
            made: import_count.imported + import_count.updated,
            conflicts: conflicts.iter().map(RegistrationConflict::words).collect(),
        })
    }
}

impl RegistrationConflict {
    /// `Organisation unit not found or not accessible (Aaaaaaaaaa1)`.
    fn words(&self) -> String {
        let value = shown(self.value.as_deref().unwrap_or("no reason given"));
        match &self.object {
            Some(object) => format!("{value} ({})", shown(object)),
            None => value,
        }
    }
}

impl From<RegistrationRow> for LiveRegistration {
    fn from(row: RegistrationRow) -> LiveRegistration {
        LiveRegistration {
            registration: Registration {
                data_set: row.data_set,
                period: row.period,
                org_unit: row.organisation_unit,
                attribute_option_combo: row.attribute_option_combo,
            },
            completed: row.completed.unwrap_or(true),
            stored_by: row.stored_by,
        }
    }
}

impl From<&Registration> for Outgoing {
    fn from(registration: &Registration) -> Outgoing {
        Outgoing {
            data_set: registration.data_set,
            period: registration.period,
            organisation_unit: registration.org_unit,
            attribute_option_combo: registration.attribute_option_combo,
            completed: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LiveRegistration, RegistrationSummary};
    use crate::dhis2::error::Kind;
    use crate::dhis2::recorded::{answer, answering, recorded};
    use crate::domain::{DEFAULT_COMBO, Registration, Uid};

    const VERSIONS: [&str; 2] = ["2.42.5.2", "2.43.1"];

    fn uid(text: &str) -> Uid {
        text.parse().expect("a UID")
    }

    /// The one of the recordings.
    fn registration() -> Registration {
        Registration {
            data_set: uid("YE8SgpSMBQ9"),
            period: "202503".parse().expect("a period"),
            org_unit: uid("VsF9dWr6arv"),
            attribute_option_combo: DEFAULT_COMBO,
        }
    }

    #[test]
    fn what_is_registered_is_read_from_both_servers() {
        for version in VERSIONS {
            let (mut dhis2, served) = answering(vec![recorded(version, "completeness", 3)]);
            let wanted = registration();
            let found = dhis2.registrations(wanted.data_set, &[wanted.period], &[wanted.org_unit]);
            let expected = LiveRegistration {
                registration: wanted,
                completed: true,
                stored_by: Some("loader".to_owned()),
            };
            assert_eq!(found.expect("registrations"), [expected]);
            let asked = served.join().expect("asked once");
            assert_eq!(
                asked,
                [
                    "GET /dhis/api/completeDataSetRegistrations?dataSet=YE8SgpSMBQ9&period=202503&orgUnit=VsF9dWr6arv HTTP/1.1"
                ]
            );
        }
    }

    #[test]
    fn a_success_that_hides_a_conflict_tells_it_and_nobody_gets_a_message() {
        for version in VERSIONS {
            let answers = vec![
                recorded(version, "completeness", 0),
                recorded(version, "completeness", 1),
                recorded(version, "completeness", 2),
            ];
            let (mut dhis2, served) = answering(answers);
            let mut told = || dhis2.complete(&[registration()]).expect("a summary");
            let all_made = RegistrationSummary {
                made: 1,
                conflicts: Vec::new(),
            };
            assert_eq!(told(), all_made);
            let one_hidden = RegistrationSummary {
                made: 1,
                conflicts: vec![
                    "Organisation unit not found or not accessible (Aaaaaaaaaa1)".to_owned(),
                ],
            };
            assert_eq!(told(), one_hidden);
            assert_eq!(told().made, 0);
            for asked in served.join().expect("asked") {
                assert_eq!(
                    asked,
                    "POST /dhis/api/completeDataSetRegistrations?skipNotifications=true HTTP/1.1"
                );
            }
        }
    }

    #[test]
    fn an_answer_without_a_summary_leaves_open_what_was_registered() {
        let json = [("content-type", "application/json")];
        for body in ["{}", "[]", r#"{"response":{"importCount":{"imported":1}}}"#] {
            let (mut dhis2, served) = answering(vec![answer(200, &json, body)]);
            let error = dhis2.complete(&[registration()]).expect_err("no summary");
            let unclear = Kind::Temporary {
                nothing_sent: false,
            };
            assert_eq!(error.kind, unclear, "{body}");
            served.join().expect("asked once");
        }
    }
}
