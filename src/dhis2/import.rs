//! `POST /api/dataValueSets`: the one request that writes, in the form that every version from 2.38 on reads alike.

use std::io;

use serde::{Serialize, Serializer};
use serde_json::ser::Formatter;

use super::Dhis2;
use super::error::{Dhis2Error, Kind};
use super::request::unanswered;
use super::summary::{ImportSummary, summary};
use crate::domain::{Cell, Uid};

/// What DHIS2 is to do with the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    Store,
    /// It checks and counts them, and stores nothing.
    DryRun,
}

/// Lenient checks store values in units, combos and periods where no form shows them, so all strict ones are asked
/// for; DHIS2 ≥ 2.43 has no others. `dryRun` is in URL and body: the body wins over the URL, in all versions and both
/// ways.
const QUERY: [(&str, &str); 11] = [
    ("importStrategy", "CREATE_AND_UPDATE"),
    ("strictPeriods", "true"),
    ("strictDataElements", "true"),
    ("strictCategoryOptionCombos", "true"),
    ("strictAttributeOptionCombos", "true"),
    ("strictOrganisationUnits", "true"),
    ("requireCategoryOptionCombo", "true"),
    ("requireAttributeOptionCombo", "true"),
    ("strictDataSetApproval", "true"),
    ("strictDataSetLocking", "true"),
    ("strictDataSetInputPeriods", "true"),
];

/// A value to write. All values of one import have one period, and no two the same cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OutgoingValue<'a> {
    pub(crate) cell: Cell,
    /// Never empty, of a delete neither: DHIS2 2.41–2.42 fails on a delete without a value where there is an option set.
    pub(crate) value: &'a str,
    pub(crate) comment: Option<&'a str>,
    pub(crate) follow_up: bool,
    pub(crate) deleted: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    data_set: Uid,
    dry_run: bool,
    data_values: &'a [OutgoingValue<'a>],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member<'a> {
    data_element: Uid,
    period: crate::domain::Period,
    org_unit: Uid,
    category_option_combo: Uid,
    attribute_option_combo: Uid,
    value: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<&'a str>,
    /// As DHIS2 ≤ 2.42 reads it,
    followup: bool,
    /// and as ≥ 2.43 does.
    follow_up: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    deleted: bool,
}

impl Serialize for OutgoingValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let member = Member {
            data_element: self.cell.triple.data_element,
            period: self.cell.period,
            org_unit: self.cell.org_unit,
            category_option_combo: self.cell.triple.category_option_combo,
            attribute_option_combo: self.cell.triple.attribute_option_combo,
            value: self.value,
            comment: self.comment,
            followup: self.follow_up,
            follow_up: self.follow_up,
            deleted: self.deleted,
        };
        member.serialize(serializer)
    }
}

/// It is some 2 MB long where each of 2,000 values is rejected for a few reasons, in the words of DHIS2 ≤ 2.42.
const LARGEST_SUMMARY: u64 = 8 << 20;

impl Dhis2 {
    /// Sends the values once and never again by itself. An error that is temporary and not `nothing_sent` leaves open
    /// what was stored; sending the same again is safe, because values are absolute.
    pub(crate) fn import(
        &mut self,
        data_set: Uid,
        values: &[OutgoingValue<'_>],
        purpose: Purpose,
    ) -> Result<ImportSummary, Dhis2Error> {
        let doing = match purpose {
            Purpose::Store => format!("importing {} values of data set {data_set}", values.len()),
            Purpose::DryRun => format!(
                "asking DHIS2's dry run about {} values of data set {data_set}",
                values.len()
            ),
        };
        let dry_run = match purpose {
            Purpose::Store => "false",
            Purpose::DryRun => "true",
        };
        let mut query = vec![("dryRun", dry_run)];
        query.extend(QUERY);
        let json = body(data_set, values, purpose).map_err(|error| {
            Dhis2Error::new(
                Kind::Temporary { nothing_sent: true },
                format!("{doing}: {error}"),
            )
        })?;
        let answer = self.post(&doing, "dataValueSets", &query, &json)?;
        let answer = answer.bytes_up_to(LARGEST_SUMMARY);
        let answer = answer.map_err(|error| unanswered(&doing, &error))?;
        summary(&answer).ok_or_else(|| {
            let what = format!(
                "{doing}: DHIS2's answer has no import summary; the next run compares again"
            );
            Dhis2Error::new(
                Kind::Temporary {
                    nothing_sent: false,
                },
                what,
            )
        })
    }
}

/// The body is in ASCII, which every server reads alike whatever its default charset is.
fn body(
    data_set: Uid,
    values: &[OutgoingValue<'_>],
    purpose: Purpose,
) -> serde_json::Result<Vec<u8>> {
    let mut json = Vec::with_capacity(256 * values.len());
    let document = Body {
        data_set,
        dry_run: purpose == Purpose::DryRun,
        data_values: values,
    };
    document.serialize(&mut serde_json::Serializer::with_formatter(
        &mut json, Ascii,
    ))?;
    Ok(json)
}

struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        if fragment.is_ascii() {
            return writer.write_all(fragment.as_bytes());
        }
        for c in fragment.chars() {
            if c.is_ascii() {
                write!(writer, "{c}")?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{OutgoingValue, Purpose, body};
    use crate::domain::{Cell, Triple, Uid};

    fn uid(text: &str) -> Uid {
        text.parse().expect("a UID")
    }

    #[test]
    fn a_body_is_ascii_and_has_all_that_either_engine_reads() {
        let cell = Cell {
            period: "202503".parse().expect("a period"),
            org_unit: uid("VsF9dWr6arv"),
            triple: Triple {
                data_element: uid("M1eFRJpEkoO"),
                category_option_combo: uid("HllvX50cXC0"),
                attribute_option_combo: uid("vRXzaVCWYsn"),
            },
        };
        let values = [
            OutgoingValue {
                cell,
                value: "5",
                comment: Some("zwölf \"😀\""),
                follow_up: true,
                deleted: false,
            },
            OutgoingValue {
                cell,
                value: "5",
                comment: None,
                follow_up: false,
                deleted: true,
            },
        ];
        let text = |purpose| {
            let body = body(uid("YE8SgpSMBQ9"), &values, purpose).expect("JSON");
            String::from_utf8(body).expect("UTF-8")
        };
        let dry: serde_json::Value = serde_json::from_str(&text(Purpose::DryRun)).expect("JSON");
        assert_eq!(dry["dryRun"], true);
        let text = text(Purpose::Store);
        assert!(text.is_ascii(), "{text}");
        let expected = serde_json::json!({
            "dataSet": "YE8SgpSMBQ9",
            "dryRun": false,
            "dataValues": [
                {
                    "dataElement": "M1eFRJpEkoO", "period": "202503", "orgUnit": "VsF9dWr6arv",
                    "categoryOptionCombo": "HllvX50cXC0", "attributeOptionCombo": "vRXzaVCWYsn",
                    "value": "5", "comment": "zwölf \"😀\"", "followup": true, "followUp": true,
                },
                {
                    "dataElement": "M1eFRJpEkoO", "period": "202503", "orgUnit": "VsF9dWr6arv",
                    "categoryOptionCombo": "HllvX50cXC0", "attributeOptionCombo": "vRXzaVCWYsn",
                    "value": "5", "followup": false, "followUp": false, "deleted": true,
                },
            ],
        });
        let read: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read, expected);
    }
}
