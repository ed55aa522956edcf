//! Mapping rules: which key is which UID, since when and until when, as the source itself says.

mod explained;

use std::collections::HashMap;
use std::fmt;

use jiff::civil::Date;

use super::resolved::Resolved;
use crate::domain::{Period, Uid, shown_label};
use crate::mapping::{ColumnFault, Columns, SourceKey};

/// The rules of one dimension. The one that counts is valid on the first day of the period and has the lowest
/// priority number.
#[derive(Default)]
pub(super) struct RuleBook {
    rules: HashMap<SourceKey, Vec<Rule>>,
    key: SourceKey,
}

/// A rule as it came; what is wrong with it matters only if it counts in a period of the run.
pub(super) struct Rule {
    says: RuleSays,
    valid_from: RuleDay,
    valid_to: RuleDay,
    priority: Option<i64>,
    label: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RuleSays {
    Uid(Uid),
    Exclude,
    /// No UID, or text that is none.
    Malformed,
}

/// A bound of a rule's validity.
#[derive(Clone, Copy, PartialEq, Eq)]
enum RuleDay {
    Open,
    On(Date),
    Malformed,
}

/// Rules that cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct RuleFault {
    period: Period,
    /// The rule's own label, where it has one.
    label: Option<String>,
    what: RuleWrong,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum RuleWrong {
    Contradiction,
    Uid,
    Reversed,
    RuleDay,
    Priority,
}

/// Where the columns of a rules result stand.
pub(super) struct RuleColumns {
    keys: Vec<usize>,
    uid: usize,
    valid_from: Option<usize>,
    valid_to: Option<usize>,
    priority: Option<usize>,
    exclude: Option<usize>,
    rule: Option<usize>,
}

const PRIORITY: i64 = 100;

impl RuleColumns {
    /// `keys` are the dimension's columns; one alone may be called `key`.
    pub(super) fn find(keys: &[String], columns: &Columns) -> Result<RuleColumns, ColumnFault> {
        let short = ["key".to_owned()];
        let keys = match (keys.len(), columns.find("key")) {
            (1, Some(_)) => &short,
            _ => keys,
        };
        let mut declared = vec![
            "uid",
            "valid_from",
            "valid_to",
            "priority",
            "exclude",
            "rule",
        ];
        declared.extend(keys.iter().map(String::as_str));
        columns.ensure_none_resembles(&declared)?;
        columns.only(&declared)?;
        let typed = |column: &str, types: &[&str], expected| match columns.find(column) {
            Some(place) if !types.contains(&columns.type_name(place)) => {
                Err(ColumnFault::WrongType {
                    column: column.to_owned(),
                    type_name: columns.type_name(place).to_owned(),
                    expected,
                })
            }
            place => Ok(place),
        };
        Ok(RuleColumns {
            keys: columns.places(keys)?,
            uid: columns.place("uid")?,
            valid_from: typed("valid_from", &["date"], "a date")?,
            valid_to: typed("valid_to", &["date"], "a date")?,
            priority: typed("priority", &["int2", "int4", "int8"], "a whole number")?,
            exclude: typed("exclude", &["bool"], "a boolean")?,
            rule: columns.find("rule"),
        })
    }
}

impl RuleBook {
    pub(super) fn add(&mut self, columns: &RuleColumns, row: &[Option<&str>]) {
        let at = |place: usize| row.get(place).copied().flatten();
        let optional = |place: Option<usize>| place.and_then(at);
        let mut key = SourceKey::default();
        // NULL never matches, so a rule for it never counts.
        if !key.refill(columns.keys.iter().map(|place| at(*place))) {
            return;
        }
        let says = match (optional(columns.exclude), at(columns.uid)) {
            (Some("true"), _) => RuleSays::Exclude,
            (_, Some(uid)) => uid.parse().map_or(RuleSays::Malformed, RuleSays::Uid),
            (_, None) => RuleSays::Malformed,
        };
        self.rules.entry(key).or_default().push(Rule {
            says,
            valid_from: RuleDay::read(optional(columns.valid_from)),
            valid_to: RuleDay::read(optional(columns.valid_to)),
            priority: match optional(columns.priority) {
                None => Some(PRIORITY),
                Some(text) => text.parse().ok(),
            },
            label: optional(columns.rule).map(str::to_owned),
        });
    }

    /// The rule that counts for a key in a period.
    pub(super) fn counting(&self, key: &SourceKey, period: Period) -> Option<&Rule> {
        let rules = self.rules.get(key).into_iter().flatten();
        rules
            .filter(|rule| rule.is_valid_on(period.start()))
            .min_by_key(|rule| rule.priority)
    }

    /// All rules are here: whatever counts in one of these periods must be clear.
    pub(super) fn close(&self, periods: &[Period]) -> Result<(), RuleFault> {
        // The same one, in whatever order the rules came.
        let first = self
            .rules
            .values()
            .flat_map(|rules| periods.iter().filter_map(|period| fault(rules, *period)))
            .min();
        match first {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }

    pub(super) fn answer<'r>(
        &mut self,
        period: Period,
        values: impl Iterator<Item = Option<&'r str>>,
    ) -> Resolved {
        if !self.key.refill(values) {
            return Resolved::Unknown;
        }
        match self.counting(&self.key, period).map(|rule| rule.says) {
            Some(RuleSays::Uid(uid)) => Resolved::Uid(uid),
            Some(RuleSays::Exclude) => Resolved::Excluded,
            // `close` refused the malformed.
            Some(RuleSays::Malformed) | None => Resolved::Unknown,
        }
    }
}

impl Rule {
    fn is_valid_on(&self, day: Date) -> bool {
        let from = match self.valid_from {
            RuleDay::On(from) => from <= day,
            RuleDay::Open | RuleDay::Malformed => true,
        };
        let to = match self.valid_to {
            RuleDay::On(to) => day <= to,
            RuleDay::Open | RuleDay::Malformed => true,
        };
        from && to
    }

    /// RuleWrong is wrong with the rule itself, if it bears on the day.
    fn fault_on(&self, day: Date) -> Option<RuleWrong> {
        if self.is_reversed_around(day) {
            Some(RuleWrong::Reversed)
        } else if !self.is_valid_on(day) {
            None
        } else if self.valid_from == RuleDay::Malformed || self.valid_to == RuleDay::Malformed {
            Some(RuleWrong::RuleDay)
        } else if self.priority.is_none() {
            Some(RuleWrong::Priority)
        } else {
            (self.says == RuleSays::Malformed).then_some(RuleWrong::Uid)
        }
    }

    /// Valid to before valid from, with the day between the two.
    fn is_reversed_around(&self, day: Date) -> bool {
        match (self.valid_from, self.valid_to) {
            (RuleDay::On(from), RuleDay::On(to)) => to < from && to <= day && day <= from,
            _ => false,
        }
    }
}

impl RuleDay {
    fn read(text: Option<&str>) -> RuleDay {
        match text {
            None => RuleDay::Open,
            // PostgreSQL's own words: after, and before, every other date.
            Some("infinity") => RuleDay::On(Date::MAX),
            Some("-infinity") => RuleDay::On(Date::MIN),
            Some(text) => text.parse().map_or(RuleDay::Malformed, RuleDay::On),
        }
    }
}

/// RuleWrong makes the rules of one key unclear in a period; the same one, in whatever order they came.
fn fault(rules: &[Rule], period: Period) -> Option<RuleFault> {
    let day = period.start();
    let lowest = rules
        .iter()
        .filter(|rule| rule.is_valid_on(day))
        .map(|rule| rule.priority)
        .min();
    let counts = |rule: &&Rule| rule.is_valid_on(day) && Some(rule.priority) == lowest;
    let first = rules.iter().find(counts);
    let contradict = first.is_some_and(|first| {
        let mut counting = rules.iter().filter(counts);
        counting.any(|rule| rule.says != first.says)
    });
    rules
        .iter()
        .filter_map(|rule| {
            let what = match rule.fault_on(day) {
                None if contradict && counts(&rule) => RuleWrong::Contradiction,
                what => what?,
            };
            Some(RuleFault {
                period,
                label: rule.label.clone(),
                what,
            })
        })
        .min()
}

impl fmt::Display for RuleFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            RuleWrong::Contradiction => {
                "two rules of equal priority name different UIDs (or one excludes) for one key"
            }
            RuleWrong::Uid => "a rule has no UID, or one that is not 11 letters and digits",
            RuleWrong::Reversed => "a rule has `valid_to` before `valid_from`",
            RuleWrong::RuleDay => "a rule has a date that cannot be read",
            RuleWrong::Priority => "a rule has a priority that is not a whole number",
        };
        write!(f, "{what}, on the first day of {}", self.period)?;
        match &self.label {
            Some(label) => write!(f, " (rule {})", shown_label(label)),
            None => f.write_str(" (no column `rule` names it)"),
        }
    }
}
