//! What DHIS2 changed since it was pinned, as far as a mapping is concerned.

use std::collections::BTreeSet;

use super::Target;
use crate::domain::{
    Changed, DataElement, Drift, OrgUnit, OrgUnitScope, Pin, PinnedElement, PinnedOrgUnit, Scope,
    Space, Uid,
};

/// Every change since the pin of an object that the mapping can produce (`scope`) or did produce (`seen`, where its
/// rows were read).
pub(crate) fn drift(pin: &Pin, target: &Target, scope: &Scope, seen: Option<&Space>) -> Vec<Drift> {
    let Some(pinned) = pin.data_sets.get(&target.data_set.id) else {
        return Vec::new();
    };
    let mut comparison = Comparison {
        pin,
        target,
        found: BTreeSet::new(),
    };
    let set = &target.data_set;
    let what = format!("data set {} ({})", pinned.name, set.id);
    comparison.name(&what, set.id, (&pinned.name, &pinned.code), &set.name);
    if pinned.period_type != set.period_type.name() {
        let now = format!(
            "{what} is {} now, not {}",
            set.period_type, pinned.period_type
        );
        comparison.add(Changed::PeriodType, set.id, Weight::Harmful, now);
    }
    let combos: BTreeSet<Uid> = set.attribute_option_combos.keys().copied().collect();
    comparison.combos(&what, set.id, pinned.category_combo, &combos);
    comparison.elements(scope, seen);
    comparison.units(scope, seen);
    comparison.found.into_iter().collect()
}

/// The objects whose values cannot be what they were meant to be.
pub(crate) fn blocks(drift: &[Drift]) -> BTreeSet<Uid> {
    let blocks = drift.iter().filter(|drift| {
        matches!(
            drift.change,
            Changed::ValueType | Changed::AggregationType | Changed::CategoryOptions
        )
    });
    blocks.map(|drift| drift.object).collect()
}

struct Comparison<'c> {
    pin: &'c Pin,
    target: &'c Target,
    found: BTreeSet<Drift>,
}

/// Whether values would be refused or mean something else, or people should only know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weight {
    Harmful,
    Note,
}

impl Comparison<'_> {
    fn add(&mut self, change: Changed, object: Uid, weight: Weight, text: String) {
        self.found.insert(Drift {
            change,
            object,
            harmful: weight == Weight::Harmful,
            text,
        });
    }

    /// Compares names and codes; `pinned` has both.
    fn name(&mut self, what: &str, uid: Uid, pinned: (&str, &Option<String>), name: &str) {
        let (pinned_name, pinned_code) = pinned;
        if pinned_name != name {
            let text = format!("{what} is called {name} now");
            self.add(Changed::Name, uid, Weight::Note, text);
        }
        let code = self.target.data_set.codes.get(&uid);
        if pinned_code.as_ref() != code {
            let now = code.map_or("no code".to_owned(), |code| format!("the code {code}"));
            let was = pinned_code.as_deref().unwrap_or("none");
            let text = format!("{what} has {now} now, not {was}");
            self.add(Changed::Name, uid, Weight::Note, text);
        }
    }

    fn elements(&mut self, scope: &Scope, seen: Option<&Space>) {
        let set = self.target.data_set.id;
        let listed = scope.triples.as_ref().map(|triples| {
            let named = triples.iter().flat_map(|triples| &triples.data_elements);
            let met = seen.into_iter().flat_map(Space::triples);
            let met = met.map(|triple| triple.data_element);
            named.copied().chain(met).collect::<BTreeSet<Uid>>()
        });
        for (uid, pinned) in &self.pin.data_elements {
            let named = listed.as_ref().is_none_or(|listed| listed.contains(uid));
            let Some(combo) = pinned.data_sets.get(&set).filter(|_| named) else {
                continue;
            };
            let what = format!("data element {} ({uid})", pinned.name);
            let Some(element) = self.target.element(*uid) else {
                let text = match self.target.other_elements.contains_key(uid) {
                    true => format!("{what} is not in the data set any more"),
                    false => format!("{what} is not in DHIS2 any more"),
                };
                self.add(Changed::DataElement, *uid, Weight::Harmful, text);
                continue;
            };
            self.name(&what, *uid, (&pinned.name, &pinned.code), &element.name);
            self.kind_of_values(&what, *uid, pinned, element);
            let combos = element.category_option_combos.keys().copied().collect();
            self.combos(&what, *uid, *combo, &combos);
        }
    }

    fn kind_of_values(
        &mut self,
        what: &str,
        uid: Uid,
        pinned: &PinnedElement,
        element: &DataElement,
    ) {
        let mut compare = |change, name: &str, was: String, now: String, weight| {
            if was != now {
                let text = format!("{what} has the {name} {now} now, not {was}");
                self.add(change, uid, weight, text);
            }
        };
        compare(
            Changed::ValueType,
            "value type",
            pinned.value_type.to_string(),
            element.value_type.to_string(),
            Weight::Harmful,
        );
        compare(
            Changed::AggregationType,
            "aggregation type",
            pinned.aggregation_type.clone(),
            element.aggregation_type.clone(),
            Weight::Harmful,
        );
        // What becomes of a zero is judged by what DHIS2 says now.
        compare(
            Changed::ZeroIsSignificant,
            "zero significance",
            pinned.zero_is_significant.to_string(),
            element.zero_is_significant.to_string(),
            Weight::Note,
        );
    }

    /// Compares the option combos of a data element or of the data set with those of its pinned category combo.
    fn combos(&mut self, what: &str, owner: Uid, category_combo: Uid, now: &BTreeSet<Uid>) {
        let Some(pinned) = self.pin.category_combos.get(&category_combo) else {
            return;
        };
        let was = &pinned.category_option_combos;
        for combo in was.intersection(now) {
            self.options(*combo);
        }
        let gone = was.difference(now).count();
        let new = now.difference(was).count();
        // Data elements share a category combo: what changed within it is told once.
        let (object, text) = match (gone, new) {
            (0, 0) => return,
            (gone, _) if gone == was.len() => (
                owner,
                format!("{what} has another category combo than {}", pinned.name),
            ),
            (gone, new) => (
                category_combo,
                format!(
                    "category combo {} ({category_combo}) has lost {gone} and gained {new} of its option combos",
                    pinned.name
                ),
            ),
        };
        let weight = match gone {
            0 => Weight::Note,
            _ => Weight::Harmful,
        };
        self.add(Changed::CategoryCombo, object, weight, text);
    }

    fn options(&mut self, combo: Uid) {
        let Some(pinned) = self.pin.category_option_combos.get(&combo) else {
            return;
        };
        let set = &self.target.data_set;
        let now = set.options_of.get(&combo).into_iter().flatten().copied();
        if now.collect::<BTreeSet<Uid>>() != pinned.category_options {
            let text = format!(
                "category option combo {} ({combo}) is made of other category options now",
                pinned.name
            );
            self.add(Changed::CategoryOptions, combo, Weight::Harmful, text);
        }
    }

    fn units(&mut self, scope: &Scope, seen: Option<&Space>) {
        let set = self.target.data_set.id;
        let has_rows = |uid: &Uid| seen.is_some_and(|seen| seen.unit(*uid).is_some());
        let named = |uid: &Uid, path: &str| match &scope.org_units {
            OrgUnitScope::Listed(units) => units.contains(uid),
            OrgUnitScope::OfDataSet { below } => {
                let mut steps = path.split('/').filter_map(|step| step.parse().ok());
                below.is_empty() || steps.any(|step: Uid| below.contains(&step))
            }
            OrgUnitScope::Seen => seen.is_none() || has_rows(uid),
        };
        for (uid, pinned) in &self.pin.organisation_units {
            if !pinned.data_sets.contains(&set) || !named(uid, &pinned.path) {
                continue;
            }
            let what = format!("organisation unit {} ({uid})", pinned.name);
            let Some(unit) = self.target.data_set.org_units.get(uid) else {
                let text = match self.target.other_units.contains_key(uid) {
                    true => format!("{what} is not assigned to the data set any more"),
                    false => {
                        format!("{what} is not in DHIS2 any more: deleted, or merged into another")
                    }
                };
                self.add(Changed::OrgUnit, *uid, Weight::Harmful, text);
                continue;
            };
            self.name(&what, *uid, (&pinned.name, &pinned.code), &unit.name);
            self.place_and_life(&what, *uid, pinned, unit);
        }
        let assigned = self.target.data_set.org_units.iter();
        let new: Vec<(&Uid, &OrgUnit)> = assigned
            .filter(|(uid, unit)| {
                let listed = matches!(scope.org_units, OrgUnitScope::Listed(_));
                (listed || named(uid, &unit.path))
                    && !self.pin.has_unit(**uid, set)
                    && !has_rows(uid)
            })
            .collect();
        for (uid, unit) in new {
            let without = match seen {
                Some(_) => ", and no row reports to it: a new unit without a rule",
                None => "",
            };
            let name = &unit.name;
            let text = format!("organisation unit {name} ({uid}) is new in the data set{without}");
            self.add(Changed::NewOrgUnit, *uid, Weight::Note, text);
        }
    }

    fn place_and_life(&mut self, what: &str, uid: Uid, pinned: &PinnedOrgUnit, unit: &OrgUnit) {
        if pinned.closed_date != unit.closed {
            let (weight, text) = match unit.closed {
                Some(day) => (Weight::Harmful, format!("{what} is closed from {day} on")),
                None => (Weight::Note, format!("{what} is open again")),
            };
            self.add(Changed::OrgUnitClosed, uid, weight, text);
        }
        if pinned.path != unit.path {
            let (weight, text) = match self.target.is_in_hierarchy(unit) {
                true => (Weight::Note, format!("{what} was moved to {}", unit.path)),
                false => {
                    let text = format!("{what} was moved out of the hierarchy of our account");
                    (Weight::Harmful, text)
                }
            };
            self.add(Changed::OrgUnitMoved, uid, weight, text);
        }
    }
}
