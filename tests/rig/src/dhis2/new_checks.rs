//! The new engine's checks of a whole group: access, keys and the clock, E8002 – E8033, in its order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::access::Right;
use super::books::Books;
use super::import_options::ImportOptions;
use super::model::{DataSet, OptionCombo};
use super::new_decode::Value;
use super::period::Period;
use super::properties::View;

/// Why nothing of a group is stored.
#[derive(Debug)]
pub(crate) struct GroupError {
    pub(crate) code: &'static str,
    /// Shown joined by `-`.
    pub(crate) arguments: Vec<String>,
    pub(crate) text: String,
}

pub(crate) type Verdict = Result<(), GroupError>;

/// Checks the group; the answer is the data set it is for.
pub(crate) fn validate_group(
    view: &View,
    books: &Books,
    options: &ImportOptions,
    data_set: Option<&str>,
    values: &[Value],
) -> Result<String, GroupError> {
    let id = match data_set {
        Some(id) => id.to_owned(),
        None => detected(view, values)?,
    };
    let group = Group {
        view,
        books,
        set: view.model().data_sets.get(&id),
        id: &id,
        values,
        force: options.force,
    };
    group.access()?;
    group.keys()?;
    group.combos()?;
    group.attribute_combo_units()?;
    group.operational()?;
    if !(group.force && view.account.is_super()) {
        group.entry_time()?;
        group.approval()?;
        group.attribute_combo_dates()?;
    }
    Ok(id)
}

/// The one data set that holds any of the elements.
fn detected(view: &View, values: &[Value]) -> Result<String, GroupError> {
    let elements = distinct(values.iter().map(|value| &*value.element));
    let sets = view.model().data_sets.values();
    let sets = sets.filter(|set| {
        elements
            .iter()
            .any(|element| set.elements.contains_key(*element))
    });
    let sets: Vec<&str> = sets.map(|set| set.id.as_str()).collect();
    match sets.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => {
            let list = listed(&elements);
            let text =
                format!("Data set detection failed, found no set for data element(s): `{list}`");
            Err(error("E8003", [list], text))
        }
        several => {
            let list = listed(several);
            let text = format!("Data set detection failed, found multiple sets: `{list}`");
            Err(error("E8002", [list], text))
        }
    }
}

/// A group with what it is checked against.
pub(crate) struct Group<'a> {
    pub(crate) view: &'a View<'a>,
    pub(crate) books: &'a Books,
    /// `None` for an unknown data set, which then holds nothing.
    pub(crate) set: Option<&'a DataSet>,
    pub(crate) id: &'a str,
    pub(crate) values: &'a [Value],
    force: bool,
}

impl<'a> Group<'a> {
    /// E8010 – E8012, from which superusers are exempt.
    fn access(&self) -> Verdict {
        let account = self.view.account;
        if account.is_super() {
            return Ok(());
        }
        let id = self.id;
        if self
            .set
            .is_some_and(|set| !set.sharing.allows(account, Right::DataWrite))
        {
            let text = format!("Current user cannot enter data for data set: `{id}`");
            return Err(error("E8010", [id.to_owned()], text));
        }
        let model = self.view.model();
        let outside = self.units().into_iter().filter(|unit| {
            model.units.contains_key(*unit) && !model.is_within(unit, &account.organisation_units)
        });
        let outside: BTreeSet<&str> = outside.collect();
        refuse_any(outside.into_iter().collect(), |list| {
            let text = format!("Current user cannot enter data for org unit(s): `{list}`");
            error("E8011", [list], text)
        })?;
        let attribute_combos = self
            .values
            .iter()
            .filter_map(|value| value.attribute_combo.as_deref());
        let combos = self
            .values
            .iter()
            .filter_map(|value| value.combo.as_deref());
        let combos = distinct(attribute_combos.chain(combos));
        let options = combos.iter().filter_map(|id| model.combos.get(*id));
        let options = options.flat_map(|combo| &combo.options);
        let hidden = options.filter(|option| !option.sharing.allows(account, Right::DataWrite));
        refuse_any(distinct(hidden.map(|option| option.id.as_str())), |list| {
            let text = format!("Current user cannot enter data for category option(s): `{list}`");
            error("E8012", [list], text)
        })
    }

    /// E8020, E8022, E8021 and E8023.
    fn keys(&self) -> Verdict {
        let id = self.id;
        let refuse = |code, what: &str, strangers: Vec<&str>| {
            refuse_any(self.view.metadata.in_table_order(strangers), |list| {
                let text = format!("Data set {id} not usable with {what}(s): `{list}`");
                error(code, [id.to_owned(), list], text)
            })
        };
        let holds = |element: &str| {
            self.set
                .is_some_and(|set| set.elements.contains_key(element))
        };
        let strangers = self
            .elements()
            .into_iter()
            .filter(|element| !holds(element));
        refuse("E8020", "data element", strangers.collect())?;
        let Some(set) = self.set else {
            return Ok(());
        };
        let units = self.units().into_iter();
        let strangers = units.filter(|unit| !set.units.contains(*unit));
        refuse("E8022", "org unit", strangers.collect())?;
        let periods = self.periods().into_iter();
        let strangers = periods.filter(|period| period.kind != set.period_type);
        let strangers = strangers.map(|period| &*period.iso);
        refuse("E8021", "period", strangers.collect())?;
        let model = self.view.model();
        let used = self.values.iter().map(|value| {
            let default = model.default_combo.as_str();
            value.attribute_combo.as_deref().unwrap_or(default)
        });
        let used = distinct(used).into_iter();
        let strangers = used.filter(|combo| !model.combo_has(&set.combo, combo));
        refuse("E8023", "attribute option combo", strangers.collect())
    }

    /// E8024; of several elements only the first is named.
    fn combos(&self) -> Verdict {
        let Some(set) = self.set else {
            return Ok(());
        };
        let (id, model) = (self.id, self.view.model());
        let mut used: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for value in self.values {
            let combos = used.entry(&value.element).or_default();
            combos.extend(value.combo.as_deref());
        }
        for element in in_hash_order(self.elements()) {
            let combos = distinct(used.remove(element).unwrap_or_default().into_iter());
            let combos = combos.into_iter();
            let strangers = combos.filter(|combo| !model.takes_combo(set, element, combo));
            let strangers = self.view.metadata.in_table_order(strangers.collect());
            refuse_any(strangers, |list| {
                let text = format!(
                    "Data set {id} + data element {element} not usable with category option combo(s): `{list}`"
                );
                error("E8024", [id.to_owned(), element.to_owned(), list], text)
            })?;
        }
        Ok(())
    }

    /// E8025: units an attribute option combo is not bound to.
    fn attribute_combo_units(&self) -> Verdict {
        let model = self.view.model();
        for (id, combo) in self.attribute_combos() {
            let mut used = self
                .values
                .iter()
                .filter(|value| value.attribute_combo.as_deref() == Some(id));
            let units = distinct(used.by_ref().map(|value| &*value.unit));
            let bound = || {
                combo
                    .options
                    .iter()
                    .filter(|option| !option.units.is_empty())
            };
            let outside = units.into_iter();
            let outside =
                outside.filter(|unit| bound().any(|option| !model.is_within(unit, &option.units)));
            refuse_any(outside.collect(), |list| {
                let text =
                    format!("Attribute option combo {id} not usable with org unit(s): `{list}`");
                error("E8025", [id.to_owned(), list], text)
            })?;
        }
        Ok(())
    }

    fn elements(&self) -> Vec<&'a str> {
        distinct(self.values.iter().map(|value| &*value.element))
    }

    fn units(&self) -> Vec<&'a str> {
        distinct(self.values.iter().map(|value| &*value.unit))
    }

    pub(crate) fn periods(&self) -> Vec<&'a Period> {
        distinct(self.values.iter().map(|value| &value.period))
    }

    /// The attribute option combos named in the group, in the order in which the server goes through them.
    pub(crate) fn attribute_combos(&self) -> Vec<(&'a str, &'a OptionCombo)> {
        let named = self
            .values
            .iter()
            .filter_map(|value| value.attribute_combo.as_deref());
        let combos = &self.view.model().combos;
        in_hash_order(distinct(named))
            .into_iter()
            .filter_map(|id| Some((id, combos.get(id)?)))
            .collect()
    }
}

/// Each once, in the order of the first.
pub(crate) fn distinct<T: Ord + Copy>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.filter(|one| seen.insert(*one)).collect()
}

/// Ids in the order of a Java `HashMap` with DHIS2's `UID` as key: that of the buckets their hashes fall into. It
/// decides which of several offenders is the one named.
fn in_hash_order(mut ids: Vec<&str>) -> Vec<&str> {
    // The table grows before an id is added to one that is more than three quarters full; a bucket's last is its first.
    let buckets = (ids.len().saturating_sub(1) * 4).div_ceil(3);
    let buckets = buckets.next_power_of_two().max(16) as u32;
    ids.reverse();
    ids.sort_by_key(|id| {
        let text = id.encode_utf16().fold(0u32, |hash, unit| {
            hash.wrapping_mul(31).wrapping_add(u32::from(unit))
        });
        let hash = text.wrapping_add(59);
        (hash ^ (hash >> 16)) & (buckets - 1)
    });
    ids
}

/// A list as Java prints it.
pub(crate) fn listed(ids: &[&str]) -> String {
    format!("[{}]", ids.join(", "))
}

pub(crate) fn refuse_any(
    offenders: Vec<&str>,
    error: impl FnOnce(String) -> GroupError,
) -> Verdict {
    if offenders.is_empty() {
        Ok(())
    } else {
        Err(error(listed(&offenders)))
    }
}

pub(crate) fn error<const N: usize>(
    code: &'static str,
    arguments: [String; N],
    text: String,
) -> GroupError {
    GroupError {
        code,
        arguments: arguments.into(),
        text,
    }
}

/// A key as Java prints its record.
pub(crate) fn printed_key(value: &Value) -> String {
    let combo = |id: &Option<Arc<str>>| id.as_deref().unwrap_or("null").to_owned();
    format!(
        "DataValueKey[dataElement={}, orgUnit={}, categoryOptionCombo={}, attributeOptionCombo={}, period={}]",
        value.element,
        value.unit,
        combo(&value.combo),
        combo(&value.attribute_combo),
        value.period.iso
    )
}
