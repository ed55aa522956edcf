//! The new engine's checks of a whole group: access, keys and the clock, E8002 – E8033, in its order.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;

use super::access::Right;
use super::books::Books;
use super::clock::days_after;
use super::import_options::ImportOptions;
use super::model::{DataSet, OptionCombo};
use super::new_decode::Value;
use super::old_timeliness::{latest_open, shifted};
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

type Verdict = Result<(), GroupError>;

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

struct Group<'a> {
    view: &'a View<'a>,
    books: &'a Books,
    /// `None` for an unknown data set, which then holds nothing.
    set: Option<&'a DataSet>,
    id: &'a str,
    values: &'a [Value],
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
        refuse_any(outside.collect(), |list| {
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

    /// E8020, E8022, E8021, E8023 and E8024.
    fn keys(&self) -> Verdict {
        let id = self.id;
        let refuse = |code, what: &str, strangers: Vec<&str>| {
            refuse_any(strangers, |list| {
                let text = format!("Data set {id} not usable with {what}(s): `{list}`");
                error(code, [id.to_owned(), list], text)
            })
        };
        let elements = distinct(self.values.iter().map(|value| &*value.element));
        let known = |element: &str| {
            self.set
                .is_some_and(|set| set.elements.contains_key(element))
        };
        let strangers = elements.iter().copied().filter(|element| !known(element));
        refuse("E8020", "data element", strangers.collect())?;
        let Some(set) = self.set else {
            return Ok(());
        };
        let strangers = self
            .units()
            .into_iter()
            .filter(|unit| !set.units.contains(*unit));
        refuse("E8022", "org unit", strangers.collect())?;
        let periods = self.periods();
        let strangers = periods
            .iter()
            .filter(|period| period.kind != set.period_type);
        refuse(
            "E8021",
            "period",
            strangers.map(|period| &*period.iso).collect(),
        )?;
        let model = self.view.model();
        let attribute_combos = self.values.iter().map(|value| {
            let default = model.default_combo.as_str();
            value.attribute_combo.as_deref().unwrap_or(default)
        });
        let strangers = distinct(attribute_combos);
        let strangers = strangers
            .into_iter()
            .filter(|combo| !model.combo_has(&set.combo, combo));
        refuse("E8023", "attribute option combo", strangers.collect())?;
        for element in elements {
            let used = self
                .values
                .iter()
                .filter(|value| &*value.element == element);
            let combos = distinct(used.filter_map(|value| value.combo.as_deref()));
            let strangers = combos
                .into_iter()
                .filter(|combo| !model.takes_combo(set, element, combo));
            refuse_any(strangers.collect(), |list| {
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

    /// E8031: periods that begin while a unit is not open; only the first unit is named.
    fn operational(&self) -> Verdict {
        let closed = self.values.iter().filter(|value| {
            let unit = self.view.model().units.get(&*value.unit);
            unit.is_some_and(|unit| !spans(unit.opening, unit.closed, value.period.start))
        });
        let closed: Vec<&Value> = closed.collect();
        let Some(first) = closed.first() else {
            return Ok(());
        };
        let unit = &*first.unit;
        let own = closed.iter().filter(|value| value.unit == first.unit);
        let list = listed(&distinct(own.map(|value| &*value.period.iso)));
        let text = format!("Untimely data entry for org unit {unit} and period(s): `{list}`");
        Err(error("E8031", [unit.to_owned(), list], text))
    }

    /// E8030: expiry and future periods, or the input periods instead. 2.43.1 has the latter the wrong way round.
    fn entry_time(&self) -> Verdict {
        let Some(set) = self.set else {
            return Ok(());
        };
        let (id, now) = (self.id, self.view.now);
        let refuse = |untimely: Vec<&str>| {
            refuse_any(untimely, |list| {
                let text = format!("Untimely data entry for data set {id} and period(s): `{list}`");
                error("E8030", [id.to_owned(), list], text)
            })
        };
        let periods = self.periods();
        if !set.input_periods.is_empty() {
            let refused = periods.iter().filter(|period| {
                let mut spans = set
                    .input_periods
                    .iter()
                    .filter(|input| *input.period == *period.iso);
                let listed = spans.clone().next().is_some();
                !listed || spans.any(|span| span.includes(now))
            });
            return refuse(refused.map(|period| &*period.iso).collect());
        }
        if self.view.account.has("F_EDIT_EXPIRED") {
            return Ok(());
        }
        let days = set.expiry_days as i64;
        if days > 0 {
            let exempt = |value: &Value| {
                let exception = (
                    id.to_owned(),
                    value.period.clone(),
                    (*value.unit).to_owned(),
                );
                self.books.lock_exceptions.contains(&exception)
            };
            let late = self
                .values
                .iter()
                .filter(|value| now > days_after(value.period.end, days + 1));
            let late = late.filter(|value| !exempt(value));
            refuse(distinct(late.map(|value| &*value.period.iso)))?;
        }
        let Some(latest) = latest_open(set, now.date()).filter(|_| days >= 0) else {
            return Ok(());
        };
        let early = periods.iter().filter(|period| period.end > latest.end);
        refuse(early.map(|period| &*period.iso).collect())
    }

    /// E8033: data approved at the very unit; 2.43.1 does not look at the units above.
    fn approval(&self) -> Verdict {
        let Some(workflow) = self.set.and_then(|set| set.workflow.as_ref()) else {
            return Ok(());
        };
        let default = self.view.model().default_combo.as_str();
        let combo_of = |value: &'a Value| {
            value
                .attribute_combo
                .as_deref()
                .unwrap_or(default)
                .to_owned()
        };
        let approved = self.values.iter().filter(|value| {
            let unit = (*value.unit).to_owned();
            let key = (
                workflow.clone(),
                value.period.clone(),
                unit,
                combo_of(value),
            );
            self.books.approvals.contains_key(&key)
        });
        let approved: Vec<&Value> = approved.collect();
        let Some(first) = approved.first() else {
            return Ok(());
        };
        let (combo, unit) = (combo_of(first), (*first.unit).to_owned());
        let own = approved
            .iter()
            .filter(|value| value.unit == first.unit && combo_of(value) == combo);
        let list = listed(&distinct(own.map(|value| &*value.period.iso)));
        let text = format!(
            "Data already approved for attribute option combo {combo} and org unit {unit} and period(s): `{list}`"
        );
        Err(error("E8033", [combo, unit, list], text))
    }

    /// E8032: periods not wholly within the dates of an attribute option combo; only the first combo is named.
    fn attribute_combo_dates(&self) -> Verdict {
        let extra = self.set.map_or(0, |set| set.open_periods_after_co_end_date);
        for (id, combo) in self.attribute_combos() {
            let start = combo.options.iter().filter_map(|option| option.start).max();
            let end = combo.options.iter().filter_map(|option| option.end).min();
            let within = |from: Date, to: Date| spans(start, end, from) && spans(start, end, to);
            let outside = self.values.iter().filter(|value| {
                let period = &value.period;
                let back = |date| shifted(period.kind, date, -extra);
                value.attribute_combo.as_deref() == Some(id)
                    && !within(period.start, period.end)
                    && (extra == 0 || !within(back(period.start), back(period.end)))
            });
            refuse_any(distinct(outside.map(|value| &*value.period.iso)), |list| {
                let text = format!(
                    "Untimely data entry for attribute option combo {id} and period(s): `{list}`"
                );
                error("E8032", [id.to_owned(), list], text)
            })?;
        }
        Ok(())
    }

    fn units(&self) -> Vec<&'a str> {
        distinct(self.values.iter().map(|value| &*value.unit))
    }

    fn periods(&self) -> Vec<&'a Period> {
        distinct(self.values.iter().map(|value| &value.period))
    }

    /// The attribute option combos named in the group, in the order of their first value.
    fn attribute_combos(&self) -> impl Iterator<Item = (&'a str, &'a OptionCombo)> {
        let named = self
            .values
            .iter()
            .filter_map(|value| value.attribute_combo.as_deref());
        let combos = &self.view.model().combos;
        distinct(named)
            .into_iter()
            .filter_map(|id| Some((id, combos.get(id)?)))
    }
}

fn spans(start: Option<Date>, end: Option<Date>, date: Date) -> bool {
    start.is_none_or(|start| start <= date) && end.is_none_or(|end| date <= end)
}

/// Each once, in the order of the first.
fn distinct<T: Ord + Copy>(all: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.filter(|one| seen.insert(*one)).collect()
}

/// A list as Java prints it.
fn listed(ids: &[&str]) -> String {
    format!("[{}]", ids.join(", "))
}

fn refuse_any(offenders: Vec<&str>, error: impl FnOnce(String) -> GroupError) -> Verdict {
    if offenders.is_empty() {
        Ok(())
    } else {
        Err(error(listed(&offenders)))
    }
}

fn error<const N: usize>(code: &'static str, arguments: [String; N], text: String) -> GroupError {
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
