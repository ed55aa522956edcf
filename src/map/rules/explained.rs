//! Which rule counted for a key, told as `explain` tells it.

use jiff::civil::Date;

use super::{Rule, RuleBook, RuleDay, RuleSays};
use crate::domain::{Period, TracedRule, Uid, shown_label};
use crate::mapping::SourceKey;

impl RuleBook {
    /// A rule for a key that names this unit, though another one counts in the period or none: the one that is valid
    /// nearest to it.
    pub(in crate::map) fn other(
        &self,
        key: &SourceKey,
        period: Period,
        unit: Uid,
    ) -> Option<&Rule> {
        let counting = self.counting(key, period);
        if counting.is_some_and(|rule| rule.says == RuleSays::Uid(unit)) {
            return None;
        }
        let rules = self.rules.get(key).into_iter().flatten();
        rules
            .filter(|rule| rule.says == RuleSays::Uid(unit))
            .min_by_key(|rule| rule.days_from(period.start()))
    }
}

impl Rule {
    /// `file`: of the query that gave it.
    pub(in crate::map) fn traced(&self, file: &str) -> TracedRule {
        TracedRule {
            file: file.to_owned(),
            label: self.label.as_deref().map(shown_label),
            uid: match self.says {
                RuleSays::Uid(uid) => Some(uid),
                RuleSays::Exclude | RuleSays::Malformed => None,
            },
            valid_from: self.valid_from.told(),
            valid_to: self.valid_to.told(),
            priority: self.priority.unwrap_or_default(),
        }
    }

    /// How far a day is from those on which the rule is valid.
    fn days_from(&self, day: Date) -> i32 {
        let days = |from: Date, to: Date| from.until(to).map_or(i32::MAX, |span| span.get_days());
        match (self.valid_from, self.valid_to) {
            (RuleDay::On(from), _) if day < from => days(day, from),
            (_, RuleDay::On(to)) if to < day => days(to, day),
            _ => 0,
        }
    }
}

impl RuleDay {
    fn told(self) -> Option<String> {
        match self {
            RuleDay::On(day) if day != Date::MAX && day != Date::MIN => Some(day.to_string()),
            RuleDay::On(_) | RuleDay::Open | RuleDay::Malformed => None,
        }
    }
}
