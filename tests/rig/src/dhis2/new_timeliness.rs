//! The new engine's checks of when a group may be stored: E8030 – E8033.

use std::collections::HashMap;

use jiff::civil::Date;

use super::clock::days_after;
use super::model::OptionCombo;
use super::new_checks::{Group, Verdict, distinct, error, listed, refuse_any};
use super::new_decode::Value;
use super::open_periods::{latest_open, shifted};

impl<'a> Group<'a> {
    /// E8031: periods that begin while a unit is not open; only the first unit is named.
    pub(crate) fn operational(&self) -> Verdict {
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
    pub(crate) fn entry_time(&self) -> Verdict {
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

    /// E8033: data approved at the very unit; 2.43.1 does not look at the units above, nor at values that leave the
    /// attribute option combo out.
    pub(crate) fn approval(&self) -> Verdict {
        let Some(workflow) = self.set.and_then(|set| set.workflow.as_ref()) else {
            return Ok(());
        };
        for (combo, _) in self.attribute_combos() {
            let approved = self.values.iter().filter(|value| {
                let (period, unit) = (value.period.clone(), (*value.unit).to_owned());
                let key = (workflow.clone(), period, unit, combo.to_owned());
                value.attribute_combo.as_deref() == Some(combo)
                    && self.books.approvals.contains_key(&key)
            });
            let approved: Vec<&Value> = approved.collect();
            let Some(first) = approved.first() else {
                continue;
            };
            let unit = (*first.unit).to_owned();
            let own = approved.iter().filter(|value| value.unit == first.unit);
            let periods: Vec<&str> = own.map(|value| &*value.period.iso).collect();
            let list = listed(&periods);
            let text = format!(
                "Data already approved for attribute option combo {combo} and org unit {unit} and period(s): `{list}`"
            );
            return Err(error("E8033", [combo.to_owned(), unit, list], text));
        }
        Ok(())
    }

    /// E8032: periods not wholly within the dates of an attribute option combo; only the first combo is named.
    pub(crate) fn attribute_combo_dates(&self) -> Verdict {
        let extra = self.set.map_or(0, |set| set.open_periods_after_co_end_date);
        let combos: HashMap<&str, &OptionCombo> = self.attribute_combos().into_iter().collect();
        let outside = self.values.iter().filter_map(|value| {
            let id = value.attribute_combo.as_deref()?;
            let options = &combos.get(id)?.options;
            let start = options.iter().filter_map(|option| option.start).max();
            let end = options.iter().filter_map(|option| option.end).min();
            let within = |from: Date, to: Date| spans(start, end, from) && spans(start, end, to);
            let period = &value.period;
            let back = |date| shifted(period.kind, date, -extra);
            let timely = within(period.start, period.end)
                || (extra != 0 && within(back(period.start), back(period.end)));
            (!timely).then_some((id, &*period.iso))
        });
        let outside: Vec<(&str, &str)> = outside.collect();
        let Some((first, _)) = outside.first() else {
            return Ok(());
        };
        let own = outside.iter().filter(|(id, _)| id == first);
        let list = listed(&distinct(own.map(|(_, iso)| *iso)));
        let text = format!(
            "Untimely data entry for attribute option combo {first} and period(s): `{list}`"
        );
        Err(error("E8032", [(*first).to_owned(), list], text))
    }
}

fn spans(start: Option<Date>, end: Option<Date>, date: Date) -> bool {
    start.is_none_or(|start| start <= date) && end.is_none_or(|end| date <= end)
}
