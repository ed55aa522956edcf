//! What DHIS2 holds now: `GET /api/dataValueSets`, read as a stream.

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read};

use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Dhis2;
use super::blocks::{COMBOS, blocks, large_blocks};
use super::error::{Dhis2Error, Kind};
use super::request::{unanswered, unreadable};
use crate::domain::{Cell, DataSet, LiveRow, Period, Triple, Uid};
use crate::http::error::TransportError;

impl Dhis2 {
    /// Shows every row of the data set's elements in these periods and units once, deleted ones too, in no order. Rows that
    /// were entered for another data set come too, as DHIS2 selects by element.
    ///
    /// The attribute option combos are named that the account may read: without them DHIS2 2.43 reads everything once for
    /// each option combo of the server. What they are is believed of the answer alone, because 2.42 forgets those that it
    /// does not know and shows all. DHIS2 ≤ 2.42 answers a read it refuses with 200 and nothing, so only a whole document is
    /// believed. One unit outside the account's hierarchy refuses the whole read.
    pub(crate) fn live(
        &mut self,
        data_set: &DataSet,
        periods: &[Period],
        units: &[Uid],
        visit: &mut dyn FnMut(LiveRow<'_>),
    ) -> Result<(), Dhis2Error> {
        blocks(periods, units).try_for_each(|block| self.live_block(data_set, block, visit))
    }

    /// The same of many units of which hardly any has a value.
    pub(crate) fn live_of_many(
        &mut self,
        data_set: &DataSet,
        periods: &[Period],
        units: &[Uid],
        visit: &mut dyn FnMut(LiveRow<'_>),
    ) -> Result<(), Dhis2Error> {
        large_blocks(periods, units).try_for_each(|block| self.live_block(data_set, block, visit))
    }

    fn live_block(
        &mut self,
        data_set: &DataSet,
        (periods, units): (&[Period], &[Uid]),
        visit: &mut dyn FnMut(LiveRow<'_>),
    ) -> Result<(), Dhis2Error> {
        let doing = format!(
            "reading the values of data set {} ({} periods, {} units)",
            data_set.id,
            periods.len(),
            units.len()
        );
        let texts = |uids: &[Uid]| -> Vec<String> { uids.iter().map(Uid::to_string).collect() };
        let (data_set_id, units) = (data_set.id.to_string(), texts(units));
        let periods: Vec<String> = periods.iter().map(Period::to_string).collect();
        let combos = data_set.readable_attribute_option_combos();
        if combos.is_empty() {
            return Err(Dhis2Error::new(
                Kind::Target,
                format!(
                    "{doing}: the account may read data of none of its attribute option combos; change the data sharing of the category options"
                ),
            ));
        }
        let mut query = vec![
            ("dataSet", data_set_id.as_str()),
            ("includeDeleted", "true"),
        ];
        query.extend(periods.iter().map(|period| ("period", period.as_str())));
        query.extend(units.iter().map(|unit| ("orgUnit", unit.as_str())));

        // A read that was cut is repeated, and a server may show a row for several combos; but nothing is shown twice.
        let hasher = RandomState::new();
        let mut shown = HashSet::new();
        for combos in combos.chunks(COMBOS) {
            let combos = texts(combos);
            let mut query = query.clone();
            let named = combos
                .iter()
                .map(|combo| ("attributeOptionCombo", combo.as_str()));
            query.extend(named);
            self.patiently(|dhis2| {
                let answer = dhis2.get(&doing, "dataValueSets", &query)?;
                let mut once = |row: LiveRow<'_>| {
                    if shown.insert(hasher.hash_one(row.cell)) {
                        visit(row);
                    }
                };
                rows(answer.stream(), &doing, &mut once)
            })?;
        }
        Ok(())
    }
}

pub(crate) fn rows(
    body: impl Read,
    doing: &str,
    visit: &mut dyn FnMut(LiveRow<'_>),
) -> Result<(), Dhis2Error> {
    let mut body = BufReader::new(body);
    let beginning = body.fill_buf().map(<[u8]>::len);
    let length = beginning.map_err(|error| unanswered(doing, &TransportError::reading(&error)))?;
    if length == 0 {
        return Err(Dhis2Error::new(
            Kind::Target,
            format!(
                "{doing}: DHIS2 answered nothing, as it does where the account has no data read on the data set or a unit lies outside its hierarchy; check both"
            ),
        ));
    }
    let mut json = serde_json::Deserializer::from_reader(body);
    let header = Header::default();
    LiveDocument { header, visit }
        .deserialize(&mut json)
        .and_then(|()| json.end())
        .map_err(|error| unreadable(doing, error))
}

/// Dimensions that hold for every row without its own, as the answer tells them before its rows. DHIS2 ≥ 2.43 leaves out
/// of the rows what was asked for singly.
#[derive(Clone, Copy, Default)]
struct Header {
    period: Option<Period>,
    org_unit: Option<Uid>,
    attribute_option_combo: Option<Uid>,
}

/// A row as DHIS2 writes it; it has so many fields because that document does.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawLiveRow {
    data_element: Uid,
    period: Option<Period>,
    org_unit: Option<Uid>,
    category_option_combo: Uid,
    attribute_option_combo: Option<Uid>,
    value: Option<String>,
    comment: Option<String>,
    /// `followup` in ≤ 2.42 and, on the way out, in 2.43 too.
    #[serde(alias = "followUp")]
    followup: Option<bool>,
    stored_by: Option<String>,
    last_updated: Option<String>,
    deleted: Option<bool>,
}

impl RawLiveRow {
    fn show<E: Error>(&self, header: Header, visit: &mut dyn FnMut(LiveRow<'_>)) -> Result<(), E> {
        let period = self.period.or(header.period);
        let org_unit = self.org_unit.or(header.org_unit);
        let combo = self
            .attribute_option_combo
            .or(header.attribute_option_combo);
        let (Some(period), Some(org_unit), Some(attribute_option_combo)) =
            (period, org_unit, combo)
        else {
            return Err(E::custom("a row without one of its dimensions"));
        };
        visit(LiveRow {
            cell: Cell {
                period,
                org_unit,
                triple: Triple {
                    data_element: self.data_element,
                    category_option_combo: self.category_option_combo,
                    attribute_option_combo,
                },
            },
            value: self.value.as_deref(),
            comment: self.comment.as_deref(),
            follow_up: self.followup.unwrap_or(false),
            stored_by: self.stored_by.as_deref(),
            last_updated: self.last_updated.as_deref(),
            deleted: self.deleted.unwrap_or(false),
        });
        Ok(())
    }
}

struct LiveDocument<'v> {
    header: Header,
    visit: &'v mut dyn FnMut(LiveRow<'_>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum LiveMember {
    Period,
    OrgUnit,
    AttributeOptionCombo,
    DataValues,
    #[serde(other)]
    Other,
}

impl<'de> DeserializeSeed<'de> for LiveDocument<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for LiveDocument<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a data value set")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut complete = false;
        while let Some(member) = map.next_key()? {
            // A header member that is null says no more than one that is absent.
            match member {
                LiveMember::Period => self.header.period = map.next_value::<Option<_>>()?,
                LiveMember::OrgUnit => self.header.org_unit = map.next_value::<Option<_>>()?,
                LiveMember::AttributeOptionCombo => {
                    self.header.attribute_option_combo = map.next_value::<Option<_>>()?
                }
                LiveMember::DataValues => {
                    complete = true;
                    map.next_value_seed(Rows(&mut self))?;
                }
                LiveMember::Other => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match complete {
            true => Ok(()),
            false => Err(A::Error::missing_field("dataValues")),
        }
    }
}

struct Rows<'d, 'v>(&'d mut LiveDocument<'v>);

impl<'de> DeserializeSeed<'de> for Rows<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("data values")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element::<RawLiveRow>()? {
            row.show(self.0.header, self.0.visit)?;
        }
        Ok(())
    }
}
