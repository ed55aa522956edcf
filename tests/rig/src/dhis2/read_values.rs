//! `GET /api/dataValueSets`: live values of data sets or elements, with the refusals of each server.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use serde_json::Value;

use super::Dialect;
use super::access::Right;
use super::answer::{Answer, Refusal};
use super::books::Books;
use super::clock::{moment, with_offset};
use super::metadata::references;
use super::period::{Period, complaint};
use super::properties::View;
use super::request::Query;
use super::rows::{Key, Stored};
use super::shown_values::{Body, Moments, Shown};
use super::value_types::is_uid;

pub(crate) fn read(view: &View, books: &Books, query: &Query) -> Result<Answer, Refusal> {
    let wanted = Wanted::parse(view, query)?;
    wanted.validate(view, query)?;
    if let Err(refusal) = wanted.permit(view) {
        // 2.42 finds out after it has begun to answer: 200 and nothing.
        return match view.dialect {
            Dialect::V2_42 => Ok(Answer::json(&Value::Null).emptied()),
            Dialect::V2_43 => Err(refusal),
        };
    }
    let answer = Answer::json_text(wanted.body(view, books).as_text());
    if view.dialect == Dialect::V2_42 || query.first("attachment").is_some() {
        return Ok(answer);
    }
    let dates = match (&wanted.start, &wanted.end) {
        (Some(start), Some(end)) => format!("_{start}_{end}"),
        _ => String::new(),
    };
    let file = format!("attachment; filename=\"dataValues{dates}.json\"");
    Ok(answer.with("Content-Disposition", file))
}

/// What is asked for. 2.42 forgets what it does not know, 2.43 keeps it and finds nothing.
pub(crate) struct Wanted {
    pub(crate) data_sets: Vec<String>,
    elements: BTreeSet<String>,
    /// Whether anything was named to take elements from.
    pub(crate) any_source: bool,
    pub(crate) periods: Vec<Period>,
    pub(crate) start: Option<Date>,
    pub(crate) end: Option<Date>,
    pub(crate) units: Vec<String>,
    pub(crate) any_unit: bool,
    pub(crate) any_named_unit: bool,
    pub(crate) any_unit_group: bool,
    pub(crate) children: bool,
    pub(crate) attribute_combos: Vec<String>,
    include_deleted: bool,
    pub(crate) updated_since: Option<DateTime>,
    limit: Option<usize>,
}

impl Wanted {
    fn parse(view: &View, query: &Query) -> Result<Wanted, Refusal> {
        let model = view.model();
        let data_sets = known(view, query, "dataSet", |id| {
            model.data_sets.contains_key(id)
        });
        let single = known(view, query, "dataElement", |id| {
            model.elements.contains_key(id)
        });
        let (groups, grouped) = members(
            view,
            query,
            "dataElementGroup",
            "dataElementGroups",
            "dataElements",
        );
        let any_source = !(data_sets.is_empty() && single.is_empty() && groups.is_empty());
        let sets = data_sets.iter().filter_map(|id| model.data_sets.get(id));
        let of_sets = sets.flat_map(|set| set.elements.keys().cloned());
        let elements = of_sets.chain(single).chain(grouped).collect();
        let mut units = known(view, query, "orgUnit", |id| model.units.contains_key(id));
        let (unit_groups, grouped) = members(
            view,
            query,
            "orgUnitGroup",
            "organisationUnitGroups",
            "organisationUnits",
        );
        let (any_named_unit, any_unit_group) = (!units.is_empty(), !unit_groups.is_empty());
        units.extend(grouped);
        let date = |name| Some(moment(query.first(name)?)?.date());
        // One date without the other is as good as none.
        let dates = date("startDate").zip(date("endDate"));
        let span = query.first("lastUpdatedDuration").and_then(duration);
        let since = span.and_then(|span| view.now.checked_sub(span).ok());
        Ok(Wanted {
            data_sets,
            elements,
            any_source,
            periods: periods(view, query)?,
            start: dates.map(|(start, _)| start),
            end: dates.map(|(_, end)| end),
            units,
            any_unit: any_named_unit || any_unit_group,
            any_named_unit,
            any_unit_group,
            children: query.is_true("children"),
            attribute_combos: attribute_combos(view, query)?,
            include_deleted: query.is_true("includeDeleted"),
            updated_since: query.first("lastUpdated").and_then(moment).or(since),
            limit: query.first("limit").and_then(|limit| limit.parse().ok()),
        })
    }

    /// Above the values: on 2.42 only if set, period and unit are one each; on 2.43 each that is.
    fn body<'b>(&'b self, view: &'b View, books: &'b Books) -> Body<'b> {
        let (set, unit) = (single(&self.data_sets), single(&self.units));
        let period = single(&self.periods).map(|period| &*period.iso);
        let combo = single(&self.attribute_combos);
        let values = self.values(view, books);
        if view.dialect == Dialect::V2_43 {
            return Body {
                data_set: set.map(String::as_str),
                complete_date: None,
                period,
                unit: unit.filter(|_| !self.children).map(String::as_str),
                attribute_combo: combo.map(String::as_str),
                values,
            };
        }
        let one_of_each = set.zip(unit).zip(single(&self.periods));
        let completed = one_of_each.map(|((set, unit), period)| {
            let combo = combo.unwrap_or(&view.model().default_combo).clone();
            let key = (set.clone(), period.clone(), unit.clone(), combo);
            let held = books.registrations.get(&key).filter(|held| held.completed);
            held.map(|held| with_offset(held.date))
        });
        Body {
            data_set: set.filter(|_| one_of_each.is_some()).map(String::as_str),
            complete_date: completed,
            period: period.filter(|_| one_of_each.is_some()),
            unit: unit.filter(|_| one_of_each.is_some()).map(String::as_str),
            attribute_combo: None,
            values,
        }
    }

    fn values<'b>(&'b self, view: &'b View, books: &'b Books) -> Vec<Shown<'b>> {
        let wanted = self.wanted_units(view);
        let mut readable: HashMap<&str, bool> = HashMap::new();
        let mut moments = Moments::default();
        let rows = self.rows(books).filter(|(key, row)| {
            let combo = &*key.attribute_combo;
            self.takes(key, row)
                && wanted.contains(&*key.unit)
                && *readable
                    .entry(combo)
                    .or_insert_with(|| is_readable(view, combo))
        });
        let rows = rows.take(self.limit.unwrap_or(usize::MAX));
        rows.map(|(key, row)| self.shown(view.dialect, key, row, &mut moments))
            .collect()
    }

    fn rows<'b>(
        &'b self,
        books: &'b Books,
    ) -> Box<dyn Iterator<Item = (&'b Key, &'b Stored)> + 'b> {
        let elements = self.elements.iter();
        if self.periods.is_empty() {
            return Box::new(elements.flat_map(|element| books.rows.of_element(element)));
        }
        let periods: BTreeSet<&Period> = self.periods.iter().collect();
        Box::new(elements.flat_map(move |element| {
            let periods = periods.clone().into_iter();
            periods.flat_map(move |period| books.rows.of_element_and_period(element, period))
        }))
    }

    fn takes(&self, key: &Key, row: &Stored) -> bool {
        let combos = &self.attribute_combos;
        (self.include_deleted || !row.deleted)
            && self.start.is_none_or(|start| start <= key.period.start)
            && self.end.is_none_or(|end| key.period.end <= end)
            && self
                .updated_since
                .is_none_or(|since| since <= row.last_updated)
            && (combos.is_empty() || combos.iter().any(|combo| *combo == *key.attribute_combo))
    }

    fn wanted_units<'v>(&'v self, view: &View<'v>) -> HashSet<&'v str> {
        if !self.children {
            return self.units.iter().map(String::as_str).collect();
        }
        let units = &view.model().units;
        let below = units
            .keys()
            .filter(|id| view.model().is_within(id, &self.units));
        below.map(String::as_str).collect()
    }

    /// 2.42 writes everything, nulls too; 2.43 leaves out nulls, false and what stands above the values.
    fn shown<'b>(
        &self,
        dialect: Dialect,
        key: &'b Key,
        row: &'b Stored,
        moments: &mut Moments,
    ) -> Shown<'b> {
        let old = dialect == Dialect::V2_42;
        let unless = |above: bool, text: &'b str| (old || !above).then_some(text);
        let nullable = |text: &'b Option<String>| match text.as_deref() {
            None if !old => None,
            text => Some(text),
        };
        let marked = row.follow_up == Some(true);
        Shown {
            element: &key.element,
            period: unless(self.periods.len() == 1, &key.period.iso),
            unit: unless(self.units.len() == 1 && !self.children, &key.unit),
            combo: &key.combo,
            attribute_combo: unless(self.attribute_combos.len() == 1, &key.attribute_combo),
            value: nullable(&row.value),
            stored_by: &row.stored_by,
            created: moments.text_of(row.created),
            last_updated: moments.text_of(row.last_updated),
            comment: nullable(&row.comment),
            followup: (old || marked).then_some(marked),
            deleted: row.deleted.then_some(true),
        }
    }
}

fn single<T>(all: &[T]) -> Option<&T> {
    match all {
        [only] => Some(only),
        _ => None,
    }
}

/// The ids of a parameter, on 2.42 without those that mean nothing.
fn known(view: &View, query: &Query, name: &str, is_known: impl Fn(&str) -> bool) -> Vec<String> {
    let keep = |id: &String| view.dialect == Dialect::V2_43 || is_known(id);
    query.list(name).into_iter().filter(keep).collect()
}

/// The groups of a parameter, and all their members.
fn members(
    view: &View,
    query: &Query,
    name: &str,
    kind: &str,
    field: &str,
) -> (Vec<String>, Vec<String>) {
    let groups = known(view, query, name, |id| {
        view.metadata.get(kind, id).is_some()
    });
    let held = groups.iter().filter_map(|id| view.metadata.get(kind, id));
    let members = held.flat_map(|group| references(group, field)).collect();
    (groups, members)
}

/// 2.42 forgets those that do not exist, so that one alone means all; 2.43 refuses what has not the form of a UID.
fn attribute_combos(view: &View, query: &Query) -> Result<Vec<String>, Refusal> {
    let combos = known(view, query, "attributeOptionCombo", |id| {
        view.model().combos.contains_key(id)
    });
    let wrong = combos.iter().find(|id| !is_uid(id));
    match (wrong, view.dialect) {
        (Some(id), Dialect::V2_43) => Err(Refusal::new(
            400,
            format!(
                "UID must be an alphanumeric string of 11 characters starting with a letter, but was: {id}"
            ),
        )),
        _ => Ok(combos),
    }
}

fn periods(view: &View, query: &Query) -> Result<Vec<Period>, Refusal> {
    let mut periods = Vec::new();
    for text in query.list("period") {
        match (Period::parse(&text, view.dialect), view.dialect) {
            (Some(period), _) => periods.push(period),
            (None, Dialect::V2_42) => {}
            (None, Dialect::V2_43) => return Err(Refusal::new(400, complaint(&text))),
        }
    }
    Ok(periods)
}

/// Whether the account may read values with that attribute option combo; the others are left out silently.
pub(crate) fn is_readable(view: &View, combo: &str) -> bool {
    let combo = view.model().combos.get(combo);
    combo.is_none_or(|combo| {
        let mut options = combo.options.iter();
        options.all(|option| option.sharing.allows(view.account, Right::DataRead))
    })
}

/// A duration such as `1d`, `36h`, `10m` or `30s`.
pub(crate) fn duration(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: i64 = number.parse().ok()?;
    let seconds = match unit {
        "d" => 86_400,
        "h" => 3_600,
        "m" => 60,
        "s" => 1,
        _ => return None,
    };
    Some(SignedDuration::from_secs(number * seconds))
}
